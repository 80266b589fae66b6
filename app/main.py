"""What a Space runs: `python app/main.py` builds the page and serves it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# A script's own folder comes first on the path; ours must be the checkout's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.settings import Settings

if TYPE_CHECKING:
    import gradio as gr

    from app.service import Studio


def build(settings: Settings | None = None, studio: Studio | None = None) -> gr.Blocks:
    """Build the page; no model is loaded and nothing is served yet."""
    settings = settings or Settings()
    # Before gradio is imported: no analytics, and pictures only where they will be deleted.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if settings.cache_folder is not None:
        os.environ["GRADIO_TEMP_DIR"] = str(settings.cache_folder.resolve())

    from app.service import Studio
    from app.ui import page

    return page.build(studio or Studio(), settings)


def serve(settings: Settings | None = None) -> None:
    """Serve the page until stopped; models load behind the open page."""
    settings = settings or Settings()

    from app.service import Studio

    studio = Studio()
    blocks = build(settings, studio)

    import threading

    from app.ui import page

    page.launch(blocks, settings)
    threading.Thread(target=studio.warm_up, daemon=True, name="warm-up").start()
    blocks.block_thread()


if __name__ == "__main__":
    serve()
