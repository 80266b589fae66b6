from dataclasses import replace

import numpy as np
from PIL import Image

from pipelines.makeup.named_looks import find_look
from pipelines.makeup.report import draw_outline, measure, measure_color_error


def test_a_result_is_measured(pipeline, astronaut):
    output = pipeline(astronaut, find_look("classic-red"))
    report = measure(output, pipeline.analyzer)
    assert report["pixels_changed_outside"] == 0
    (face,) = report["faces"]
    assert face["landmark_drift"] < 3
    assert face["delta_e"]["lips"] < 4
    assert set(report["milliseconds"]) == {"analyse", "render", "blend"}


def test_one_pixel_in_the_sky_is_counted(pipeline, astronaut):
    output = pipeline(astronaut, find_look("nude"))
    spoiled = np.asarray(output.images[0]).copy()
    spoiled[5, 5] ^= 1
    report = measure(replace(output, images=[Image.fromarray(spoiled)]), pipeline.analyzer)
    assert report["pixels_changed_outside"] == 1


def test_an_untouched_face_is_as_far_from_the_look_as_it_was(pipeline, face):
    look = find_look("deep-plum")
    made_up = np.asarray(pipeline.blend(pipeline.wear([face], look)))
    untouched, done = (
        measure_color_error(face, face.image, look),
        measure_color_error(face, made_up, look),
    )
    assert untouched["lips"] > 30
    assert done["lips"] < 4
    nothing = replace(look, strength=0.0)
    assert measure_color_error(face, face.image, nothing)["lips"] < 0.01


def test_the_outline_holds_the_face_and_not_the_flag(face):
    mask = draw_outline(face)
    x, y = face.points_xyz[4, :2].astype(int)
    assert mask[y, x] == 1
    assert mask[40, 40] == 0


def test_a_soft_result_is_measured_at_the_strength_it_was_asked_for(pipeline, astronaut):
    asked = pipeline(astronaut, find_look("classic-red"), strength=0.4)
    saved = pipeline(astronaut, replace(find_look("classic-red"), strength=0.4))
    adjusted = pipeline.adjust(pipeline(astronaut, find_look("classic-red")), strength=0.4)
    reports = [measure(one, pipeline.analyzer)["faces"] for one in (asked, saved, adjusted)]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0][0]["delta_e"]["lips"] < 3  # 19.3 when judged by the look in full
    regions = pipeline(astronaut, find_look("classic-red"), strengths={"lips": 0.4})
    assert measure(regions, pipeline.analyzer)["faces"][0]["delta_e"]["lips"] < 3
