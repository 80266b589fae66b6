"""A page for each command, from its help: `python -m app.command_pages` writes docs/commands/.

Pages are made from what each command declares, not from what `--help` prints, so that they are the
same in every terminal, language and version of typer. A test keeps them up to date.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

Command = Callable[..., object]

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "commands"
WORDS: dict[object, str] = {Path: "path", str: "text", int: "whole number", float: "number"}
"""Type -> what is to be given, in a word."""


@dataclass(frozen=True)
class Parameter:
    """An argument or option of a command.

    Attributes:
        names: `--out`, `-o`; of an argument what stands for it, `SOURCE [REFERENCE]...`.
        kind: type of a value; bool for a switch, which takes none.
        default: what holds when it is left out; ... if it may not be.
        info: what it declares to typer.
    """

    names: tuple[str, ...]
    kind: object
    default: object
    info: OptionInfo | ArgumentInfo

    @property
    def is_option(self) -> bool:
        """Whether it goes by a name."""
        return isinstance(self.info, OptionInfo)

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is ...

    def usage(self) -> str:
        """How it stands in a call: `-o OUT`, `SOURCE [REFERENCE]...`."""
        short, long = self.names[-1], self.names[0]
        return f"{short} {long.lstrip('-').upper()}" if self.is_option else short

    def row(self) -> str:
        """Its row of a table."""
        cells = [", ".join(f"`{name}`" for name in self.names), self.describe_value()]
        cells += [self.describe_default()] if self.is_option else []
        cells += [self.info.help or ""]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"

    def describe_value(self) -> str:
        """Say what it takes: `path`, `number, 0 to 1`, `png or jpeg`; nothing of a switch."""
        if self.kind is bool:
            return ""
        *others, last = list_choices(self.kind) or [WORDS[self.kind]]
        words = f"{', '.join(others)} or {last}" if others else last
        if self.info.min is None:
            return words
        least = f"{self.info.min:g}"
        most = self.info.max
        return f"{words}, at least {least}" if most is None else f"{words}, {least} to {most:g}"

    def describe_default(self) -> str:
        """Say what holds when it is left out: nothing where the help says so itself."""
        by_help = "default" in (self.info.help or "").lower()  # such as a process for each core
        if self.is_required:
            text = "required"
        elif self.default is None or self.default is False or by_help:
            text = ""
        else:
            text = f"`{self.default.value if isinstance(self.default, Enum) else self.default}`"
        variable = f"`{self.info.envvar}`" if self.info.envvar else ""
        return " or ".join(filter(None, (variable, text)))


def read_parameters(function: Command) -> Iterator[Parameter]:
    """Read the arguments and options that a command declares, in order."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if get_origin(hints[name]) is not Annotated:
            continue  # typer's own context
        kind, info = get_args(hints[name])
        default = ... if parameter.default is parameter.empty else parameter.default
        if isinstance(info, OptionInfo):
            names = (info.default, *(info.param_decls or ()))
            names = tuple(each for each in names if isinstance(each, str))
            names = names or (f"--{name.replace('_', '-')}",)
        else:
            names = (info.metavar or name.upper() + ("..." if is_list(kind) else ""),)
        yield Parameter(names, value_type(kind), default, info)


def value_type(kind: object) -> object:
    """The type of one value: without None, and of a list that of its items."""
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not types.NoneType)
    return get_args(kind)[0] if is_list(kind) else kind


def is_list(kind: object) -> bool:
    """Whether a type is a list of something."""
    return get_origin(kind) is list


def list_choices(kind: object) -> list[str]:
    """List the words that a type allows; none if it allows more than a few."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [each.value for each in kind]
    return []


def make_pages(app: typer.Typer) -> dict[str, str]:
    """Write down every command.

    Returns:
        Name of a file -> its Markdown: a page for each command at the top, and README.md, which
        lists them.
    """
    pages: dict[str, str] = {}
    rows: list[str] = []
    for name, function in list_commands(app):
        pages[f"{name}.md"] = f"# mirra {name}\n\n" + describe_command(name, function)
        rows.append(f"| [`mirra {name}`]({name}.md) | {summarize(function)} |\n")
    for info in app.registered_groups:
        name, group = info.name, info.typer_instance
        assert name is not None
        assert group is not None
        pages[f"{name}.md"] = f"# mirra {name}\n\n" + describe_group(name, group)
        rows.append(f"| [`mirra {name}`]({name}.md) | {group.info.help} |\n")
    pages["README.md"] = (
        "# The `mirra` command\n\n"
        "Made from the commands' own help by `python -m app.command_pages`.\n\n"
        f"| command | |\n|---|---|\n{''.join(rows)}"
    )
    return pages


def list_commands(app: typer.Typer) -> Iterator[tuple[str, Command]]:
    """List the commands of an app by name, but for its groups."""
    for info in app.registered_commands:
        function = info.callback
        assert function is not None
        yield info.name or function.__name__.replace("_", "-"), function


def describe_group(name: str, group: typer.Typer) -> str:
    """Write down a command that has commands of its own, each under a heading."""
    text = f"{group.info.help}\n"
    alone = group.registered_callback
    if alone is not None and alone.callback is not None and alone.invoke_without_command is True:
        text += f"\n`mirra {name}` alone: {inspect.getdoc(alone.callback)}\n"
    for command, function in list_commands(group):
        own = f"{name} {command}"
        text += f"\n## mirra {own}\n\n{describe_command(own, function)}"
    return text


def describe_command(name: str, function: Command) -> str:
    """Write down one command: what it does, how it is called, its arguments and options."""
    parameters = list(read_parameters(function))
    arguments = [each for each in parameters if not each.is_option]
    options = [each for each in parameters if each.is_option]
    usage = ["mirra", name, *(each.usage() for each in parameters if each.is_required)]
    usage += ["[OPTIONS]"] if any(not each.is_required for each in options) else []
    text = f"{inspect.getdoc(function)}\n\n```\n{' '.join(usage)}\n```\n"
    if arguments:
        text += "\n| argument | takes | |\n|---|---|---|\n"
        text += "".join(each.row() for each in arguments)
    if options:
        text += "\n| option | takes | if left out | |\n|---|---|---|---|\n"
        text += "".join(each.row() for each in options)
    return text


def summarize(function: Command) -> str:
    """The first line of a command's help."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def write_pages() -> None:
    """Write the pages of `mirra`, and take away those of commands that are no more."""
    from app.cli import app

    pages = make_pages(app)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
