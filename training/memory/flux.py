"""What a run on FLUX needs of a card, by calculation.

    python -m training.memory.flux

Weights are counted on the real networks without allocating them. Activations are reckoned for
gradient checkpointing: each block keeps its input, and one block at a time is recomputed, which
holds about 34 values of the model's width for each token (queries, keys, values, attention,
modulations and an MLP four times as wide, with the inputs backward needs).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models.reflora.injector import RefLoRAInjector

if TYPE_CHECKING:
    from training.train_reflora import RefLoRAConfig

BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.53}  # nf4: 4 bits and a scale for every 64 weights
PROMPT, PATCH, WIDTH, LAYERS = 512, 16, 3072, 57
RECOMPUTED = 34


@dataclass(frozen=True)
class CardMemory:
    """Gigabytes (1e9 bytes) on one card.

    Attributes:
        base: the frozen transformer.
        trained: the injector in float32, its gradients, Adam's two averages and the run's average.
        activations: what checkpointing keeps, and one block recomputed.
        reference: keys and values of all layers: projected, normalised and rotated.
        reserve: for the library's own buffers and for fragments.
    """

    base: float
    trained: float
    activations: float
    reference: float
    reserve: float = 3.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.base + self.trained + self.activations + self.reference + self.reserve


def reckon_memory(config: RefLoRAConfig) -> CardMemory:
    """Reckon what one card needs for a run of the injector on FLUX.1-Kontext."""
    with torch.device("meta"):
        transformer = FluxTransformer2DModel(guidance_embeds=True)
        injector = RefLoRAInjector(rank=config.rank)
    frozen = sum(p.numel() for p in transformer.parameters())
    trained = sum(p.numel() for p in injector.parameters())
    averages = 2 * (4 if config.optimiser == "adamw" else 1)
    each = 4 + 4 + averages + (4 if config.loop.ema > 0 else 0)
    picture = (config.size // PATCH) ** 2
    tokens = config.micro * (PROMPT + 2 * picture)
    width = BYTES[config.precision] * WIDTH
    return CardMemory(
        base=frozen * BYTES[config.base] / 1e9,
        trained=trained * each / 1e9,
        activations=tokens * width * (LAYERS + RECOMPUTED) / 1e9,
        reference=config.micro * picture * width * 2 * 3 * LAYERS / 1e9,
    )


if __name__ == "__main__":
    from training.train_reflora import PRESETS

    for name, (_, config) in PRESETS.items():
        if config.base != "fp32":
            needs = reckon_memory(config)
            parts = ", ".join(f"{part}={size}" for part, size in asdict(needs).items())
            print(f"{name}: {needs.total:.1f} GB, Memory({parts})")  # noqa: T201
