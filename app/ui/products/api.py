"""Products for programs: named endpoints without a place on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import add_endpoint, limit_work, require_picture
from app.ui.products.readings import Reading
from app.ui.products.session_catalog import (
    SessionCatalog,
    find_catalog,
    find_or_make_catalog,
    find_shades,
    save_rows,
    to_row,
)
from app.ui.result_files import save_png
from app.ui.widgets import pass_paths
from models.instant.coats import Coat
from pipelines.catalog.search.matching import offer_shades
from pipelines.images.decode import decode


class ProductsApi:
    """The endpoints, as methods that need no page.

    Args:
        studio: what does the work.
        settings: say whether there is a catalogue for all.
    """

    def __init__(self, studio: Studio, settings: Settings) -> None:
        self.studio = studio
        self.settings = settings

    def extract_attributes(self, picture: str, title: str | None = None) -> dict[str, Any]:
        """Read a product picture.

        Args:
            picture: of a palette, pan, bullet, smear or the like.
            title: the product's name, evidence beside the picture.

        Returns:
            kind, category, size_wh, best and shades; see `pipelines.catalog.extract.attributes`.
        """
        image = decode(require_picture(picture))
        return asdict(self.studio.extractor.read(image, title=title or "")[0])

    def save_shades(
        self, picture: str, title: str | None = None, _own: SessionCatalog | None = None
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
        image = decode(require_picture(picture))
        reading = Reading(name, picture, *self.studio.extractor.read(image, title=name))
        catalog, own = find_or_make_catalog(self.settings, _own)
        return save_rows(reading.to_rows(), catalog), own

    def find_shades(
        self,
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
        catalog = find_catalog(self.settings, _own)
        if catalog is None:
            raise gr.Error(text.NO_CATALOG, print_exception=False)
        if not 0 < radius <= 100 or not 1 <= limit <= 100:
            raise gr.Error(text.BETWEEN_1_AND_100, print_exception=False)
        finishes, categories = ((finish,) if finish else ()), ((category,) if category else ())
        found = find_shades(catalog, color, radius, finishes, categories)
        return [to_row(match) for match in found[: int(limit)]]

    def read_face(self, source: str, _own: SessionCatalog | None = None) -> dict[str, Any]:
        """Find what a face wears.

        Args:
            source: picture of a face; the largest counts.

        Returns:
            `worn`: region, hex, finish and strength of each colour; `shades`: each as it was read,
            then what in the catalogue comes nearest.
        """
        from pipelines.makeup.face_makeup import read_certain_makeup

        face = self.studio.makeup.find_faces(decode(require_picture(source)))[0]
        colors = read_certain_makeup(face)
        shades = offer_shades(colors, find_catalog(self.settings, _own))
        return {"worn": [asdict(color) for color in colors], "shades": shades}

    def wear_shade(
        self,
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
        coat = Coat(color, place, finish, opacity)
        output = self.studio.shade(decode(require_picture(source)), [coat])
        errors = [one.delta_e for reached in output.reached.values() for one in reached]
        measured = {"delta_e": [round(e, 2) if e == e else None for e in errors]}
        return save_png(output.images[0], "mirra.png", self.studio.png_text), measured

    def build(self, own: gr.State) -> None:
        """Add all of them to the page.

        Args:
            own: the caller's own catalogue, a `SessionCatalog` or None.
        """
        with gr.Row(visible=False):
            picture, source = (pass_paths(gr.Image(label=it)) for it in ("picture", "source"))
            title, color = gr.Textbox(label="title"), gr.Textbox(label="color")
            radius = gr.Number(10, label="radius")
            limit = gr.Number(10, label="limit", precision=0)
            finish, category = gr.Textbox(label="finish"), gr.Textbox(label="category")
            coat = gr.Textbox("matte", label="finish"), gr.Textbox("lips", label="place")
            opacity = gr.Number(None, label="opacity")
            result = gr.Image(label="result", format="png", type="filepath")
            count, told = gr.Number(label="count", precision=0), gr.JSON(label="told")
            work = limit_work(self.settings)
            search = [color, radius, finish, category, limit, own]
            add_endpoint(self.extract_attributes, [picture, title], told, work)
            add_endpoint(self.save_shades, [picture, title, own], (count, own), work)
            add_endpoint(self.find_shades, search, told, work)
            add_endpoint(self.read_face, [source, own], told, work)
            add_endpoint(self.wear_shade, [source, color, *coat, opacity], (result, told), work)
