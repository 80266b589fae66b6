"""Every pipeline Mirra has, as a literal table: whoever needs to know of pipelines reads it.

So do the commands (`mirra models`, the choices of `--pipeline`, toys, exports), the page (which tab
needs which pipeline), licences, and the README's table, by its test. Nothing heavy is imported
before an entry is asked to load something.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@dataclass(frozen=True)
class Licence:
    """What a user must observe.

    Attributes:
        code: of our code.
        weights: of the weights that are read.
        base: of a model by others that they stand on; "none" if there is none.
        data: what they were trained on, and under which licence that came.
        commercial: whether all of this allows commercial use.
    """

    code: str
    weights: str
    base: str
    data: str
    commercial: bool


@dataclass(frozen=True)
class Toy:
    """A pipeline at toy size: the same classes, random weights.

    Attributes:
        parts: function without arguments that gives what the pipeline's class is made of, by name;
            module and name.
        folder: what `mirra models tiny` calls its folder; empty where it writes none.
    """

    parts: str
    folder: str = ""


@dataclass(frozen=True)
class Entry:
    """One pipeline.

    Attributes:
        name: what `mirra models` calls it.
        task: "makeup", "shade", "tryon" or "attributes".
        class_path: module and class.
        weights: folders below `assets/weights` that it reads.
        licence: of code, weights, base and data.
        needs: hardware, in words.
        paper: where the method is from.
        download: what is fetched and how much.
        missing: of weights from elsewhere, function without arguments that says in words what lacks
            on this machine; module and name. Empty if there are none.
        toy: how it is made at toy size, if it is.
        exports: networks that `mirra models export` writes: folder below `assets/weights` ->
            module and class.
        command: command whose `--pipeline` offers it, if one does.
        tabs: tabs of the page that need it, by the name of their element.
    """

    name: str
    task: str
    class_path: str
    weights: tuple[str, ...]
    licence: Licence
    needs: str
    paper: str
    download: str = "nothing"
    missing: str = ""
    toy: Toy | None = None
    exports: tuple[tuple[str, str], ...] = ()
    command: str = ""
    tabs: tuple[str, ...] = ()

    def load_class(self) -> type:
        """Return the pipeline's class."""
        return load_object(self.class_path)

    def make_toy(self) -> DiffusionPipeline:
        """Return the pipeline at toy size; only of an entry with a toy."""
        assert self.toy is not None
        return self.load_class()(**load_object(self.toy.parts)())

    def list_missing(self) -> list[str]:
        """What must be had before it can run here, in words; nothing is loaded or fetched."""
        shipped = [f"assets/weights/{name}" for name in self.weights if not has_weights(name)]
        return shipped + (load_object(self.missing)() if self.missing else [])


FACE = Licence(
    code="Apache-2.0",
    weights="face parser: research, non-commercial; face mesh: CC BY 4.0",
    base="MediaPipe's face mesh, Apache-2.0",
    data="London Set, CC BY 4.0; MT faces, research only; looks-256, none stated",
    commercial=False,
)

