"""The Products tab: read product pictures, keep their shades, find them again, wear them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import gradio as gr
from PIL import Image

from app.language import translate
from app.messages import explain
from app.ui import text
from app.ui.endpoints import LIGHT, PRIVATE, UNCHANGED, Update, limit_work
from app.ui.languages import TranslatedOnLoad
from app.ui.products.api import ProductsApi
from app.ui.products.readings import Reading, apply_corrections, make_table, read_products
from app.ui.products.session_catalog import (
    SessionCatalog,
    find_catalog,
    find_or_make_catalog,
    find_shades,
    save_rows,
    to_row,
)
from app.ui.products.shades import Shade, ShadesUpdates, describe_shade, offer_swatches, to_hex
from app.ui.result_files import save_png
from app.ui.tab import Tab
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input, scroll_to
from models.errors import MirraError
from models.instant.coats import PLACES
from models.structures import Face
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES
from pipelines.catalog.search.matching import offer_shades
from pipelines.images.decode import decode

MOST_PICTURES = 24
MOST_SHADES = 48

Photo = tuple[str | None, list[Face]]
"""A photo's path, and the faces in it."""


class ShadeUpdates(NamedTuple):
    """What wearing a shade changes on the page, in the order of the tab's parts."""

    pictures: tuple[str, str] | Update = UNCHANGED
    line: str | Update = UNCHANGED
    photo: Photo | Update = UNCHANGED


