"""`mirra tryon --pipeline mcvton`: painted by FLUX, where there is one and adapters are trained."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from app.commands.flux_options import TryOnFluxOptions, show_progress
from app.commands.jobs import JobItem, Report, blame

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from pipelines.tryon.agnostic import Length, Wear


class GarmentPainter:
    """Paints garments on people with MC-VTON.

    Args:
        options: what the command line said.

    Raises:
        WeightsError: the pipeline cannot be loaded here.
    """

    def __init__(self, options: TryOnFluxOptions) -> None:
        from pipelines.analysis import BodyAnalyzer
        from pipelines.tryon.garment import GarmentAnalyzer
        from pipelines.tryon.mcvton_weights import load_mcvton

        self.options = options
        self.pipeline = load_mcvton(how=options.loading())
        self.analyzer = BodyAnalyzer()
        self.garments = GarmentAnalyzer(self.analyzer)

    def shared(self, item: JobItem) -> tuple[Path, ...]:
        """The pictures an item has in common with others, in the order they are read."""
        mask = () if self.options.mask is None else (self.options.mask,)
        return item.source, *mask, Path(item.reference)

    def paint(self, item: JobItem) -> Report:
        """Paint one result and print its seed.

        Raises:
            UnusableError: person, mask, garment or result cannot be used.
            WeightsError: the pipeline does not run here.
        """
        from pipelines.flux import translate_loading_errors
        from pipelines.images.decode import decode
        from pipelines.images.encode import save

        options = self.options
        with blame(item.source):
            person = decode(item.source)
        with blame(options.mask or item.source):
            mask = self.pipeline.check_mask(person, self._mask(person))
        with blame(Path(item.reference)):
            garment, garment_mask = self._garment(decode(item.reference))
        seed = secrets.randbelow(2**31) if options.seed is None else options.seed
        with blame(item.target):
            with translate_loading_errors("MC-VTON"):
                result = self.pipeline(
                    person,
                    garment,
                    mask,
                    garment_mask=garment_mask,
                    seeds=[seed],
                    on_step=show_progress,
                )
            save(result.images[0], item.target)
        typer.echo(f"{item.target}  seed {seed}")
        return {"result": item.target.name, "seed": seed, "seconds": round(result.seconds, 2)}

    def _mask(self, person: Image) -> np.ndarray:
        """Where the picture may change, (H, W) bool: the given mask, or the garment's shape."""
        import numpy as np
        from PIL import Image

        from pipelines.images.decode import decode
        from pipelines.images.encode import save
        from pipelines.tryon.agnostic import agnostic_mask

        options = self.options
        if options.mask is not None:
            return np.asarray(decode(options.mask).convert("L")) > 127
        wear = cast("Wear", options.wear or "top")
        sleeves = cast("Length", options.sleeves or "long")
        mask = agnostic_mask(self.analyzer(person), wear, sleeves=sleeves)
        if options.save_mask is not None:
            save(Image.fromarray(np.uint8(mask) * 255), options.save_mask)
        return mask

    def _garment(self, picture: Image) -> tuple[Image, np.ndarray | None]:
        """The garment and where it is; a skirt or a dress is taken with what surrounds it."""
        from PIL import Image

        if self.options.wear in ("bottom", "dress"):
            return picture, None
        garment = self.garments(picture)
        return Image.fromarray(garment.image), garment.mask
