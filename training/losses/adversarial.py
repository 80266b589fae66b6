"""Adversarial losses of logits of any shape; D is large for what it takes to be real."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from training.losses import flow

Kind = Literal["softplus", "hinge"]


def discriminator(real: Tensor, fake: Tensor, kind: Kind = "softplus") -> Tensor:
    """softplus(-D(real)) + softplus(D(fake)), or the hinge loss of LADD."""
    if kind == "hinge":
        return flow.hinge_discriminator(real, fake)
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator(fake: Tensor, kind: Kind = "softplus") -> Tensor:
    """softplus(-D(fake)), or -D(fake) for the hinge loss."""
    if kind == "hinge":
        return flow.hinge_generator(fake)
    return F.softplus(-fake).mean()
