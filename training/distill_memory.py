"""What each way of distilling would need with FLUX.1-Kontext itself, by calculation.

    python -m training.distill_memory

Which networks a method trains, averages or only asks is read off the method. Everything is reckoned
as spread evenly over the cards (FSDP): a trained weight takes 20 bytes (2 for itself, 2 for its
gradient, 12 for Adam in float32, 4 for the run's average), any other 2. With `rank`, students and
critics are low-rank changes of one frozen transformer. Nothing of this has run: we have no card.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models.ops.few_step import FewStepSampler
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from training.config import LoopConfig
from training.flux_memory import LAYERS as BLOCKS
from training.flux_memory import PATCH, PROMPT, RECOMPUTED, WIDTH
from training.train_distill import METHODS, Cast, DistillConfig, Name, toy_teacher

TRAINED, ASKED = 20, 2
CARD, NODE, RESERVE = 80, 8, 4.0


@dataclass(frozen=True)
class Parts:
    """How many networks of the transformer's size a method has.

    Attributes:
        trained: by an optimiser.
        asked: frozen, or a running average.
    """

    trained: int
    asked: int


def parts_of(name: Name, toy: MakeupDenoiser) -> Parts:
    """Count a method's networks on a toy of it."""
    config = DistillConfig(method=name, loop=LoopConfig(steps=1))
    method = METHODS[name](Cast(toy, (0, 1)), FewStepSampler.even(4), config)
    large = {key for key, net in method.networks.items() if isinstance(net, MakeupDenoiser)}
    trained = large & {key for names in method.phases.values() for key in names}
    different = {id(method.networks[key]) for key in large}  # a teacher may listen, too
    return Parts(len(trained), len(different) - len(trained))


def gigabytes(parts: Parts, cards: int, rank: int = 0, size: int = 1024) -> float:
    """Return what one of `cards` needs for one sample of `size` pixels, in 1e9 bytes.

    Args:
        parts: of the method.
        cards: that share the weights.
        rank: of low-rank changes; 0 trains whole networks.
        size: of the pictures.
    """
    with torch.device("meta"):
        transformer = FluxTransformer2DModel(guidance_embeds=True)
        injector = RefLoRAInjector()
    whole = sum(p.numel() for net in (transformer, injector) for p in net.parameters())
    change = sum(rank * sum(p.shape) for p in transformer.parameters() if p.ndim == 2)
    if rank:
        held = whole * ASKED + parts.trained * change * TRAINED
        held += (parts.asked - 1) * change * ASKED  # averages; the teacher is the base itself
    else:
        held = whole * (parts.trained * TRAINED + parts.asked * ASKED)
    tokens = PROMPT + 2 * (size // PATCH) ** 2
    activations = tokens * 2 * WIDTH * (BLOCKS + RECOMPUTED) * (parts.trained + parts.asked)
    return held / cards / 1e9 + activations / 1e9 + RESERVE


def nodes(parts: Parts, rank: int = 0) -> int:
    """Return the fewest nodes of eight cards of 80 GB that hold it, or 0 if none up to 64 does."""
    fitting = (n for n in range(1, 65) if gigabytes(parts, n * NODE, rank) < CARD)
    return next(fitting, 0)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        teacher = toy_teacher(Path(folder), seed=0)
    for name in METHODS:
        parts = parts_of(name, teacher)
        for rank in (0, 64):
            count = nodes(parts, rank)
            needs = math.ceil(gigabytes(parts, max(1, count) * NODE, rank))
            how = f"rank {rank}" if rank else "whole"
            print(f"{name}, {how}: {parts}, {count} x {NODE} cards, {needs} GB each")  # noqa: T201
