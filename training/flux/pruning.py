"""PPCL of FLUX-Makeup: a run that leaves a FLUX with fewer blocks, to use or to distil further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import nn

from models import seeding
from models.errors import TrainingError
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from training.flux.distill_networks import Frozen
from training.flux.distill_teacher import (
    EditPairs,
    load_flux_teacher,
    load_pairs,
    make_toy_teacher,
)
from training.flux.trainer import PRECISIONS, FluxConfig, FluxTrainer
from training.methods.distill.compression.ppcl import (
    DepthPruning,
    Interval,
    copy_middles,
    replace_blocks,
)
from training.methods.distill.compression.redundancy import find_intervals, measure_alignments
from training.methods.reflora import SAMPLING_GUIDANCE


@dataclass(frozen=True)
class PruningConfig(FluxConfig):
    """A run of PPCL: one block learns to stand for each interval of single-stream blocks."""

    # First and last block of each interval, 3 5 for blocks 3 to 5; found if left out.
    intervals: tuple[tuple[int, int], ...] = ()
    # Blocks are one interval where the alignment of what affine layers in their places paint
    # changes by no more than this.
    tolerance: float = 0.002
    # Embedded guidance of the teacher.
    guidance: float = SAMPLING_GUIDANCE


class StudentBlocks(nn.ModuleList):
    """Blocks in the place of intervals; they are saved as the FLUX-Makeup they make.

    Args:
        teacher: whose intervals are replaced.
        intervals: in order, apart from each other.
    """

    def __init__(self, teacher: MakeupDenoiser, intervals: Sequence[Interval]) -> None:
        super().__init__(copy_middles(teacher.transformer.single_transformer_blocks, intervals))
        self.intervals = tuple(intervals)
        self._teacher = (teacher,)  # in a tuple it is no submodule

    def save_pretrained(self, folder: Path) -> None:
        """Write `transformer` and `injector` below a folder, for `load_teacher`."""
        (teacher,) = self._teacher
        pruned = prune_transformer(teacher.transformer, self, self.intervals)
        pruned.save_pretrained(folder / "transformer")
        blocks = len(teacher.transformer.transformer_blocks)
        single = len(teacher.transformer.single_transformer_blocks)
        kept = [*range(blocks), *(blocks + n for n in list_remaining(single, self.intervals))]
        prune_injector(teacher.injector, kept).save_pretrained(folder / "injector")


def list_remaining(count: int, intervals: Sequence[Interval]) -> list[int]:
    """Return of every block that remains the number of the block it is, or began as a copy of.

    Args:
        count: blocks of the teacher.
        intervals: that are replaced.
    """
    middle = {first: (first + last) // 2 for first, last in intervals}
    gone = {n for first, last in intervals for n in range(first + 1, last + 1)}
    return [middle.get(n, n) for n in range(count) if n not in gone]


@torch.no_grad()
def prune_transformer(
    transformer: FluxTransformer2DModel, students: nn.ModuleList, intervals: Sequence[Interval]
) -> FluxTransformer2DModel:
    """Return a transformer of fewer blocks, which shares the teacher's weights."""
    with replace_blocks(transformer, list(students), intervals):
        weights = {k: v.to(transformer.dtype) for k, v in transformer.state_dict().items()}
        count = len(transformer.single_transformer_blocks)
    config = dict(transformer.config) | {"num_single_layers": count}
    with torch.device("meta"):
        pruned = FluxTransformer2DModel.from_config(config)
    assert isinstance(pruned, FluxTransformer2DModel)
    pruned.load_state_dict(weights, assign=True)
    return pruned


@torch.no_grad()
def prune_injector(injector: RefLoRAInjector, kept: Sequence[int]) -> RefLoRAInjector:
    """Return an injector with some of the layers, in the order of `kept`."""
    pruned = RefLoRAInjector.from_config(dict(injector.config) | {"num_layers": len(kept)})
    assert isinstance(pruned, RefLoRAInjector)
    weights = injector.state_dict()
    chosen = {name: w for name, w in weights.items() if not name.startswith("layers.")}
    if "ref_logit_bias" in chosen:
        chosen["ref_logit_bias"] = chosen["ref_logit_bias"][list(kept)]
    for new, old in enumerate(kept):
        own = f"layers.{old}."
        chosen |= {
            f"layers.{new}.{name.removeprefix(own)}": w
            for name, w in weights.items()
            if name.startswith(own)
        }
    pruned.load_state_dict(chosen)
    return pruned


def build_pruning(config: PruningConfig) -> FluxTrainer:
    """Return the trainer of one run of PPCL.

    Raises:
        TrainingError: the settings do not go together, the teacher cannot be read, or no interval
            is found.
        ShapeError: the intervals overlap or end outside.
    """
    if config.shard or config.base == "nf4":
        raise TrainingError("blocks are copied whole; prune without --shard, in fp32 or bf16")
    if config.validation:
        raise TrainingError(
            "pruned blocks are trained apart and paint nothing; give --validation 0"
        )
    cache, seed = config.cache or config.folder / "cache", config.loop.seed
    if config.model is None:
        teacher = make_toy_teacher(cache, seed, single_layers=4)
    else:
        teacher = load_flux_teacher(config.model, config.base, cache)
    teacher.guidance = config.guidance
    frozen, data = Frozen(teacher, PRECISIONS[config.precision]), EditPairs(load_pairs(cache))
    intervals = config.intervals or _find_intervals(config, frozen, data)
    students = StudentBlocks(teacher, intervals)
    method = DepthPruning(
        frozen, teacher.transformer, intervals, students, PRECISIONS[config.precision]
    )
    method.notes = {"intervals.json": json.dumps(intervals) + "\n"}
    trainer = FluxTrainer(config, method, data)
    trainer.place_transformer(teacher.transformer)
    teacher.to(trainer.device)  # the injector, and the conditions of the transformer
    return trainer


def _find_intervals(
    config: PruningConfig, teacher: Frozen, data: EditPairs
) -> tuple[Interval, ...]:
    """Ask the teacher about one batch."""
    generator = seeding.generator_for(config.loop.seed, "intervals")
    batch = data.batch(torch.arange(min(config.micro, len(data))), generator)
    alignments = measure_alignments(teacher, teacher.transformer, batch, generator)
    found = find_intervals(alignments, config.tolerance)
    if not found:
        raise TrainingError(
            f"no neighbouring blocks are redundant at --tolerance {config.tolerance:g}; "
            "raise it, or give --intervals",
            found=alignments,
            needed=config.tolerance,
        )
    return found
