"""BeautyBank: read makeup as a code; wear, mix, edit, remove and invent looks with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from models import regions, seeding
from models.beautybank.code import MakeupCode, shifted
from models.beautybank.drawing import (
    bare_colors,
    draw_code,
    made_up,
    read_code,
    removal,
)
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE
from models.beautybank.portrait import portrait
from models.beautybank.sampler import LookSampler
from models.beautybank.tuning import tuned
from models.errors import LookError
from models.instant.face_texture import unfold
from models.instant.layer import blend, render_change
from models.lazy import locked_cached_property
from models.ops.masks import canonical_regions
from models.structures import Face
from pipelines.analysis import FaceAnalyzer, load_network
from pipelines.makeup.code_files import PREVIEW_SIZE, CodedLook
from pipelines.makeup.look import Look, quantize_makeup
from pipelines.makeup.output import MakeupOutput
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline, select_faces
from pipelines.registry import WEIGHTS

NOBODYS_SKIN = np.array([70, 12, 17], np.float32)
"""CIELAB of the generated face that previews are shown on."""
_TONES = ((78, 10, 14), (70, 12, 17), (60, 13, 19), (48, 14, 20), (36, 12, 15))


@dataclass(frozen=True)
class Removed:
    """A picture whose faces had their makeup taken off.

    Attributes:
        image: at the source's size; pixels outside the faces are bit-equal to it.
        faces: the faces in `image`, as if they had been found there.
    """

    image: Image.Image
    faces: tuple[Face, ...]


class BeautyBankPipeline:
    """Makeup as a code.

        pipe = BeautyBankPipeline()
        code = pipe.read(decode("her.jpg"))
        pipe(decode("me.jpg"), code).images[0].save("out.png")

    What a code draws goes through the editable layer of instant makeup: at full resolution, with a
    strength for each region, bit-equal outside the face.

    Args:
        analyzer: finds faces; made on first use when None. One may serve many pipelines.
        folder: weights of the networks.
    """

    def __init__(
        self, analyzer: FaceAnalyzer | None = None, folder: Path = WEIGHTS / "beautybank"
    ) -> None:
        self.instant = InstantMakeupPipeline(analyzer)
        self.folder = folder

    @locked_cached_property
    def network(self) -> BeautyBank:
        """The networks.

        Raises:
            CheckpointError: they are missing or damaged.
        """
        return load_network(BeautyBank, self.folder)

    @locked_cached_property
    def fingerprint(self) -> str:
        """What tells these weights from others; codes carry it."""
        (file,) = self.folder.glob("*.safetensors")
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]

    def __call__(
        self,
        source: Image.Image,
        look: CodedLook,
        *,
        source_made_up: bool = False,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
        faces: Sequence[int] | None = None,
    ) -> MakeupOutput:
        """Put a look on a picture.

        Args:
            source: the wearer's picture.
            look: the look.
            source_made_up: take off what the wearer wears first.
            strengths: region -> 0..1; regions not named are worn in full.
            strength: overall 0..1.
            faces: which faces, 0 the largest; all when None.

        Raises:
            NoFaceError: no face in the source, or not one of those asked for.
            LookError: other networks made the look.
        """
        # 1. Look at the picture, and see it bare
        found = self.instant.find_faces(source)
        if source_made_up:
            found = list(self.remove(found).faces)
        # 2. Draw the code, and put it on each face at full strength
        layers = self.instant.wear(found, self.draw(look), faces=faces)
        # 3. Weight the regions
        layers = layers.with_strengths(strengths, strength)
        return MakeupOutput([self.instant.blend(layers)], layers)

    def read(
        self,
        picture: Image.Image,
        name: str = "look from a photo",
        *,
        face: int = 0,
        iterations: int = 60,
    ) -> CodedLook:
        """Read the makeup of a photograph.

        Args:
            picture: of someone wearing makeup.
            name: what to call the look.
            face: which face, 0 the largest.
            iterations: of each stage of tuning; 0 takes the networks' first answer.

        Raises:
            NoFaceError: the picture has no such face.
        """
        found = self.instant.find_faces(picture)
        texture = unfold(select_faces(found, [face])[face], MAP_SIZE)
        code = read_code(self.network, texture)
        if iterations:
            code = tuned(self.network, texture, iterations).stage2
        return self.make_coded_look(code, name)

    def make_coded_look(self, code: MakeupCode, name: str) -> CodedLook:
        """Give a code a name and a preview."""
        bare = self.sampler.bare_middle.numpy()
        preview = self.portraits(code, [(bare, NOBODYS_SKIN)], PREVIEW_SIZE)[0]
        return CodedLook(code, name[:80], self.fingerprint, preview)

    def draw(self, look: CodedLook) -> Look:
        """The look as instant makeup wears it.

        Raises:
            LookError: other networks made it.
        """
        self.check([look])
        return Look(look.name, quantize_makeup(draw_code(self.network, look.code)), origin="mixed")

    def check(self, looks: Sequence[CodedLook]) -> None:
        """See that these networks made the looks.

        Raises:
            LookError: others did.
        """
        for look in looks:
            if look.network != self.fingerprint:
                raise LookError(
                    "the code was made by other networks",
                    found=look.network,
                    needed=self.fingerprint,
                )

    def with_lip_color(self, code: MakeupCode, lab: np.ndarray) -> MakeupCode:
        """The code with its lipstick moved until nobody's lips show a colour, (3,) CIELAB.

        Its shading stays; a look without lipstick stays without.
        """
        weight = canonical_regions(MAP_SIZE)[regions.LIPS][..., None]
        lips = bare_colors(self.network, self.sampler.bare_middle.numpy(), NOBODYS_SKIN, MAP_SIZE)
        for _ in range(4):  # thin lipstick shows a share of each move
            shown = made_up(lips, draw_code(self.network, code, MAP_SIZE))
            seen = (weight * shown).sum((0, 1)) / weight.sum()
            code = shifted(code, lab - seen, [regions.LIPS])
        return code

    def remove(self, found: Sequence[Face], *, faces: Sequence[int] | None = None) -> Removed:
        """Take makeup off faces already found, from `instant.find_faces`.

        Raises:
            NoFaceError: an index that no face has.
        """
        pixels = found[0].image
        layers = {}
        for number, face in select_faces(found, faces).items():
            texture = unfold(face)
            layers[number] = render_change(removal(self.network, texture), face, texture)
        for layer in layers.values():
            pixels = blend(pixels, layer, {})
        bare = tuple(replace(face, image=pixels) for face in found)
        return Removed(Image.fromarray(pixels), bare)

    def inject(self, look: CodedLook, count: int, seed: int, size: int = 256) -> list[Image.Image]:
        """The look on faces that do not exist: bare codes and skins drawn by a seed."""
        codes = self.sampler.people(count, seeding.generator_for(seed, "people")).numpy()
        tones = (np.array(_TONES[(k + seed) % len(_TONES)], np.float32) for k in range(count))
        people = list(zip(codes, tones, strict=True))
        return [Image.fromarray(picture) for picture in self.portraits(look.code, people, size)]

    @locked_cached_property
    def sampler(self) -> LookSampler:
        """Invents codes.

        Raises:
            CheckpointError: its weights are missing or damaged.
        """
        return load_network(LookSampler, self.folder / "sampler")

    def sample(self, count: int, seed: int) -> list[CodedLook]:
        """Looks nobody wore: the same seed gives the same looks."""
        codes = self.sampler.sample(count, seeding.generator_for(seed, "looks"))
        return [self.make_coded_look(code, f"sample {seed}-{k}") for k, code in enumerate(codes)]

    def portraits(
        self, code: MakeupCode, people: Sequence[tuple[np.ndarray, np.ndarray]], size: int
    ) -> list[np.ndarray]:
        """A look on generated faces, each a bare code and a skin: (size, size, 3) uint8."""
        makeup = draw_code(self.network, code, 2 * MAP_SIZE)
        return [
            portrait(made_up(bare_colors(self.network, bare, skin, 2 * MAP_SIZE), makeup), size)
            for bare, skin in people
        ]
