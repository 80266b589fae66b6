"""Checkpoints: a folder that from_pretrained reads, and beside it what resume needs.

    runs/<name>/checkpoints/000500/
        weights/<network>/          config.json and safetensors, averaged if the run averages
        training_state/             the same step's exact parameters, optimisers and averages

A checkpoint is written to a temporary folder and renamed once it is whole, so a run that is killed
while writing leaves the one before it untouched.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.errors import CheckpointError
from pipelines.files import replacing
from training.ema import AveragedWeights


def _copy_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as named tensors: "<parameter number>.<entry>"."""
    state = optimiser.state_dict()["state"]
    return {
        f"{number}.{entry}": torch.as_tensor(value)
        for number, entries in state.items()
        for entry, value in entries.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `flatten_optimiser` took out.

    Entries shaped like their parameter get its memory layout, too: fused optimisers walk both in
    memory order, and would pair a channels-last weight with another weight's average.
    """
    groups = optimiser.state_dict()["param_groups"]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, entry = name.split(".", 1)
        parameter = parameters[int(number)]
        if tensor.shape == parameter.shape:
            tensor = torch.empty_like(parameter, dtype=tensor.dtype, requires_grad=False).copy_(
                tensor
            )
        state.setdefault(int(number), {})[entry] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def save(
    folder: Path,
    step: int,
    networks: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
    averages: Mapping[str, AveragedWeights],
    *,
    keep: int = 2,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write the checkpoint of one step, and remove all but the newest `keep`.

    Args:
        folder: the run's `checkpoints` folder.
        step: number of steps taken.
        networks: all networks of the method; those with `save_pretrained` get a folder under
            `weights/`.
        optimisers: by phase.
        averages: by network; may be empty.
        keep: how many checkpoints remain.
        notes: file name -> text written beside the weights.

    Returns:
        The checkpoint's folder.
    """
    final = folder / f"{step:06d}"
    with replacing(final) as temporary:
        state = temporary / "training_state"
        state.mkdir(parents=True)
        for name, network in networks.items():
            save_file(_copy_tensors(network.state_dict()), state / f"network.{name}.safetensors")
            write: Callable[[Path], None] | None = getattr(network, "save_pretrained", None)
            if write is not None:
                average = averages.get(name)
                with average.swapped_into(network) if average else contextlib.nullcontext():
                    write(temporary / "weights" / name)
        for name, text in (notes or {}).items():
            (temporary / "weights").mkdir(exist_ok=True)
            (temporary / "weights" / name).write_text(text, encoding="utf-8")
        for name, average in averages.items():
            save_file(_copy_tensors(average.values), state / f"average.{name}.safetensors")
        for phase, optimiser in optimisers.items():
            save_file(
                _copy_tensors(flatten_optimiser(optimiser)),
                state / f"optimiser.{phase}.safetensors",
            )
        (state / "state.json").write_text(json.dumps({"step": step}), encoding="utf-8")
    for old in find_checkpoints(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def find_checkpoints(folder: Path) -> list[Path]:
    """Return the finished checkpoints in a run's `checkpoints` folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.isdigit() and path.is_dir())


def restore(
    checkpoint: Path,
    networks: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
    averages: Mapping[str, AveragedWeights],
) -> int:
    """Load a checkpoint's training state in place.

    Returns:
        The number of steps that were taken.

    Raises:
        CheckpointError: a file is missing or does not fit a network.
    """
    state = checkpoint / "training_state"
    try:
        for name, network in networks.items():
            network.load_state_dict(load_file(state / f"network.{name}.safetensors"))
        for name, average in averages.items():
            for key, value in load_file(state / f"average.{name}.safetensors").items():
                average.values[key].copy_(value)
        for phase, optimiser in optimisers.items():
            restore_optimiser(optimiser, load_file(state / f"optimiser.{phase}.safetensors"))
        return int(json.loads((state / "state.json").read_text(encoding="utf-8"))["step"])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{checkpoint} cannot be resumed: {error}") from error


def load_matching(network: nn.Module, state: Mapping[str, Tensor]) -> int:
    """Copy the tensors of `state` whose name and shape fit; return how many did.

    The stem of a condition with other channels, for instance, keeps its own weights.
    """
    own = network.state_dict()
    matching = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(matching, strict=False)
    return len(matching)
