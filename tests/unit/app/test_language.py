"""Each sentence a visitor may read is there in every language, with the same places for values."""

import json
import re
from string import Formatter

import pytest

from app import licences, messages
from app.language import (
    LANGUAGES,
    LOCALES,
    choose_language,
    language,
    load_translations,
    translate,
    untranslate,
)
from app.ui import text
from app.ui.tryon.garments import GARMENTS, name_garment
from models.errors import NoFaceError
from models.instant.coats import PLACES
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES
from pipelines.images.headers import OTHER_KINDS
from pipelines.makeup.named_looks import NAMED_LOOKS
from pipelines.registry import REGISTRY, entry_of

TABLES = [
    {name: value for name, value in vars(text).items() if name.isupper()},
    messages.UNKNOWN,
    messages.SENTENCES,
    [table for table, _ in messages.BY_REASON.values()],
    [sentence for _, sentence in messages.REFUSALS.values()],
    messages.NOT_AN_UPLOAD,
    messages.TOO_LONG,
    messages.TOOK_TOO_LONG,
    messages.ADVICE,
    OTHER_KINDS - {"unknown file"},
    licences.PARTS,
    licences.TASKS,
    licences.MAY_I,
    licences.YES,
    licences.NO,
    [vars(entry.licence)[part] for entry in REGISTRY for part in ("weights", "base", "data")],
    entry_of("flux-makeup").needs,
    [look.title for look in NAMED_LOOKS.values()],
    [name_garment(path) for path in GARMENTS],
    FINISHES,
    CATEGORIES,
    tuple(PLACES),
]


def strings(table):
    if isinstance(table, str):
        return {table}
    values = table.values() if isinstance(table, dict) else table
    return set().union(*map(strings, values))


SENTENCES = strings(TABLES)
OTHERS = [code for code in LANGUAGES if code != "en"]


def places(sentence):
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_the_languages_are_those_promised():
    assert set(OTHERS) == {"de", "es", "fr", "ja", "zh"}
    assert len(SENTENCES) > 200


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated_and_nothing_else_is(code):
    assert sorted(SENTENCES - load_translations(code).keys()) == []
    assert sorted(load_translations(code).keys() - SENTENCES) == []
    written = re.findall(r'^ "', (LOCALES / f"{code}.json").read_text(), re.M)
    assert len(written) == len(load_translations(code))  # none twice


@pytest.mark.parametrize("code", OTHERS)
def test_translations_have_the_same_places_for_values_and_the_same_markup(code):
    for english, said in load_translations(code).items():
        assert places(said) == places(english), said
        for mark in ("`", "#", "\n"):
            assert said.count(mark) == english.count(mark), said
        assert not set(said) & set("<>")


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_is_in_that_language(code):
    """Letters that only it has, or words that all its longer sentences are made of."""
    typical = {
        "de": r"\b(die|der|das|eine?n?|und|nicht|auf|ist|sind|es|mit|wir|dieses|Bild|Foto)\b",
        "fr": r"\b(le|la|les|de|des|une?|est|nous|sur|pas|et)\b|[dl]['’]",
        "es": r"\b(el|la|los|las|de|una?|es|en|no|y|que)\b",
        "ja": r"[ぁ-ゖァ-ヺ]",
        "zh": r"[一-鿿]",
    }[code]
    long = [said for english, said in load_translations(code).items() if len(english) > 40]
    strange = [said for said in long if not re.search(typical, said, re.I)]
    assert len(strange) < 0.05 * len(long), strange


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("ja", "ja"),
        ("FR-ca", "fr"),
        ("nl-NL,de;q=0.5", "en"),
        ("../../etc/passwd", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_browsers_first_language_counts(header, code):
    assert choose_language(header) == code


def test_an_error_is_told_in_the_visitors_language():
    token = language.set("de")
    try:
        assert "96" in messages.explain(NoFaceError("x", found=80, needed=96))
        assert "Gesicht" in messages.explain(NoFaceError("x"))
        assert translate("{not a sentence of ours}") == "{not a sentence of ours}"
        assert untranslate(translate("glitter"), FINISHES) == "glitter"
        assert untranslate("glitter", FINISHES) == "glitter"
        assert untranslate("glue", FINISHES) == "glue"
    finally:
        language.reset(token)
    assert "face" in messages.explain(NoFaceError("x"))


def test_files_read_well():
    for code in OTHERS:
        path = LOCALES / f"{code}.json"
        tidy = json.dumps(load_translations(code), ensure_ascii=False, indent=1) + "\n"
        assert path.read_text(encoding="utf-8") == tidy
