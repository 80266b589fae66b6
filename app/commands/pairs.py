"""`mirra pairs`: bare and made-up faces to train FLUX-Makeup on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.jobs import pictures_in


def run(
    faces: Annotated[Path, typer.Argument(help="Folder of bare faces.")],
    out: Annotated[Path, typer.Argument(help="Folder of pairs.")],
    looks: Annotated[
        str | None, typer.Option(help="Drawn looks, by commas; all if left out; or `random`.")
    ] = None,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Side of the pairs, pixels.")] = 1024,
    versions: Annotated[int, typer.Option(min=1, max=100, help="Looks for each face.")] = 1,
    seed: Annotated[int, typer.Option(help="Draws looks and strengths.")] = 0,
    weakest: Annotated[
        float, typer.Option(min=0, max=1, help="Least strength of a region; 1 draws none.")
    ] = 0.6,
    expand: Annotated[
        float, typer.Option(min=0, max=1, help="Surroundings, as a share of the face.")
    ] = 0.3,
    others: Annotated[
        bool, typer.Option(help="Another's face in the same look, as each pair's reference.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    embedder: Annotated[
        Path | None, typer.Option(help="mobilefacenet.onnx: drop pairs that changed the person.")
    ] = None,
    editor: Annotated[
        str | None, typer.Option(help="Folder or hub id of FLUX.1-Kontext, to paint with.")
    ] = None,
) -> None:
    """Make pairs of one face bare and made up, and say which were dropped and why.

    Stop it, give the same command, and it goes on.
    """
    from app.messages import explain
    from training.prepare.makeup_pairs import PairPlan, make_pairs

    pictures = pictures_in(faces)
    refuse_same_names(pictures)
    names = parse_looks(looks, editor)
    if others and editor:
        raise typer.BadParameter("--others is for drawn looks, which can be worn twice alike")
    plan = PairPlan(
        out,
        names,
        size,
        versions,
        seed,
        weakest,
        expand,
        others,
        embedder=embedder,
        editor=editor,
        explain=explain,
    )
    report = make_pairs(pictures, plan, jobs)
    typer.echo(f"{report['kept']} of {report['tried']} pairs kept")
    for reason, count in report["dropped"].items():
        typer.echo(f"  {count:>6}  {reason}")


def refuse_same_names(pictures: list[Path]) -> None:
    """Refuse pictures whose pairs would take each other's place.

    Raises:
        typer.BadParameter: two have the same name but for the ending.
    """
    if len({path.stem for path in pictures}) < len(pictures):
        raise typer.BadParameter("two pictures have the same name but for the ending; rename one")


def parse_looks(text: str | None, editor: str | None) -> tuple[str, ...]:
    """Read what --looks says: names of drawn looks, by commas; all of them when None.

    Raises:
        typer.BadParameter: there is no such look, or an editor was to paint a random one.
    """
    from pipelines.makeup.named_looks import NAMED_LOOKS
    from training.prepare.makeup_pairs import RANDOM

    names = tuple(text.split(",")) if text else tuple(NAMED_LOOKS)
    known = NAMED_LOOKS.keys() | ({RANDOM} if editor is None else set())
    unknown = sorted(set(names) - known)
    if unknown:
        raise typer.BadParameter(f"no look is called {unknown[0]} (see `mirra looks`)")
    return names
