"""Mirra from any folder: a few names to start with, and the `mirra` command.

    from mirra import MakeupMirror, find_look, open_image

    mirror = MakeupMirror()
    result = mirror(open_image("me.jpg"), find_look("smoky-eye"))
    result.images[0].save("out.png")

A mirror takes a photograph and what to try on: a look, shades or a garment's photograph. These are
the pipelines' own classes, under names that say what they are for; each is loaded when it is first
asked for. Mirra lives in its checkout, as four packages whose names are common: `app`, `models`,
`pipelines` and `training`. Asking for a name puts the checkout first on the import path.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.instant.coats import Coat as Shade
    from pipelines.images.decode import decode as open_image
    from pipelines.makeup.named_looks import find_look
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline as MakeupMirror
    from pipelines.makeup.pipeline_shade import ShadePipeline as ShadeMirror
    from pipelines.tryon.pipeline_dmvton import DMVTONPipeline as GarmentMirror

__all__ = ["GarmentMirror", "MakeupMirror", "Shade", "ShadeMirror", "find_look", "open_image"]

CHECKOUT = Path(__file__).resolve().parent
PACKAGES = ("app", "models", "pipelines", "training")
SOURCES = {
    "GarmentMirror": ("pipelines.tryon.pipeline_dmvton", "DMVTONPipeline"),
    "MakeupMirror": ("pipelines.makeup.pipeline_instant", "InstantMakeupPipeline"),
    "Shade": ("models.instant.coats", "Coat"),
    "ShadeMirror": ("pipelines.makeup.pipeline_shade", "ShadePipeline"),
    "find_look": ("pipelines.makeup.named_looks", "find_look"),
    "open_image": ("pipelines.images.decode", "decode"),
}
"""Name here -> module and name it has there."""


def __getattr__(name: str) -> object:
    """Load one of the names of `__all__` when it is first asked for."""
    if name not in SOURCES:
        raise AttributeError(f"mirra has no {name}; it has {', '.join(__all__)}")
    use_checkout()
    module, attribute = SOURCES[name]
    globals()[name] = found = getattr(import_module(module), attribute)
    return found


def __dir__() -> list[str]:
    """List also what is not loaded yet."""
    return sorted({*globals(), *__all__})


def use_checkout() -> None:
    """Put the checkout that this file lies in first on the import path.

    Raises:
        ImportError: there is no checkout around this file, or a package of another project is
            already imported under the name of one of Mirra's.
    """
    if not (CHECKOUT / "app" / "cli.py").is_file():
        raise ImportError(
            "mirra runs from its checkout: clone the repository and `pip install -e .` in it."
        )
    for name in PACKAGES:
        found = locate_imported(name)
        if found is not None and not found.is_relative_to(CHECKOUT / name):
            raise ImportError(
                f"Mirra needs its own package `{name}` ({CHECKOUT / name}), but another `{name}` "
                f"is already imported from {found}: rename that one, or use Mirra in a process of "
                "its own."
            )
    if str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))


def locate_imported(name: str) -> Path | None:
    """File or folder that a package or module was imported from; None if none was."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    folders = list(getattr(module, "__path__", []))
    where = file or (folders[0] if folders else None)
    return Path(where).resolve() if where else None


def main() -> None:
    """Run the command line of the checkout this file lies in."""
    try:
        use_checkout()
    except ImportError as error:
        sys.exit(str(error))
    from app.cli import main as run

    run()
