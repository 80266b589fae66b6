"""Progressive makeup tuning: bring a code closer to one photograph, then take the person out again.

The paper's two stages at our size. Stage 1 (its `refine_makeup`) optimises the code with the bare
code held fixed, colours faster than structure, and keeps what is left as a fine pattern. A bare
code is coarse, so what shows through the paint may differ from it by `_NOISE`, and broadly in
lightness, without being makeup. Stage 2 (its `refine_unrelated`) optimises again: on the made-up
regions the drawing must stay what stage 1 made it, and where the network had seen no makeup the
bare face must stay bare, which weighs `_KEEP_BARE` times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from models import regions
from models.beautybank.code import DETAIL_SIZE, MakeupCode
from models.beautybank.drawing import (
    bare_colors,
    draw_code,
    made_up,
    patch_weights,
    presence,
    read_bare,
    read_code,
)
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import REGIONS, cut, shares
from models.beautybank.reading import MIDDLE, SPREAD
from models.instant.face_texture import FaceTexture
from models.ops.color import chroma
from models.ops.masks import blur, canonical_regions, face_fade, smoothstep

_NOISE = {
    regions.LIPS: (3.0, 3.0, 2.5),
    regions.EYES: (4.0, 1.4, 2.5),
    regions.CHEEKS: (2.5, 1.5, 2.3),
    regions.SKIN: (4.0, 1.7, 2.5),
}
"""CIELAB by which a bare face differs from its bare code: what is smaller need not be makeup."""
_PICTURE_NOISE = 1.0
_FAINT_TINTS = (0.5, 2.5)
"""CIELAB of a tint that begins to count as makeup, and that counts in full."""
_KEEP_BARE = 8.0
_FAINTEST = (0.3, 1.0)
"""CIELAB of a change that may be one, and that is one: blush fades out slowly."""


@dataclass(frozen=True)
class Tuned:
    """A code before tuning and after each stage."""

    before: MakeupCode
    stage1: MakeupCode
    stage2: MakeupCode


def tuned(
    network: BeautyBank,
    texture: FaceTexture,
    iterations: int = 60,
    color_rate: float = 0.03,
    structure_rate: float = 0.015,
) -> Tuned:
    """Tune the code of one face.

    Args:
        network: in eval mode, on the CPU; it is not changed.
        texture: the made-up face, unfolded to `MAP_SIZE`.
        iterations: of each stage.
        color_rate: Adam's learning rate of the colours; the paper's is 0.01, over 300 steps.
        structure_rate: of the structure; the paper's is 0.005.
    """
    before = read_code(network, texture)
    size = len(texture.lab)
    bare = bare_colors(network, read_bare(network, texture), texture.bare, size)
    target = blur(texture.lab, 0.004 * size) - bare
    seen = texture.seen * face_fade(size) * (1 - canonical_regions(size)[regions.BROWS])
    rates = (structure_rate, color_rate)
    first = draw_code(network, before, size)
    through = (1 - first.opacity)[..., None]  # paint hides what the bare code may have got wrong
    drawn = made_up(bare, first) - bare
    target = target - through * _shading(target - drawn, seen)
    noise = _PICTURE_NOISE + through * _noise(size)
    stage1 = _optimised(network, before, bare, target, seen, rates, iterations, noise)
    left = texture.lab - bare - (made_up(bare, draw_code(network, stage1, size)) - bare)
    left -= through * _shading(left, seen)
    stage1 = stage1.with_detail(_left_over(left, seen, noise))

    kept = made_up(bare, draw_code(network, without_detail(stage1), size)) - bare
    painted = smoothstep(*_FAINTEST, blur(np.linalg.norm(drawn, axis=-1), 0.005 * size))
    weight = seen * painted + _KEEP_BARE * (1 - painted)
    shown = kept * (painted > 0)[..., None]  # its soft edge as it is: fading it again would thin it
    stage2 = _optimised(network, stage1, bare, shown, weight, rates, iterations, 0 * noise)
    return Tuned(before, stage1, stage2.with_detail(_makeup_of(network, before, stage1.detail())))


def _noise(size: int) -> np.ndarray:
    """`_NOISE` as a map, (S, S, 3)."""
    owners = shares(size)
    parts = [owners[region][..., None] * np.array(_NOISE[region], np.float32) for region in REGIONS]
    return np.sum(parts, axis=0)


def _shading(rest: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Broad light and dark that no code explains: the face's shape, not makeup; (S, S, 3).

    By the eyes only darkness is: where they are lighter than drawn, too much shadow was drawn.
    """
    wide = 0.03 * len(rest)
    shade = np.zeros_like(rest)
    broad = blur(seen * rest[..., 0], wide) / (blur(seen, wide) + 0.05)
    shade[..., 0] = broad - shares(len(rest))[regions.EYES] * np.maximum(broad, 0)
    return shade


