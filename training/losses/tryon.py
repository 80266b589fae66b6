"""What a try-on is asked for: the photograph, in sum and as painted."""

from __future__ import annotations

from torch import Tensor

from models.analysis.human_parsing import HumanParser
from models.dmvton.generator import TryOn
from training.losses.perceptual import perceptual


def tryon_losses(
    result: TryOn, target: Tensor, upper_mask: Tensor, parser: HumanParser, *, body: Tensor
) -> dict[str, Tensor]:
    """Return the terms of L_gen.

    Args:
        result: the try-on.
        target: (B, 3, H, W) in [-1, 1], the photograph.
        upper_mask: (B, 1, H, W), where the garment is worn: there the moved garment is to be used,
            and nowhere else (the paper's mean |1 - m|, but within a mask).
        parser: frozen; measures perceptual distance.
        body: (B, 1, H, W), arms, neck and garment: the pixels that change count more.
    """
    weight = 1 + 2 * body
    share = (result.garment_share - upper_mask).abs() * weight
    return {
        "image": 5.0 * ((result.image - target).abs() * weight).mean(),
        "image_look": 0.6 * perceptual(parser, result.image, target),
        "rendered": 1.0 * ((result.rendered - target).abs() * body).mean(),
        "share": 1.0 * share.mean(),
    }
