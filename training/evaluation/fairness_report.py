"""The fairness card: figures of `training.evaluation.fairness` as a table and as a plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from training.evaluation.fairness import AXES, MEASURES

TITLES = {
    "success": "success",
    "colour_error": "colour error, CIEDE2000",
    "skin_shift": "skin shift, CIEDE2000",
}
ROW, NAME, PANEL, GAP = 22, 130, 210, 30  # pixels: a row's height, then widths
INK, FAINT, ROSE = "#2c2623", "#d3c6ba", "#9d3546"


def format_table(figures: dict[str, Any]) -> str:
    """Markdown: for each pipeline a row a group, and the gap of each axis."""
    lines = [f"{figures['people']} people of the Face Research Lab London Set (CC BY 4.0)."]
    for name, card in figures["pipelines"].items():
        measures = [measure for measure in MEASURES if measure in card["all"]]
        lines += ["", f"**{name}**, {card['pictures']:,} pictures", ""]
        lines.append(" | ".join(["| ", "people", *(TITLES[m] for m in measures)]) + " |")
        lines.append("|---" * (len(measures) + 2) + "|")
        for group, row in _list_rows(card):
            cells = [f"{row['people']}", *(_format_number(m, row.get(m)) for m in measures)]
            lines.append(f"| {group} | " + " | ".join(cells) + " |")
        for axis in AXES:
            cells = [_format_number(m, card["gap"][axis].get(m)) for m in measures]
            lines.append(f"| *gap by {axis}* | | " + " | ".join(cells) + " |")
    lines += ["", *(f"{name}: {why}." for name, why in figures["not_measured"].items())]
    return "\n".join(lines) + "\n"


def draw_plot(figures: dict[str, Any]) -> str:
    """SVG: a row a group, a panel a measure, a dot a median; the line is everybody's."""
    parts, top = [], 0
    for name, card in figures["pipelines"].items():
        top += 2 * ROW
        parts.append(_draw_text(0, top, f"{name}, {card['pictures']:,} pictures", weight="bold"))
        rows = list(_list_rows(card))[1:]
        measures = [measure for measure in MEASURES if measure in card["all"]]
        for number, (group, row) in enumerate(rows):
            words = f"{group} ({row['people']})"
            parts.append(_draw_text(NAME - 10, top + (number + 2) * ROW, words, anchor="end"))
        for column, measure in enumerate(measures):
            left = NAME + column * (PANEL + GAP)
            parts += _draw_panel(
                left, top, measure, card["all"][measure], [r.get(measure) for _, r in rows]
            )
        top += (len(rows) + 2) * ROW
    width, height = NAME + 3 * (PANEL + GAP) + GAP, top + ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
        f'<rect x="-10" y="-10" width="{width}" height="{height}" fill="white"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _draw_panel(
    left: int, top: int, measure: str, everybody: float, values: list[float | None]
) -> list[str]:
    """One measure: a scale from 0, a line where everybody is, and a dot a group that has one."""
    known = [value for value in values if value is not None]
    high = 1.0 if measure == "success" else max(2.0, *known) * 1.05
    bottom = top + (len(values) + 1.4) * ROW

    def x(value: float) -> float:
        return round(left + PANEL * value / high, 1)

    parts = [_draw_text(left, top + ROW * 0.9, TITLES[measure])]
    for place, color in ((0.0, FAINT), (everybody, ROSE)):
        line = f'x1="{x(place)}" x2="{x(place)}" y1="{top + 1.3 * ROW}" y2="{bottom}"'
        parts.append(f'<line {line} stroke="{color}"/>')
    for number, value in enumerate(values):
        if value is None:
            continue
        y = top + (number + 2) * ROW - 4
        parts.append(f'<circle cx="{x(value)}" cy="{y}" r="4" fill="{ROSE}"/>')
        anchor, shift = ("end", -8) if value > 0.8 * high else ("start", 8)
        parts.append(
            _draw_text(x(value) + shift, y + 4, _format_number(measure, value), anchor=anchor)
        )
    return parts


def _draw_text(
    x: float, y: float, words: str, anchor: str = "start", weight: str = "normal"
) -> str:
    look = f'text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x}" y="{y:.1f}" {look}>{escape(words)}</text>'


def _list_rows(card: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Everybody, then each group of each axis."""
    yield "everybody", card["all"]
    for groups in card["by"].values():
        yield from groups.items()


def _format_number(measure: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if measure == "success" else f"{value:.2f}"
