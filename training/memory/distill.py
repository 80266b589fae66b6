"""What each way of distilling would need with FLUX.1-Kontext itself, by calculation.

    python -m training.memory.distill -o tests/benchmarks/results/distillation_memory.json

Which networks a method trains, averages or only asks, and how many passes keep what their backward
pass needs, is read off the method on a toy. With low-rank changes everything else is read off the
preset. Whole networks are reckoned as spread evenly over nodes of eight cards: a trained weight
takes 20 bytes (2 for itself, 2 for its gradient, 12 for Adam in float32, 4 for the run's average),
any other 2. Nothing of this has run: we have no card.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import tyro
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models import seeding
from models.blocks import count_parameters
from models.diffusion.flux_student import StudentLoRA
from models.diffusion.token_discriminator import TokenHeads
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from pipelines.files import write_json
from training.config import LoopConfig
from training.flux.distill_networks import (
    METHODS,
    Frozen,
    LowRankNetworks,
    MethodConfig,
    Name,
    build_method,
)
from training.flux.distill_teacher import make_toy_teacher
from training.memory.flux import BYTES, PATCH, PROMPT, WIDTH
from training.memory.flux import LAYERS as BLOCKS
from training.memory.flux import RECOMPUTED as IN_BLOCK
from training.memory.mcvton import IN_BLOCK as IN_BLOCK_WITH_LORA
from training.train_distill import PRESETS, LowRankConfig

TRAINED, ASKED = 20, 2
CARD, NODE, RESERVE = 80, 8, 4.0
CARDS = {"card80": (NODE, 80), "card24": (1, 24)}
"""Preset -> number of cards, and gigabytes of each."""


@dataclass(frozen=True)
class Parts:
    """What a method needs.

    Attributes:
        trained: networks of the transformer's size in an optimiser's hands.
        asked: frozen ones and running averages.
        passes: through the transformer whose activations one backward pass needs.
        head: whether there is a discriminator.
    """

    trained: int
    asked: int
    passes: int
    head: bool


def count_parts(name: Name, toy: MakeupDenoiser) -> Parts:
    """Count a method's networks and passes on changes of a toy."""
    config = MethodConfig(method=name, steps=2, loop=LoopConfig(steps=1))
    method, _ = build_method(config, LowRankNetworks(Frozen(toy), toy.blocks, rank=1))
    networks = set(method.networks) - {"head"}
    trained = networks & {key for names in method.phases.values() for key in names}
    kept: list[int] = []
    rows, columns = toy.size_rc
    channels = toy.transformer.config["in_channels"]
    shape = torch.zeros(1, 3 * rows * columns, channels)
    batch = {"x0": shape[:, : rows * columns], "cond": shape[:, rows * columns :]}
    handle = toy.transformer.register_forward_hook(
        lambda _module, _inputs, output: kept.append(int(output[0].requires_grad))
    )
    most = 0
    for phase, names in method.phases.items():
        for key, network in method.networks.items():
            network.requires_grad_(key in names)
        kept.clear()
        method.step(batch, seeding.generator_for(0, phase), phase)
        most = max(most, sum(kept))
    handle.remove()
    # All but what is trained are asked, among them the teacher, which is in no list.
    return Parts(len(trained), len(networks - trained) + 1, most, "head" in method.networks)


@cache
def load_empty_flux() -> tuple[FluxTransformer2DModel, RefLoRAInjector]:
    """FLUX.1-Kontext and the injector, without their weights."""
    with torch.device("meta"):
        return FluxTransformer2DModel(guidance_embeds=True), RefLoRAInjector()


