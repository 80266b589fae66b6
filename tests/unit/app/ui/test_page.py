"""The page as it is built, before anybody looks at it."""

import json
import subprocess
import sys

import pytest

from app.language import load_translations
from app.ui.languages import TRANSLATED_PROPERTIES
from app.ui.page import TABS

BUILD = """
import json
from app.service import Studio
from app.settings import Settings
from app.ui.page import build
pages = [build(Studio(), Settings(commercial_only=only)) for only in (False, True)]
print(json.dumps([page.get_config_file() for page in pages], default=str))
"""


@pytest.fixture(scope="module")
def pages():
    """Configurations of the ordinary page and of the commercial one, as a browser gets them."""
    built = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return json.loads(built.stdout.splitlines()[-1])


def parts(config):
    """Type and properties of what visitors see: all but the hidden rows."""
    known = {part["id"]: part for part in config["components"]}

    def seen(nodes):
        for node in nodes:
            part = known[node["id"]]
            if part["type"] == "row" and part["props"].get("visible") is False:
                continue
            yield part
            yield from seen(node.get("children") or ())

    return list(seen(config["layout"]["children"]))


def test_no_label_is_left_untranslated(pages):
    plain = {
        (part["type"], said)
        for part in parts(pages[0])
        for name in TRANSLATED_PROPERTIES
        for said in [part["props"].get(name)]
        if isinstance(said, str)
        and any(letter.isalpha() for letter in said)
        and "__i18n__" not in said
    }
    anew = [said for kind, said in plain if kind == "markdown"]  # made anew when the page opens
    assert all("FLUX" in said or "weights" in said for said in anew)
    assert len(anew) == 3
    chosen = {"#b01030", "makeup", "classic-red", "dotted", "student"}
    assert {said for kind, said in plain if kind != "markdown"} <= chosen


def test_every_choice_is_translated(pages):
    german = load_translations("de")
    choices = [one for part in parts(pages[0]) for one in part["props"].get("choices") or ()]
    assert len(choices) > 40
    assert [shown for shown, _ in choices if shown not in german] == []


def test_what_programs_get_is_not_translated(pages):
    known = {part["id"]: part for part in pages[0]["components"]}
    public = [one for one in pages[0]["dependencies"] if one["api_visibility"] == "public"]
    assert len(public) >= 10
    for block in (known[id] for one in public for id in (*one["inputs"], *one["outputs"])):
        assert "__i18n__" not in json.dumps(block["props"])


def test_a_commercial_server_hides_what_may_not_be_sold_and_says_so(pages):
    shown = parts(pages[1])
    assert [part for part in shown if part["type"] == "tabitem"] == []
    (sentence,) = [
        part["props"]["value"] for part in shown if part["props"].get("elem_id") == "not-offered"
    ]
    assert all(title in sentence for title, *_ in TABS)
    assert not any(one["api_visibility"] == "public" for one in pages[1]["dependencies"])
