"""From a face to its codes, and from codes to maps of the canonical face."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor

from models import regions
from models.beautybank.code import MakeupCode
from models.beautybank.networks import BeautyBank, Layer
from models.beautybank.patches import MAP_SIZE, PATCHES, REGIONS, cut, paintable, paste, shares
from models.beautybank.reading import MIDDLE, SPREAD, TINT_SPREAD, patches_of
from models.instant.face_texture import TEXTURE_SIZE, FaceTexture
from models.instant.makeup import Makeup, brow_color, nothing
from models.ops.color import chroma
from models.ops.masks import blur, canonical_regions, face_fade, smoothstep


def see(texture: FaceTexture) -> dict[str, Tensor]:
    """A face as a batch of one for the encoders.

    Args:
        texture: unfolded to `MAP_SIZE`.
    """
    return {region: torch.from_numpy(p)[None] for region, p in patches_of(texture).items()}


@torch.no_grad()
def read_code(network: BeautyBank, texture: FaceTexture) -> MakeupCode:
    """The makeup a face wears, by one pass of the network; `tuning.tuned` makes it closer.

    Args:
        network: in eval mode, on the CPU.
        texture: unfolded to `MAP_SIZE`.
    """
    structure, colors = network.encode(see(texture))
    return MakeupCode(structure[0].numpy(), colors[0].numpy(), brow_color(texture)).rounded()


@torch.no_grad()
def read_bare(network: BeautyBank, texture: FaceTexture) -> np.ndarray:
    """The bare code of the person under the makeup, (bare,) float32."""
    return network.encode_bare(see(texture))[0].numpy()


@torch.no_grad()
def draw_code(network: BeautyBank, code: MakeupCode, size: int = TEXTURE_SIZE) -> Makeup:
    """The maps of a code, ready for any face and the editable layer of instant makeup.

    Args:
        network: in eval mode, on the CPU.
        code: the look.
        size: side S of the maps.
    """
    layers = decoded(network, code)
    gates, owners = paintable(size), shares(size)
    makeup = nothing(size)
    opacity, paint, deviation = makeup.opacity, makeup.paint, makeup.deviation
    for region, layer in layers.items():
        painted = torch.cat([layer.alpha[:, :, None], layer.paint.unflatten(1, (2, 3))], 2)
        covering = paste(painted[0].flatten(0, 1).numpy(), region, size)
        share = (owners[region] * gates[region])[..., None]
        opacity += np.clip(share[..., 0] * covering[..., 0], 0, 1)
        paint += share * covering[..., 1:]
        deviation += share * paste(layer.tint[0].numpy(), region, size) * TINT_SPREAD
    solid = opacity[..., None]
    paint = np.where(solid > 0.004, paint / np.maximum(solid, 0.004), 0) * SPREAD + MIDDLE
    if len(code.places):
        detail = cv2.resize(code.detail(), (size, size), interpolation=cv2.INTER_LINEAR)
        paint += detail  # a pattern in the paint where it hides the skin, in the skin elsewhere
        deviation += detail * face_fade(size)[..., None]
    return replace(
        makeup,
        opacity=np.clip(opacity, 0, 1),
        paint=np.asarray(paint, np.float32),
        deviation=deviation,
        brows=code.brows,
    )


def decoded(network: BeautyBank, code: MakeupCode) -> dict[str, Layer]:
    """A code's layers in patches, not yet held back to where makeup can lie."""
    everywhere = {region: torch.ones(1, 2, 1, 1) for region in REGIONS}
    structure, colors = (
        torch.from_numpy(np.asarray(part, np.float32))[None]
        for part in (code.structure, code.colors)
    )
    return network.decode(structure, colors, everywhere)


@torch.no_grad()
def bare_colors(
    network: BeautyBank, bare_code: np.ndarray, skin: np.ndarray, size: int = TEXTURE_SIZE
) -> np.ndarray:
    """The bare face of a bare code on plain skin.

    Args:
        network: in eval mode, on the CPU.
        bare_code: (bare,) float32.
        skin: (S, S, 3) CIELAB, plain skin under its light, or (3,).
        size: side S of the map.

    Returns:
        (S, S, 3) float32 CIELAB, without skin texture.
    """
    drawn = network.decode_bare(torch.from_numpy(np.asarray(bare_code, np.float32))[None])
    owners = shares(size)
    face = np.broadcast_to(np.asarray(skin, np.float32), (size, size, 3)).copy()
    for region in REGIONS:
        maps = paste(drawn[region][0].numpy(), region, size)
        face += owners[region][..., None] * maps * SPREAD
    return face


def made_up(bare: np.ndarray, makeup: Makeup) -> np.ndarray:
    """Makeup on a bare face without skin texture: (S, S, 3) CIELAB both."""
    skin = bare + makeup.deviation
    return skin + makeup.opacity[..., None] * (makeup.paint - skin)


def presence(makeup: Makeup, tints: tuple[float, float] = (1.5, 6.0)) -> np.ndarray:
    """Where a look is seen at all: (S, S) float32 in 0..1.

    Args:
        makeup: the look.
        tints: CIELAB size of a tint that begins to count, and that counts in full.
    """
    size = np.linalg.norm(makeup.deviation, axis=-1)
    return np.maximum(smoothstep(0.06, 0.35, makeup.opacity), smoothstep(*tints, size))


def removal(network: BeautyBank, texture: FaceTexture) -> np.ndarray:
    """What to add to a made-up face to see it bare: (S, S, 3) CIELAB.

    The look says where makeup is, the bare code what lies under it. Fine skin texture stays, but
    for opaque paint by the eyes, where what is fine is liner.

    Args:
        network: in eval mode, on the CPU.
        texture: the made-up face, unfolded to `TEXTURE_SIZE`.
    """
    size = len(texture.lab)
    small = resized(texture, MAP_SIZE)
    makeup = draw_code(network, read_code(network, small), size)
    bare = bare_colors(network, read_bare(network, small), texture.bare, size)
    masks = canonical_regions(size)
    soft = blur(texture.lab, 0.006 * size)
    opaque = smoothstep(0.2, 0.6, makeup.opacity) * shares(size)[regions.EYES]
    own = soft + opaque[..., None] * (texture.lab - soft)
    colorful = smoothstep(16, 28, chroma(soft - bare)) * smoothstep(0.5, 0.9, texture.seen)
    where = blur(np.maximum(presence(makeup), colorful), 0.006 * size)
    where = np.maximum(where, masks[regions.LIPS] * where.max()) * (1 - masks[regions.BROWS])
    return where[..., None] * (bare - own)


def resized(texture: FaceTexture, size: int) -> FaceTexture:
    """A texture at another size."""

    def small(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, (size, size), interpolation=cv2.INTER_AREA)

    return FaceTexture(small(texture.lab), small(texture.bare), small(texture.seen), texture.tone)


@lru_cache(maxsize=1)
def patch_weights() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """`shares` and `paintable` of the map, cut to patches: region -> (1, 2, h, w) float32."""
    owners, gates = (
        {r: torch.from_numpy(cut(maps[r][..., None], r))[None] for r in PATCHES}
        for maps in (shares(MAP_SIZE), paintable(MAP_SIZE))
    )
    return owners, gates
