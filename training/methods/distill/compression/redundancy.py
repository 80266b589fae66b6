"""Which blocks PPCL (arXiv 2511.16156) may replace: those an affine layer stands in for as well.

    c_n = CKA( v without block n, v ),     block n's place taken by least squares of out on in

Blocks along which c changes little are one interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser
from models.seeding import noise_like
from training.losses import compression, flow
from training.methods.distill.compression.ppcl import (
    Interval,
    Streams,
    record_states,
    replace_blocks,
)
from training.methods.time_samplers import uniform


class AffineBlock(nn.Module):
    """One affine layer, for both streams, with the calls of a single-stream block.

    Args:
        layer: of the tokens' width.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer

    def forward(
        self, hidden_states: Tensor, encoder_hidden_states: Tensor, **others: object
    ) -> Streams:
        """Return text and pictures, each token by itself."""
        return self.layer(encoder_hidden_states), self.layer(hidden_states)


def join_tokens(text: Tensor, image: Tensor) -> Tensor:
    """Return the tokens of both streams of a batch in rows, (B (T + N), D) float32."""
    return torch.cat([text, image], 1).flatten(0, 1).float()


@torch.no_grad()
def measure_alignments(
    teacher: Denoiser,
    transformer: FluxTransformer2DModel,
    batch: dict[str, Tensor],
    generator: torch.Generator,
) -> list[float]:
    """Return c of every single-stream block, in 0..1: 1 if an affine layer does what it does.

    Args:
        teacher: a denoiser over `transformer`.
        transformer: frozen.
        batch: `x0` (B, N, C), and `cond` if there are conditions; more tokens than their width.
        generator: of times and noise.
    """
    x0, cond = batch["x0"], batch.get("cond")
    t = uniform()(len(x0), generator).to(x0)
    x_t = flow.add_noise(x0, noise_like(x0, generator), t)
    blocks = transformer.single_transformer_blocks
    numbers = range(len(blocks))
    with record_states(blocks, numbers, numbers) as seen:
        wanted = teacher.velocity(x_t, t, cond).flatten(0, 1)
    alignments: list[float] = []
    for number in numbers:
        given = seen.inputs[number]
        inputs = join_tokens(given["encoder_hidden_states"], given["hidden_states"])
        layer = compression.least_squares(inputs, join_tokens(*seen.outputs[number]))
        affine = AffineBlock(layer.to(given["hidden_states"]))
        with replace_blocks(transformer, [affine], [(number, number)]):
            found = teacher.velocity(x_t, t, cond).flatten(0, 1)
        alignments.append(compression.alignment(found, wanted))
    return alignments


def find_intervals(alignments: Sequence[float], tolerance: float) -> tuple[Interval, ...]:
    """Return the runs of two blocks or more along which c changes by no more than `tolerance`.

    Args:
        alignments: of every block; see `measure_alignments`.
        tolerance: largest change between two neighbours.
    """
    runs, first = [], 0
    for number in range(1, len(alignments) + 1):
        ends = number == len(alignments)
        if ends or abs(alignments[number] - alignments[number - 1]) > tolerance:
            runs.append((first, number - 1))
            first = number
    return tuple((first, last) for first, last in runs if last > first)
