"""`import mirra` from a folder that is not the checkout, in a process of its own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mirra

ROOT = Path(mirra.__file__).resolve().parent


@pytest.fixture
def here(tmp_path):
    """An empty folder to start Python in."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path, here):
    """Run Python in `here`, where only `mirra` can be imported; gives what it says."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "mirra.py").symlink_to(ROOT / "mirra.py")

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr

    return run


def test_importing_it_loads_nothing_heavy_and_touches_no_path(run):
    said = run(
        "import sys; before = list(sys.path)\n"
        "import mirra\n"
        "print({'torch', 'numpy', 'gradio', 'PIL', 'typer', 'app', 'models'} & set(sys.modules))\n"
        "print(sys.path == before, set(mirra.__all__) <= set(dir(mirra)))\n"
    )
    assert said == "set()\nTrue True\n"


def test_each_name_is_a_class_or_function_of_the_pipelines(run):
    said = run(
        "import mirra\n"
        "for name in mirra.__all__:\n"
        "    found = getattr(mirra, name)\n"
        "    print(name, found.__module__, found.__name__)\n"
        "    assert getattr(mirra, name) is found\n"
    )
    rows = [line.split() for line in said.splitlines()]
    assert {name: (module, own) for name, module, own in rows} == mirra.SOURCES
    assert sorted(mirra.__all__) == sorted(mirra.SOURCES)


def test_editors_see_the_names_that_are_loaded():
    (block,) = (
        node
        for node in ast.parse((ROOT / "mirra.py").read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        (alias.asname or alias.name): (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == mirra.SOURCES


@pytest.mark.parametrize("kind", ["module", "package", "folder"])
@pytest.mark.parametrize("name", mirra.PACKAGES)
def test_another_package_of_the_same_name_is_named_in_one_sentence(run, here, name, kind):
    found = here / (f"{name}.py" if kind == "module" else name)
    if kind != "module":
        found.mkdir()
    if kind == "package":
        found /= "__init__.py"
    if kind != "folder":
        found.touch()
    said = run(
        f"import {name}, mirra\ntry: mirra.open_image\nexcept ImportError as error: print(error)\n"
    )
    assert said == (
        f"Mirra needs its own package `{name}` ({ROOT / name}), but another `{name}` is already "
        f"imported from {found}: rename that one, or use Mirra in a process of its own.\n"
    )


def test_what_is_not_there_is_an_attribute_error_that_lists_what_is():
    with pytest.raises(AttributeError, match="MakeupMirror"):
        _ = mirra.Mirror  # pyright: ignore[reportAttributeAccessIssue]


def test_without_a_checkout_the_command_says_how_to_get_one(tmp_path):
    (tmp_path / "mirra.py").write_text((ROOT / "mirra.py").read_text())
    done = subprocess.run(
        [sys.executable, "-c", "import mirra; mirra.main()"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "mirra runs from its checkout: clone the repository and `pip install -e .` in it."
    )
