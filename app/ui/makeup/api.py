"""Makeup for programs: named endpoints without a place on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.messages import advise
from app.service import LookRequest, Studio
from app.ui import text
from app.ui.endpoints import endpoint, require_picture
from app.ui.makeup.result_files import adjust_to, save_look, save_picture
from app.ui.widgets import pass_paths
from models.regions import MAKEUP_REGIONS
from pipelines.makeup.named_looks import NAMED_LOOKS


def endpoints(studio: Studio, work: dict[str, Any]) -> None:
    """Add `apply_makeup`, `list_looks`, `read_look` and `check_photo` to the page."""

    def apply_makeup(
        source: str,
        reference: str | None = None,
        look: str | None = None,
        lips: float = 1.0,
        eyes: float = 1.0,
        brows: float = 1.0,
        cheeks: float = 1.0,
        skin: float = 1.0,
        strength: float = 1.0,
        face: int = -1,
        saved_look: str | None = None,
        second: str | None = None,
        from_second: list[str] | None = None,
    ) -> str:
        """Put makeup on a face.

        Args:
            source: picture of the wearer.
            reference: picture of someone wearing makeup, or a PNG made by Mirra.
            look: name of a drawn look (see `list_looks`); used when there is no reference.
            lips: strength of the lips, 0 to 1.
            eyes: strength of eyeshadow and liner, 0 to 1.
            brows: strength of the brows, 0 to 1.
            cheeks: strength of the blush, 0 to 1.
            skin: strength on the rest of the skin, 0 to 1.
            strength: overall strength, 0 to 1.
            face: which face, 0 the largest; -1 for all.
            saved_look: a look.json, as `read_look` gives; it comes before reference and look.
            second: another picture of someone wearing makeup.
            from_second: regions to take from it: lips, eyes, brows, cheeks, skin.

        Returns:
            The picture as PNG, at the source's size, carrying its look.
        """
        levels = (strength, lips, eyes, brows, cheeks, skin)
        if not all(0 <= level <= 1 for level in levels):
            raise gr.Error(text.BETWEEN_0_AND_1, print_exception=False)
        request = LookRequest(reference, look, saved_look, second, tuple(from_second or ()))
        faces = None if face < 0 else [int(face)]
        output = studio.try_on(require_picture(source), request, faces=faces)
        return save_picture(studio, adjust_to(studio, output, levels))

    def list_looks() -> list[dict[str, str]]:
        """The looks drawn by Mirra's own code: name, title and a sentence about each."""
        return [
            {"name": name, "title": look.title, "about": look.about}
            for name, look in NAMED_LOOKS.items()
        ]

    def read_look(reference: str) -> str:
        """Read the makeup off a picture.

        Args:
            reference: picture of someone wearing makeup, or a PNG made by Mirra.

        Returns:
            A look.json, for `apply_makeup` and `mirra makeup --look`.
        """
        return save_look(studio.look(LookRequest(reference=require_picture(reference))))

    def check_photo(source: str) -> dict[str, Any]:
        """Look at a photo before anything is tried on.

        Args:
            source: picture of one or more faces.

        Returns:
            `faces`, the largest first, each with its box as x0, y0, x1, y1 in pixels, and `advice`:
            what would spoil a result, with a code, a severity and a sentence.
        """
        from pipelines.coach import coach
        from pipelines.images.decode import decode

        found = studio.makeup.analyzer(decode(require_picture(source)))
        return {
            "faces": [{"box_xyxy": [int(edge) for edge in face.box_xyxy]} for face in found],
            "advice": [asdict(one) | {"sentence": advise(one)} for one in coach(found)],
        }

    with gr.Row(visible=False):
        source, reference = (
            pass_paths(gr.Image(label="source")),
            pass_paths(gr.Image(label="reference")),
        )
        look = gr.Textbox(label="look")
        levels = [gr.Number(1.0, label=name) for name in (*MAKEUP_REGIONS, "strength")]
        face = gr.Number(-1, label="face", precision=0)
        saved_look = pass_paths(gr.File(label="saved_look", file_types=[".json", ".png"]))
        second = pass_paths(gr.Image(label="second"))
        from_second = gr.CheckboxGroup(list(MAKEUP_REGIONS), label="from_second")
        picture = gr.Image(label="result", format="png", type="filepath")
        request = [saved_look, second, from_second]
        endpoint(apply_makeup, [source, reference, look, *levels, face, *request], picture, **work)
        endpoint(list_looks, [], gr.JSON(label="looks"), queue=False)
        endpoint(read_look, [reference], gr.File(label="look"), **work)
        endpoint(check_photo, [source], gr.JSON(label="found"), **work)
