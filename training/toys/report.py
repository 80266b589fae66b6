"""The toys' results as JSON, and as tables one can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pipelines.files import write_json
from training.toys.table_rows import TABLES

COLUMNS = {
    "plane": ("rkl", "fkl", "sw2", "tv", "out", "var"),
    "images": ("class_fd", "sw2", "tv", "out", "var"),
    "guided": ("rkl", "fkl", "sw2", "tv", "out", "var"),
}
"""Figures of each world; `training.toys.metrics` says what they are."""

HEADINGS = {
    "plane": "Five modes in the plane",
    "images": "8 x 8 images, 64 dimensions",
    "guided": "Two conditions in the plane, guided",
}


def format_spread(values: Sequence[float], digits: int = 3) -> str:
    """Return mean and half the range over the seeds."""
    half = (max(values) - min(values)) / 2
    return f"{fmean(values):.{digits}f} ±{half:.{digits}f}"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return [*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows), ""]


def format_report(found: dict[str, Any]) -> str:
    """Return all tables; figures are mean ± half the range over the seeds."""
    lines = ["# Distillation on toys", "", f"Written by `{found.get('command')}`.", ""]
    if found.get("missing"):
        lines += ["Not yet trained: " + ", ".join(found["missing"]) + ".", ""]
    for world, columns in COLUMNS.items():
        own = [row for row in found["rows"] if row["world"] == world]
        if own:
            lines += [f"## {HEADINGS[world]}", ""]
            cells = (
                [row["name"], row["steps"] or "-", *(format_spread(row[c]) for c in columns)]
                for row in own
            )
            lines += markdown_table(["method", "steps", *columns], cells)
    if "diversity" in found:
        lines += ["## Diversity distillation of LADD's four steps", ""]
        columns = COLUMNS["plane"]
        cells = ([r["upto"], *(format_spread(r[c]) for c in columns)] for r in found["diversity"])
        lines += markdown_table(["base's steps", *columns], cells)
    if "gaussians" in found:
        oracle = found["gaussians"]
        lines += ["## Gaussians with oracle critics", ""]
        lines += markdown_table(["objective", "KL at the end"], oracle["kl"].items())
        pairs = ([name, *values] for name, values in oracle["effective_guidance"].items())
        lines += markdown_table(["guidance", "scale found", "covariance error"], pairs)
        pairs = ([name, *values] for name, values in oracle["two_classes"].items())
        lines += markdown_table(["two classes, N(±1, 0.5²)", "mean", "std"], pairs)
    return "\n".join(lines)


def write_report(found: dict[str, Any], output: Path) -> None:
    """Write what has been found so far, as JSON and beside it as Markdown."""
    order = {
        (world, name): number
        for world, table_rows in TABLES.items()
        for number, name in enumerate(table_rows)
    }

    def place(row: dict[str, Any]) -> tuple[str, int, int]:
        name = row["name"].split(", step ")[0]
        return row["world"], order.get((row["world"], name), -1), row["steps"]

    plain, prefixes = ([r for r in found["rows"] if ("prefix" in r) is x] for x in (False, True))
    found["rows"] = sorted(plain, key=place) + sorted(prefixes, key=place)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(found, output)
    output.with_suffix(".md").write_text(format_report(found), encoding="utf-8")
