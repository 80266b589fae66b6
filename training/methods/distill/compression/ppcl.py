"""PPCL (arXiv 2511.16156): one block in the place of several, learned where it will stand.

    L = sum over streams of | n(S(h_s)) - n(h_e) |^2,     n(x) = x / |x| per token

The student block is given what the teacher gives block s and must give what comes out of block e.
Teacher and students never mix in training, so any of them can be put in without the others.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser
from models.errors import ShapeError
from models.seeding import noise_like
from training.loop import Method, select_networks
from training.losses import compression, flow
from training.methods.time_samplers import uniform

Interval = tuple[int, int]
"""First and last block, both included, of FLUX's single-stream blocks."""
Streams = tuple[Tensor, Tensor]
"""Tokens of text (B, T, D) and of pictures (B, N, D)."""


@dataclass(frozen=True)
class BlockStates:
    """What went through some blocks while a transformer ran.

    Attributes:
        inputs: number of a block -> its arguments by name.
        outputs: number of a block -> the two streams that left it.
    """

    inputs: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    outputs: dict[int, Streams] = field(default_factory=dict)


def check_intervals(intervals: Sequence[Interval], count: int) -> None:
    """Refuse intervals that cannot all be replaced.

    Args:
        intervals: to be replaced.
        count: blocks of the transformer.

    Raises:
        ShapeError: the intervals are not in order, overlap, or end outside.
    """
    ends = [x for first, last in intervals for x in (first - 0.5, last)]
    if any(a >= b for a, b in pairwise([-1, *ends, count])):
        raise ShapeError(
            f"intervals must follow each other within {count} blocks; found {list(intervals)}",
            found=list(intervals),
            needed=count,
        )


@contextmanager
def replace_blocks(
    transformer: FluxTransformer2DModel,
    students: Sequence[nn.Module],
    intervals: Sequence[Interval],
) -> Iterator[None]:
    """Put student blocks in the place of intervals within a `with` block.

    Args:
        transformer: changed within; afterwards it has its own blocks again.
        students: one an interval.
        intervals: in order, apart from each other.

    Raises:
        ShapeError: see `check_intervals`.
    """
    own = transformer.single_transformer_blocks
    check_intervals(intervals, len(own))
    starts = {s: student for (s, _), student in zip(intervals, students, strict=True)}
    gone = {n for s, e in intervals for n in range(s, e + 1)}
    blocks = [starts.get(n, block) for n, block in enumerate(own) if n in starts or n not in gone]
    transformer.single_transformer_blocks = nn.ModuleList(blocks)
    try:
        yield
    finally:
        transformer.single_transformer_blocks = own


@contextmanager
def record_states(
    blocks: nn.ModuleList, inputs_of: Collection[int], outputs_of: Collection[int]
) -> Iterator[BlockStates]:
    """Collect what goes into and comes out of some blocks while the transformer runs.

    Args:
        blocks: of the transformer.
        inputs_of: numbers of the blocks whose inputs are kept.
        outputs_of: numbers of the blocks whose outputs are kept.
    """
    seen = BlockStates()
    numbers = {block: number for number, block in enumerate(blocks)}

    def keep_inputs(block: nn.Module, inputs: object, named: dict[str, Tensor]) -> None:
        seen.inputs[numbers[block]] = named

    def keep_outputs(block: nn.Module, inputs: object, output: Streams) -> None:
        seen.outputs[numbers[block]] = output

    handles = [
        blocks[number].register_forward_pre_hook(keep_inputs, with_kwargs=True)
        for number in inputs_of
    ]
    handles += [blocks[number].register_forward_hook(keep_outputs) for number in outputs_of]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


class DepthPruning(Method):
    """Every interval's block learns at once, each from the teacher's own states.

    Args:
        teacher: a denoiser over `transformer`, such as `FluxDenoiser`.
        transformer: frozen.
        intervals: to be replaced.
        students: a block for each interval; copies of the blocks in their middles if None.
        precision: what the students compute in; their own weights are float32.

    Raises:
        ShapeError: see `check_intervals`.
    """

    def __init__(
        self,
        teacher: Denoiser,
        transformer: FluxTransformer2DModel,
        intervals: Sequence[Interval],
        students: nn.ModuleList | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.teacher, self.intervals, self.times = teacher, tuple(intervals), uniform()
        self.blocks, self.precision = transformer.single_transformer_blocks, precision
        self.students = copy_middles(self.blocks, intervals) if students is None else students
        self.networks = select_networks(students=self.students, teacher=teacher)
        self.phases = {"students": ("students",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return each interval's distance, of both streams' tokens."""
        x0 = batch["x0"]
        t = self.times(len(x0), generator).to(x0)
        noise = noise_like(x0, generator)
        firsts, lasts = zip(*self.intervals, strict=True)
        with torch.no_grad(), record_states(self.blocks, firsts, lasts) as seen:
            self.teacher.velocity(flow.add_noise(x0, noise, t), t, batch.get("cond"))
        losses = {}
        low = self.precision != torch.float32
        for (s, e), student in zip(self.intervals, self.students, strict=True):
            with torch.autocast(x0.device.type, self.precision, enabled=low):
                found = student(**seen.inputs[s])
            streams = zip(found, seen.outputs[e], strict=True)
            distances = [
                compression.token_distance(mine.float(), theirs.float()) for mine, theirs in streams
            ]
            losses[f"blocks {s}-{e}"] = torch.stack(distances).sum()
        return losses


def copy_middles(blocks: nn.ModuleList, intervals: Sequence[Interval]) -> nn.ModuleList:
    """Return what students begin as: float32 copies of the blocks in the intervals' middles."""
    check_intervals(intervals, len(blocks))
    return nn.ModuleList(copy.deepcopy(blocks[(s + e) // 2]).float() for s, e in intervals)
