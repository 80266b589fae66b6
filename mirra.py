"""The `mirra` command: puts this checkout first on the import path and starts the app."""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line of the checkout this file lies in."""
    checkout = Path(__file__).resolve().parent
    if not (checkout / "app" / "cli.py").is_file():
        sys.exit("mirra runs from its checkout: clone the repository and `pip install -e .` in it.")
    sys.path.insert(0, str(checkout))
    from app.cli import main as run

    run()