def whole_network_gigabytes(parts: Parts, cards: int, size: int = 1024) -> float:
    """Return what one of `cards` needs for whole networks, in 1e9 bytes.

    Args:
        parts: of the method.
        cards: that share the weights.
        size: of the pictures; a card works on one at a time.
    """
    held = count_parameters(*load_empty_flux()) * (parts.trained * TRAINED + parts.asked * ASKED)
    tokens = PROMPT + 2 * (size // PATCH) ** 2
    activations = tokens * 2 * WIDTH * (BLOCKS * parts.passes + IN_BLOCK)
    return held / cards / 1e9 + activations / 1e9 + RESERVE


def count_nodes(parts: Parts) -> int:
    """Return the fewest nodes of eight cards that hold whole networks, or 0 if none up to 64 do."""
    fitting = (n for n in range(1, 65) if whole_network_gigabytes(parts, n * NODE) < CARD)
    return next(fitting, 0)


def low_rank_gigabytes(config: LowRankConfig, parts: Parts, cards: int) -> dict[str, float]:
    """Return what one of `cards` needs for a low-rank run, in 1e9 bytes.

    Args:
        config: the preset.
        parts: of its method.
        cards: that share the transformer if the preset shards it.
    """
    transformer, injector = load_empty_flux()
    with torch.device("meta"):
        change = count_parameters(StudentLoRA(config.rank))
        head = count_parameters(TokenHeads(WIDTH, config.listens_to)) if parts.head else 0
    base, low = BYTES[config.base], BYTES[config.precision]
    # Weights, gradients, Adam's two averages, and the run's own average.
    each = 4 + 4 + 2 * (4 if config.optimiser == "adamw" else 1) + (4 if config.loop.ema else 0)
    picture = config.micro * (config.size // PATCH) ** 2
    tokens = config.micro * PROMPT + 2 * picture
    block = max(count_parameters(b) for b in transformer.transformer_blocks)
    return {
        "transformer": count_parameters(transformer) * base / (cards if config.shard else 1) / 1e9,
        "gathered": 2 * block * base / 1e9 if config.shard else 0.0,  # one in use, one ahead
        "injector": count_parameters(injector) * (4 if config.base == "fp32" else 2) / 1e9,
        "trained": (parts.trained * change + head) * each / 1e9,
        "averages": (parts.asked - 1) * change * 4 / 1e9,
        "between blocks": tokens * WIDTH * low * BLOCKS * parts.passes / 1e9,
        "in a block": tokens * WIDTH * low * IN_BLOCK_WITH_LORA / 1e9,
        # Keys and values of the reference, which all blocks of a pass read.
        "reference": picture * WIDTH * low * 2 * BLOCKS * max(1, parts.passes) / 1e9,
        "reserve": RESERVE,
    }


def adapt_preset(preset: str, method: Name) -> LowRankConfig:
    """Return a preset as a method can be run with it."""
    config = PRESETS[preset][1]
    assert isinstance(config, LowRankConfig)
    if method == "sana-sprint":  # differentiates forward, in float32
        config = replace(config, base="fp32", precision="fp32")
    return replace(config, method=method)


def make_row(name: Name, toy: MakeupDenoiser) -> dict[str, Any]:
    """Return what one method needs: of whole networks, and of each preset by parts."""
    parts = count_parts(name, toy)
    cards = count_nodes(parts) * NODE
    row: dict[str, Any] = {"way": name} | asdict(parts)
    row |= {
        "whole_cards": cards,
        "whole_gb": round(whole_network_gigabytes(parts, max(NODE, cards)), 1),
    }
    for preset, (count, _) in CARDS.items():
        found = low_rank_gigabytes(adapt_preset(preset, name), parts, count)
        row[preset] = {part: round(size, 2) for part, size in found.items()}
    return row


def format_table(rows: list[dict[str, Any]]) -> str:
    """The rows as `training/README.md` shows them; what does not fit is in brackets."""
    heads = [f"`{preset}`, {cards} x {card} GB" for preset, (cards, card) in CARDS.items()]
    lines = [f"| way | passes | whole networks | {' | '.join(heads)} |"]
    lines.append("|---|---|---|" + "---|" * len(CARDS))
    for row in rows:
        cells = [row["way"], str(row["passes"]), f"{row['whole_cards']} cards"]
        for preset, (_, card) in CARDS.items():
            needs = sum(row[preset].values())
            cells.append(f"{needs:.0f} GB" if needs < card else f"({needs:.0f} GB)")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]) -> None:
    """Write what every method needs, and print the table."""
    with TemporaryDirectory() as folder:
        toy = make_toy_teacher(Path(folder), seed=0)
    rows = [make_row(name, toy) for name in METHODS]
    command = f"python -m training.memory.distill -o {output}"
    write_json({"command": command, "rows": rows}, output)
    print(format_table(rows))  # noqa: T201


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
