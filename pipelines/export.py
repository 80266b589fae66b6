"""Networks as ONNX files, for browsers and other runtimes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from models.analysis.garment_cutout import SIDE, GarmentCutter
from models.analysis.human_parsing import HumanParser
from models.dmvton.student import LightStudent, PublishedStudent
from models.dmvton.teacher import CONDITION_CHANNELS
from models.small.e2gan import SIDE as E2GAN_SIDE
from models.small.e2gan import SingleLook
from models.small.tiny_beauty import SIDE as BEAUTY_SIDE
from models.small.tiny_beauty import TinyBeauty
from pipelines.analysis import NETWORK_SIZE_HW, PARSED_SIZE_HW, load_network
from pipelines.registry import REGISTRY, WEIGHTS, load_object

OUTPUTS = ("image", "rendered", "garment_share", "person_share", "shade", "flow")


class _Flat(nn.Module):
    """A try-on network whose result is a tuple of tensors, in the order of `OUTPUTS`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        result, _ = self.network(*inputs)
        return tuple(getattr(result, name) for name in OUTPUTS)


EXPORTED: dict[str, str] = {name: path for entry in REGISTRY for name, path in entry.exports}
"""Folder below `assets/weights` -> module and class of the network."""


def example_inputs(network: nn.Module) -> dict[str, Tensor]:
    """Zeros of the names and shapes a network takes, batch 1, at the size of training."""
    if isinstance(network, GarmentCutter):
        return {"image": torch.zeros(1, 3, SIDE, SIDE)}
    if isinstance(network, TinyBeauty):
        return {"face": torch.zeros(1, 3, BEAUTY_SIDE, BEAUTY_SIDE)}
    if isinstance(network, SingleLook):
        return {"face": torch.zeros(1, 3, E2GAN_SIDE, E2GAN_SIDE)}
    if isinstance(network, HumanParser):
        return {"image": torch.zeros(1, 3, *PARSED_SIZE_HW)}
    size = NETWORK_SIZE_HW
    garment = {"garment": torch.zeros(1, 3, *size), "mask": torch.zeros(1, 1, *size)}
    if isinstance(network, (LightStudent, PublishedStudent)):
        return {"person": torch.zeros(1, 3, *size)} | garment
    condition = {"condition": torch.zeros(1, CONDITION_CHANNELS, *size)}
    return condition | garment | {"plate": torch.zeros(1, 3, *size)}


def write_onnx(network: nn.Module, path: Path, inputs: dict[str, Tensor] | None = None) -> Path:
    """Write a network in eval mode as ONNX for inputs of some shapes; `example_inputs` if None."""
    inputs = inputs or example_inputs(network)
    plain = "made_up" if isinstance(network, (TinyBeauty, SingleLook)) else None
    plain = "logits" if isinstance(network, HumanParser) else plain
    torch.onnx.export(
        network if plain else _Flat(network).eval(),
        tuple(inputs.values()),
        path,
        input_names=list(inputs),
        output_names=[plain] if plain else list(OUTPUTS),
        opset_version=20,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    return path


def export_onnx(name: str, path: Path) -> Path:
    """Write the shipped network of a name in `EXPORTED`.

    Raises:
        CheckpointError: its weights are not here.
    """
    return write_onnx(load_network(load_object(EXPORTED[name]), WEIGHTS / name), path)
