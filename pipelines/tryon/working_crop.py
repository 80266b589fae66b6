"""What a generator works on of a person's picture: around a mask, at one size, and back."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.ops.crops import Box, paste
from pipelines.steps import to_tensor

_CONTEXT = 0.15  # of the mask's longer side is shown around it, to tell light and place


def find_working_box(mask: np.ndarray, size_hw: tuple[int, int]) -> Box:
    """Return the smallest box of the working aspect around a mask and some of what surrounds it.

    It is moved into the picture where it can be, and reaches beyond where the picture is narrower.

    Args:
        mask: (H, W) bool, not empty.
        size_hw: working height and width.
    """
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    low = np.array([columns[0], rows[0]], float)
    high = np.array([columns[-1] + 1, rows[-1] + 1], float)
    margin = _CONTEXT * (high - low).max()
    extent = high - low + 2 * margin
    aspect = size_hw[1] / size_hw[0]
    height = max(extent[1], extent[0] / aspect)
    picture = np.array(mask.shape[::-1], float)
    side = np.array([height * aspect, height])
    start = (low + high - side) / 2
    start = np.where(side <= picture, np.clip(start, 0, np.maximum(picture - side, 0)), start)
    x0, y0, x1, y1 = np.round([*start, *(start + side)]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def fit_garment(
    picture: Image.Image, size_hw: tuple[int, int], mask: np.ndarray | None = None
) -> Tensor:
    """Fit a garment whole and undistorted into a size, grey around it, (1, 3, H, W) in [-1, 1]."""
    height, width = size_hw
    pixels = to_tensor([np.asarray(picture.convert("RGB"))])
    if mask is not None:
        pixels = pixels * torch.from_numpy(np.float32(mask))
    scale = min(height / picture.height, width / picture.width)
    inner = max(1, round(picture.height * scale)), max(1, round(picture.width * scale))
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    page = torch.zeros(1, 3, height, width)
    page[..., top : top + inner[0], left : left + inner[1]] = resize(pixels, inner)
    return page


def put_back(person: Image.Image, painted: np.ndarray, mask: np.ndarray, box: Box) -> Image.Image:
    """Blend the painted crop into the picture, within the mask and softly towards its edge.

    Args:
        person: the whole picture.
        painted: (h, w, 3) float32 in 0..255, the crop at the working size.
        mask: (H, W) bool of the whole picture.
        box: where the crop is from.
    """
    pixels = np.asarray(person.convert("RGB"))
    size = box[2] - box[0], box[3] - box[1]
    shrinks = size[1] < painted.shape[0]
    full = cv2.resize(painted, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    whole = paste(pixels.astype(np.float32), full, box)
    # From the edge of the mask inwards the painting fades in over 1 % of the crop.
    inside = cv2.distanceTransform(np.pad(np.uint8(mask), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    share = np.clip(inside / max(1.0, 0.01 * size[1]), 0, 1)[..., None]
    blended = np.rint(pixels + share * (whole - pixels))
    return Image.fromarray(np.where(mask[..., None], np.uint8(np.clip(blended, 0, 255)), pixels))


def resize(x: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Resize (B, C, h, w) smoothly, without aliasing."""
    return torch.nn.functional.interpolate(x, size_hw, mode="bilinear", antialias=True)
