"""Recipes of product attributes: what a seed says is what is learned."""

from dataclasses import replace

import torch

from models.attributes.networks import SeededDropout
from training import train_attributes


def test_two_runs_of_the_finish_classifier_leave_equal_weights(tmp_path):
    _, config = train_attributes.PRESETS["tiny_reader"]
    trainers = []
    for name in ("first", "second"):
        torch.rand(7)  # whatever else drew from torch's own generator
        trainer = train_attributes.build(replace(config, output=tmp_path, name=name))
        trainer.run()
        trainers.append(trainer)
    first, second = (trainer.method.networks["reader"].state_dict() for trainer in trainers)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    ones = torch.ones(200, 500)
    dropped = SeededDropout(0.3)(ones, torch.Generator().manual_seed(0))
    assert abs(float((dropped == 0).float().mean()) - 0.3) < 0.01
    assert abs(float(dropped.mean()) - 1) < 0.01


def test_nothing_is_left_out_where_nobody_draws():
    ones = torch.ones(3, 4)
    assert torch.equal(SeededDropout(0.5).train()(ones), ones)
