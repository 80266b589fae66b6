from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import ShapeError
from models.ops.color import delta_e, rgb_to_lab
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES, KINDS
from pipelines.catalog.extract.category import decide_category
from pipelines.catalog.extract.drawing import draw_shades
from pipelines.catalog.extract.extractor import AttributeExtractor
from pipelines.catalog.extract.words import find_category, find_finish
from training.data.products.scene_data import render_scenes
from training.data.products.scenes import Scene


@pytest.fixture(scope="module")
def extractor() -> AttributeExtractor:
    return AttributeExtractor()


@pytest.fixture(scope="module")
def palettes() -> list[Scene]:
    return render_scenes(3, 384, seed=11, kinds=("palette",))


def scene_of(kind: str, seed: int) -> Scene:
    return render_scenes(1, 384, seed=seed, kinds=(kind,))[0]


def test_everything_read_is_in_the_vocabulary_and_in_the_picture(extractor, palettes):
    attributes, masks = extractor.read(Image.fromarray(palettes[0].pixels))
    assert attributes.kind in KINDS
    assert attributes.category in CATEGORIES
    assert [shade.index for shade in attributes.shades] == list(range(len(attributes.shades)))
    for shade, mask in zip(attributes.shades, masks, strict=True):
        x0, y0, x1, y1 = shade.bbox_xyxy
        assert 0 <= x0 < x1 <= 384
        assert 0 <= y0 < y1 <= 384
        assert mask.shape == (y1 - y0, x1 - x0)
        assert shade.finish in FINISHES
        assert 0 <= shade.confidence <= 1


def test_most_pans_of_rendered_palettes_are_found_in_order_with_their_colors(extractor, palettes):
    errors, found, there = [], 0, 0
    for scene in palettes:
        numbers = []
        for shade in extractor(Image.fromarray(scene.pixels)).shades:
            x0, y0, x1, y1 = shade.bbox_xyxy
            number = int(scene.ids[(y0 + y1) // 2, (x0 + x1) // 2])
            if number:
                numbers.append(number)
                if scene.materials[number - 1].finish in ("matte", "satin"):
                    seen = np.median(rgb_to_lab(scene.pixels)[scene.ids == number], axis=0)
                    errors.append(float(delta_e(np.array(shade.lab), seen)))
        assert numbers == sorted(numbers)
        found, there = found + len(set(numbers)), there + len(scene.materials)
    assert found >= 0.8 * there
    assert np.median(errors) < 3


@pytest.mark.parametrize("seed", [3, 4])
def test_a_smear_on_paper_gives_its_color(extractor, seed):
    scene = scene_of("smear", seed)
    attributes = extractor(Image.fromarray(scene.pixels))
    best = attributes.shades[attributes.best]
    assert delta_e(np.array(best.lab), scene.materials[0].lab) < 8


def test_the_answer_does_not_depend_on_threads_or_on_earlier_pictures(extractor, palettes):
    picture = Image.fromarray(palettes[1].pixels)
    before = torch.get_num_threads()
    answers = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        extractor(Image.fromarray(palettes[2].pixels))
        answers.append(extractor(picture))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert answers[0] == answers[1]


def test_reading_in_a_worker_changes_no_other_threads_number_of_threads(extractor, palettes):
    def counted_in_a_new_thread(*_):
        with ThreadPoolExecutor(1) as new:
            counts.append(new.submit(torch.get_num_threads).result())

    before, counts = torch.get_num_threads(), []
    torch.set_num_threads(2)
    hooks = [
        network.register_forward_hook(counted_in_a_new_thread)
        for network in (extractor._finder, extractor._finish_classifier)
    ]
    with ThreadPoolExecutor(1) as worker:
        worker.submit(extractor, Image.fromarray(palettes[1].pixels)).result()
    counted_in_a_new_thread()
    for hook in hooks:
        hook.remove()
    torch.set_num_threads(before)
    assert len(counts) >= 3
    assert set(counts) == {2}


@torch.inference_mode()
@pytest.mark.parametrize("threads", [2, 3, 5, 8])
@pytest.mark.parametrize("shades", [1, 2, 5])
def test_finishes_are_the_same_to_the_bit_on_any_number_of_threads(extractor, shades, threads):
    generator = torch.Generator().manual_seed(shades)
    features = torch.randn(
        shades, extractor._finish_classifier.config["signs"], generator=generator
    )
    before, answers = torch.get_num_threads(), []
    for number in (1, threads):
        torch.set_num_threads(number)
        answers.append(extractor._finish_classifier(features))
    torch.set_num_threads(before)
    assert torch.equal(answers[0][0], answers[1][0])
    assert torch.equal(answers[0][1], answers[1][1])


def test_boxes_of_a_large_picture_are_in_its_own_pixels(extractor):
    scene = scene_of("pan", 5)
    large = Image.fromarray(scene.pixels).resize((1536, 1536), Image.Resampling.BICUBIC)
    (attributes, masks) = extractor.read(large)
    x0, y0, x1, y1 = attributes.shades[attributes.best].bbox_xyxy
    assert scene.ids[(y0 + y1) // 8, (x0 + x1) // 8] == 1
    assert masks[attributes.best].shape == (y1 - y0, x1 - x0)
    assert attributes.size_wh == (1536, 1536)


def test_a_white_page_has_no_shades(extractor):
    attributes = extractor(Image.new("RGB", (300, 200), "white"))
    assert attributes.shades == ()
    assert attributes.best == 0


def test_the_smallest_picture_is_read_without_a_traceback(extractor):
    assert extractor(Image.new("RGB", (1, 1), "red")).size_wh == (1, 1)


def test_a_picture_of_another_mode_is_refused(extractor):
    with pytest.raises(ShapeError) as caught:
        extractor(Image.new("L", (64, 64)))
    assert caught.value.found == "L"


def test_drawing_changes_only_the_shades_and_their_swatches(extractor, palettes):
    picture = Image.fromarray(palettes[0].pixels)
    attributes, masks = extractor.read(picture)
    drawn = np.asarray(draw_shades(picture, attributes, masks))
    assert drawn.shape == palettes[0].pixels.shape
    shade = attributes.shades[0]
    x0, y0, x1, y1 = shade.bbox_xyxy
    box = drawn[y0:y1, x0:x1].reshape(-1, 3)
    ink = [int(shade.hex[i : i + 2], 16) for i in (1, 3, 5)]
    assert (np.abs(box.astype(int) - ink).max(1) <= 2).any()


def test_words_are_evidence_and_the_picture_has_the_last_word():
    smear, red = {"smear": 1.0}, np.array([45.0, 50.0, 25.0])
    assert decide_category(smear, red, "") == "lipstick"
    assert decide_category(smear, red, "cloud paint blush") == "blush"
    palette = {"palette": 1.0}
    assert decide_category(palette, red, "goes with our lipstick") == "eyeshadow_palette"
    assert decide_category({"packaging": 1.0}, None, "") == "unknown"


def test_compounds_are_understood_before_their_parts():
    assert find_category("Hydrating Lip Gloss") == "lip_gloss"
    assert find_category("lip-liner, lipstick's friend") == "lip_liner"
    assert find_finish("Matte liquid lipstick") == "matte"
    assert find_finish("a metallic duo-chrome topper") == "duochrome"
    assert find_finish("nothing to see") is None
