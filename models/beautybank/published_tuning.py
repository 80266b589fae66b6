"""The published optimisations on the full-size generator, stage by stage, with its own weights.

Each takes `Judges`: losses are functions of two pictures, (B, 3, H, W) in -1..1, that give a
scalar. Masks are (B, 1, H, W) in 0..1. The noise regulariser (1e5 in the paper) is left out because
our noises are fixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from models.beautybank.published import STRUCTURE_LAYERS, PublishedBeautyBank

Loss = Callable[[Tensor, Tensor], Tensor]
COLOR_LAYERS_OF_BARE = 8
"""Layers 0 to 7 of a bare code come from the optimised code, the others from the encoder."""


@dataclass(frozen=True)
class Judges:
    """Losses between pictures.

    Attributes:
        likeness: LPIPS in the paper.
        context: the contextual loss (Mechrez et al., 2018).
        identity: distance of a face recogniser.
    """

    likeness: Loss
    context: Loss
    identity: Loss


def ramp(step: int, steps: int) -> float:
    """Cosine ramp of the learning rate: up over the first 5 %, down over the last 25 %."""
    t = step / steps
    down = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / 0.25))
    return down * min(1.0, t / 0.05)


def demakeup(
    draw: Callable[[Tensor], Tensor],
    encoded: Tensor,
    picture: Tensor,
    face: Tensor,
    judges: Judges,
    steps: int = 300,
) -> Tensor:
    """Stage 2 of training: the bare code of a made-up face.

    A generator fine-tuned on makeup is inverted; makeup sits in the late layers of the code found,
    so that those are taken from the encoder again.

    Args:
        draw: code in Z+ to a picture, by the generator fine-tuned on makeup, which is frozen.
        encoded: (B, L, D), the encoder's code.
        picture: (B, 3, H, W), the made-up face.
        face: mask of the face.
        judges: the losses.
        steps: of Adam, learning rate 0.1.
    """
    code = encoded.detach().clone().requires_grad_()
    adam = torch.optim.Adam([code], lr=0.1)
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.1 * ramp(step, steps)
        drawn = draw(code)
        loss = judges.likeness(drawn, picture) + 0.1 * judges.identity(drawn, picture)
        loss = loss + code.std(1).mean() + 100 * (face * (drawn - picture)).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    kept = COLOR_LAYERS_OF_BARE
    return torch.cat([code.detach()[:, :kept], encoded[:, kept:]], 1)


def refine_makeup(
    network: PublishedBeautyBank,
    bare: Tensor,
    makeup: Tensor,
    picture: Tensor,
    masks: Mapping[str, Tensor],
    judges: Judges,
    steps: int = 300,
) -> Tensor:
    """PMT stage 1: the makeup code that repeats a photograph, the bare code held fixed.

    Args:
        network: its parameters are not changed.
        bare: (B, L, D) bare code.
        makeup: (B, L, D) first guess.
        picture: (B, 3, H, W), the made-up face.
        masks: `face` and `eyes`.
        judges: the losses.
        steps: of Adam; colour 0.01, structure 0.005.
    """

    def loss(drawn: Tensor) -> Tensor:
        face, eyes = masks["face"], masks["eyes"]
        return (
            judges.likeness(drawn, picture)
            + judges.context(drawn, picture)
            + 1e-4 * (face * (drawn - picture)).abs().sum()
            + 100 * judges.likeness(face * drawn, face * picture)
            + 100 * judges.likeness(eyes * drawn, eyes * picture)
        )

    return _refined(network, bare, makeup, loss, (0.005, 0.01), steps)


def refine_unrelated(
    network: PublishedBeautyBank,
    bare: Tensor,
    makeup: Tensor,
    bare_picture: Tensor,
    masks: Mapping[str, Tensor],
    judges: Judges,
    steps: int = 300,
    color_rate: float = 0.01,
) -> Tensor:
    """PMT stage 2: keep the makeup of stage 1, give the background back to the bare picture.

    Args:
        network: its parameters are not changed.
        bare: (B, L, D) bare code.
        makeup: (B, L, D) from stage 1.
        bare_picture: (B, 3, H, W), the bare face.
        masks: `face`, `eyes`, `mouth`, `foreground`, `background`.
        judges: the losses.
        steps: of Adam.
        color_rate: 0.01; the authors' own command gives 0.1.
    """
    with torch.no_grad():
        first = network(bare, makeup)

    def loss(drawn: Tensor) -> Tensor:
        def alike(name: str, target: Tensor) -> Tensor:
            return judges.likeness(masks[name] * drawn, masks[name] * target)

        return (
            alike("foreground", first)
            + 100 * alike("background", bare_picture)
            + 1e-4 * (masks["face"] * (drawn - first)).abs().sum()
            + 0.1 * judges.context(drawn, bare_picture)
            + 100 * alike("face", first)
            + 200 * alike("eyes", first)
            + 200 * alike("mouth", first)
        )

    return _refined(network, bare, makeup, loss, (0.005, color_rate), steps)


def _refined(
    network: PublishedBeautyBank,
    bare: Tensor,
    makeup: Tensor,
    loss: Callable[[Tensor], Tensor],
    rates: tuple[float, float],
    steps: int,
) -> Tensor:
    """Move structure and colour layers of a makeup code, each at its rate."""
    network.requires_grad_(False)
    parts = [
        part.detach().clone().requires_grad_()
        for part in makeup.split([STRUCTURE_LAYERS, makeup.shape[1] - STRUCTURE_LAYERS], 1)
    ]
    groups = [{"params": [p], "lr": rate} for p, rate in zip(parts, rates, strict=True)]
    adam = torch.optim.Adam(groups)
    for step in range(steps):
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * ramp(step, steps)
        adam.zero_grad()
        loss(network(bare, torch.cat(parts, 1))).backward()
        adam.step()
    return torch.cat(parts, 1).detach()
