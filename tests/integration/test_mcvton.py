"""From training to a picture: what a run leaves is loaded, saved, and loaded again."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.messages import explain
from models import tiny
from models.errors import WeightsError
from pipelines.tryon.mcvton_weights import list_missing, load_mcvton
from pipelines.tryon.pipeline_mcvton import MCVTONPipeline
from training.train_mcvton import PRESETS, build


@pytest.fixture(scope="module")
def flux_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flux")
    tiny.flux_transformer(0, 2, 2).save_pretrained(folder / "transformer")
    tiny.autoencoder().save_pretrained(folder / "vae")
    tiny.scheduler().save_pretrained(folder / "scheduler")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    _, config = PRESETS["tiny_student"]
    config = replace(config, output=tmp_path_factory.mktemp("runs"), validation=0)
    build(config).run()
    return config.folder / "checkpoints" / "000005" / "weights"


def picture(pipe):
    person = Image.fromarray(np.full((60, 50, 3), 90, np.uint8))
    garment = Image.fromarray(np.full((30, 30, 3), (200, 30, 30), np.uint8))
    mask = np.zeros((60, 50), bool)
    mask[20:50, 10:40] = True
    return np.asarray(pipe(person, garment, mask, seeds=[4]).images[0])


def test_a_run_leaves_a_pipeline_that_keeps_its_pictures(weights, flux_folder, tmp_path):
    pipe = load_mcvton(weights, str(flux_folder), size_hw=(32, 24))
    assert pipe.student_adapter is not None
    pipe.save_pretrained(tmp_path)
    assert list_missing(tmp_path) == []
    again = load_mcvton(tmp_path)
    assert isinstance(again, MCVTONPipeline)
    assert np.array_equal(picture(pipe), picture(again))


def test_what_lacks_is_said_before_anything_is_loaded(weights, tmp_path, monkeypatch):
    monkeypatch.delenv("MIRRA_MCVTON", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert any("train_mcvton" in each for each in list_missing())
    assert list_missing(weights, str(tmp_path)) == []
    assert any(each.startswith("garment in") for each in list_missing(tmp_path, str(tmp_path)))
    for adapters, base in ((None, None), (tmp_path, None), (weights, str(tmp_path))):
        with pytest.raises(WeightsError) as caught:
            load_mcvton(adapters, base)
        assert "weights" in explain(caught.value)
