"""The tiny beauty net's recipe at toy size."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from models import seeding
from models.errors import TrainingError
from models.small.tiny_beauty import TinyBeauty
from training.data.makeup.beauty_pairs import BeautyPairs
from training.methods.tiny_beauty import TinyBeautyMethod
from training.train_tiny_beauty import PRESETS, build


def test_a_stopped_run_goes_on_to_the_same_losses(tmp_path):
    def losses(folder):
        lines = (folder / "log.jsonl").read_text().splitlines()
        return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]

    config = replace(PRESETS["tiny"][1], output=tmp_path / "whole")
    config = replace(config, loop=replace(config.loop, save_every=1, threads=1))
    build(config).run()
    stopped = replace(config, output=tmp_path / "stopped")
    first = build(stopped)
    first.data, whole = _Until(first.data, 2), first.data
    with pytest.raises(InterruptedError):
        first.run()
    assert len(whole) == len(first.data)
    build(stopped).run()
    assert losses(stopped.folder) == losses(config.folder)


class _Until:
    """Data that fails after so many batches, as a machine that is switched off."""

    def __init__(self, data, batches):
        self.data, self.left = data, batches

    def __len__(self):
        return len(self.data)

    def batch(self, indices, generator):
        self.left -= 1
        if self.left < 0:
            raise InterruptedError
        return self.data.batch(indices, generator)


def test_a_bare_and_a_made_up_face_are_moved_alike():
    data = BeautyPairs.synthetic(64, seeding.generator_for(0))
    batch = data.batch(torch.arange(4), seeding.generator_for(1))
    change = (batch["made_up"] - batch["bare"]) * 127.5
    assert change[:, 1:].abs().max() < 1
    assert change[:, 0, :16].abs().max() < 1
    assert change[:, 0, 48:].mean() == pytest.approx(50, rel=0.2)


def test_pairs_are_read_from_the_folder_mirra_writes(tmp_path):
    for part, red in (("src", 10), ("ref", 200)):
        (tmp_path / "v00" / part).mkdir(parents=True)
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[..., 2] = red  # OpenCV writes BGR
        cv2.imwrite(str(tmp_path / "v00" / part / "a.png"), picture)
    data = BeautyPairs.read(tmp_path, 64)
    assert data.bare[0, 0, 0].tolist() == [10, 0, 0]
    assert data.made_up[0, 0, 0].tolist() == [200, 0, 0]
    with pytest.raises(TrainingError):
        BeautyPairs.read(tmp_path / "v00", 64)


def test_a_line_whose_place_is_unsure_is_drawn_faintly_and_not_left_out():
    """On one pixel of five, so bare skin is the median; the loss must not stop there."""
    net = TinyBeauty((4, 8)).eval()
    seeding.initialise(net, seeding.generator_for(0))
    method = TinyBeautyMethod(net)
    bare = torch.zeros(5, 3, 16, 16)
    made_up = bare.clone()
    for place in range(5):
        made_up[place, :, 6 + place] = -0.8
    losses = method.step({"bare": bare, "made_up": made_up}, torch.Generator(), "net")
    (slope,) = torch.autograd.grad(losses["colours"], [net.get_parameter("head.bias")])
    assert (slope > 0).all()  # downhill is darker
