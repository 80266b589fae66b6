"""The language a visitor reads: our English sentences, and `locales/` with their translations.

English is the source and the key: `locales/de.json` says `"Lips": "Lippen"`. Whoever writes a new
sentence writes it in English where it is used; a test then names the translations that lack.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("en", *sorted(path.stem for path in LOCALES.glob("*.json")))

language: ContextVar[str] = ContextVar("language", default="en")
"""Code of the language of whoever is being answered; the page sets it for each request."""


@cache
def load_translations(code: str) -> dict[str, str]:
    """What our English sentences are in another language; of English, nothing."""
    path = LOCALES / f"{code}.json"
    return json.loads(path.read_text(encoding="utf-8")) if code in LANGUAGES[1:] else {}


def choose_language(accept_language: str | None) -> str:
    """The language for an `Accept-Language` header, such as "de-AT,de;q=0.9,en;q=0.8".

    Only the first counts, for the browser goes by it, too: half a page in each of two languages
    would help nobody. One we do not speak becomes English.
    """
    first = (accept_language or "").split(",")[0].split(";")[0].strip().lower()
    code = first.split("-")[0]
    return code if code in LANGUAGES else "en"


def translate(sentence: str, /, **values: object) -> str:
    """One of our sentences in the visitor's language, with numbers and names filled in.

    Args:
        sentence: in English, with places for the values, as `str.format` has them.
        values: by name. What a person or a file wrote may come in here, never as the sentence.
    """
    said = load_translations(language.get()).get(sentence, sentence)
    return said.format(**values) if values else said


def untranslate(word: str, words: tuple[str, ...]) -> str:
    """The one of our words that a visitor wrote in their own language; else what they wrote."""
    return next((ours for ours in words if word in (ours, translate(ours))), word)