class ProductsTab(Tab):
    """Product pictures read, kept, found again and worn."""

    def build(self) -> TranslatedOnLoad:
        """Add the tab to the page that is being built; nothing is left to translate."""
        seconds = self.settings.keep_minutes * 60
        self.readings = gr.State([], time_to_live=seconds)
        self.shades = gr.State([], time_to_live=seconds)
        self.chosen = gr.State(None, time_to_live=seconds)
        self.looked = gr.State((None, []), time_to_live=seconds)
        self.own = gr.State(None, time_to_live=seconds, delete_callback=SessionCatalog.remove)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._build_reading()
                self._build_search()
            with gr.Column(scale=6, min_width=320):
                self._build_wearing()
        self._connect()
        ProductsApi(self.studio, self.settings).build(self.own)
        return {}

    def _build_reading(self) -> None:
        self.pictures = pass_paths(
            gr.File(
                label=text.PRODUCT_PICTURES,
                file_count="multiple",
                file_types=["image"],
                height=140,
                elem_id="product-pictures",
            )
        )
        self.read = gr.Button(text.READ, variant="primary", elem_id="read")
        self.drawn = gallery(text.READ_PICTURES, "read-pictures", 2, preview=True)
        with gr.Accordion(text.CORRECT, visible=False, elem_id="correct") as self.correct:
            self.table = gr.Dataframe(
                headers=list(text.TABLE),
                type="array",
                interactive=True,
                wrap=True,
                static_columns=[0],
                buttons=[],
                show_label=False,
                elem_id="read-table",
                column_widths=["20%", "18%", "18%", "20%", "24%"],
            )
            self.save = gr.Button(text.SAVE, elem_id="save-shades")

    def _build_search(self) -> None:
        with gr.Accordion(text.SEARCH):
            with gr.Row():
                self.color = gr.ColorPicker("#b01030", label=text.COLOR, elem_id="find-colour")
                self.radius = gr.Slider(1, 40, 15, step=1, label=text.RADIUS, elem_id="find-radius")
            with gr.Row():
                self.finish = gr.Dropdown(
                    list(FINISHES), multiselect=True, label=text.FINISH, elem_id="find-finish"
                )
                self.category = gr.Dropdown(list(CATEGORIES), multiselect=True, label=text.CATEGORY)
            self.find = gr.Button(text.FIND, elem_id="find-shades")

    def _build_wearing(self) -> None:
        shared = self.settings.catalog is not None
        waiting = text.PRODUCTS_WAITING_SHARED if shared else text.PRODUCTS_WAITING
        self.report = gr.Markdown(waiting, elem_id="product-report")
        self.swatches = gallery(text.SHADES, "swatches", 5)
        self.photo = photo_input(text.SOURCE, "product-face", height=260)
        with gr.Row():
            self.find_it = gr.Button(text.FIND_IT, elem_id="find-it")
            places = [(text.BY_CATEGORY, ""), *((name, name) for name in PLACES)]
            self.place = gr.Dropdown(places, value="", label=text.PLACE, elem_id="place")
        self.result = before_and_after("product-result", 560)

    def _connect(self) -> None:
        work = limit_work(self.settings)
        offered = [self.swatches, self.shades, self.report]
        read = [self.drawn, self.readings, *offered]
        search = [self.color, self.radius, self.finish, self.category, self.own]
        asked = [
            self.read.click(
                self.read_pictures,
                [self.pictures],
                [*read, self.table, self.correct],
                **work,
                **PRIVATE,
            ),
            self.find.click(self.search, search, offered, **work, **PRIVATE),
            self.find_it.click(
                self.find_makeup,
                [self.photo, self.looked, self.own],
                [*offered, self.looked],
                **work,
                **PRIVATE,
            ),
        ]
        for event in asked:
            event.then(None, js=scroll_to("product-report"), **PRIVATE)
        self.table.input(
            self.correct_readings, [self.readings, self.table], read, **work, **PRIVATE
        )
        self.save.click(
            self.save_readings,
            [self.readings, self.own],
            [self.report, self.own],
            **work,
            **PRIVATE,
        )
        inputs = [self.photo, self.looked, self.chosen, self.place]
        outputs = [self.result, self.report, self.looked]
        chosen = self.swatches.select(self.choose_shade, [self.shades], [self.chosen], **LIGHT)
        shown = chosen.then(self.wear, inputs, outputs, **work, **PRIVATE)
        shown.then(None, js=scroll_to("product-result"), **PRIVATE)
        self.photo.change(self.wear, inputs, outputs, **work, **PRIVATE)
        self.place.input(self.wear, inputs, outputs, **work, **PRIVATE)

    def read_pictures(
        self,
        files: list[str] | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[object, ...]:
        """Read product pictures.

        Returns:
            What `show_readings` does; then updates of the table and of what it lies in.
        """
        if not files:
            none = ShadesUpdates(line=translate(text.NO_PICTURES))
            return UNCHANGED, UNCHANGED, *none, UNCHANGED, UNCHANGED
        chosen = files[:MOST_PICTURES]

        def tell_progress(number: int) -> None:
            progress((number, len(files)), unit="picture")

        found, problems = read_products(self.studio.extractor, chosen, tell_progress)
        rows = make_table(found)
        table = gr.update(value=rows, headers=[translate(head) for head in text.TABLE])
        return *self.show_readings(found, problems), table, gr.update(visible=bool(rows))

    def show_readings(
        self, found: list[Reading], problems: Sequence[str] = ()
    ) -> tuple[object, ...]:
        """Readings and their shades.

        Returns:
            An update of the pictures, the readings, and a `ShadesUpdates`'s parts.
        """
        rows = [row for reading in found for row in reading.to_rows()]
        drawn = [(save_png(reading.draw(), "read.png"), reading.name) for reading in found]
        count = translate(text.READ_OUT, count=len(rows)) if rows else translate(text.NO_SHADES)
        offered = offer_swatches(rows, "\n\n".join([*problems, count]))
        return gr.update(value=drawn, visible=bool(found)), found, *offered

    def correct_readings(
        self, found: list[Reading], cells: list[list[object]]
    ) -> tuple[object, ...]:
        """The readings as people corrected them in the table."""
        try:
            return self.show_readings(apply_corrections(found, cells))
        except MirraError as error:
            return UNCHANGED, UNCHANGED, *ShadesUpdates(line=explain(error))

    def save_readings(
        self, found: list[Reading], own: SessionCatalog | None
    ) -> tuple[str, SessionCatalog | None]:
        """Save what was read to the catalogue."""
        rows = [row for reading in found for row in reading.to_rows()]
        catalog, own = find_or_make_catalog(self.settings, own)
        try:
            count = save_rows(rows, catalog)
        except MirraError as error:
            return explain(error), own
        return translate(text.SAVED, count=count), own

    def search(
        self,
        color: str,
        radius: float,
        finishes: list[str],
        categories: list[str],
        own: SessionCatalog | None,
    ) -> ShadesUpdates:
        """Shades of the catalogue near a colour."""
        catalog = find_catalog(self.settings, own)
        if catalog is None:
            return offer_swatches([], translate(text.EMPTY_CATALOG))
        try:
            found = find_shades(catalog, to_hex(color), radius, finishes, categories)
        except MirraError as error:
            return offer_swatches([], explain(error))
        shades = [to_row(match) for match in found[:MOST_SHADES]]
        sentence = text.FOUND if shades else text.NOTHING_NEAR
        return offer_swatches(shades, translate(sentence, count=len(shades)))

    def find_makeup(
        self, photo: str | None, looked: Photo, own: SessionCatalog | None
    ) -> tuple[object, ...]:
        """What the largest face wears, and below each colour what comes near it.

        Returns:
            A `ShadesUpdates`' parts; then the photo and its faces.
        """
        from pipelines.makeup.face_makeup import read_certain_makeup

        if not photo:
            return *ShadesUpdates(line=translate(text.NO_FACE_PHOTO)), UNCHANGED
        try:
            looked = self._find_faces(photo, looked)
            colors = read_certain_makeup(looked[1][0])
            shades = offer_shades(colors, find_catalog(self.settings, own))
        except MirraError as error:
            return *ShadesUpdates(line=explain(error)), UNCHANGED
        lines = [
            translate(
                text.WEARS,
                region=translate(text.REGIONS[color.region]),
                hex=color.hex,
                finish=translate(color.finish),
            )
            for color in colors
        ]
        return *offer_swatches(shades, " · ".join(lines) or translate(text.BARE)), looked

    def choose_shade(self, event: gr.SelectData, shades: list[Shade]) -> Shade:
        """One of the shades that are offered."""
        return shades[event.index]

    def wear(
        self, photo: str | None, looked: Photo, shade: Shade | None, place: str
    ) -> ShadeUpdates:
        """Wear a shade on every face, where it belongs or at a place."""
        from pipelines.makeup.shade_coats import make_coat

        if shade is None:
            return ShadeUpdates()
        if not photo:
            return ShadeUpdates(line=translate(text.NO_FACE_PHOTO))
        try:
            looked = self._find_faces(photo, looked)
            output = self.studio.shade.wear(looked[1], [make_coat(shade, place or None)])
        except MirraError as error:
            return ShadeUpdates(line=explain(error))
        (reached,) = output.reached[0]
        before = save_png(Image.fromarray(looked[1][0].image), "before.png")
        after = save_png(output.images[0], "mirra.png", self.studio.png_text)
        return ShadeUpdates((before, after), describe_shade(shade, reached), looked)

    def _find_faces(self, photo: str, looked: Photo) -> Photo:
        """The faces of the photo, analysed once.

        Raises:
            MirraError: the picture cannot be used, or shows no face.
        """
        if photo == looked[0]:
            return looked
        return photo, self.studio.makeup.find_faces(decode(photo))
