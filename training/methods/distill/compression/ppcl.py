"""PPCL (arXiv 2511.16156): one block in the place of several, learned where it will stand.

    L = sum over streams of | n(S(h_s)) - n(h_e) |^2,     n(x) = x / |x| per token

The student block is given what the teacher gives block s and must give what comes out of block e.
Teacher and students never mix in training, so any of them can be put in without the others.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.few_step import Network
from models.errors import ShapeError
from models.seeding import noise_like
from training.loop import Method
from training.losses import compression, flow
from training.methods.time_samplers import uniform

Interval = tuple[int, int]
"""First and last block, both included, of FLUX's single-stream blocks."""


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
        ShapeError: the intervals are not in order, overlap, or end outside.
    """
    own = transformer.single_transformer_blocks
    ends = [x for interval in intervals for x in (interval[0] - 0.5, interval[1])]
    if any(a >= b for a, b in pairwise([-1, *ends, len(own)])):
        raise ShapeError(
            f"intervals must follow each other within {len(own)} blocks; found {list(intervals)}",
            found=list(intervals),
            needed=len(own),
        )
    starts = {s: student for (s, _), student in zip(intervals, students, strict=True)}
    gone = {n for s, e in intervals for n in range(s, e + 1)}
    blocks = [starts.get(n, block) for n, block in enumerate(own) if n in starts or n not in gone]
    transformer.single_transformer_blocks = nn.ModuleList(blocks)
    try:
        yield
    finally:
        transformer.single_transformer_blocks = own


class DepthPruning(Method):
    """Every interval's block learns at once, each from the teacher's own states.

    Args:
        teacher: a denoiser over `transformer`, such as `FluxDenoiser`.
        transformer: frozen.
        intervals: to be replaced.
    """

    def __init__(
        self,
        teacher: Network,
        transformer: FluxTransformer2DModel,
        intervals: Sequence[Interval],
    ) -> None:
        self.teacher, self.intervals, self.times = teacher, tuple(intervals), uniform()
        self.blocks = transformer.single_transformer_blocks
        students = nn.ModuleList(copy.deepcopy(self.blocks[(s + e) // 2]) for s, e in intervals)
        self.networks = {"students": students, "teacher": teacher}
        self.students = students
        self.phases = {"students": ("students",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return each interval's distance, of both streams' tokens."""
        x0 = batch["x0"]
        t = self.times(len(x0), generator).to(x0)
        noise = noise_like(x0, generator)
        with torch.no_grad(), self._record_states() as seen:
            self.teacher.velocity(flow.add_noise(x0, noise, t), t, batch.get("cond"))
        losses = {}
        for (s, e), student in zip(self.intervals, self.students, strict=True):
            streams = zip(student(**seen["into", s]), seen["out of", e], strict=True)
            distances = [compression.token_distance(mine, theirs) for mine, theirs in streams]
            losses[f"blocks {s}-{e}"] = torch.stack(distances).sum()
        return losses

    @contextmanager
    def _record_states(self) -> Iterator[dict[tuple[str, int], Any]]:
        """Collect what goes into and comes out of the intervals while the teacher runs."""
        seen: dict[tuple[str, int], Any] = {}

        def before(number: int) -> Any:
            def keep(block: nn.Module, inputs: Any, named: dict[str, Any]) -> None:
                seen["into", number] = named

            return keep

        def after(number: int) -> Any:
            def keep(block: nn.Module, inputs: Any, output: Any) -> None:
                seen["out of", number] = output

            return keep

        handles = [
            self.blocks[s].register_forward_pre_hook(before(s), with_kwargs=True)
            for s, _ in self.intervals
        ]
        handles += [self.blocks[e].register_forward_hook(after(e)) for _, e in self.intervals]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()
