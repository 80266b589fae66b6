"""How near a try-on is to the photograph, whose garment it shows, what is left of the old one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.analysis.human_parsing import HumanParser, Part
from models.tryon.agnostic import grow, is_part
from training import metrics

CHANGED = 24 / 127.5  # a pixel that moved by 24 of 255 levels has changed to the eye
CHANGEABLE = (Part.UPPER, Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK, Part.HANDS)


def compare(
    result: Tensor, target: Tensor, given: Tensor, parts: Tensor, parser: HumanParser
) -> dict[str, Tensor]:
    """Return measures per sample, (B,), of a swap-back.

    Args:
        result: (B, 3, H, W) in [-1, 1].
        target: the photograph.
        given: what the network was given as the person.
        parts: (B, H, W), of the photograph.
        parser: measures the feature distance.
    """
    region = is_part(parts, Part.UPPER)
    rest = 1 - grow(is_part(parts, *CHANGEABLE), 0.02)
    away = is_part(parts, Part.BACKGROUND) * (1 - grow(1 - is_part(parts, Part.BACKGROUND), 0.02))
    error = (result - target).abs()
    moved = ((result - given).abs().amax(1, keepdim=True) > CHANGED).float()
    inside_r, inside_t = result * region, target * region
    features = [
        (a - b).abs().mean((1, 2, 3)) / b.abs().mean((1, 2, 3)).clamp_min(1e-3)
        for a, b in zip(parser.features(inside_r), parser.features(inside_t), strict=True)
    ]
    square = metrics.masked_mean((result - target).square(), region)
    return {
        "l1": 127.5 * metrics.masked_mean(error, region),
        "psnr": 10 * torch.log10(4 / square.clamp_min(1e-6)),
        "ssim": metrics.masked_mean(metrics.ssim(result, target), region),
        "feature_distance": torch.stack(features).mean(0),
        "lettering": metrics.high_pass_agreement(result, target, region),
        "unchanged_l1": 127.5 * metrics.masked_mean(error, rest),
        "halo_per_mille": 1000 * metrics.masked_mean(moved, away),
    }


def describe_garment(picture: Tensor, mask: Tensor) -> Tensor:
    """Describe the garment inside a mask by colour and texture, (B, D); each part sums to 1.

    Color: a 6x6x6 histogram of the picture blurred by 3 pixels. Texture: at two scales, shares of
    gradient strength in 8 steps.

    Args:
        picture: (B, 3, H, W) in [-1, 1].
        mask: (B, 1, H, W), 1 on the garment; its edge is left out.
    """
    inner = 1 - grow(1 - mask, 0.012)
    smooth = F.avg_pool2d(picture, 3, 1, 1)
    bins = ((smooth + 1) / 2 * 5.999).long().clamp(0, 5)
    index = (bins[:, 0] * 36 + bins[:, 1] * 6 + bins[:, 2]).flatten(1)
    weight = inner.flatten(1)
    parts = [torch.zeros(len(picture), 216).scatter_add_(1, index, weight)]
    grey = picture.mean(1, keepdim=True)
    for scale in (1, 2):
        small = F.avg_pool2d(grey, scale) if scale > 1 else grey
        within = F.avg_pool2d(inner, scale) if scale > 1 else inner
        dx, dy = small.diff(dim=3)[:, :, 1:], small.diff(dim=2)[:, :, :, 1:]
        steps = (torch.hypot(dx, dy) * 40).long().clamp(0, 7).flatten(1)
        there = within[:, :, 1:, 1:].flatten(1)
        parts.append(torch.zeros(len(picture), 8).scatter_add_(1, steps, there))
    return torch.cat([p / p.sum(1, keepdim=True).clamp_min(1e-6) for p in parts], 1)


def measure_retrieval(results: Tensor, garments: Tensor, group: int = 64) -> dict[str, float]:
    """Return how often a result's nearest garment among `group` is the given one.

    Args:
        results: (N, D) features of what is worn.
        garments: (N, D) features of the garment each was given.
        group: size of the choice.
    """
    ranks = []
    for start in range(0, len(results) - group + 1, group):
        chosen = slice(start, start + group)
        distance = torch.cdist(results[chosen], garments[chosen], p=1)
        ranks.append((distance < distance.diag()[:, None]).sum(1))
    rank = torch.cat(ranks).float() if ranks else torch.zeros(0)
    return {"top1": float((rank < 1).float().mean()), "top5": float((rank < 5).float().mean())}


def measure_still_visible(
    result: Tensor, person: Tensor, parts: Tensor, garment: Tensor, mask: Tensor
) -> Tensor:
    """Return the share of the old garment that is still there, (B,).

    Counted are its pixels that differ by 40 levels from the new garment's mean colour; those that
    moved by less than 10 levels are still there.
    """
    mean = (garment * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1)
    differs = ((person - mean).abs().amax(1, keepdim=True) > 40 / 127.5).float()
    region = (1 - grow(1 - is_part(parts, Part.UPPER), 0.01)) * differs
    same = ((result - person).abs().amax(1, keepdim=True) < 10 / 127.5).float()
    return metrics.masked_mean(same, region)
