"""Products for programs: named endpoints without a place on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.server.blocks import WORK
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import endpoint, require_picture
from app.ui.products.session_catalog import Reading, SessionCatalog, catalog_for_saving, catalog_of
from app.ui.result_files import save_png
from app.ui.widgets import pass_paths


def endpoints(studio: Studio, settings: Settings, own: gr.State) -> None:
    """Add what the Products tab can do to the page that is being built.

    Args:
        studio: what does the work.
        settings: say whether there is a catalogue for all.
        own: the caller's own catalogue, a `SessionCatalog` or None.
    """

    def extract_attributes(picture: str, title: str | None = None) -> dict[str, Any]:
        """Read a product picture.

        Args:
            picture: of a palette, pan, bullet, smear or the like.
            title: the product's name, evidence beside the picture.

        Returns:
            kind, category, size_wh, best and shades; see `pipelines.catalog.extract.attributes`.
        """
        return asdict(studio.read_product(require_picture(picture), title or "")[0])

    def save_shades(
        picture: str, title: str | None = None, _own: SessionCatalog | None = None
    ) -> tuple[int, SessionCatalog | None]:
        """Read a product picture and save its shades to the catalogue.

        Args:
            picture: of a palette, pan, bullet, smear or the like.
            title: the product's name.

        Returns:
            How many shades were saved: to the server's catalogue if its operator set one, else to
            one that is yours alone and ends with your session.
        """
        name = (title or "product")[:60]
        reading = Reading(name, require_picture(picture), *studio.read_product(picture, name))
        catalog, own = catalog_for_saving(settings, _own)
        return studio.keep(reading.rows(), catalog), own

    def find_shades(
        color: str,
        radius: float = 10.0,
        finish: str | None = None,
        category: str | None = None,
        limit: int = 10,
        _own: SessionCatalog | None = None,
    ) -> list[dict[str, Any]]:
        """Find shades in the catalogue.

        Args:
            color: sRGB such as "#b01030".
            radius: all within this CIEDE2000.
            finish: only this finish.
            category: only this category.
            limit: at most so many, 1 to 100.

        Returns:
            Shades, the nearest first, each with its `delta_e`.
        """
        catalog = catalog_of(settings, _own)
        if catalog is None:
            raise gr.Error(text.NO_CATALOG, print_exception=False)
        if not 0 < radius <= 100 or not 1 <= limit <= 100:
            raise gr.Error(text.BETWEEN_1_AND_100, print_exception=False)
        finishes, categories = ((finish,) if finish else ()), ((category,) if category else ())
        found = studio.find(catalog, color, radius, finishes, categories)
        return [{**match.shade, "delta_e": match.delta_e} for match in found[: int(limit)]]

    def read_face(source: str, _own: SessionCatalog | None = None) -> dict[str, Any]:
        """Find what a face wears.

        Args:
            source: picture of a face; the largest counts.

        Returns:
            `worn`: region, hex, finish and strength of each colour; `shades`: each as it was read,
            then what in the catalogue comes nearest.
        """
        from pipelines.images.decode import decode

        face = studio.makeup.find_faces(decode(require_picture(source)))[0]
        colors, shades = studio.match_makeup(face, catalog_of(settings, _own))
        return {"worn": [asdict(color) for color in colors], "shades": shades}

    def wear_shade(
        source: str,
        color: str,
        finish: str = "matte",
        place: str = "lips",
        opacity: float | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """Wear a shade on a face.

        Args:
            source: picture of the wearer.
            color: sRGB of the product, such as "#b01030".
            finish: matte, satin, cream, sheer, shimmer, metallic, glitter, gloss, dewy, duochrome.
            place: lips, eyes, lid, crease, outer, inner, brows, cheeks or skin.
            opacity: 0 to 1; what is usual for place and finish when left out.

        Returns:
            The picture as PNG, at the source's size; and the CIEDE2000 between the colour expected
            in this light and the one reached, null where the place is hidden.
        """
        from models.instant.coats import Coat
        from pipelines.images.decode import decode

        coat = Coat(color, place, finish, opacity)
        output = studio.shades(decode(require_picture(source)), [coat])
        errors = [one.delta_e for reached in output.reached.values() for one in reached]
        told = {"delta_e": [round(e, 2) if e == e else None for e in errors]}
        return save_png(output.images[0], "mirra.png", studio.png_text), told

    with gr.Row(visible=False):
        picture, source = (
            pass_paths(gr.Image(label="picture")),
            pass_paths(gr.Image(label="source")),
        )
        title, color = gr.Textbox(label="title"), gr.Textbox(label="color")
        radius, limit = gr.Number(10, label="radius"), gr.Number(10, label="limit", precision=0)
        finish, category = gr.Textbox(label="finish"), gr.Textbox(label="category")
        coat = gr.Textbox("matte", label="finish"), gr.Textbox("lips", label="place")
        opacity = gr.Number(None, label="opacity")
        picture = gr.Image(label="result", format="png", type="filepath")
        count, told = gr.Number(label="count", precision=0), gr.JSON(label="told")
        work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
        endpoint(extract_attributes, [picture, title], told, **work)
        endpoint(save_shades, [picture, title, own], (count, own), **work)
        endpoint(find_shades, [color, radius, finish, category, limit, own], told, **work)
        endpoint(read_face, [source, own], told, **work)
        endpoint(wear_shade, [source, color, *coat, opacity], (picture, told), **work)
