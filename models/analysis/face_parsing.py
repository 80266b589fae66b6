"""What covers a face: skin, hair, or something else, as three soft maps.

The face mesh says where a face *would be*; it runs straight on under a fringe, a pair of glasses or
a hand. This small U-Net says what the camera sees there instead, so that makeup is neither painted
on nor read from hair. Face paint, dark eyeshadow and red lips are skin to it: paint lies on skin.

    parser = FaceParser.from_pretrained("assets/weights/face-parser")
    parsed = parse_face(parser, image, face.points_xyz[:, :2])
    skin, hair, other = parsed.in_picture(image.shape[:2])  # (H, W) each, 0..1, sum 1
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from models.blocks import SeparableUNet, doubled
from models.errors import ShapeError
from models.regions import FACE_OVAL

CLASSES = ("skin", "hair", "other")
SKIN, HAIR, OTHER = range(3)

CROP_SIZE = 128
MARGIN = 0.40
"""How much larger than the mesh's outline the crop is; the forehead's hair must be in view."""
LIFT = 0.07
"""How far the crop's centre lies above the outline's, as a share of the outline's larger side."""

_RIGHT_IRIS, _LEFT_IRIS, _UPPER_LIP, _LOWER_LIP = 468, 473, 13, 14


@dataclass(frozen=True)
class FaceCrop:
    """A face turned upright and brought to one size.

    Attributes:
        pixels: (S, S, 3) uint8 RGB; mid-grey where the crop leaves the picture.
        oval: (S, S) uint8, 255 inside the outline of the face mesh.
        inside: (S, S) uint8, 255 where the crop lies inside the picture.
        matrix: (2, 3) float64 similarity from picture pixels to crop pixels, pixel centres at
            whole numbers.
    """

    pixels: np.ndarray
    oval: np.ndarray
    inside: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True)
class FaceParse:
    """What the parser sees around one face.

    Attributes:
        probabilities: (3, S, S) float32 in 0..1 over `CLASSES`, summing to 1, in the crop.
        matrix: (2, 3) float64 similarity from picture pixels to crop pixels.
    """

    probabilities: np.ndarray
    matrix: np.ndarray

    def in_box(self, box_xyxy: tuple[int, int, int, int]) -> np.ndarray:
        """The maps over a box of the picture, one value a pixel.

        Args:
            box_xyxy: whole pixels, the right and lower bound excluded; may leave the picture.

        Returns:
            (3, h, w) float32 in 0..1 over `CLASSES`, summing to 1. Outside of the crop, where
            nobody looked, `other` is 1.
        """
        x0, y0, x1, y1 = box_xyxy
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ (x0, y0)
        return self.warp(matrix, (y1 - y0, x1 - x0))

    def in_picture(self, size_hw: tuple[int, int]) -> np.ndarray:
        """The maps over the whole picture: (3, H, W) float32, as `in_box` describes them."""
        return self.in_box((0, 0, size_hw[1], size_hw[0]))

    def warp(self, matrix: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
        """The maps in any other geometry, such as the caller's own crop.

        Args:
            matrix: (2, 3) affine from the wanted pixels to the crop's pixels.
            size_hw: height and width wanted.

        Returns:
            (3, h, w) float32 in 0..1, summing to 1; outside of the crop `other` is 1.
        """
        height, width = size_hw
        maps = cv2.warpAffine(
            np.ascontiguousarray(self.probabilities.transpose(1, 2, 0)),
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0.0, 0.0, 1.0),
        )
        return maps.transpose(2, 0, 1)


