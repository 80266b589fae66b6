"""Draw the house: packages as floors, folders as rooms, imports as arrows.

    python docs/draw_house.py

writes `docs/house.svg` from the imports as they are now. A test holds the drawing to the code: each
room and each arrow is there, and none that is not. Within a floor an arrow joins two rooms; from
floor to floor all imports are one arrow in the right margin. Sizes are those of the day it was
drawn: a room's width grows with its lines, an arrow's with its imports.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DRAWING = Path(__file__).with_name("house.svg")
FLOORS = {
    "app": "people and processes: web page, command line, server",
    "training": "data, losses, methods, one loop; and how good it all is",
    "pipelines": "pictures in, pictures out",
    "models": "networks and image operations: arrays and tensors in and out",
}
"""Package -> what it is, from the top floor down; arrows run downwards only."""
PAPER, INK, ROSE = "#faf7f2", "#2b2622", "#b4536a"
TINTS = {"app": "#f3dfe2", "training": "#e3e8da", "pipelines": "#f2e6cf", "models": "#dde6ec"}
WIDTH, MARGIN, GUTTER, ROOM_HEIGHT, GAP = 1200, 24, 150, 46, 18

Arrow = tuple[str, str]


@dataclass(frozen=True)
class House:
    """What the imports say.

    Attributes:
        lines: room -> lines of code; a room is a folder, "models/ops", or a package's own files,
            "models".
        files: room -> its number of files.
        arrows: (room, room it imports from) -> number of imports.
    """

    lines: Counter[str]
    files: Counter[str]
    arrows: Counter[Arrow]


def room_of(file: Path) -> str:
    """The room of a file, by its path from the root of the repository."""
    return "/".join(file.parts[: 2 if len(file.parts) > 2 else 1])


def floor_of(room: str) -> str:
    """The package a room lies in."""
    return room.partition("/")[0]


def name_of(room: str) -> str:
    """What is written on a room."""
    return room.partition("/")[2] or f"{room}/*.py"


def arrows_between_floors(house: House) -> Counter[Arrow]:
    """Imports from package into package, as one arrow each: (from, to) -> how many."""
    between: Counter[Arrow] = Counter()
    for (start, end), count in house.arrows.items():
        if floor_of(start) != floor_of(end):
            between[floor_of(start), floor_of(end)] += count
    return between


def measure_house(root: Path = ROOT) -> House:
    """Read every file's imports."""
    house = House(Counter(), Counter(), Counter())
    files = [
        file.relative_to(root) for name in FLOORS for file in sorted((root / name).rglob("*.py"))
    ]
    modules = {".".join(file.with_suffix("").parts): file for file in files}
    for file in files:
        source = (root / file).read_text()
        here = room_of(file)
        house.lines[here] += source.count("\n")
        house.files[here] += 1
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in node.names:
                    found = modules.get(f"{node.module}.{name.name}", modules.get(node.module))
                    if found is not None and room_of(found) != here:
                        house.arrows[here, room_of(found)] += 1
    return house


def levels_of(rooms: list[str], arrows: set[Arrow]) -> list[list[str]]:
    """Rooms of a floor in rows whose arrows run down; rooms that need one another share a row."""
    below = {a: {b for b in rooms if (a, b) in arrows} for a in rooms}
    for middle in rooms:  # Warshall: who is reached, over however many rooms
        for a in rooms:
            if middle in below[a]:
                below[a] |= below[middle]

    def depth(room: str) -> int:
        lower = [other for other in below[room] if room not in below[other]]
        return 1 + max(map(depth, lower), default=-1)

    rows: dict[int, list[str]] = {}
    for room in rooms:
        same = [other for other in below[room] if room in below[other]]
        rows.setdefault(max(map(depth, [room, *same])), []).append(room)
    return [rows[level] for level in sorted(rows, reverse=True)]


def place_rooms(
    house: House,
) -> tuple[dict[str, tuple[float, float, float]], dict[str, float], float]:
    """Where each room is: its left, top and width; the top of each floor; and the whole height."""
    boxes: dict[str, tuple[float, float, float]] = {}
    tops: dict[str, float] = {}
    y = 64.0
    for floor in FLOORS:
        tops[floor] = y
        y += 40
        rooms = [room for room in house.lines if floor_of(room) == floor]
        for row in levels_of(rooms, set(house.arrows)):
            wanted = {
                room: max(len(name_of(room)) * 8 + 24, house.lines[room] / 12) for room in row
            }
            free = WIDTH - GUTTER - 4 * MARGIN - GAP * (len(row) - 1)
            share = min(1.0, free / sum(wanted.values()))
            x = 2 * MARGIN + (free - share * sum(wanted.values())) / 2
            for room in row:
                boxes[room] = (x, y, share * wanted[room])
                x += share * wanted[room] + GAP
            y += ROOM_HEIGHT + 2 * GAP
        y += 8
    return boxes, tops, y


