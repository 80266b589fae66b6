"""The nano FLUX where it is used: with untrained weights, and with those Mirra ships."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from models import nano, seeding, tiny
from models.diffusion.few_step import FewStepSampler
from models.errors import CheckpointError
from models.instant.layer import region_weights
from pipelines.makeup.flux_crop import Square, resize_square
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_nano import NanoMakeupPipeline, align_reference, make_region_layer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What `assemble_nano finish` writes, of weights that were drawn."""
    folder = tmp_path_factory.mktemp("nano")
    transformer = nano.flux_transformer(seeding.generator_for(0, "transformer"))
    with torch.no_grad():  # an untrained output layer is zero
        transformer.proj_out.weight.normal_(generator=seeding.generator_for(0, "out"))
    transformer.save_pretrained(folder / "transformer")
    injector = nano.injector(transformer, seeding.generator_for(0, "injector"))
    injector.save_pretrained(folder / "injector")
    pictures = torch.rand((4, 3, 64, 64), generator=seeding.generator_for(0, "pictures")) * 2 - 1
    nano.PatchAutoencoder().fit(pictures).save_pretrained(folder / "vae")
    prompt = torch.randn((nano.PROMPT_TOKENS, tiny.WIDTH), generator=seeding.generator_for(0, "p"))
    save_file({"prompt": prompt, "pooled": prompt[0].clone()}, folder / "prompt.safetensors")
    (folder / "sampler.json").write_text(FewStepSampler.even(2).notes["sampler.json"])
    return folder


@pytest.fixture(scope="module")
def painter(folder, pipeline):
    return NanoMakeupPipeline(analyzer=pipeline.analyzer, folder=folder)


def test_the_same_seed_paints_the_same_picture_and_only_where_makeup_may_lie(painter, astronaut):
    first, again, other = (painter(astronaut, astronaut, seed=s).images[0] for s in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    layer = painter(astronaut, astronaut, seed=3).layers[0].layer
    x0, y0, x1, y1 = layer.box_xyxy
    allowed = np.zeros((astronaut.height, astronaut.width), bool)
    allowed[y0:y1, x0:x1] = np.sum(list(layer.weights.values()), axis=0) > 0
    changed = (np.asarray(first) != np.asarray(astronaut)).any(2)
    assert changed.any()
    assert not (changed & ~allowed).any()


def test_strength_0_leaves_every_pixel_and_a_region_at_0_its_own(painter, astronaut):
    assert np.array_equal(painter(astronaut, astronaut, strength=0).images[0], astronaut)
    bare = painter(astronaut, astronaut, strengths=dict.fromkeys(("skin", "cheeks"), 0.0))
    weights = bare.layers[0].layer.weights
    x0, y0, x1, y1 = bare.layers[0].layer.box_xyxy
    only = (weights["skin"] > 0) & (sum(w for r, w in weights.items() if r != "skin") == 0)
    before, after = (np.asarray(x)[y0:y1, x0:x1][only] for x in (astronaut, bare.images[0]))
    assert np.array_equal(before, after)


def test_a_reference_is_laid_where_the_wearer_is(painter, astronaut):
    """Turned, moved and shrunk, it comes back to where it was."""
    turned = astronaut.rotate(20, Image.Resampling.BICUBIC, expand=True).resize((400, 400))
    face, look = painter.analyzer.find_largest(astronaut), painter.analyzer.find_largest(turned)
    square = Square.around(face, nano.EXPAND)
    own, other = (align_reference(each, face, square).astype(int) for each in (face, look))
    both = (own.sum(2) > 0) & (other.sum(2) > 0)
    assert both.sum() > 0.8 * (own.sum(2) > 0).sum()
    assert np.abs(own - other)[both].mean() < 12
    assert (own[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()


def test_a_change_of_the_lips_stays_on_the_lips(painter, astronaut):
    face = painter.analyzer.find_largest(astronaut)
    square = Square.around(face, nano.EXPAND)
    weights = region_weights(face)
    x0, y0, x1, y1 = face.box_xyxy
    mask = np.zeros((square.side, square.side), np.float32)
    mask[y0 - square.y0 : y1 - square.y0, x0 - square.x0 : x1 - square.x0] = weights["lips"]
    change = resize_square(mask, nano.SIZE)[..., None] * np.float32([60, 0, 0])
    layer = make_region_layer(face, square, change)
    lips, skin = weights["lips"] > 0.9, weights["skin"] > 0.9
    assert np.median(layer.change[lips][:, 0]) > 35
    assert layer.change[skin][:, 0].mean() < 3


def test_a_student_takes_the_steps_it_was_trained_with(painter, folder):
    pictures = torch.zeros((1, 3, nano.SIZE, nano.SIZE))
    asked = []
    hook = painter.denoiser.transformer.register_forward_hook(lambda *_: asked.append(1))
    painter.generate(pictures, pictures)
    (folder / "sampler.json").rename(folder / "away.json")
    try:
        painter.generate(pictures, pictures)
    finally:
        (folder / "away.json").rename(folder / "sampler.json")
        hook.remove()
    assert len(asked) == len(json.loads((folder / "sampler.json").read_text())["times"]) + 25


def test_weights_that_are_not_there_are_named(tmp_path, pipeline, astronaut):
    lacking = NanoMakeupPipeline(analyzer=pipeline.analyzer, folder=tmp_path)
    with pytest.raises(CheckpointError, match="no weights"):
        lacking(astronaut, astronaut)


@pytest.mark.parametrize("network", ["student", "teacher"])
def test_shipped_weights_take_lips_some_of_the_way_to_the_references(pipeline, astronaut, network):
    painter = NanoMakeupPipeline(network, pipeline.analyzer)
    reference = pipeline(astronaut, find_look("classic-red")).images[0]
    result = painter(astronaut, reference)
    layer = result.layers[0].layer
    x0, y0, x1, y1 = layer.box_xyxy
    lips = layer.weights["lips"] > 0.8
    bare, made, wanted = (
        np.float32(x)[y0:y1, x0:x1][lips].mean(0) for x in (astronaut, result.images[0], reference)
    )
    towards = wanted - bare
    assert 0.1 < (made - bare) @ towards / (towards @ towards) < 1.3
