"""The published BeautyBank from a folder somebody brings, at toy size: read, draw, tune."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models import seeding, tiny
from models.beautybank.published import build_sampler
from models.beautybank.published_tuning import Judges
from models.errors import CheckpointError, WeightsError
from pipelines.makeup.beautybank_weights import SAMPLERS, list_missing, load_samplers
from pipelines.makeup.pipeline_beautybank_published import (
    PublishedBeautyBankPipeline,
    ffhq_matrix,
)


@pytest.fixture(scope="module")
def toy(pipeline):
    return PublishedBeautyBankPipeline(**tiny.published_beautybank(), analyzer=pipeline.analyzer)


@pytest.fixture
def folder(toy, tmp_path):
    toy.save_pretrained(tmp_path / "weights")
    return tmp_path / "weights"


def test_weights_from_a_folder_draw_what_they_drew_before(toy, folder, astronaut, monkeypatch):
    assert "MIRRA_BEAUTYBANK" in list_missing()[0]
    monkeypatch.setenv("MIRRA_BEAUTYBANK", str(folder))
    assert list_missing() == []
    again = PublishedBeautyBankPipeline.from_pretrained()
    again.analyzer = toy.analyzer
    drawn = again(astronaut, astronaut)
    assert drawn.size == (64, 64)
    assert np.asarray(drawn).std() > 1
    np.testing.assert_array_equal(np.asarray(drawn), np.asarray(toy(astronaut, astronaut)))


def test_an_encoder_is_found_beside_its_decoder(toy, folder):
    own = load_file(folder / "encoder.safetensors")
    public = {f"encoder.{key}": value for key, value in own.items()}
    save_file(public | {"decoder.x": torch.zeros(1)}, folder / "encoder.safetensors")
    again = PublishedBeautyBankPipeline.from_pretrained(folder)
    face = torch.zeros(1, 3, 64, 64)
    torch.testing.assert_close(again.encode(face), toy.encode(face))


def test_what_lacks_or_fits_nothing_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.delenv("MIRRA_BEAUTYBANK", raising=False)
    with pytest.raises(WeightsError, match="MIRRA_BEAUTYBANK"):
        PublishedBeautyBankPipeline.from_pretrained()
    with pytest.raises(WeightsError, match="encoder"):
        PublishedBeautyBankPipeline.from_pretrained(tmp_path)
    for file in ("encoder.safetensors", "generator.safetensors"):
        save_file({"res.0.conv.0.weight": torch.zeros(1)}, folder / file)
        with pytest.raises(CheckpointError, match=file):
            PublishedBeautyBankPipeline.from_pretrained(folder)


def test_the_square_has_the_eyes_where_ffhq_has_them(face):
    matrix = ffhq_matrix(face, 1024)
    eyes = face.points_xyz[[468, 473], :2]
    left, right = eyes @ matrix[:, :2].T + matrix[:, 2]
    assert abs(left[1] - right[1]) < 8  # level
    assert 340 < left[0] < 430 < 590 < right[0] < 690  # FFHQ's medians are about 385 and 640
    assert 440 < left[1] < 520


def test_no_makeup_is_the_bare_face_and_makeup_changes_it(toy, astronaut, painted):
    bare, makeup = (toy.encode(toy.align(picture)) for picture in (astronaut, painted))
    plain = np.asarray(toy.draw(bare, None), float)
    off = np.asarray(toy.draw(bare, makeup, [0.0] * 10), float)
    assert np.abs(off - plain).max() <= 1
    assert np.abs(np.asarray(toy.draw(bare, makeup), float) - plain).max() > 1


def test_tuning_brings_a_code_nearer_to_the_photograph(toy, astronaut, painted):
    def distance(a, b):
        return (a - b).square().mean()

    judges = Judges(distance, distance, distance)
    aligned = toy.align(painted)
    bare, makeup = toy.encode(toy.align(astronaut)), toy.encode(aligned)
    face = torch.zeros(1, 1, 64, 64)
    face[..., 16:48, 16:48] = 1
    masks = dict.fromkeys(("face", "eyes", "mouth", "foreground"), face) | {"background": 1 - face}
    tuned = toy.tune(bare, makeup, aligned, masks, judges, steps=5)
    assert tuned.shape == makeup.shape
    assert not torch.equal(tuned, makeup)
    taken_off = toy.take_off(makeup, aligned, face, judges, steps=5)
    assert torch.equal(taken_off[:, 8:], makeup[:, 8:])


def test_makeup_is_invented_by_samplers_from_the_folder(toy, folder):
    with pytest.raises(CheckpointError, match="sampler-structure"):
        load_samplers(folder, toy.generator)
    for part, file in SAMPLERS.items():
        save_file(build_sampler(part, 10, 32).state_dict(), folder / file)
    samplers = load_samplers(folder, toy.generator)
    one, two = (toy.sample(samplers, seeding.generator_for(seed, "invent")) for seed in (0, 1))
    assert one.shape == (1, 10, 32)
    assert not torch.equal(one, two)
    assert toy.draw(one, two).size == (64, 64)
