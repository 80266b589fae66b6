"""MC-VTON on whole pictures, with every real class at toy size."""

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline
from PIL import Image

from models import tiny
from models.diffusion.vae import decode
from models.errors import CancelledError, ShapeError
from models.mcvton.sampling import denoise
from pipelines.tryon.pipeline_mcvton import MCVTONPipeline
from pipelines.tryon.working_crop import find_working_box, fit_garment


@pytest.fixture(scope="module")
def pipe():
    pipe = MCVTONPipeline(**tiny.mcvton(seed=3))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def picture(width, height, seed=0):
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    )


@pytest.fixture
def scene():
    """A person's picture, a garment, and a mask."""
    mask = np.zeros((71, 53), bool)
    mask[20:60, 12:44] = True
    return picture(53, 71), picture(20, 30, seed=1), mask


def pixels(image):
    return np.asarray(image, np.int16)


@torch.no_grad()
def test_without_conditions_it_is_diffusers_flux_pipeline(pipe):
    flux = FluxPipeline(**tiny.flux(seed=3))  # the same transformer, untouched
    flux.set_progress_bar_config(disable=True)
    prompt = {
        "prompt_embeds": pipe.prompt.embeds,
        "pooled_prompt_embeds": pipe.prompt.pooled,
    }
    theirs = flux(
        **prompt,
        height=32,
        width=24,
        num_inference_steps=5,
        guidance_scale=3.5,
        generator=torch.Generator().manual_seed(11),
        output_type="pt",
    ).images
    *_, last = denoise(pipe.control, pipe.draw_noise([11]), pipe.choose_sigmas(5, False), None, 3.5)
    ours = (decode(pipe.vae, last.latents) + 1) / 2
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_pixels_outside_the_mask_are_equal_to_the_last_bit(pipe, scene):
    person, garment, mask = scene
    result = pipe(person, garment, mask, seeds=[5])
    assert result.images[0].size == person.size
    changed = (pixels(result.images[0]) != pixels(person)).any(2)
    assert not changed[~mask].any()
    assert changed[mask].mean() > 0.9


def test_what_the_mask_hides_is_not_seen(pipe, scene):
    person, garment, mask = scene
    other = np.array(person)
    other[mask] = 7
    result = [pipe(p, garment, mask).images[0] for p in (person, Image.fromarray(other))]
    inside = np.zeros_like(mask)
    inside[22:58, 14:42] = True  # two pixels in, nothing of the old picture is left
    assert np.array_equal(pixels(result[0])[inside], pixels(result[1])[inside])


def test_the_seed_tells_the_picture_alone_or_among_others(pipe, scene):
    together = pipe(*scene, seeds=[3, 4, 5, 6])
    assert together.seeds == (3, 4, 5, 6)
    for seed, image in zip(together.seeds, together.images, strict=True):
        alone = pipe(*scene, seeds=[seed]).images[0]
        assert np.abs(pixels(alone) - pixels(image)).max() <= 1
    assert np.abs(pixels(together.images[0]) - pixels(together.images[1])).max() > 5


def test_saved_and_loaded_it_paints_the_same_picture(pipe, scene, tmp_path):
    pipe.save_pretrained(tmp_path)
    loaded = MCVTONPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    assert loaded.size_hw == (32, 24)
    for few_steps in (True, False):
        images = [p(*scene, seeds=[9], few_steps=few_steps).images[0] for p in (pipe, loaded)]
        assert np.array_equal(pixels(images[0]), pixels(images[1]))


def test_the_student_takes_its_own_eight_steps(pipe, scene):
    steps = []
    pipe(*scene, on_step=steps.append)
    assert [p.step for p in steps] == list(range(1, 9))
    assert {p.steps for p in steps} == {8}
    assert steps[0].seconds_left > steps[-1].seconds_left == 0
    assert steps[3].preview()[0].size == (6, 8)
    steps.clear()
    pipe(*scene, on_step=steps.append, few_steps=False, num_inference_steps=3)
    assert len(steps) == 3


def test_a_cancelled_try_on_stops_at_once(pipe, scene):
    steps = []

    def stop(progress):
        steps.append(progress)
        return progress.step < 2

    with pytest.raises(CancelledError):
        pipe(*scene, on_step=stop)
    assert len(steps) == 2


def test_masks_that_cannot_be_meant_are_refused(pipe, scene):
    person, garment, mask = scene
    with pytest.raises(ShapeError, match="height and width of the person"):
        pipe(person, garment, mask.T)
    with pytest.raises(ShapeError, match="no pixel"):
        pipe(person, garment, np.zeros_like(mask))


@pytest.mark.parametrize("size", [(200, 300), (300, 200), (30, 400)])
def test_the_working_box_holds_the_mask_at_the_working_aspect(size):
    width, height = size
    mask = np.zeros((height, width), bool)
    mask[height // 2 :, 3 : width // 2] = True
    x0, y0, x1, y1 = find_working_box(mask, (32, 24))
    assert abs((x1 - x0) - 0.75 * (y1 - y0)) <= 1
    rows, columns = np.nonzero(mask)
    assert x0 <= columns.min() < columns.max() < x1
    assert y0 <= rows.min() < rows.max() < y1


def test_a_garment_is_fitted_whole_and_undistorted():
    square = Image.new("RGB", (40, 40), (255, 0, 0))
    page = fit_garment(square, (32, 24))[0]
    red = page[0] > 0.9
    assert red.sum(0).max() == red.sum(1).max() == 24
    assert (page[:, ~red] == 0).all()
    half = np.zeros((40, 40), np.float32)
    half[:, :20] = 1
    assert fit_garment(square, (32, 24), half)[0, 0, 16, 18:].abs().max() == 0


@pytest.mark.parametrize("component", ["person_adapter", "garment_adapter", "prompt"])
def test_component_paths_are_frozen_because_saved_pipelines_name_them(pipe, component):
    modules = {"prompt": ["models.mcvton.prompt", "FixedPrompt"]}
    adapter = ["models.mcvton.adapters", "BranchLoRA"]
    assert list(pipe.config[component]) == modules.get(component, adapter)
