"""What the commands that take pictures share: folders, globs, names of results."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

PICTURES = {
    ".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".bmp", ".gif", ".tif", ".tiff",
}  # fmt: skip


def find_pictures(text: str) -> tuple[list[Path], bool]:
    """The pictures a person named, and whether that was a folder or glob.

    Raises:
        typer.BadParameter: there are none in it.
    """
    path = Path(text)
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
        if not found:
            raise typer.BadParameter(f"no pictures in {path}")
        return found, True
    if not path.exists() and glob.has_magic(text):
        found = sorted(Path(p) for p in glob.glob(text, recursive=True))  # noqa: PTH207
        if not found:
            raise typer.BadParameter(f"nothing matches {text}")
        return found, True
    return [path], False


def check_result(out: Path) -> None:
    """Check that a result can be written there.

    Raises:
        typer.BadParameter: another kind of file, or no such folder.
    """
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise typer.BadParameter(f"-o must end in .png, .jpg or .webp, not {out.name}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}")


def make_folder(out: Path) -> None:
    """Make the folder of several results.

    Raises:
        typer.BadParameter: there is a file of that name.
    """
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"with several pictures -o is a folder, and {out} is a file")
    out.mkdir(parents=True, exist_ok=True)


def check_names(results: Iterable[tuple[tuple[Path, ...], Path]]) -> None:
    """Check that no result overwrites one of its sources, nor another result.

    Args:
        results: sources and result of each job.

    Raises:
        typer.BadParameter: one would.
    """
    made: dict[Path, str] = {}
    for sources, target in results:
        for source in sources:
            if target.exists() and source.exists() and target.samefile(source):
                raise typer.BadParameter(f"-o would overwrite {source}")
        names = " ".join(source.name for source in sources)
        if target in made:
            both = f"{made[target]} and {names}"
            raise typer.BadParameter(f"{both} would both become {target.name}; rename one")
        made[target] = names


def with_progress(jobs: list[Any], shown: bool) -> Iterable[Any]:
    """Go through jobs with a bar on the terminal, if `shown`."""
    from tqdm import tqdm

    return tqdm(jobs, unit="picture", disable=not shown)
