"""What the Makeup tab says of a picture is true of the picture it shows."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipelines.makeup.look_files import read_embedded
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.report import measure_color_error

# Presses the tab's button and lets go of a slider without a browser; Gradio leaves an event loop
# open, which is why another process does it.
VISIT = """
import json, sys
import gradio as gr
from app.service import Studio
from app.settings import Settings
from app.ui import makeup
with gr.Blocks() as page:
    makeup.tab(Studio(), Settings())
do = {event.name: event.fn for event in page.fns.values()}
full, soft = ([overall, 1, 1, 1, 1, 1] for overall in (1.0, 0.4))
asked = [sys.argv[1], None, None, "classic-red", None, None, []]
shown = [do["try_on"](*asked, *soft), do["try_on"](*asked, *full)]
shown += [(*do["settle"](shown[1][2], *levels),) for levels in (soft, full)]
print(json.dumps([[pictures[1], line] for pictures, line, *_ in shown]))
"""


@pytest.fixture(scope="module")
def visit(astronaut, tmp_path_factory):
    """Picture and line: tried on at Overall 0.4, in full, then let go at 0.4 and at 1."""
    folder = tmp_path_factory.mktemp("visit")
    astronaut.save(folder / "me.png")
    ran = subprocess.run(
        [sys.executable, "-c", VISIT, folder / "me.png"],
        env=os.environ | {"GRADIO_TEMP_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def lips_told(line: str) -> float:
    found = re.search(r"[Ll]ips within ΔE ([\d.]+)", line)
    assert found, line
    return float(found[1])


def lips_measured(picture: str, face, strength: float) -> float:
    """On the file itself, against the look at a strength."""
    with Image.open(picture) as shown:
        pixels = np.asarray(shown.convert("RGB"))
    return measure_color_error(face, pixels, replace(find_look("classic-red"), strength=strength))[
        "lips"
    ]


def test_the_color_figure_is_of_the_strength_that_is_shown(visit, face):
    (soft, line), (full, _), *_ = visit
    assert read_embedded(soft).strength == 0.4
    assert lips_told(line) == lips_measured(soft, face, 0.4)
    assert lips_told(line) < 3
    assert lips_measured(full, face, 0.4) > 15  # what the page once said of the soft picture


def test_the_line_is_told_anew_when_a_slider_is_released(visit, face):
    _, (_, first), (soft, line), (full, last) = visit
    assert lips_told(line) == lips_measured(soft, face, 0.4)
    assert lips_told(last) == lips_measured(full, face, 1.0) == lips_told(first)
    assert len({lips_told(line), lips_told(last)}) == 2
