"""Faces to judge by: as many bare ones as made-up ones, each in another light at every step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.beautybank.patches import REGIONS
from models.beautybank.reading import patches_of
from training.data.faces.textures import FaceTextures, fit_bare_skin
from training.data.generators import make_numpy_generator
from training.data.makeup.bare_makeup import (
    BareMakeup,
    draw_light_field,
    render_pair,
    simulate_camera,
)


class JudgedFaces:
    """As many bare faces as made-up ones, in another light each time.

    Args:
        faces: the cache; only its training part is used.
    """

    def __init__(self, faces: FaceTextures) -> None:
        self.pairs = BareMakeup(faces)

    def __len__(self) -> int:
        return len(self.pairs.bare) + len(self.pairs.made_up)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Patches as `reading.patches_of` gives them, and `bare` (B,) 0 or 1."""
        rng = make_numpy_generator(generator)
        rows: dict[str, list[np.ndarray]] = {region: [] for region in REGIONS}
        bare = np.arange(len(indices)) % 2
        for number, wanted in enumerate(bare):
            lab, seen = self._face(bool(wanted), number % 4 == 0, rng)
            if rng.random() < 0.5:
                lab, seen = lab[:, ::-1].copy(), seen[:, ::-1].copy()
            lab = simulate_camera(lab + 1.5 * draw_light_field(rng), rng)
            lab[..., 0] = (lab[..., 0] - 50) * rng.uniform(0.75, 1.25) + 50
            lab[..., 1:] *= rng.uniform(0.75, 1.25)
            for region, patch in patches_of(fit_bare_skin(lab, seen)).items():
                rows[region].append(patch)
        batch = {region: torch.from_numpy(np.stack(patches)) for region, patches in rows.items()}
        return batch | {"bare": torch.from_numpy(bare).float()}

    def _face(
        self, bare: bool, made_up: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A bare face, a made-up photograph, or a bare face that wears a look: CIELAB and seen."""
        if bare:
            return self.pairs.draw_face(rng)
        if made_up:
            lab, seen = self.pairs.draw_face(rng)
            return render_pair(self.pairs.draw_look(rng).makeup, lab, seen, rng).made_up.lab, seen
        return self.pairs.faces.read_lab(int(rng.choice(self.pairs.made_up)))
