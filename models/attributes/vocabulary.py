"""The closed vocabularies of product pictures; networks answer with indices into these."""

KINDS: tuple[str, ...] = (
    "palette",  # several pans, open
    "pan",  # one pan, from close by or in its compact
    "bullet",
    "smear",
    "bottle",
    "pencil",
    "on_model",
    "packaging",  # closed packaging or text: no shade can be seen
)
SHADELESS: tuple[str, ...] = ("on_model", "packaging")
"""Kinds of which no shade is given."""
CATEGORIES: tuple[str, ...] = (
    "lipstick",
    "lip_gloss",
    "lip_liner",
    "eyeshadow",
    "eyeshadow_palette",
    "eyeliner",
    "mascara",
    "brow",
    "blush",
    "bronzer",
    "highlighter",
    "foundation",
    "concealer",
    "powder",
    "nail_polish",
    "unknown",
)
FINISHES: tuple[str, ...] = (
    "matte",
    "satin",
    "cream",
    "sheer",
    "shimmer",
    "metallic",
    "glitter",
    "gloss",
    "dewy",
    "duochrome",
)
