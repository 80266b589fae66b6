"""Every random draw has an owner: generators made from a seed and the place they serve."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import torch
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)


def derive(seed: int, *place: str | int) -> int:
    """Return the seed of one place in a run, such as `derive(7, "step", 1200)`.

    Neighbouring steps of one seed, and one step of neighbouring seeds, get unrelated streams, and
    a place's stream does not depend on what was drawn before it. So a run that is resumed needs no
    saved random state: step 1201 draws what it would have drawn anyway.

    Args:
        seed: the seed of the whole run.
        place: words and numbers that name the place.

    Returns:
        A seed in [0, 2^63).
    """
    text = "/".join(str(part) for part in (seed, *place))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator_for(seed: int, *place: str | int) -> torch.Generator:
    """Return a CPU generator for one place in a run; see `derive`."""
    return torch.Generator().manual_seed(derive(seed, *place))


def noise_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return draws from N(0, 1) of a tensor's shape, type and device."""
    return torch.randn(x.shape, generator=generator).to(x)


def starts_at_zero(layer: Layer) -> Layer:
    """Mark a layer for `initialise` to fill with zeros, and return it.

    So a residual branch or a flow head begins by changing nothing.
    """
    vars(layer)["starts_at_zero"] = True
    return layer


def initialise(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Draw a network's weights anew from `generator`, in the order of its modules.

    Convolutions and linear layers get He's normal initialisation (fan out), zero biases; norms get
    ones and zeros, embeddings N(0, 1). What `starts_at_zero` has marked gets zeros instead.

    Args:
        network: changed in place.
        generator: a CPU generator.

    Returns:
        The same network.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if vars(module).get("starts_at_zero", False):
                nn.init.zeros_(module.weight)
            else:
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu", generator=generator
                )
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            if module.weight is not None:
                nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
