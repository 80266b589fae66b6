"""Every error has words of its own, and none of a stranger's."""

from __future__ import annotations

import re

import pytest

from app.messages import (
    BY_REASON,
    CATALOG_SENTENCES,
    IMAGE_SENTENCES,
    SENTENCES,
    UNKNOWN,
    explain,
)
from models import errors
from models.errors import CatalogError, ImageError, MirraError, NoFaceError, SeveralFacesError

HOSTILE = "/home/ann/<img src=x onerror=alert(1)>.jpg; DROP TABLE `faces`"


def family(kind):
    return [kind, *(member for child in kind.__subclasses__() for member in family(child))]


ERRORS = sorted(
    {kind for kind in family(MirraError) if kind.__module__ == errors.__name__},
    key=lambda kind: kind.__name__,
)
# `reason` is a word from the table in ImageError's docstring.
REASONS = re.findall(r"^ {12}([a-z_]+) ", ImageError.__doc__ or "", re.M)


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_has_its_own_sentence(kind):
    assert kind in SENTENCES.keys() | BY_REASON.keys()
    others = {explain(other("x")) for other in ERRORS if other is not kind}
    assert explain(kind("x")) not in others | {UNKNOWN}


def test_the_table_of_reasons_and_the_sentences_agree():
    assert len(REASONS) > 10
    assert set(REASONS) - {"reason"} == set(IMAGE_SENTENCES)
    reasons = re.findall(r"^ {12}([a-z_]+) ", CatalogError.__doc__ or "", re.M)
    assert set(reasons) - {"reason"} == set(CATALOG_SENTENCES)
    assert len({explain(CatalogError("x", reason=reason)) for reason in reasons[1:]}) > 5


@pytest.mark.parametrize("reason", IMAGE_SENTENCES)
def test_each_reason_has_its_own_sentence(reason):
    others = {explain(ImageError("x", reason=r)) for r in IMAGE_SENTENCES if r != reason}
    assert explain(ImageError("x", reason=reason)) not in others | {UNKNOWN}


STRANGE = [HOSTILE, (HOSTILE, HOSTILE), (1, HOSTILE), {"a": HOSTILE}, -5, float("nan"), True, None]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_no_sentence_repeats_what_came_from_outside(value):
    raised = [kind(HOSTILE, found=value, needed=value) for kind in ERRORS]
    raised += [ImageError(HOSTILE, reason=r, found=value, needed=value) for r in IMAGE_SENTENCES]
    raised += [CatalogError(HOSTILE, reason=r, found=value) for r in CATALOG_SENTENCES]
    raised += [ImageError(HOSTILE, reason=HOSTILE), ValueError(HOSTILE), OSError(2, HOSTILE)]
    for error in raised:
        sentence = explain(error)
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert not set(sentence) & set("<>/`{}[]"), sentence
        assert not re.search(r"home|onerror|DROP|nan|None|True|-5", sentence), sentence


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            ImageError("x", reason="too_small", found=(20_000, 3), needed=64),
            ["20,000 x 3 pixels", "at least 64 on the shorter side", "Try another photo"],
        ),
        (
            ImageError("x", reason="too_many_pixels", found=(20_000, 20_000), needed=50_000_000),
            ["20,000 x 20,000 pixels", "50 million pixels"],
        ),
        (ImageError("x", reason="too_many_pixels", needed=50_000_000), ["too large", "50 million"]),
        (ImageError("x", reason="too_heavy", found=31_000_000, needed=30_000_000), ["30 MB"]),
        (ImageError("x", reason="too_long", found=(900, 20), needed=20.0), ["900 x 20 pixels"]),
        (ImageError("x", reason="unknown_kind", found="PDF document"), ["PDF document", "JPEG"]),
        (ImageError("x", reason="unknown_kind", found="unknown file"), ["do not recognise"]),
        (ImageError("x", reason="damaged", found="HEIC"), ["This HEIC picture is damaged"]),
        (NoFaceError("x", found=80, needed=96), ["80 pixels high", "at least 96"]),
        (NoFaceError("x"), ["no face"]),
        (NoFaceError("x", found=0, needed=1), ["no face"]),
        (SeveralFacesError("x", boxes=[(0, 0, 1, 1)] * 3), ["3 faces"]),
    ],
)
def test_sentences_carry_the_numbers(error, parts):
    for part in parts:
        assert part in explain(error)


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), RuntimeError("x")])
def test_unknown_errors_get_a_general_sentence(error):
    assert explain(error) == UNKNOWN


def test_out_of_memory_and_full_disk_say_so():
    assert "memory" in explain(MemoryError())
    assert "disk" in explain(OSError(28, "No space left on device"))


def test_a_later_error_borrows_its_parents_words():
    class TiltedFaceError(NoFaceError):
        pass

    assert explain(TiltedFaceError("x")) == explain(NoFaceError("x"))
