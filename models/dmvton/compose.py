"""From a small try-on to the full-size crop: which pixels may change, and to what."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from models.analysis.human_parsing import Part
from models.dmvton.generator import TryOn, enlarge
from models.ops.masks import blur, smoothstep
from models.tryon.agnostic import PRESERVED, REMOVED, background_plate, grow, is_part

# Where less than the first is repainted nothing changes; from the second on all does.
_REPAINTED = (0.06, 0.3)
# Probability of face, hair or hands at which a pixel begins to be, and is wholly, kept.
_PROTECTED = (0.35, 0.6)
SKIN = (Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK)
# What was worn, with a rim for the edge a parse does not see; and what the garment covers anew.
_RIM = 0.016
_COVERED = (0.25, 0.6)
_SPECK = 13  # pixels of the small crop


def to_tensor(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1.0


def to_pixels(image: Tensor) -> np.ndarray:
    """(1, 3, H, W) in [-1, 1] to (H, W, 3) float32 in 0..255."""
    return ((image[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).numpy()


@torch.inference_mode()
def dress(
    small: TryOn,
    crop: np.ndarray,
    parts: np.ndarray,
    garment: np.ndarray,
    mask: np.ndarray,
    *,
    on_plate: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat a small try-on on a crop of any size.

    Args:
        small: the network's result.
        crop: (H, W, 3) uint8, the person.
        parts: (11, h, w) float32, probability of each part in the crop.
        garment: (gh, gw, 3) uint8, its colours going on beyond its outline.
        mask: (gh, gw) float32, where it is.
        on_plate: whether the network kept a background plate rather than the person.

    Returns:
        (H, W, 3) uint8 and the share of each pixel that is new, (H, W) float32. Where the share is
        0 the picture is equal to `crop`.
    """
    # 1. Who may change, at the networks' size; then all of it at the crop's
    height, width = crop.shape[:2]
    best = torch.from_numpy(parts.argmax(0))[None]  # torch's own takes five times as long
    maps = cv2.resize(_maps(parts, best), (width, height), interpolation=cv2.INTER_LINEAR)
    removed, rim, bare, kept, taken = cv2.split(maps)
    # 2. What lies behind the old garment: smooth anyway, so it is found on the small crop
    behind = crop + smoothstep(0.2, 0.8, taken)[..., None] * (_plate(crop, best) - crop)
    under = torch.from_numpy(behind if on_plate else np.float32(crop))
    # 3. The garment at full size; of what was worn nothing is kept, say the network what it may
    large = enlarge(
        small if on_plate else _undressed(small, parts),
        under.permute(2, 0, 1)[None] / 127.5 - 1.0,
        to_tensor(garment),
        torch.from_numpy(mask)[None, None],
    )
    covered = smoothstep(*_COVERED, large.garment_share[0, 0].numpy())
    # 4. New is what is repainted and may be; bare arms that stay bare are kept, not painted
    share = smoothstep(*_REPAINTED, (1 - large.person_share)[0, 0].numpy())
    if on_plate:  # what was worn is gone from the plate
        share = np.maximum(share, smoothstep(0.2, 0.5, removed))
    share *= np.maximum(rim, covered)
    share *= 1 - smoothstep(*_PROTECTED, bare) * (1 - covered)
    share *= 1 - smoothstep(*_PROTECTED, kept)
    share[share < 1 / 255] = 0
    # 5. Beside the body nobody paints: there the room shows where the old garment ended
    body = np.maximum(smoothstep(0.35, 0.65, removed), covered)[..., None]
    new = behind + body * (to_pixels(large.image) - behind)
    mixed = crop + share[..., None] * (new - crop)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), share


def _undressed(small: TryOn, parts: np.ndarray) -> TryOn:
    """The try-on without the person's pixels where the parse, (11, h, w), sees a top.

    The new garment takes their place where it lies, and paint elsewhere.
    """
    size = small.person_share.shape[-2:]
    upper = cv2.resize(parts[Part.UPPER], (size[1], size[0]), interpolation=cv2.INTER_AREA)
    gone = torch.from_numpy(smoothstep(0.3, 0.7, upper)) * small.person_share
    return replace(
        small,
        person_share=small.person_share - gone,
        garment_share=small.garment_share + gone * small.warped_mask,
    )


def _maps(parts: np.ndarray, best: Tensor) -> np.ndarray:
    """What `dress` asks of a parse, (11, h, w) and its labels, (1, h, w): (h, w, 5) in 0..1.

    Garments to remove; the same with its rim; bare skin; what is kept in front; what is taken out.
    """
    height = parts.shape[1]
    removed = parts[list(REMOVED)].sum(0)
    taken = grow(is_part(best, *REMOVED), 0.012) * (1 - is_part(best, *PRESERVED))
    rim = grow(torch.from_numpy(np.float32(removed > 0.4))[None, None], _RIM)[0, 0].numpy()
    # Bags and scarves are large; specks of them on a shirt are the parser's doubt.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK, _SPECK))
    other = cv2.morphologyEx(parts[Part.OTHER], cv2.MORPH_OPEN, kernel)
    kept = parts[list(PRESERVED)].sum(0) + other
    soft = 0.004 * height
    skin = blur(parts[list(SKIN)].sum(0), soft)
    return np.dstack([removed, blur(rim, soft), skin, kept, blur(taken[0, 0].numpy(), soft)])


def _plate(crop: np.ndarray, best: Tensor) -> np.ndarray:
    """The crop with what lies behind garment, arms and neck, smooth there: (H, W, 3) float32."""
    height, width = best.shape[1:]
    little = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    plate = to_pixels(background_plate(to_tensor(little), best))
    return cv2.resize(plate, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