def draw_house(house: House) -> str:
    """The drawing as SVG."""
    boxes, tops, height = place_rooms(house)
    ends = [*list(tops.values())[1:], height]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height + 30:.0f}" '
        'font-family="Georgia, serif">',
        f'<rect width="{WIDTH}" height="{height + 30:.0f}" fill="{PAPER}"/>',
        f'<text x="{MARGIN}" y="40" font-size="24" fill="{INK}">The house: rooms are folders, '
        "arrows are imports, and they run down</text>",
    ]
    for (floor, says), end in zip(FLOORS.items(), ends, strict=True):
        top = tops[floor]
        parts.append(
            f'<rect x="{MARGIN}" y="{top:.0f}" width="{WIDTH - 2 * MARGIN - GUTTER}" '
            f'height="{end - top - 10:.0f}" rx="8" fill="{TINTS[floor]}"/>'
            f'<text x="{2 * MARGIN}" y="{top + 26:.0f}" font-size="17" fill="{INK}">'
            f'<tspan font-weight="bold">{floor}</tspan>  {escape(says)}</text>'
        )
    for (start, end), count in sorted(house.arrows.items()):
        if floor_of(start) == floor_of(end):
            parts.append(_arrow_in_floor(start, end, count, boxes))
    for (start, end), count in sorted(arrows_between_floors(house).items()):
        parts.append(_arrow_between_floors(start, end, count, tops))
    for room, (x, y, width) in boxes.items():
        parts.append(
            f'<g data-room="{room}"><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" '
            f'height="{ROOM_HEIGHT}" rx="5" fill="white" stroke="{INK}" stroke-width="1.2"/>'
            f'<text x="{x + width / 2:.0f}" y="{y + 20:.0f}" font-size="14" text-anchor="middle" '
            f'fill="{INK}">{name_of(room)}</text><text x="{x + width / 2:.0f}" y="{y + 37:.0f}" '
            f'font-size="11" text-anchor="middle" fill="{INK}" opacity=".65">'
            f"{house.files[room]} files</text></g>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow_in_floor(
    start: str, end: str, count: int, boxes: dict[str, tuple[float, float, float]]
) -> str:
    """A curve from the foot of one room to the head of another; a bow where both share a row."""
    (x1, y1, w1), (x2, y2, w2) = boxes[start], boxes[end]
    x1, x2, foot = x1 + w1 / 2, x2 + w2 / 2, y1 + ROOM_HEIGHT
    target, bend = (y2, (y2 - foot) / 2) if y1 < y2 else (foot, -26.0)
    path = (
        f"M{x1:.0f} {foot:.0f}C{x1:.0f} {foot + abs(bend):.0f} "
        f"{x2:.0f} {target - bend:.0f} {x2:.0f} {target:.0f}"
    )
    return _stroke(start, end, path, ROSE, 0.8 + min(count, 40) / 12)


def _arrow_between_floors(start: str, end: str, count: int, tops: dict[str, float]) -> str:
    """A bracket in the right margin, further out the more floors it passes, with its count."""
    names = list(FLOORS)
    passed = names.index(end) - names.index(start)
    y1, y2 = tops[start] + 34 + 14 * passed, tops[end] + 40 - 10 * passed
    edge = WIDTH - MARGIN - GUTTER
    out = edge + 6 + 38 * passed
    path = f"M{edge} {y1:.0f}C{out} {y1:.0f} {out} {y1:.0f} {out} {y1 + 30:.0f}V{y2 - 30:.0f}"
    path += f"C{out} {y2:.0f} {out} {y2:.0f} {edge + 8} {y2:.0f}"
    head = f'<path d="M{edge} {y2:.0f}l9 -5v10z" fill="{INK}" opacity=".6"/>'
    label = (
        f'<text x="{out}" y="{(y1 + y2) / 2:.0f}" font-size="11" text-anchor="middle" '
        f'fill="{INK}" stroke="{PAPER}" stroke-width="4" paint-order="stroke">{count}</text>'
    )
    return _stroke(start, end, path, INK, 1 + count / 60) + head + label


def _stroke(start: str, end: str, path: str, color: str, width: float) -> str:
    return (
        f'<path data-from="{start}" data-to="{end}" d="{path}" fill="none" stroke="{color}" '
        f'stroke-width="{width:.1f}" opacity=".7"/>'
    )


if __name__ == "__main__":
    DRAWING.write_text(draw_house(measure_house()))
