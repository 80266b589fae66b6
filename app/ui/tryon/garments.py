"""The drawn tops that come with Mirra."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples"
GARMENTS = sorted((EXAMPLES / "garments").glob("*.webp"))


def name_garment(path: Path) -> str:
    """A drawn garment's name as people write it."""
    return path.stem.replace("-", " ").capitalize()
