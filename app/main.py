"""What a Space runs: `python app/main.py` builds the page and serves it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# A script's own folder comes first on the path; ours must be the checkout's.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.settings import Settings

BEFORE_GRADIO = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # It would keep sessions of the last 10,000 events, and go through all of them at each event.
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
}


def serve(settings: Settings | None = None) -> None:
    """Build the page and serve it until stopped; models load behind the open page."""
    settings = settings or Settings()
    for name, value in BEFORE_GRADIO.items():
        os.environ.setdefault(name, value)
    import threading

    from app.server import logs
    from app.server.sessions import Sessions

    logs.configure()
    sessions = Sessions(
        keep=settings.keep_minutes * 60,
        grace=settings.leave_seconds,
        parent=os.environ.get("GRADIO_TEMP_DIR"),
    )
    try:
        sessions.redirect_temporary_files()
        from models.zero_gpu import is_zero_gpu

        if is_zero_gpu():
            # it has to come before torch; a ZeroGPU Space brings it along
            import spaces  # noqa: F401  # pyright: ignore[reportMissingImports]
        from app.service import Studio
        from app.ui.page import build, launch
        from pipelines.flux import list_missing
        from pipelines.images.provenance import make_provenance_text

        studio = Studio(png_text=make_provenance_text() if settings.provenance else None)
        if is_zero_gpu() and not list_missing():
            _ = (
                studio.flux_makeup
            )  # there, and only there, what is to run on the GPU is loaded first
        threading.Thread(target=studio.warm_up, daemon=True).start()
        launch(build(studio, settings, sessions), studio, sessions, settings)
    finally:
        sessions.close()


if __name__ == "__main__":
    serve()
