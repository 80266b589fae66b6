"""The Products tab: read product pictures, keep their shades, find them again, wear them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from app.language import translate
from app.messages import explain
from app.server.blocks import WORK
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.products.api import endpoints
from app.ui.products.session_catalog import (
    Reading,
    SessionCatalog,
    catalog_for_saving,
    catalog_of,
    corrected,
    product_name,
    table_of,
)
from app.ui.result_files import save_png
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input
from models.errors import MirraError
from models.instant.coats import PLACES
from models.structures import Face
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES
from pipelines.images.decode import decode

MOST_PICTURES = 24
MOST_SHADES = 48
_SCROLL = """() => { if (window.innerWidth < 700)
  document.querySelector('#%s')?.scrollIntoView({behavior: 'smooth', block: 'start'}); }"""

Shades = list[dict[str, Any]]
Looked = tuple[str | None, list[Face]]  # a photo's path, and the faces in it


def tab(studio: Studio, settings: Settings) -> None:
    """Add the tab to the page that is being built."""
    visit: dict[str, Any] = {"time_to_live": settings.keep_minutes * 60}
    readings, shades = gr.State([], **visit), gr.State([], **visit)
    chosen, looked = gr.State(None, **visit), gr.State((None, []), **visit)
    own = gr.State(None, delete_callback=SessionCatalog.remove, **visit)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            pictures = pass_paths(
                gr.File(
                    label=text.PRODUCT_PICTURES, file_count="multiple", file_types=["image"],
                    height=140, elem_id="product-pictures",
                )
            )  # fmt: skip
            read = gr.Button(text.READ, variant="primary", elem_id="read")
            seen = gallery(text.READ_PICTURES, "read-pictures", 2, preview=True)
            with gr.Accordion(text.CORRECT, visible=False, elem_id="correct") as correct:
                table = gr.Dataframe(
                    headers=list(text.TABLE), type="array", interactive=True, wrap=True,
                    static_columns=[0], buttons=[], show_label=False, elem_id="read-table",
                    column_widths=["20%", "18%", "18%", "20%", "24%"],
                )  # fmt: skip
                save = gr.Button(text.SAVE, elem_id="save-shades")
            with gr.Accordion(text.SEARCH):
                with gr.Row():
                    color = gr.ColorPicker("#b01030", label=text.COLOR, elem_id="find-colour")
                    radius = gr.Slider(1, 40, 15, step=1, label=text.RADIUS, elem_id="find-radius")
                with gr.Row():
                    finish = gr.Dropdown(
                        list(FINISHES), multiselect=True, label=text.FINISH, elem_id="find-finish"
                    )
                    category = gr.Dropdown(list(CATEGORIES), multiselect=True, label=text.CATEGORY)
                find = gr.Button(text.FIND, elem_id="find-shades")
        with gr.Column(scale=6, min_width=320):
            waiting = text.PRODUCTS_WAITING_SHARED if settings.catalog else text.PRODUCTS_WAITING
            report = gr.Markdown(waiting, elem_id="product-report")
            swatches = gallery(text.SHADES, "swatches", 5)
            photo = photo_input(text.SOURCE, "product-face", height=260)
            with gr.Row():
                find_it = gr.Button(text.FIND_IT, elem_id="find-it")
                places = [(text.BY_CATEGORY, ""), *((name, name) for name in PLACES)]
                place = gr.Dropdown(places, value="", label=text.PLACE, elem_id="place")
            result = before_and_after("product-result", 560)

    def show(found: Shades, said: str) -> tuple[Any, ...]:
        pairs = [(_swatch(shade), _caption(shade)) for shade in found]
        return gr.update(value=pairs, visible=bool(found)), found, said

    def show_read(found: list[Reading], said: Sequence[str] = ()) -> tuple[Any, ...]:
        rows = [row for reading in found for row in reading.rows()]
        drawn = [(save_png(one.drawn(), "read.png"), one.name) for one in found]
        count = translate(text.READ_OUT, count=len(rows))
        lines = [*said, count if rows else translate(text.NO_SHADES)]
        return gr.update(value=drawn, visible=bool(found)), found, *show(rows, "\n\n".join(lines))

    def read_shades(
        files: list[str] | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, ...]:
        if not files:
            return *([gr.skip()] * 4), translate(text.NO_PICTURES), gr.skip(), gr.skip()
        found: list[Reading] = []
        said = []
        for number, path in enumerate(files[:MOST_PICTURES]):
            progress((number, len(files)), unit="picture")
            name = product_name(path, [reading.name for reading in found])
            try:
                found.append(Reading(name, Path(path), *studio.read_product(path, name)))
            except (MirraError, OSError) as error:
                said.append(f"{name}: {explain(error)}")
        rows = table_of(found)
        shown = gr.update(value=rows, headers=[translate(head) for head in text.TABLE])
        return *show_read(found, said), shown, gr.update(visible=bool(rows))

    def correct_them(found: list[Reading], cells: list[list[Any]]) -> tuple[Any, ...]:
        try:
            return show_read(corrected(found, cells))
        except MirraError as error:
            return *([gr.skip()] * 4), explain(error)

    def save_them(found: list[Reading], own: SessionCatalog | None) -> tuple[str, Any]:
        rows = [row for reading in found for row in reading.rows()]
        catalog, own = catalog_for_saving(settings, own)
        try:
            count = studio.keep(rows, catalog)
        except MirraError as error:
            return explain(error), own
        return translate(text.SAVED, count=count), own

    def find_them(
        color: str,
        radius: float,
        finish: list[str],
        category: list[str],
        own: SessionCatalog | None,
    ) -> tuple[Any, ...]:
        catalog = catalog_of(settings, own)
        if catalog is None:
            return show([], translate(text.EMPTY_CATALOG))
        try:
            matches = studio.find(catalog, _hex(color), radius, finish, category)[:MOST_SHADES]
        except MirraError as error:
            return show([], explain(error))
        found = [{**match.shade, "delta_e": match.delta_e} for match in matches]
        return show(found, translate(text.FOUND if found else text.NOTHING_NEAR, count=len(found)))

    def look_at(photo: str | None, before: Looked) -> Looked:
        """The faces of the photo, analysed once; none without a photo."""
        if not photo or photo == before[0]:
            return before if photo else (None, [])
        return photo, studio.makeup.find_faces(decode(photo))

    def find_makeup(
        photo: str | None, before: Looked, own: SessionCatalog | None
    ) -> tuple[Any, ...]:
        """What the largest face wears, and below each colour what comes near it."""
        if not photo:
            return gr.skip(), gr.skip(), translate(text.NO_FACE_PHOTO), gr.skip()
        try:
            now = look_at(photo, before)
            colors, offers = studio.match_makeup(now[1][0], catalog_of(settings, own))
        except MirraError as error:
            return gr.skip(), gr.skip(), explain(error), gr.skip()
        lines = [
            translate(
                text.WEARS,
                region=translate(text.REGIONS[c.region]),
                hex=c.hex,
                finish=translate(c.finish),
            )
            for c in colors
        ]
        return *show(offers, " · ".join(lines) or translate(text.BARE)), now

    def wear(
        photo: str | None, before: Looked, shade: dict[str, Any] | None, place: str
    ) -> tuple[Any, ...]:
        if not photo or shade is None:
            return gr.skip(), translate(text.NO_FACE_PHOTO) if shade else gr.skip(), gr.skip()
        from pipelines.makeup.shade_coats import make_coat

        try:
            now = look_at(photo, before)
            output = studio.shades.wear(now[1], [make_coat(shade, place or None)])
        except MirraError as error:
            return gr.skip(), explain(error), gr.skip()
        bare = save_png(Image.fromarray(now[1][0].image), "before.png")
        (reached,) = output.reached[0]
        said = translate(text.NOT_WORN)
        if reached.delta_e == reached.delta_e:
            said = translate(
                text.WORN, title=shade.get("title") or "", hex=shade["hex"],
                finish=translate(reached.coat.finish), place=translate(reached.coat.place),
                error=f"{reached.delta_e:.1f}",
            )  # fmt: skip
        shown = save_png(output.images[0], "mirra.png", studio.png_text)
        return (bare, shown), said, now

    def pick(event: gr.SelectData, found: Shades) -> dict[str, Any]:
        return found[event.index]

    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    work["api_visibility"] = "private"
    answer = [swatches, shades, report]
    try_on = [photo, looked, chosen, place], [result, report, looked]
    tell, show_result = (
        {"fn": None, "js": _SCROLL % name, "api_visibility": "private"}
        for name in ("product-report", "product-result")
    )
    asked = [
        read.click(read_shades, [pictures], [seen, readings, *answer, table, correct], **work),
        find.click(find_them, [color, radius, finish, category, own], answer, **work),
        find_it.click(find_makeup, [photo, looked, own], [*answer, looked], **work),
    ]
    for event in asked:
        event.then(**tell)
    table.input(correct_them, [readings, table], [seen, readings, *answer], **work)
    save.click(save_them, [readings, own], [report, own], **work)
    picked = swatches.select(pick, [shades], [chosen], queue=False, api_visibility="private")
    picked.then(wear, *try_on, **work).then(**show_result)
    photo.change(wear, *try_on, **work)
    place.input(wear, *try_on, **work)
    endpoints(studio, settings, own)


def _swatch(shade: dict[str, Any]) -> str:
    from pipelines.makeup.swatch import draw_swatch

    return save_png(draw_swatch(shade["hex"], shade.get("finish") or "matte"), "swatch.png")


def _caption(shade: dict[str, Any]) -> str:
    """Name, finish and distance of a shade, as far as they are known."""
    name = shade.get("name") or translate(shade.get("title") or "") or shade["hex"]
    parts = [name, translate(shade.get("finish") or "")]
    if "delta_e" in shade:
        parts.append(f"ΔE {shade['delta_e']:.1f}")
    return " · ".join(part for part in parts if part)


def _hex(color: str) -> str:
    """What Gradio's colour picker gives, "#b01030" or "rgba(176.2, 16, 48, 1)", as hex."""
    numbers = re.findall(r"[\d.]+", color)
    if not color.startswith("rgb") or len(numbers) < 3:
        return color
    return "#" + bytes(min(255, round(float(number))) for number in numbers[:3]).hex()
