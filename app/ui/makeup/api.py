"""Makeup for programs: named endpoints without a place on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.licences import is_allowed
from app.messages import advise
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import add_endpoint, limit_work, require_picture
from app.ui.makeup.look_request import LookRequest
from app.ui.makeup.painting import paint_with_flux
from app.ui.makeup.result import save_look, save_picture
from app.ui.makeup.session import MakeupSession
from app.ui.result_files import save_png
from app.ui.widgets import pass_paths
from models.regions import MAKEUP_REGIONS
from pipelines.flux import list_missing
from pipelines.images.decode import decode
from pipelines.makeup.named_looks import NAMED_LOOKS


class MakeupApi:
    """The endpoints, as methods that need no page.

    Args:
        studio: of the page.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def apply_makeup(
        self,
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
        request = LookRequest(saved_look, reference, look, second, tuple(from_second or ()))
        session = MakeupSession(self.studio.makeup)
        session.wear(require_picture(source), request, None if face < 0 else [int(face)])
        return save_picture(session.adjust(levels), self.studio.png_text)

    def list_looks(self) -> list[dict[str, str]]:
        """The looks drawn by Mirra's own code: name, title and a sentence about each."""
        return [
            {"name": name, "title": look.title, "about": look.about}
            for name, look in NAMED_LOOKS.items()
        ]

    def read_look(self, reference: str) -> str:
        """Read the makeup off a picture.

        Args:
            reference: picture of someone wearing makeup, or a PNG made by Mirra.

        Returns:
            A look.json, for `apply_makeup` and `mirra makeup --look`.
        """
        request = LookRequest(reference=require_picture(reference))
        return save_look(request.read(self.studio.makeup))

    def check_photo(self, source: str) -> dict[str, Any]:
        """Look at a photo before anything is tried on.

        Args:
            source: picture of one or more faces.

        Returns:
            `faces`, the largest first, each with its box as x0, y0, x1, y1 in pixels, and `advice`:
            what would spoil a result, with a code, a severity and a sentence.
        """
        from pipelines.coach import coach

        found = self.studio.makeup.analyzer(decode(require_picture(source)))
        return {
            "faces": [{"box_xyxy": [int(edge) for edge in face.box_xyxy]} for face in found],
            "advice": [asdict(one) | {"sentence": advise(one)} for one in coach(found)],
        }

    def paint_makeup(self, source: str, reference: str, seed: int = -1) -> str:
        """Paint the makeup of one photograph on the face of another, with FLUX-Makeup.

        Args:
            source: picture of the wearer.
            reference: picture of someone wearing makeup.
            seed: which of the many possible pictures; -1 for any.

        Returns:
            The picture as PNG, at the source's size.
        """
        pictures = require_picture(source), require_picture(reference)
        image = paint_with_flux(self.studio, *pictures, None if seed < 0 else int(seed))
        return save_png(image, "mirra.png", self.studio.png_text)

    def build(self, settings: Settings) -> None:
        """Add `apply_makeup`, `list_looks`, `read_look` and `check_photo` to the page.

        Where there is a FLUX also `paint_makeup`; the page itself is for what is instant.
        """
        work = limit_work(settings)
        with gr.Row(visible=False):
            source, reference = (pass_paths(gr.Image(label=it)) for it in ("source", "reference"))
            look = gr.Textbox(label="look")
            levels = [gr.Number(1.0, label=name) for name in (*MAKEUP_REGIONS, "strength")]
            face = gr.Number(-1, label="face", precision=0)
            saved_look = pass_paths(gr.File(label="saved_look", file_types=[".json", ".png"]))
            second = pass_paths(gr.Image(label="second"))
            from_second = gr.CheckboxGroup(list(MAKEUP_REGIONS), label="from_second")
            picture = gr.Image(label="result", format="png", type="filepath")
            found = [gr.JSON(label="looks"), gr.File(label="look"), gr.JSON(label="found")]
            request = [source, reference, look, *levels, face, saved_look, second, from_second]
            add_endpoint(self.apply_makeup, request, picture, work)
            add_endpoint(self.list_looks, [], found[0], None)
            add_endpoint(self.read_look, [reference], found[1], work)
            add_endpoint(self.check_photo, [source], found[2], work)
        if is_allowed("flux-makeup", settings.commercial_only) and not list_missing():
            self._build_painting()

    def _build_painting(self) -> None:
        with gr.Row(visible=False):
            source, reference = (pass_paths(gr.Image(label=it)) for it in ("source", "reference"))
            seed = gr.Number(-1, label="seed", precision=0)
            picture = gr.Image(label="result", format="png", type="filepath")
            add_endpoint(
                self.paint_makeup,
                [source, reference, seed],
                picture,
                {"concurrency_id": "gpu", "concurrency_limit": 1},
            )
