"""Studio: each pipeline loaded once, shared by page, API and command line."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from models.cancellation import raise_if_cancelled
from models.errors import LookError
from models.lazy import locked_cached_property
from pipelines.registry import is_ready

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

    from models.structures import Face
    from pipelines.catalog.extract.attributes import Attributes
    from pipelines.catalog.extract.extractor import AttributeExtractor
    from pipelines.catalog.search.search import Match
    from pipelines.catalog.search.store import Catalog
    from pipelines.makeup.code_files import CodedLook
    from pipelines.makeup.face_makeup import MakeupColor
    from pipelines.makeup.flux_recipes import PromptRecipe
    from pipelines.makeup.look import Look
    from pipelines.makeup.look_map import LookMap
    from pipelines.makeup.output import MakeupOutput
    from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
    from pipelines.makeup.pipeline_nano import NanoMakeupPipeline
    from pipelines.makeup.pipeline_shade import ShadePipeline
    from pipelines.steps import Progress
    from pipelines.tryon.pipeline_dmvton import DMVTONPipeline


def painting_seconds(
    source: Tensor, reference: Any, seeds: Sequence[int], recipe: PromptRecipe, **_: Any
) -> float:
    """How long a GPU is borrowed for, from the arguments of `FluxMakeupPipeline.generate`.

    By FLUX's own figures, about 0.4 s a step on the GPUs of ZeroGPU, twice that for a reference; we
    had none to measure it on.
    """
    return 10 + (0.8 if reference is not None else 0.4) * recipe.steps * len(source)


def _still_wanted(_: Progress) -> bool:
    """Asked after each step; by name, for it is sent to another process."""
    raise_if_cancelled()
    return True


CERTAIN_MAKEUP = 0.3
"""Strength from which on a colour on a face is taken for makeup."""


@dataclass
class LookRequest:
    """What a visitor wants to wear, as files and names; the first that is set is the base.

    Attributes:
        look_file: a `look.json` or a PNG made by Mirra.
        reference: a photograph of someone wearing makeup, or a PNG made by Mirra.
        named: a drawn look.
        second: another photograph or PNG, for the regions in `from_second`.
        from_second: regions to take from `second`.
    """

    reference: str | Path | None = None
    named: str | None = None
    look_file: str | Path | None = None
    second: str | Path | None = None
    from_second: tuple[str, ...] = field(default=())


class Studio:
    """Everything the page and the API can do, without a page. Safe to share between threads.

    Args:
        png_text: text each result carries as a PNG; see `pipelines.images.provenance`.
    """

    def __init__(self, png_text: Mapping[str, str] | None = None) -> None:
        self.png_text = dict(png_text or {})
        self.is_warm = False
        self._lock = threading.Lock()

    @locked_cached_property
    def makeup(self) -> InstantMakeupPipeline:
        """The instant pipeline; loading it takes a few seconds."""
        from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

        return InstantMakeupPipeline()

    @locked_cached_property
    def tryon(self) -> DMVTONPipeline:
        """The try-on pipeline; loading it takes a few seconds."""
        from pipelines.tryon.pipeline_dmvton import DMVTONPipeline

        return DMVTONPipeline()

    @locked_cached_property
    def painter(self) -> FluxMakeupPipeline:
        """FLUX-Makeup; loading it takes minutes. A ZeroGPU Space has to do so before it opens."""
        from models.zero_gpu import with_lent_gpu
        from pipelines.flux import load_flux_makeup

        pipe = load_flux_makeup()
        pipe.generate = with_lent_gpu(pipe.generate, painting_seconds)
        return pipe

    @locked_cached_property
    def small_painters(self) -> dict[str, NanoMakeupPipeline]:
        """The nano FLUX, student and teacher; their weights are read at first use."""
        from pipelines.makeup.pipeline_nano import NanoMakeupPipeline, NanoName

        analyzer = self.makeup.analyzer
        return {name: NanoMakeupPipeline(name, analyzer) for name in get_args(NanoName)}

    @locked_cached_property
    def codes(self) -> BeautyBankPipeline:
        """BeautyBank, on the same models."""
        from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline

        return BeautyBankPipeline(self.makeup.analyzer)

    @locked_cached_property
    def look_map(self) -> LookMap:
        """Looks invented by the sampler, laid out; drawing them takes a few seconds."""
        from pipelines.makeup.look_map import LookMap

        return LookMap.lay_out(self.codes.sample(48, seed=7))

    @locked_cached_property
    def shades(self) -> ShadePipeline:
        """The shade pipeline, on the same models."""
        from pipelines.makeup.pipeline_shade import ShadePipeline

        return ShadePipeline(self.makeup)

    @locked_cached_property
    def extractor(self) -> AttributeExtractor:
        """Reads product pictures."""
        from pipelines.catalog.extract.extractor import AttributeExtractor

        return AttributeExtractor()

    def warm_up(self) -> None:
        """Load what the first visitor would otherwise wait for."""
        with self._lock:
            self.makeup.analyzer.load()
            if is_ready("dmvton"):
                self.tryon.load()
        self.is_warm = True

    def look(self, request: LookRequest) -> Look:
        """Find or read the look a visitor wants.

        Raises:
            MirraError: there is none, or the file or photograph cannot be used.
        """
        from pipelines.makeup.look_files import load_look
        from pipelines.makeup.named_looks import find_look
        from pipelines.makeup.pipeline_instant import combine

        if request.look_file:
            base = load_look(Path(request.look_file))
        elif request.reference:
            base = self._read(Path(request.reference))
        elif request.named:
            base = find_look(request.named)
        else:
            raise LookError("nothing to wear was chosen")
        if request.second and request.from_second:
            second = self._read(Path(request.second))
            base = combine(base, dict.fromkeys(request.from_second, second))
        return base

    def try_on(
        self,
        source: str | Path,
        request: LookRequest,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
        faces: list[int] | None = None,
    ) -> MakeupOutput:
        """Put the look asked for on a photograph.

        Args:
            source: the wearer's picture.
            request: what to wear.
            strengths: region -> 0..1; the look's own when None.
            strength: overall 0..1; the look's own when None.
            faces: which faces, 0 the largest; all when None.

        Raises:
            MirraError: a picture or look cannot be used.
        """
        from pipelines.images.decode import decode

        picture = decode(source)
        look = self.look(request)
        raise_if_cancelled()
        return self.makeup(picture, look, strengths=strengths, strength=strength, faces=faces)

    def paint(
        self, source: str | Path, reference: str | Path, seed: int | None = None
    ) -> Image.Image:
        """Paint the makeup of one photograph on the face of another, with FLUX.

        Faces are found and the result is laid over the source here; only what lies between needs a
        GPU.

        Args:
            source: the wearer's picture.
            reference: picture of someone wearing makeup.
            seed: which of the many possible pictures; any when None.

        Raises:
            MirraError: a picture or the pipeline cannot be used.
        """
        from pipelines.flux import locate_flux, translate_loading_errors
        from pipelines.images.decode import decode

        with translate_loading_errors(locate_flux()):
            return self.painter(
                decode(source), decode(reference), seed=seed, on_step=_still_wanted
            ).images[0]

    def paint_small(
        self, source: str | Path, reference: str | Path, network: str
    ) -> tuple[Image.Image, Image.Image]:
        """A photograph, and the same as the nano FLUX paints it.

        Raises:
            MirraError: a picture cannot be used.
        """
        from pipelines.images.decode import decode

        picture = decode(source)
        made = self.small_painters[network](picture, decode(reference))
        return picture, made.images[0]

    def read_code(self, picture: str | Path, steps: int) -> CodedLook:
        """Read the makeup of a photograph as a code, with so many steps of each tuning stage.

        Raises:
            MirraError: the picture cannot be used.
        """
        from pipelines.images.decode import decode

        return self.codes.read(decode(picture), iterations=steps)

    def between(
        self, first: CodedLook | None, second: CodedLook | None, t: float
    ) -> CodedLook | None:
        """The look between two, or the only one there is."""
        if first is None or second is None:
            return first or second
        if t in (0, 1):
            return second if t else first
        from models.beautybank.code import between

        return self.codes.make_coded_look(
            between(first.code, second.code, t), f"{first.name} + {second.name}"
        )

    def wear_code(self, source: str | Path, look: CodedLook, made_up: bool) -> MakeupOutput:
        """Put a code on a photograph; `made_up` takes off what the wearer wears first.

        Raises:
            MirraError: the picture cannot be used.
        """
        from pipelines.images.decode import decode

        return self.codes(decode(source), look, source_made_up=made_up)

    def take_off(self, source: str | Path) -> tuple[Image.Image, Image.Image]:
        """A photograph, and the same without makeup.

        Raises:
            MirraError: the picture cannot be used.
        """
        from pipelines.images.decode import decode

        picture = decode(source)
        return picture, self.codes.remove(self.makeup.find_faces(picture)).image

    def read_product(
        self, source: str | Path, title: str = ""
    ) -> tuple[Attributes, tuple[np.ndarray, ...]]:
        """Kind, category and shades of a product picture, and a mask of each shade in its box.

        Raises:
            MirraError: the picture cannot be used.
        """
        from pipelines.images.decode import decode

        return self.extractor.read(decode(source), title=title)

    def keep(self, rows: list[dict[str, Any]], catalog: Catalog) -> int:
        """Save shades; returns how many. One at a time, for visitors may share a catalogue."""
        with self._lock:
            return catalog.upsert(rows)

    def find(
        self,
        catalog: Catalog,
        color: str,
        radius: float,
        finishes: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> list[Match]:
        """Shades of a catalogue within a CIEDE2000 `radius` of an sRGB hex, the nearest first.

        Raises:
            MirraError: no colour, finish or category, or the catalogue cannot be read.
        """
        from models.instant.coats import Coat
        from models.instant.drawn import lab_of
        from pipelines.catalog.search.filters import Filters
        from pipelines.catalog.search.search import find_within

        filters = Filters(finishes=tuple(finishes), categories=tuple(categories))
        lab = [float(value) for value in lab_of(Coat(color).color)]
        return find_within(catalog, lab, radius, filters)

    def match_makeup(
        self, face: Face, catalog: Catalog | None
    ) -> tuple[list[MakeupColor], list[dict[str, Any]]]:
        """What a face wears, and shades to wear: each colour as it was read, then its nearest.

        Raises:
            MirraError: the catalogue cannot be read.
        """
        from pipelines.catalog.search.matching import CATEGORIES_OF_REGION, match_makeup
        from pipelines.makeup.face_makeup import read_face_makeup

        colors = [color for color in read_face_makeup(face) if color.strength >= CERTAIN_MAKEUP]
        offers: list[dict[str, Any]] = []
        for color in colors:
            own = {
                "hex": color.hex,
                "finish": color.finish,
                "category": CATEGORIES_OF_REGION[color.region][0],
            }
            offers.append({"title": color.region, **own})
            if catalog is not None:
                for _, matches in match_makeup(catalog, [color], 5):
                    offers += [{**match.shade, "delta_e": match.delta_e} for match in matches]
        return colors, offers

    def _read(self, path: Path) -> Look:
        """The look a Mirra PNG carries, or the makeup on a photograph."""
        from pipelines.images.decode import decode
        from pipelines.makeup.look_files import read_embedded

        return read_embedded(path) or self.makeup.read_look(decode(path))
