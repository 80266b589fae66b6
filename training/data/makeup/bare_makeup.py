"""The bare-makeup synthesis set: faces without and with makeup whose every layer is known.

Looks with random parameters, or taken off real photographs, on real bare faces under random light.
Sample `n` of a seed is the same whenever and in whatever order it is made;
`training.prepare.bare_makeup` writes them to a folder.

A batch is a grid of looks x faces, so that every look is worn by several people and everyone wears
several looks: that is what takes a person out of a makeup code, and makeup out of a bare code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models import seeding
from models.beautybank.patches import MAP_SIZE, REGIONS, cut
from models.beautybank.reading import MIDDLE, SPREAD, TINT_SPREAD, patches_of
from models.instant.drawn import draw
from models.instant.face_texture import FaceTexture
from models.instant.layer import change_on
from models.instant.look_recipe import LookRecipe
from models.instant.makeup import Makeup, extract
from models.ops.masks import blur
from training.data.faces.store import Part
from training.data.faces.textures import FaceTextures, fit_bare_skin
from training.data.generators import make_numpy_generator
from training.data.makeup.random_looks import draw_random_recipe

_EXTRACTED = 0.35  # share of looks that come off a photograph
_PHOTOGRAPH = 0.5  # how often such a look is also shown on the photograph it came from


@dataclass(frozen=True)
class SynthLook:
    """A look of the set.

    Attributes:
        makeup: its maps.
        recipe: how it was drawn, or None.
        photograph: number of the photograph it was taken from, or None.
    """

    makeup: Makeup
    recipe: LookRecipe | None = None
    photograph: int | None = None


@dataclass(frozen=True)
class Pair:
    """One face without and with a look.

    Attributes:
        bare: the face without, under neutral light.
        lit: the same under the light of the picture.
        made_up: with makeup under the light of the picture, skin fitted.
        change: (S, S, 3) float32 CIELAB that the look adds under neutral light.
    """

    bare: np.ndarray
    lit: np.ndarray
    made_up: FaceTexture
    change: np.ndarray


class BareMakeup:
    """Pairs of the set, drawn on the fly.

    Args:
        faces: the cache.
        part: which people and photographs.
        length: nominal number of grids.
    """

    def __init__(self, faces: FaceTextures, part: Part = "train", length: int = 100_000) -> None:
        self.faces, self.length = faces, length
        self.bare, self.made_up = faces.select("bare", part), faces.select("makeup", part)

    def __len__(self) -> int:
        return self.length

    def draw_look(self, rng: np.random.Generator) -> SynthLook:
        """Draw a look, or take one off a photograph."""
        if len(self.made_up) and rng.random() < _EXTRACTED:
            number = int(rng.choice(self.made_up))
            return SynthLook(extract(self.faces.read_face(number)), photograph=number)
        recipe = draw_random_recipe(rng)
        return SynthLook(draw(recipe, MAP_SIZE), recipe)

    def draw_face(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw a bare face, perhaps mirrored and of another tone: CIELAB and seen."""
        number = int(rng.choice(self.bare))
        lab, seen = self.faces.read_lab(number)
        if rng.random() < 0.5:
            lab, seen = lab[:, ::-1].copy(), seen[:, ::-1].copy()
        if rng.random() < 0.6:
            lab = lab + np.float32(rng.normal(0, [7, 2, 3]))
            lab[..., 0] = lab[..., 0].clip(2, 99)
        return lab, seen

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """A grid of looks x faces; see `grid`.

        Args:
            indices: (looks,); only their number counts.
            generator: of all draws.
        """
        rng = make_numpy_generator(generator)
        looks = [self.draw_look(rng) for _ in indices]
        faces = [self.draw_face(rng) for _ in range(max(2, len(indices) // 2))]
        return self.make_grid(looks, faces, rng)

    def make_grid(
        self,
        looks: Sequence[SynthLook],
        faces: Sequence[tuple[np.ndarray, np.ndarray]],
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:
        """Every look on every face, in patches.

        Returns:
            For each region R and V = looks x faces views, looks first: `see.R` (V, 14, h, w) what
            the encoders see; `base.R`, `change.R` (V, 6, h, w) the bare face and what the look adds
            to it; `bare.R`, `skin.R` (V, 6, h, w) the bare face and the fitted skin in the light of
            the picture; `alpha.R` (V, 2, h, w) and `tint.R` (V, 6, h, w) the known layer. `look`
            and `face` (V,) are their numbers, `synthetic` (V,) is 0 where a photograph was shown.
        """
        rows: dict[str, list[np.ndarray]] = {}
        synthetic = []
        for look in looks:
            photograph = look.photograph if rng.random() < _PHOTOGRAPH else None
            layer = {
                "alpha": look.makeup.opacity[..., None],
                "tint": look.makeup.deviation / TINT_SPREAD,
            }
            known = {region: _cut_all(layer, region) for region in REGIONS}
            for column, (lab, seen) in enumerate(faces):
                pair = render_pair(look.makeup, lab, seen, rng)
                shown = pair.made_up
                synthetic.append(1.0)
                if photograph is not None and column == 0:
                    shown = self.faces.read_face(photograph)
                    synthetic[-1] = 0.0
                maps = {
                    "base": (blur(pair.bare, 0.012 * MAP_SIZE) - MIDDLE) / SPREAD,
                    "change": pair.change / SPREAD,
                    "bare": (blur(pair.lit, 0.006 * MAP_SIZE) - MIDDLE) / SPREAD,
                    "skin": (pair.made_up.bare - MIDDLE) / SPREAD,
                }
                for region, patch in patches_of(shown).items():
                    rows.setdefault(f"see.{region}", []).append(patch)
                    for name, values in (_cut_all(maps, region) | known[region]).items():
                        rows.setdefault(f"{name}.{region}", []).append(values)
        batch = {name: torch.from_numpy(np.stack(values)) for name, values in rows.items()}
        batch["look"] = torch.arange(len(looks)).repeat_interleave(len(faces))
        batch["face"] = torch.arange(len(faces)).repeat(len(looks))
        batch["synthetic"] = torch.tensor(synthetic)
        return batch


def _cut_all(maps: dict[str, np.ndarray], region: str) -> dict[str, np.ndarray]:
    """`cut` for several maps at once."""
    return {name: cut(values, region) for name, values in maps.items()}


def render_pair(
    makeup: Makeup, lab: np.ndarray, seen: np.ndarray, rng: np.random.Generator
) -> Pair:
    """Put a look on a bare face and light it.

    What the look covers of the face's own colour counts as bare: it is gone before makeup goes on.
    """
    texture = FaceTexture(lab, lab, seen, lab[0, 0])  # a drawn look asks for no more
    covers = bool(makeup.cover.any())
    if covers:
        texture = fit_bare_skin(lab, seen)
    change = change_on(makeup, texture)
    bare = lab
    if covers:
        plain = replace(
            makeup,
            deviation=np.zeros_like(makeup.deviation),
            opacity=np.zeros_like(makeup.opacity),
        )
        covered = change_on(plain, texture)
        bare, change = lab + covered, change - covered
    light = draw_light_field(rng)
    made_up = np.clip(bare + change + light, [0, -110, -110], [100, 110, 110])
    made_up = simulate_camera(np.asarray(made_up, np.float32), rng)
    return Pair(bare, np.asarray(bare + light, np.float32), fit_bare_skin(made_up, seen), change)


def draw_light_field(rng: np.random.Generator) -> np.ndarray:
    """A smooth change of light over the face, (S, S, 3) float32 in CIELAB, and a colour cast."""
    v, u = np.mgrid[:MAP_SIZE, :MAP_SIZE].astype(np.float32) / (MAP_SIZE - 1) * 2 - 1
    slope, cast = rng.normal(0, [5, 3, 2]), rng.normal(0, [4, 2.0, 3.5])
    field = np.zeros((MAP_SIZE, MAP_SIZE, 3), np.float32)
    field[..., 0] = np.float32(slope[0]) * u + np.float32(slope[1]) * v
    field[..., 0] += np.float32(slope[2]) * (u * u + v * v - 0.6)
    return field + np.float32(cast)


def simulate_camera(lab: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The map as a smaller, softer or noisier picture would give it."""
    if rng.random() < 0.4:
        lab = blur(lab, rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:
        lab = lab + np.float32(rng.uniform(0.3, 2.0)) * rng.standard_normal(lab.shape, np.float32)
    return lab


def draw_pair(pairs: BareMakeup, seed: int, number: int) -> tuple[SynthLook, Pair]:
    """Pair `number` of a seed, whatever was made before it."""
    rng = make_numpy_generator(seeding.generator_for(seed, "pair", number))
    look = pairs.draw_look(rng)
    return look, render_pair(look.makeup, *pairs.draw_face(rng), rng)