REGISTRY: tuple[Entry, ...] = (
    Entry(
        name="instant",
        task="makeup",
        class_path="pipelines.makeup.pipeline_instant:InstantMakeupPipeline",
        weights=("face-mesh", "face-parser"),
        licence=FACE,
        needs="any CPU, 1 GB of memory",
        paper="our own",
        command="makeup",
        tabs=("makeup-tab", "live-tab"),
    ),
    Entry(
        name="tiny-beauty",
        task="makeup",
        class_path="pipelines.makeup.pipeline_tiny_beauty:TinyBeautyPipeline",
        weights=("face-mesh", "face-parser", "tiny-beauty/classic-red"),
        licence=FACE,
        needs="any CPU, 1 GB of memory",
        paper="our own",
        exports=(("tiny-beauty/classic-red", "models.small.tiny_beauty:TinyBeauty"),),
        command="makeup",
    ),
    Entry(
        name="nano-flux",
        task="makeup",
        class_path="pipelines.makeup.pipeline_nano:NanoMakeupPipeline",
        weights=("face-mesh", "face-parser", "nano-flux/student", "nano-flux/teacher"),
        licence=Licence(
            code="Apache-2.0",
            weights="research, non-commercial",
            base="MediaPipe's face mesh, Apache-2.0",
            data="London Set, CC BY 4.0; MT faces, research only",
            commercial=False,
        ),
        needs="any CPU, 1 GB of memory",
        paper="after FLUX-Makeup, arXiv 2508.05069",
        command="makeup",
    ),
    Entry(
        name="shade",
        task="shade",
        class_path="pipelines.makeup.pipeline_shade:ShadePipeline",
        weights=("face-mesh", "face-parser"),
        licence=FACE,
        needs="any CPU, 1 GB of memory",
        paper="our own",
    ),
    Entry(
        name="beautybank",
        task="makeup",
        class_path="pipelines.makeup.pipeline_beautybank:BeautyBankPipeline",
        weights=("face-mesh", "face-parser", "beautybank"),
        licence=FACE,
        needs="any CPU, 1 GB of memory",
        paper="after BeautyBank, arXiv 2411.11231",
        tabs=("looks-tab",),
    ),
    Entry(
        name="beautybank-published",
        task="makeup",
        class_path="pipelines.makeup.pipeline_beautybank_published:PublishedBeautyBankPipeline",
        weights=("face-mesh", "face-parser"),
        licence=Licence(
            code="Apache-2.0",
            weights="BeautyBank: as its authors say; face parser: research, non-commercial",
            base="StyleGAN2 by NVIDIA, non-commercial",
            data="FFHQ, CC BY-NC-SA 4.0; the authors' makeup faces, none stated",
            commercial=False,
        ),
        needs="any CPU, 4 GB of memory by calculation; never run on the published weights",
        paper="BeautyBank, arXiv 2411.11231",
        download="nothing; convert the authors' generator and encoder, 1.4 GB by calculation",
        missing="pipelines.makeup.beautybank_weights:list_missing",
        toy=Toy("models.tiny:published_beautybank"),
    ),
    Entry(
        name="dmvton",
        task="tryon",
        class_path="pipelines.tryon.pipeline_dmvton:DMVTONPipeline",
        weights=("human-parser", "garment-cutter", "dmvton-student"),
        licence=Licence(
            code="Apache-2.0",
            weights="research, non-commercial",
            base="none",
            data="VITON, research only; photographs of garments, CC0",
            commercial=False,
        ),
        needs="any CPU, 1 GB of memory",
        paper="DM-VTON, arXiv 2308.13798",
        exports=(
            ("human-parser", "models.analysis.human_parsing:HumanParser"),
            ("garment-cutter", "models.analysis.garment_cutout:GarmentCutter"),
            ("dmvton-student", "models.dmvton.student:LightStudent"),
            ("dmvton-teacher", "models.dmvton.teacher:MobileTeacher"),
        ),
        command="tryon",
        tabs=("tryon-tab",),
    ),
    Entry(
        name="product-reader",
        task="attributes",
        class_path="pipelines.catalog.extract.extractor:AttributeExtractor",
        weights=tuple(
            f"product-attributes/{name}" for name in ("shade-finder", "pan-finder", "finish-reader")
        ),
        licence=Licence(
            code="Apache-2.0",
            weights="research, non-commercial",
            base="none",
            data="products drawn by our own code; shop photographs, none stated",
            commercial=False,
        ),
        needs="any CPU, 1 GB of memory",
        paper="our own",
        tabs=("products-tab",),
    ),
    Entry(
        name="flux-makeup",
        task="makeup",
        class_path="pipelines.makeup.pipeline_flux_makeup:FluxMakeupPipeline",
        weights=("face-mesh", "face-parser"),
        licence=Licence(
            code="Apache-2.0",
            weights="FLUX-Makeup: as its model page says; face parser: research, non-commercial",
            base="FLUX.1-Kontext-dev by Black Forest Labs, non-commercial",
            data="not published",
            commercial=False,
        ),
        needs="a GPU: 40 GB, 24 GB with --offload model, less with --quantise nf4",
        paper="FLUX-Makeup, arXiv 2508.05069",
        download="FLUX.1-Kontext-dev 34 GB, FLUX-Makeup 1.5 GB",
        missing="pipelines.flux:list_missing",
        toy=Toy("models.tiny:flux_makeup", "flux-makeup"),
        command="makeup",
    ),
    Entry(
        name="mcvton",
        task="tryon",
        class_path="pipelines.tryon.pipeline_mcvton:MCVTONPipeline",
        weights=("human-parser",),
        licence=Licence(
            code="Apache-2.0",
            weights="adapters of your own training; human parser: research, non-commercial",
            base="FLUX.1-dev by Black Forest Labs, non-commercial",
            data="that of your own training; VITON, research only",
            commercial=False,
        ),
        needs="by calculation, a GPU of 40 GB, or of 16 GB with a 4-bit transformer",
        paper="MC-VTON, arXiv 2501.03630",
        download="FLUX.1-dev 24 GB (no text encoders); nobody published adapters",
        missing="pipelines.tryon.mcvton_weights:list_missing",
        toy=Toy("models.tiny:mcvton", "mc-vton"),
        command="tryon",
    ),
)


def entry_of(name: str) -> Entry:
    """The pipeline of that name."""
    (entry,) = (entry for entry in REGISTRY if entry.name == name)
    return entry


def entry_of_tab(tab: str) -> Entry:
    """The pipeline without which there is no such tab."""
    (entry,) = (entry for entry in REGISTRY if tab in entry.tabs)
    return entry


def choices_of(command: str) -> tuple[str, ...]:
    """Names that a command's `--pipeline` takes."""
    return tuple(entry.name for entry in REGISTRY if entry.command == command)


def load_object(path: str) -> Any:
    """Import what "module:name" names."""
    module, name = path.split(":")
    return getattr(import_module(module), name)


WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights"
"""Where the weights lie."""


def has_weights(name: str) -> bool:
    """Whether a folder of weights is on this machine."""
    return any((WEIGHTS / name).glob("*.safetensors"))


def is_ready(name: str) -> bool:
    """Whether all weights of a pipeline are on this machine; never of one with some elsewhere."""
    entry = entry_of(name)
    return not entry.missing and all(has_weights(weights) for weights in entry.weights)
