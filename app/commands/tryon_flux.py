"""`mirra tryon --pipeline mcvton`: painted by FLUX, where there is one and adapters are trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class FluxOptions:
    """What only the painting pipeline takes; None where nothing was said.

    Attributes:
        seed: what the picture is drawn from; drawn and printed if None.
        wear: "top", "bottom" or "dress".
        sleeves: "long" or "short".
        mask: a grey picture of the person's size, white where it may change.
        save_mask: where to write the mask that was used, to edit it.
        offload: as in `pipelines.flux.Loading`.
        quantise: as in `pipelines.flux.Loading`.
    """

    seed: int | None
    wear: str | None
    sleeves: str | None
    mask: Path | None
    save_mask: Path | None
    offload: str | None
    quantise: str | None

    def refuse(self) -> None:
        """Refuse options that the mobile pipeline has no use for."""
        for name, value in vars(self).items():
            if value is not None:
                raise typer.BadParameter(f"--{name.replace('_', '-')} is for --pipeline mcvton")

    def check(self, people: int) -> None:
        """Refuse what is not one of a few words, and one mask for several people."""
        for name, allowed in (("wear", ("top", "bottom", "dress")), ("sleeves", ("long", "short"))):
            value = getattr(self, name)
            if value not in (None, *allowed):
                raise typer.BadParameter(f"--{name} is {' or '.join(allowed)}, not {value}")
        if people > 1 and (self.mask or self.save_mask):
            raise typer.BadParameter("--mask and --save-mask are for one PERSON")


def paint(
    jobs: Iterable[tuple[Path, str, Path]], options: FluxOptions
) -> tuple[list[dict[str, Any]], dict[Path, str]]:
    """Paint every job.

    Args:
        jobs: person, garment and result of each.
        options: see `FluxOptions`.

    Returns:
        A report of each job, and the pictures that could not be used, each with its sentence.

    Raises:
        WeightsError: the pipeline cannot be loaded here.
    """
    import secrets

    from app.commands.makeup_flux import tell
    from app.messages import explain
    from models.errors import MirraError, WeightsError
    from pipelines.analysis import BodyAnalyzer
    from pipelines.flux import Loading, translate_loading_errors
    from pipelines.images.decode import decode
    from pipelines.images.encode import save
    from pipelines.tryon.garment import GarmentAnalyzer
    from pipelines.tryon.mcvton_weights import load_mcvton

    given = {"offload": options.offload, "quantise": options.quantise}
    how: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    pipe = load_mcvton(how=Loading(**how))
    analyzer = BodyAnalyzer()
    garments = GarmentAnalyzer(analyzer)
    reports: list[dict[str, Any]] = []
    failures: dict[Path, str] = {}
    for person, garment_path, target in jobs:
        names = {"person": person.name, "garment": Path(garment_path).name}
        at = person
        try:
            picture = decode(person)
            at = options.mask or person
            mask = pipe.check_mask(picture, _mask(picture, options, analyzer))
            at = Path(garment_path)
            garment, outline = _garment(decode(at), options, garments)
            at = target
            seed = secrets.randbelow(2**31) if options.seed is None else options.seed
            with translate_loading_errors("MC-VTON"):
                result = pipe(
                    picture, garment, mask, garment_mask=outline, seeds=[seed], on_step=tell
                )
            save(result.images[0], target)
        except WeightsError:
            raise
        except (MirraError, OSError) as error:
            failures[at] = explain(error)
            reports.append(names | {"error": explain(error)})
            continue
        typer.echo(f"{target}  seed {seed}")
        made = {"result": target.name, "seed": seed, "seconds": round(result.seconds, 2)}
        reports.append(names | made)
    return reports, failures


def _mask(picture: Image.Image, options: FluxOptions, analyzer: Any) -> np.ndarray:
    """Where the picture may change, (H, W) bool: the given mask, or one of the garment's shape."""
    import numpy as np
    from PIL import Image

    from pipelines.images.decode import decode
    from pipelines.images.encode import save
    from pipelines.tryon.agnostic import agnostic_mask

    if options.mask is not None:
        return np.asarray(decode(options.mask).convert("L")) > 127
    how: Any = {"sleeves": options.sleeves or "long"}
    mask = agnostic_mask(analyzer(picture), options.wear or "top", **how)  # pyright: ignore
    if options.save_mask is not None:
        save(Image.fromarray(np.uint8(mask) * 255), options.save_mask)
    return mask


def _garment(
    picture: Image.Image, options: FluxOptions, garments: Any
) -> tuple[Image.Image, np.ndarray | None]:
    """The garment and where it is; a skirt or a dress is taken with what surrounds it."""
    from PIL import Image

    if options.wear in ("bottom", "dress"):
        return picture, None
    garment = garments(picture)
    return Image.fromarray(garment.image), garment.mask
