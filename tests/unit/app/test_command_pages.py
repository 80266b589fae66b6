import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.command_pages import FOLDER, make_pages

README = FOLDER.parents[1] / "README.md"
PAGES = make_pages(app)


def test_the_pages_in_docs_are_those_of_the_commands():
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert written == PAGES, "write them anew: python -m app.command_pages"


def sections() -> dict[str, str]:
    """Words of a command -> its part of a page."""
    parts = "\n".join(PAGES.values())
    found = re.split(r"^##? mirra (.+)$", parts, flags=re.M)
    return dict(zip(found[1::2], found[2::2], strict=True))


@pytest.mark.parametrize("words", sections())
def test_a_page_has_the_options_that_help_prints(words):
    # typer reads the functions in its own way; a wide terminal keeps it from cutting names short
    wide = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    printed = CliRunner().invoke(app, [*words.split(), "--help"], env=wide).output
    options = re.findall(r"^[│|*\s]*(--[a-z-]+|-[a-z]\b)", printed, flags=re.M)
    named = re.findall(r"^\| `(--[a-z-]+)`", sections()[words], flags=re.M)
    assert sorted(named) == sorted({*options} - {"--help"})


def test_every_command_has_a_page_that_the_index_links():
    links = re.findall(r"\]\((\S+?\.md)\)", PAGES["README.md"])
    assert sorted(links) == sorted(PAGES.keys() - {"README.md"})
    assert "(docs/commands/README.md)" in README.read_text()


def test_pages_do_not_depend_on_terminal_language_or_machine():
    code = (
        "import json, os; os.cpu_count = lambda: 37\n"
        "from app.cli import app\n"
        "from app.command_pages import make_pages\n"
        "print(json.dumps(make_pages(app)))\n"
    )
    other = {"COLUMNS": "20", "LANGUAGE": "de", "FORCE_COLOR": "1", "MIRRA_CATALOG": "/elsewhere"}
    said = subprocess.check_output(
        [sys.executable, "-c", code], cwd=FOLDER.parents[1], env={**os.environ, **other}
    )
    assert json.loads(said) == PAGES
