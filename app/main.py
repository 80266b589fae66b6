"""What a Space runs: `python app/main.py` builds the page and serves it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# A script's own folder comes first on the path; ours must be the checkout's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.settings import Settings


def serve(settings: Settings | None = None) -> None:
    """Build the page and serve it until stopped; models load behind the open page."""
    # Before gradio is imported: no analytics, and no cache of a visitor's pictures elsewhere.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import threading

    from app.service import Studio
    from app.ui.page import build, launch

    studio = Studio()
    threading.Thread(target=studio.warm_up, daemon=True).start()
    launch(build(studio, settings or Settings()), settings or Settings())


if __name__ == "__main__":
    serve()
