"""`mirra evaluate`: measure the pipelines on data that is not ours to ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.jobs import pictures_in
from pipelines.files import write_json

app = typer.Typer(help="Measure a pipeline on data of your own.", add_completion=False)


@app.callback()
def group() -> None:
    """Measure a pipeline on data of your own."""


@app.command()
def makeup(
    data: Annotated[Path, typer.Argument(help="Folder with makeup/london-faces.tar and so on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Figures, as JSON.")],
    sources: Annotated[int, typer.Option(help="How many people.")] = 54,
    references: Annotated[int, typer.Option(help="How many looks.")] = 40,
    seed: Annotated[int, typer.Option(help="Draws the references.")] = 0,
    sheet: Annotated[
        Path | None, typer.Option(help="Also a contact sheet; keep it private.")
    ] = None,
    columns: Annotated[int, typer.Option(help="References on the sheet.")] = 8,
) -> None:
    """Instant makeup: every person of the London set wears looks drawn from looks-256."""
    from training.evaluation.makeup import evaluate, format_summary

    figures = evaluate(data, sources, references, seed, sheet, columns)
    write_json(figures, out)
    typer.echo(format_summary(figures))


@app.command()
def shade(
    data: Annotated[Path, typer.Argument(help="Folder with makeup/london-faces.tar.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Figures, as JSON.")],
    sources: Annotated[int, typer.Option(help="How many people.")] = 54,
) -> None:
    """Shades: colour asked and reached on the London faces, and what each finish does."""
    from training.evaluation.shade import evaluate, format_summary

    figures = evaluate(data, sources)
    write_json(figures, out)
    typer.echo(format_summary(figures))


@app.command()
def products(
    data: Annotated[Path, typer.Argument(help="Folder with products/lip-and-cheek.tar and so on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Figures, as JSON.")],
    rendered: Annotated[int, typer.Option(help="How many palettes to render.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the rendered scenes.")] = 0,
) -> None:
    """Product pictures: colours measured by hand, pans and finishes rendered."""
    from training.evaluation.products import evaluate, format_summary

    figures = evaluate(data, rendered, seed)
    write_json(figures, out)
    typer.echo(format_summary(figures))


@app.command()
def fairness(
    data: Annotated[Path, typer.Argument(help="Folder with makeup/london-faces.tar and so on.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Figures, as JSON; .md and .svg are put beside it.")
    ],
    references: Annotated[int, typer.Option(help="How many looks everybody tries on.")] = 20,
    seed: Annotated[int, typer.Option(help="Draws the references.")] = 0,
) -> None:
    """Success, colour error and skin shift by skin tone, gender and age: table and plot."""
    from training.evaluation.fairness import evaluate
    from training.evaluation.fairness_report import draw_plot, format_table

    figures = evaluate(data, references, seed)
    write_json(figures, out)
    out.with_suffix(".md").write_text(format_table(figures))
    out.with_suffix(".svg").write_text(draw_plot(figures))
    typer.echo(format_table(figures))


@app.command()
def looks(
    cache: Annotated[Path, typer.Argument(help="What `mirra looks unfold` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Figures, as JSON.")],
    looks: Annotated[int, typer.Option(help="How many looks.")] = 60,
    people: Annotated[int, typer.Option(help="How many held-out faces wear each.")] = 20,
    rebuilt: Annotated[int, typer.Option(help="How many looks are tuned.")] = 20,
    judge: Annotated[
        Path | None, typer.Option(help="Weights of `python -m training.train_bare_classifier`.")
    ] = None,
    sheets: Annotated[
        Path | None, typer.Option(help="Folder for contact sheets; keep it private.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of looks, light and people.")] = 0,
) -> None:
    """Makeup codes: retrieval, rebuilding, disentanglement and removal, on what was kept apart."""
    from models.analysis.human_parsing import HumanParser
    from models.beautybank.bare_classifier import BareClassifier
    from pipelines.analysis import load_network
    from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline
    from pipelines.registry import WEIGHTS
    from training.data.faces.textures import FaceTextures
    from training.evaluation.codes import (
        choose_held_out_people,
        evaluate,
        format_summary,
        judge_removal,
    )
    from training.evaluation.contact_sheets import write_sheets

    network, faces = BeautyBankPipeline().network, FaceTextures.load(cache)
    parser = load_network(HumanParser, WEIGHTS / "human-parser")
    figures = evaluate(network, parser, faces, looks, people, rebuilt, seed)
    if judge is not None:
        classifier = load_network(BareClassifier, judge)
        figures["removal, photographs"] = judge_removal(network, classifier, faces)
    if sheets is not None:
        write_sheets(network, faces, choose_held_out_people(faces, people), sheets, seed)
    write_json(figures, out)
    typer.echo(format_summary(figures))


@app.command("tiny-beauty")
def tiny_beauty(
    faces: Annotated[Path, typer.Argument(help="Folder of faces the nets were not trained on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Figures, as JSON.")],
    sheets: Annotated[
        Path | None, typer.Option(help="Also a folder of pictures side by side; keep it private.")
    ] = None,
) -> None:
    """Tiny nets: how near each comes to the instant pipeline it was distilled from."""
    from training.evaluation.tiny_beauty import evaluate, format_summary

    figures = evaluate(pictures_in(faces), sheets)
    write_json(figures, out)
    typer.echo(format_summary(figures))
