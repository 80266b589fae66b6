"""What title and description say of a product: evidence beside the picture, never instead of it."""

from __future__ import annotations

import re

_CATEGORY = (  # the first that matches; compounds before their parts
    ("lip_liner", r"lip ?liner|lip pencil|lip contour"),
    ("lip_gloss", r"lip ?gloss|gloss bomb|lip oil|lip lacquer|plumper|glossy lip"),
    ("lipstick", r"lip ?stick|lip (?:color|colour|crayon|cream|velvet|stain|tint|souffle)|rouge"),
    ("eyeshadow_palette", r"(?:eye ?shadow|shadow|eye|pressed pigment)s? palette"),
    ("eyeliner", r"eye ?liner|kohl|kajal|eye pencil"),
    ("eyeshadow", r"eye ?shadow|lid (?:tint|shadow)"),
    ("mascara", r"mascara"),
    ("brow", r"\be?ye?brows?\b|\bbrows?\b"),
    ("highlighter", r"highlighter|illuminator|luminizer|strobe"),
    ("bronzer", r"bronzer|bronzing|contour"),
    ("blush", r"blush(?:er)?\b|cheek|flush"),
    ("concealer", r"concealer|corrector"),
    ("foundation", r"foundation|skin tint|bb cream|cc cream|tinted moisturi[sz]er"),
    ("powder", r"setting powder|pressed powder|loose powder|face powder|finishing powder"),
    ("nail_polish", r"nail (?:polish|lacquer|varnish|colou?r)"),
    ("lip_gloss", r"\bgloss\b"),
    ("eyeshadow_palette", r"\bpalette\b"),
)
_FINISH = (
    ("duochrome", r"duo ?chrome|multi ?chrome|iridescent|colou?r[- ]shift"),
    ("glitter", r"glitter|sparkl|sequin"),
    ("metallic", r"metallic|foil|chrome\b|molten"),
    ("shimmer", r"shimmer|pearl|frost|luminous|illuminat|luster|lustre"),
    ("gloss", r"gloss|vinyl|lacquer|high[- ]shine|wet look|patent"),
    ("matte", r"\bmatte?\b|velvet|powdery"),
    ("satin", r"satin|silk"),
    ("dewy", r"dewy|radian|glow"),
    ("sheer", r"\bsheer|translucent|\btint\b|tinted"),
    ("cream", r"cream"),
)


def find_category(text: str) -> str | None:
    """The category a text names, one of `CATEGORIES`, or None."""
    return _first(_CATEGORY, text)


def find_finish(text: str) -> str | None:
    """The finish a text names, one of `FINISHES`, or None."""
    return _first(_FINISH, text)


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    text = text.lower().replace("-", " ")
    return next((name for name, pattern in table if re.search(pattern, text)), None)
