"""What only painting pipelines take, the same for makeup and for garments, and their progress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import typer

if TYPE_CHECKING:
    from pipelines.flux import Loading, Offload, Quantise
    from pipelines.steps import Progress


class FluxOptions:
    """Options of a pipeline that paints with FLUX; each is None where nothing was said.

    Attributes:
        PIPELINE: what --pipeline calls it.
        seed: what the picture is drawn from; drawn and printed if None.
        offload: as in `pipelines.flux.Loading`.
        quantise: as in `pipelines.flux.Loading`.
    """

    PIPELINE: ClassVar[str]
    seed: int | None
    offload: str | None
    quantise: str | None

    def refuse(self, known: tuple[str, ...] = ()) -> None:
        """Refuse options that another pipeline has no use for, all but those in `known`.

        Raises:
            typer.BadParameter: one was given.
        """
        for name, value in vars(self).items():
            if value is not None and name not in known:
                option = name.replace("_", "-")
                raise typer.BadParameter(f"--{option} is for --pipeline {self.PIPELINE}")

    def loading(self) -> Loading:
        """How the transformer is to be kept in memory."""
        from pipelines.flux import Loading

        return Loading(
            offload=cast("Offload", "none" if self.offload is None else self.offload),
            quantise=cast("Quantise", "none" if self.quantise is None else self.quantise),
        )


@dataclass(frozen=True)
class MakeupFluxOptions(FluxOptions):
    """What `mirra makeup --pipeline flux-makeup` takes besides a source and a reference.

    Attributes:
        size: side of the painted square, pixels.
        model: folder or hub id of the base; of nano-flux the network's name.
        student: weights of a few-step student.
        negative: what is not wanted, in words.
    """

    PIPELINE: ClassVar[str] = "flux-makeup"
    seed: int | None
    size: int | None
    offload: str | None
    quantise: str | None
    model: str | None
    student: Path | None
    negative: str | None


@dataclass(frozen=True)
class TryOnFluxOptions(FluxOptions):
    """What `mirra tryon --pipeline mcvton` takes besides a person and a garment.

    Attributes:
        wear: "top", "bottom" or "dress".
        sleeves: "long" or "short".
        mask: a grey picture of the person's size, white where it may change.
        save_mask: where to write the mask that was used, to edit it.
    """

    PIPELINE: ClassVar[str] = "mcvton"
    seed: int | None
    wear: str | None
    sleeves: str | None
    mask: Path | None
    save_mask: Path | None
    offload: str | None
    quantise: str | None

    def check(self, people: int) -> None:
        """Refuse what is not one of a few words, and one mask for several people.

        Raises:
            typer.BadParameter: saying what may be given.
        """
        for name, allowed in (("wear", ("top", "bottom", "dress")), ("sleeves", ("long", "short"))):
            value = getattr(self, name)
            if value not in (None, *allowed):
                raise typer.BadParameter(f"--{name} is {' or '.join(allowed)}, not {value}")
        if people > 1 and (self.mask or self.save_mask):
            raise typer.BadParameter("--mask and --save-mask are for one PERSON")


def show_progress(progress: Progress) -> None:
    """Show on one line of stderr how far a picture is."""
    line = f"step {progress.step} of {progress.steps}, {progress.seconds_left:.0f} seconds left"
    typer.echo(f"\r{line:<50}", nl=progress.step == progress.steps, err=True)
