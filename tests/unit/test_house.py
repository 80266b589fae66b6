"""The drawing of the house shows the code as it is."""

import importlib.util
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("draw_house", ROOT / "docs" / "draw_house.py")
assert SPEC is not None
assert SPEC.loader is not None
draw_house = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = draw_house
SPEC.loader.exec_module(draw_house)


def shown(svg: str) -> tuple[set[str], set[tuple[str, str]]]:
    """Rooms, and arrows within and between floors."""
    rooms = set(re.findall(r'data-room="([^"]+)"', svg))
    return rooms, set(re.findall(r'data-from="([^"]+)" data-to="([^"]+)"', svg))


def test_the_drawing_has_each_room_and_arrow_and_no_other():
    drawn = shown((ROOT / "docs" / "house.svg").read_text())
    now = shown(draw_house.draw_house(draw_house.measure_house()))
    assert drawn == now, "draw it anew: python docs/draw_house.py"


def test_no_arrow_runs_up_a_floor():
    floors = list(draw_house.FLOORS)
    arrows = draw_house.arrows_between_floors(draw_house.measure_house())
    assert len(arrows) == 6, "each floor may stand on each below it"
    assert all(floors.index(start) < floors.index(end) for start, end in arrows)


def test_imports_are_found_wherever_they_stand(tmp_path):
    for name, text in {
        "app/page.py": "def show():\n    from models.ops.color import lab\n",
        "models/ops/color.py": "from models import seeding\n",
        "models/seeding.py": "",
        "models/ops/mask.py": "from models.ops import color\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    house = draw_house.measure_house(tmp_path)
    assert dict(house.arrows) == {("app", "models/ops"): 1, ("models/ops", "models"): 1}
    assert house.files["models/ops"] == 2
