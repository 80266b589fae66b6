"""One call of a command over pictures: which ones, what each becomes, and what went wrong.

job = plan_job(find_sources("photos/"), ["classic-red"], out, "png")
job.run(make_one)       # a progress bar; a bad picture does not end the others
job.finish()            # says which ones were bad, and exits with 3 if there are any
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import typer

from pipelines.catalog.run.inputs import PICTURES
from pipelines.files import write_json

Report = dict[str, object]
"""What is written as JSON about one result."""

FORMATS = ("png", "jpeg", "webp")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Sources:
    """The pictures somebody named.

    Attributes:
        paths: in order of their names.
        many: whether a folder or glob was named; then results go into a folder, too.
    """

    paths: list[Path]
    many: bool


@dataclass(frozen=True)
class JobItem:
    """One result to make.

    Attributes:
        source: the picture of who wears it.
        reference: what is worn, a path or a look's name; "" where all items wear the same.
        target: the file to write.
    """

    source: Path
    reference: str
    target: Path


class UnusableError(Exception):
    """A picture cannot be used; the command goes on with the next.

    Attributes:
        path: the picture.
        sentence: what a person reads of it.
    """

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path
        self.sentence = sentence


@contextmanager
def blame(path: Path) -> Iterator[None]:
    """Say of what goes wrong inside that it comes of this picture.

    Raises:
        UnusableError: in place of a MirraError or an OSError.
        WeightsError: as it is, for it ends the run: no picture could be made without the weights.
    """
    from app.messages import explain
    from models.errors import MirraError, WeightsError

    try:
        yield
    except WeightsError:
        raise
    except (MirraError, OSError) as error:
        raise UnusableError(path, explain(error)) from error


def name_source(item: JobItem) -> Report:
    """Name an item in a report by its source."""
    return {"source": item.source.name}


def share_nothing(_: JobItem) -> tuple[Path, ...]:
    """Every item is tried, whatever became of the others."""
    return ()


@dataclass
class Job:
    """What one call of a command makes, and what came of it.

    Attributes:
        items: results to make, in order.
        in_folder: whether they are put into a folder, many or not.
        reports: of each item, in order.
        failures: each picture that could not be used, with the sentence that says why.
    """

    items: list[JobItem]
    in_folder: bool
    reports: list[Report] = field(default_factory=list)
    failures: list[tuple[Path, str]] = field(default_factory=list)

    def run(
        self,
        make: Callable[[JobItem], Report],
        *,
        name: Callable[[JobItem], Report] = name_source,
        shared: Callable[[JobItem], tuple[Path, ...]] = share_nothing,
        bar: bool | None = None,
    ) -> None:
        """Make every item; one that cannot be made is noted and does not end the others.

        Args:
            make: makes one and returns its report. An error is blamed on the item's source, or on
                the picture that it names by `blame`.
            name: how the report begins, also of an item that could not be made.
            shared: pictures that an item has in common with others; if one of them could not be
                used before, the item is not tried, and the picture is not named again.
            bar: show a progress bar on stderr; when results go into a folder if None.

        Raises:
            WeightsError: weights are lacking that every item needs.
        """
        from tqdm import tqdm

        shown = self.in_folder if bar is None else bar
        for item in tqdm(self.items, unit="picture", disable=not shown):
            sentences = dict(self.failures)
            known = [sentences[path] for path in shared(item) if path in sentences]
            try:
                with blame(item.source):
                    report = {"error": known[0]} if known else make(item)
            except UnusableError as error:
                self.failures.append((error.path, error.sentence))
                report = {"error": error.sentence}
            self.reports.append(name(item) | report)

    def write_report(self, path: Path | None, *, as_list: bool | None = None) -> None:
        """Write the reports as JSON, if anybody asked for them.

        Args:
            path: where to; nowhere when None.
            as_list: a list also for a single item; when results go into a folder if None.
        """
        if path is not None:
            one = not (self.in_folder if as_list is None else as_list)
            write_json(self.reports[0] if one else self.reports, path)

    def print_failures(self) -> None:
        """Say on stderr which pictures could not be used, and why."""
        for path, sentence in self.failures:
            typer.echo(f"{path}: {sentence}", err=True)

    def exit_if_failed(self) -> None:
        """End the command with exit code 3 if a picture could not be used."""
        if self.failures:
            raise typer.Exit(3)

    def finish(self) -> None:
        """Say which pictures could not be used; exit code 3 if there are any."""
        self.print_failures()
        self.exit_if_failed()


def find_sources(text: str) -> Sources:
    """Find the pictures that a path, a folder or a glob names; one path need not exist.

    Raises:
        typer.BadParameter: a folder or glob without pictures.
    """
    path = Path(text)
    if path.is_dir():
        return Sources(pictures_in(path), many=True)
    if not path.exists() and glob.has_magic(text):
        found = sorted(Path(p) for p in glob.glob(text, recursive=True))  # noqa: PTH207
        if not found:
            raise typer.BadParameter(f"nothing matches {text}")
        return Sources(found, many=True)
    return Sources([path], many=False)


def pictures_in(folder: Path) -> list[Path]:
    """List the files of a folder that are called like pictures, by name.

    Raises:
        typer.BadParameter: there are none.
    """
    files = folder.iterdir() if folder.is_dir() else ()
    found = sorted(path for path in files if path.suffix.lower() in PICTURES)
    if not found:
        raise typer.BadParameter(f"no pictures in {folder}")
    return found


def plan_job(
    sources: Sources,
    references: list[str],
    out: Path,
    format: str = "png",
    *,
    in_folder: bool | None = None,
    name_pairs: bool | None = None,
) -> Job:
    """Plan a result of each source with each reference; a folder for many is made.

    Args:
        sources: who wears it.
        references: what is worn, at least one; [""] where all wear the same.
        out: -o: the result, or the folder of results.
        format: of results in a folder, one of `FORMATS`.
        in_folder: whether `out` is a folder; with many sources or references if None.
        name_pairs: name results `<source>__<reference>`; with several references if None.

    Raises:
        typer.BadParameter: `out` cannot be written, or would overwrite a source or itself.
    """
    several = len(references) > 1
    in_folder = sources.many or several if in_folder is None else in_folder
    name_pairs = several if name_pairs is None else name_pairs
    if not in_folder:
        check_target(out)
        items = [JobItem(sources.paths[0], references[0], out)]
    else:
        if out.exists() and not out.is_dir():
            raise typer.BadParameter(f"with several pictures -o is a folder, and {out} is a file")
        out.mkdir(parents=True, exist_ok=True)
        ending = {"jpeg": "jpg"}.get(format, format)
        items = [
            JobItem(s, r, out / f"{s.stem}{'__' + Path(r).stem if name_pairs else ''}.{ending}")
            for s in sources.paths
            for r in references
        ]
    refuse_overwriting(items)
    return Job(items, in_folder)


def check_target(out: Path) -> None:
    """Refuse a name for one result that cannot be written.

    Raises:
        typer.BadParameter: it has no picture's ending, or its folder is not there.
    """
    if out.suffix.lower() not in ENDINGS:
        raise typer.BadParameter(f"-o must end in .png, .jpg or .webp, not {out.name}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}")


def refuse_overwriting(items: list[JobItem]) -> None:
    """Refuse results that would take the place of their source or of each other.

    Raises:
        typer.BadParameter: naming the two.
    """
    planned: dict[Path, str] = {}
    for item in items:
        if item.target.exists() and item.source.exists() and item.target.samefile(item.source):
            raise typer.BadParameter(f"-o would overwrite {item.source}")
        pair = f"{item.source.name} {Path(item.reference).name}".strip()
        if item.target in planned:
            both = f"{planned[item.target]} and {pair}"
            raise typer.BadParameter(f"{both} would both become {item.target.name}; rename one")
        planned[item.target] = pair


def check_format(format: str) -> None:
    """Refuse a --format that results cannot have.

    Raises:
        typer.BadParameter: not one of `FORMATS`.
    """
    if format not in FORMATS:
        raise typer.BadParameter(f"--format is png, jpeg or webp, not {format}")
