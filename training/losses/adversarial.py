"""Adversarial losses of logits of any shape; D is large for what it takes to be real."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

AdversarialKind = Literal["softplus", "hinge"]


def discriminator_loss(real: Tensor, fake: Tensor, kind: AdversarialKind = "softplus") -> Tensor:
    """softplus(-D(real)) + softplus(D(fake)), or LADD's max(0, 1 - D(real)) + max(0, 1 + D(fake)).

    Args:
        real: logits of what is real.
        fake: logits of what was generated.
        kind: "softplus" or "hinge".

    Returns:
        A scalar, the sum of the two means.
    """
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor, kind: AdversarialKind = "softplus") -> Tensor:
    """softplus(-D(fake)), or -D(fake) for the hinge loss; the mean, a scalar."""
    if kind == "hinge":
        return -fake.mean()
    return F.softplus(-fake).mean()
