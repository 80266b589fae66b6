"""Studio: each pipeline loaded once, shared by page and API."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from models.lazy import locked_cached_property
from pipelines.registry import entry_of, is_ready, load_object

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from pipelines.catalog.extract.extractor import AttributeExtractor
    from pipelines.makeup.flux_recipes import PromptRecipe
    from pipelines.makeup.look_map import LookMap
    from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
    from pipelines.makeup.pipeline_nano import NanoMakeupPipeline
    from pipelines.makeup.pipeline_shade import ShadePipeline
    from pipelines.tryon.pipeline_dmvton import DMVTONPipeline


def estimate_seconds(
    source: Tensor,
    reference: Tensor | None,
    seeds: Sequence[int],
    recipe: PromptRecipe,
    **_: object,
) -> float:
    """How long a GPU is borrowed for, from the arguments of `FluxMakeupPipeline.generate`.

    By FLUX's own figures, about 0.4 s a step on the GPUs of ZeroGPU, twice that for a reference; we
    had none to measure it on.
    """
    return 10 + (0.8 if reference is not None else 0.4) * recipe.steps * len(source)


def _make(name: str, *parts: object) -> Any:
    """A pipeline of the registry, of parts it shares with others."""
    return load_object(entry_of(name).class_path)(*parts)


class Studio:
    """The pipelines of the page and of its API, each made when it is first asked for.

    Safe to share between threads.

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
        return _make("instant")

    @locked_cached_property
    def tryon(self) -> DMVTONPipeline:
        """The try-on pipeline; loading it takes a few seconds."""
        return _make("dmvton")

    @locked_cached_property
    def flux_makeup(self) -> FluxMakeupPipeline:
        """FLUX-Makeup; loading it takes minutes. A ZeroGPU Space has to do so before it opens."""
        from models.zero_gpu import with_lent_gpu
        from pipelines.flux import load_flux_makeup

        pipe = load_flux_makeup()
        pipe.generate = with_lent_gpu(pipe.generate, estimate_seconds)
        return pipe

    @locked_cached_property
    def nano_makeup(self) -> dict[str, NanoMakeupPipeline]:
        """The nano FLUX, student and teacher; their weights are read at first use."""
        from pipelines.makeup.pipeline_nano import NanoName

        analyzer = self.makeup.analyzer
        return {name: _make("nano-flux", name, analyzer) for name in get_args(NanoName)}

    @locked_cached_property
    def beautybank(self) -> BeautyBankPipeline:
        """BeautyBank, on the same models."""
        return _make("beautybank", self.makeup.analyzer)

    @locked_cached_property
    def look_map(self) -> LookMap:
        """Looks invented by the sampler, laid out; drawing them takes a few seconds."""
        from pipelines.makeup.look_map import LookMap

        return LookMap.lay_out(self.beautybank.sample(48, seed=7))

    @locked_cached_property
    def shade(self) -> ShadePipeline:
        """The shade pipeline, on the same models."""
        return _make("shade", self.makeup)

    @locked_cached_property
    def extractor(self) -> AttributeExtractor:
        """What reads product pictures."""
        return _make("product-reader")

    def warm_up(self) -> None:
        """Load what the first visitor would otherwise wait for."""
        with self._lock:
            self.makeup.analyzer.load()
            if is_ready("dmvton"):
                self.tryon.load()
        self.is_warm = True

    def remove_makeup(self, picture: Image.Image) -> Image.Image:
        """A photograph without the makeup of anybody in it.

        Raises:
            NoFaceError: there is nobody in it.
        """
        return self.beautybank.remove(self.makeup.find_faces(picture)).image