def _makeup_of(network: BeautyBank, code: MakeupCode, detail: np.ndarray) -> np.ndarray:
    """The part of a fine pattern that is makeup: where the network saw some, or bright twins.

    Stars come in pairs and in the middle of cheeks; hair and lamps do not.
    """
    shown = blur(presence(draw_code(network, code, DETAIL_SIZE), _FAINT_TINTS), 0.01 * DETAIL_SIZE)
    twins = np.minimum(chroma(detail), chroma(detail[:, ::-1]))
    twins = smoothstep(22, 34, twins) * smoothstep(0.9, 1.0, face_fade(DETAIL_SIZE))
    return detail * np.maximum(smoothstep(0.3, 0.8, shown), twins)[..., None]


def without_detail(code: MakeupCode) -> MakeupCode:
    """The code without its fine pattern."""
    return replace(code, places=np.zeros(0, np.uint16), values=np.zeros((0, 3), np.int8))


def _optimised(
    network: BeautyBank,
    code: MakeupCode,
    bare: np.ndarray,
    change: np.ndarray,
    weight: np.ndarray,
    rates: tuple[float, float],
    iterations: int,
    noise: np.ndarray,
) -> MakeupCode:
    """Move a code until it adds `change` to `bare`, up to `noise`.

    Maps are (S, S, 3) CIELAB, `weight` (S, S).
    """
    owners, gates = patch_weights()

    def patches(maps: np.ndarray) -> dict[str, Tensor]:
        return {r: torch.from_numpy(cut(maps, r))[None] for r in REGIONS}

    base, wanted = patches((bare - MIDDLE) / SPREAD), patches(change / SPREAD)
    within = patches(noise / SPREAD)
    weights = {r: w.repeat_interleave(3, 1) for r, w in patches(weight[..., None]).items()}
    structure, colors = (
        torch.from_numpy(np.array(part, np.float32))[None].requires_grad_()
        for part in (code.structure, code.colors)
    )
    groups = [
        {"params": [p], "lr": rate} for p, rate in zip((structure, colors), rates, strict=True)
    ]
    adam = torch.optim.Adam(groups)
    network.requires_grad_(False)
    for step in range(iterations):
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, 2 - 2 * step / iterations)  # the paper's ramp down
        adam.zero_grad()
        loss = structure.new_zeros(())
        layers = network.decode(structure, colors, gates)
        for region in REGIONS:
            wrong = (layers[region].change_on(base[region]) - wanted[region]).abs()
            wrong = (wrong - within[region]).clamp_min(0)
            share = owners[region].repeat_interleave(3, 1)
            loss = loss + (share * weights[region] * wrong).mean()
        loss.backward()
        adam.step()
    structure, colors = (part[0].detach().numpy() for part in (structure, colors))
    return replace(code, structure=structure, colors=colors).rounded()


def _left_over(rest: np.ndarray, seen: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """What a drawing lacks, shrunk by the noise: (256, 256, 3) CIELAB."""
    rest = rest * (seen > 0.5)[..., None]
    rest = np.sign(rest) * np.clip(np.abs(rest) - noise, 0, None)
    # A shadow or a fingertip lies on one side and is grey; paint on one side has a colour.
    mirrored = rest[:, ::-1]
    agreed = np.where(
        rest * mirrored > 0, np.copysign(np.minimum(abs(rest), abs(mirrored)), rest), 0
    )
    painted = smoothstep(10, 22, chroma(rest))[..., None]
    rest = np.asarray(agreed + painted * (rest - agreed), np.float32)
    return cv2.resize(rest, (DETAIL_SIZE, DETAIL_SIZE), interpolation=cv2.INTER_LINEAR)
