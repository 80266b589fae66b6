"""From a small try-on to the full-size crop: which pixels may change, and to what."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.analysis.human_parsing import Part
from models.dmvton.generator import TryOn, enlarge
from models.ops.agnostic import PRESERVED, REMOVED, background_plate, grow
from models.ops.masks import blur, smoothstep

# Where less than the first is repainted nothing changes; from the second on all does.
_REPAINTED = (0.06, 0.3)
# Probability of face, hair or hands at which a pixel begins to be, and is wholly, kept.
_PROTECTED = (0.35, 0.6)
SKIN = (Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK)
# What was worn, with a rim for the edge a parse does not see; and what the garment covers anew.
_RIM = 0.016
_COVERED = (0.25, 0.6)


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
    size = crop.shape[:2]
    likely = F.interpolate(torch.from_numpy(parts)[None], size, mode="bilinear")
    person = to_tensor(crop)
    plate = background_plate(person, likely.argmax(1))
    cloth = torch.from_numpy(mask)[None, None]
    large = enlarge(small, plate if on_plate else person, to_tensor(garment), cloth)
    covered = smoothstep(*_COVERED, large.garment_share[0, 0].numpy())
    worn = likely[0, list(REMOVED)].sum(0).numpy()
    repainted = smoothstep(*_REPAINTED, (1 - large.person_share)[0, 0].numpy())
    if on_plate:  # what was worn is gone from the plate
        repainted = np.maximum(repainted, smoothstep(0.2, 0.5, worn))
    share = repainted * _may_change(worn, covered, likely[0])
    share[share < 1 / 255] = 0
    # Beside the body nobody paints: there the room shows where the old garment ended.
    body = np.maximum(smoothstep(0.35, 0.65, worn), covered)[..., None]
    behind = to_pixels(plate)
    new = behind + body * (to_pixels(large.image) - behind)
    mixed = crop + share[..., None] * (new - crop)
    return np.uint8(np.clip(np.rint(mixed), 0, 255)), share


def _may_change(worn: np.ndarray, covered: np.ndarray, likely: Tensor) -> np.ndarray:
    """Where a pixel may be new: the old garment, and what the new one covers.

    Arms and neck that were bare and stay bare are better kept than painted.
    """
    height = len(worn)
    rim = grow(torch.from_numpy(np.float32(worn > 0.4))[None, None], _RIM)[0, 0].numpy()
    bare = blur(likely[list(SKIN)].sum(0).numpy(), 0.004 * height)
    bare = smoothstep(*_PROTECTED, bare) * (1 - covered)
    kept = likely[[*PRESERVED, int(Part.OTHER)]].sum(0).numpy()
    reach = blur(np.maximum(rim, covered), 0.003 * height)
    return reach * (1 - bare) * (1 - smoothstep(*_PROTECTED, kept))
