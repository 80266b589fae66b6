import warnings

import numpy as np
import pytest
import torch

from models import seeding
from models.analysis.human_parsing import HumanParser
from pipelines import export
from pipelines.makeup.pipeline_tiny_beauty import load_net


def test_an_exported_network_gives_the_same_numbers_elsewhere(tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(export, "PARSED_SIZE_HW", (32, 32))
    parser = HumanParser((8, 8, 8), (1, 1, 1), 2)
    seeding.initialise(parser, seeding.generator_for(0)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter talks of its own future
        path = export.write_onnx(parser, tmp_path / "parser.onnx")
    image = torch.rand((1, 3, 32, 32), generator=seeding.generator_for(0, "image")) * 2 - 1
    (found,) = onnxruntime.InferenceSession(path).run(["logits"], {"image": image.numpy()})
    with torch.inference_mode():
        expected = parser(image).numpy()
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_an_exported_tiny_net_paints_the_same_picture_elsewhere(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = export.export_onnx("tiny-beauty/classic-red", tmp_path / "look.onnx")
    face = torch.rand((1, 3, 256, 256), generator=seeding.generator_for(0, "face")) * 2 - 1
    (found,) = onnxruntime.InferenceSession(path).run(["made_up"], {"face": face.numpy()})
    with torch.inference_mode():
        expected = load_net("classic-red")(face).numpy()
    assert np.abs(expected - face.numpy()).max() > 0.05
    assert np.abs(found - expected).max() < 1 / 255