def align_face(points_xy: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """Similarity that stands the face upright in a square.

    The direction comes from irises and mouth together, so that neither a turned nor a nodding head
    tips it; scale and place come from the outline of the mesh in that direction, so that the whole
    outline is always in view.

    Args:
        points_xy: (478, 2) MediaPipe points in picture pixels.
        size: side of the square in pixels.

    Returns:
        (2, 3) float64 from picture pixels to crop pixels.

    Raises:
        ShapeError: the points have another shape, or all fall on one place.
    """
    points = np.asarray(points_xy, np.float64)
    if points.ndim != 2 or points.shape[0] < 478 or points.shape[1] < 2:
        raise ShapeError(
            f"478 mesh points as (478, 2) are needed, not {points.shape}",
            found=points.shape,
            needed=(478, 2),
        )
    points = points[:, :2]
    across = points[_LEFT_IRIS] - points[_RIGHT_IRIS]
    down = (points[_UPPER_LIP] + points[_LOWER_LIP] - points[_LEFT_IRIS] - points[_RIGHT_IRIS]) / 2
    right = across + np.array([down[1], -down[0]])
    length = float(np.hypot(*right))
    if length < 1e-6:
        raise ShapeError("the mesh points of this face all fall on one place", found=length)
    cos, sin = right / length
    turn = np.array([[cos, sin], [-sin, cos]])
    outline = points[list(FACE_OVAL)] @ turn.T
    low, high = outline.min(0), outline.max(0)
    reach = float((high - low).max())
    scale = size / (reach * (1 + MARGIN))
    centre = (low + high) / 2 - (0, LIFT * reach)
    shift = (size - 1) / 2 - scale * centre
    return np.concatenate([scale * turn, shift[:, None]], axis=1)


def crop_face(
    image: np.ndarray,
    points_xy: np.ndarray,
    size: int = CROP_SIZE,
    matrix: np.ndarray | None = None,
) -> FaceCrop:
    """Cut the upright square around one face.

    Args:
        image: (H, W, 3) uint8 RGB.
        points_xy: (478, 2) MediaPipe points in pixels of `image`.
        size: side of the square in pixels.
        matrix: (2, 3) picture to crop; `align_face` of the points when not given.

    Returns:
        The crop, resampled without aliasing.

    Raises:
        ShapeError: image or points have another shape or type.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ShapeError(
            f"an (H, W, 3) uint8 picture is needed, not {image.shape} {image.dtype}",
            found=(image.shape, str(image.dtype)),
            needed=("(H, W, 3)", "uint8"),
        )
    if matrix is None:
        matrix = align_face(points_xy, size)
    height, width = image.shape[:2]
    to_picture = cv2.invertAffineTransform(matrix)
    corners = np.array([[-1, -1], [size, -1], [size, size], [-1, size]], np.float64)
    around = corners @ to_picture[:, :2].T + to_picture[:, 2]
    x0, y0 = np.clip(np.floor(around.min(0)).astype(int) - 1, 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(around.max(0)).astype(int) + 2, (x0 + 1, y0 + 1), (width, height))

    # Shrink by a whole number first: bilinear sampling alone would skip pixels.
    part = image[y0:y1, x0:x1]
    shrink = max(1, int(1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    shrink = min(shrink, *part.shape[:2])
    part_h, part_w = part.shape[0] // shrink, part.shape[1] // shrink
    part = part[: part_h * shrink, : part_w * shrink]
    if shrink > 1:
        part = cv2.resize(part, (part_w, part_h), interpolation=cv2.INTER_AREA)
    half = (shrink - 1) / 2
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (x0 + half, y0 + half)
    local[:, :2] *= shrink

    square = (size, size)
    pixels = cv2.warpAffine(part, local, square, flags=cv2.INTER_LINEAR, borderValue=(128,) * 3)
    inside = cv2.warpAffine(
        np.full(part.shape[:2], 255, np.uint8), local, square, flags=cv2.INTER_NEAREST
    )
    outline = np.asarray(points_xy, np.float64)[list(FACE_OVAL), :2]
    outline = outline @ matrix[:, :2].T + matrix[:, 2]
    oval = np.zeros((size, size), np.uint8)
    cv2.fillPoly(oval, [np.round(outline * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return FaceCrop(pixels, oval, inside, matrix)


class FaceParser(SeparableUNet):
    """U-Net of separable convolutions over an aligned face crop.

    Args:
        widths: channels at 1/2, 1/4, 1/8, ... of the crop's size.
    """

    @register_to_config
    def __init__(self, widths: tuple[int, ...] = (24, 32, 64, 128, 160)) -> None:
        super().__init__()
        self.build(4, widths)
        self.head = nn.Conv2d(widths[0] + 4, len(CLASSES), 3, padding=1)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Score every pixel of the crops.

        Args:
            crops: (B, 4, S, S) as `network_input` makes them, S a multiple of 32.

        Returns:
            Logits (B, 3, S, S) over `CLASSES`.
        """
        return self.head(torch.cat([doubled(self.body(crops)), crops], dim=1))


def network_input(pixels: torch.Tensor, oval: torch.Tensor) -> torch.Tensor:
    """What the network reads: colours and the outline of the mesh.

    Args:
        pixels: (B, S, S, 3) uint8 RGB.
        oval: (B, S, S) uint8, 255 inside the outline.

    Returns:
        (B, 4, S, S) float32 in -1..1, channels last in memory.
    """
    stacked = torch.cat([pixels, oval[..., None]], dim=-1).permute(0, 3, 1, 2)
    return (stacked.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def parse_face(parser: FaceParser, image: np.ndarray, points_xy: np.ndarray) -> FaceParse:
    """Say what covers one face of a picture.

    Args:
        parser: the network, in evaluation mode.
        image: (H, W, 3) uint8 RGB, the whole picture.
        points_xy: (478, 2) MediaPipe points of the face in pixels of `image`.

    Returns:
        Three soft maps in the crop, with the way back into the picture.
    """
    crop = crop_face(image, points_xy)
    batch = network_input(torch.from_numpy(crop.pixels)[None], torch.from_numpy(crop.oval)[None])
    logits = parser(batch.to(parser.device, parser.dtype))
    probabilities = logits[0].float().softmax(dim=0).cpu().numpy()
    return FaceParse(probabilities, crop.matrix)
