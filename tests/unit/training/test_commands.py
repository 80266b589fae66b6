"""Commands and files that the repository names are there, with the presets and options it names."""

import ast
import dataclasses
import importlib
import inspect
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = {".py", ".md", ".json", ".toml", ".yml", ".yaml", ".txt"}
COMMAND = re.compile(r"-m ((?:training|app|pipelines|models)(?:\.\w+)+)(?!\.\w)([^\n`\"|#]*)")
CELL = re.compile(r"`(train_\w+)((?: [^`\n]*)?)`")
RECIPES = sorted(path.stem for path in (ROOT / "training").glob("train_*.py"))


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    files = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in files if path.is_file()]


def commands():
    """Module and the words after it, of every `-m module ...` in the text of the repository."""
    found = set()
    for path in tracked():
        if path.suffix in TEXT and path != Path(__file__):
            text = re.sub(r"\\\\?\s*\n\s*", " ", path.read_text(encoding="utf-8"))
            found |= set(COMMAND.findall(text))
            cells = CELL.findall(text) if path.suffix == ".md" else []
            found |= {(f"training.{name}", words) for name, words in cells}
    return sorted(found)


COMMANDS = commands()


def source_of(module):
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def option_names(config, prefix=""):
    """Names of a dataclass's fields as options, nested ones with a dot."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from option_names(value, f"{prefix}{field.name}.")
        else:
            yield f"--{prefix}{field.name}".replace("_", "-")


def test_commands_are_found():
    assert len({module for module, _ in COMMANDS}) > 25


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS}))
def test_a_module_that_a_text_tells_to_run_can_be_run(module):
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    guards = [n for n in tree.body if isinstance(n, ast.If) and "__main__" in ast.unparse(n.test)]
    assert guards


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_presets_among_them_a_tiny_one_a_builder_and_a_command(recipe):
    module = importlib.import_module(f"training.{recipe}")
    assert "tiny" in module.PRESETS
    assert list(inspect.signature(module.build).parameters) == ["config"]
    assert list(inspect.signature(module.main).parameters) == ["arguments"]


@pytest.mark.parametrize(("module", "words"), [c for c in COMMANDS if ".train_" in c[0]])
def test_a_recipes_command_names_a_preset_and_options_it_has(module, words):
    presets = importlib.import_module(module).PRESETS
    preset, *rest = words.split() or [""]
    if not preset or not re.fullmatch(r"[a-z0-9_]+", preset) or preset not in presets:
        assert not any(word.startswith("--") for word in [preset, *rest])
        return
    known = set(option_names(presets[preset][1]))
    assert {word for word in rest if re.fullmatch(r"--[a-z.-]+", word)} <= known


@pytest.mark.parametrize("named", ["training/README.md", "README.md", "CONTRIBUTING.md"])
def test_a_file_that_a_text_names_is_there(named):
    text = (ROOT / named).read_text(encoding="utf-8")
    paths = {path.relative_to(ROOT).as_posix() for path in tracked()}
    wanted = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.py)`", text))
    missing = {w for w in wanted if not any(p == w or p.endswith(f"/{w}") for p in paths)}
    assert not missing
