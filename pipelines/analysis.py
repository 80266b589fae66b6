"""Look once, keep the result: faces and people in a picture."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from PIL import Image
from safetensors import SafetensorError

from models.analysis.body_pose import BodyFinder
from models.analysis.face_landmarks import FaceMesh
from models.errors import CheckpointError, NoFaceError, NoPersonError
from models.ops.crops import cut, inside
from models.ops.landmarks import canonical_face
from models.ops.masks import smoothstep
from models.structures import Face, Person
from pipelines.registry import WEIGHTS

if TYPE_CHECKING:
    from diffusers.models.modeling_utils import ModelMixin
    from torch import nn

    from models.analysis.face_parsing import FaceParser
    from models.analysis.human_parsing import HumanParser


# The parser's probability of skin is taken as none below the first and as certain above the second.
_SURE_OF_SKIN = (0.2, 0.6)

# Height and width of a person's crop, and of what try-on's networks and its parser are trained on.
TRYON_SIZE_HW = (256, 192)
NETWORK_SIZE_HW = (128, 96)
PARSED_SIZE_HW = (128, 96)

# Less of a person's crop than this within the picture cannot be dressed.
LEAST_IN_VIEW = 0.3

# An unsure detection counts when the parser sees this much skin on it: cloth does not pass.
_SKIN_OF_A_FACE = 0.35


class FaceAnalyzer:
    """Finds every face in a picture and where it shows skin.

    Analysing is the slow part of trying makeup on; keep the `Face` and try often. One object may
    be shared by threads.

    Args:
        video: follow one face from picture to picture.
    """

    def __init__(self, video: bool = False) -> None:
        self.video = video
        self._lock = threading.Lock()
        self._mesh: FaceMesh | None = None
        self._parser: FaceParser | None = None

    def load(self) -> None:
        """Load the models now rather than with the first picture."""
        with self._lock:
            if self._mesh is None:
                from models.analysis.face_parsing import FaceParser

                self._parser = load_network(FaceParser, WEIGHTS / "face-parser")
                self._mesh = FaceMesh(video=self.video)

    def __call__(self, image: Image.Image) -> list[Face]:
        """Find the faces, the largest first; an empty list if there is none."""
        self.load()
        assert self._mesh is not None
        pixels = np.ascontiguousarray(image.convert("RGB"))
        faces = [self._face(pixels, points) for points in self._mesh.find(pixels)]
        if not faces and not self.video:
            unsure = [
                self._face(pixels, points) for points in self._mesh.find(pixels, lenient=True)
            ]
            faces = [face for face in unsure if _shows_skin(face)]
        return faces

    def find_largest(self, image: Image.Image) -> Face:
        """Find the largest face.

        Raises:
            NoFaceError: there is none.
        """
        faces = self(image)
        if not faces:
            raise NoFaceError("no face found in the picture", found=0, needed=1)
        return faces[0]

    def _face(self, pixels: np.ndarray, points: np.ndarray) -> Face:
        from models.analysis.face_parsing import SKIN, parse_face

        assert self._parser is not None
        height, width = pixels.shape[:2]
        low, high = np.floor(points[:, :2].min(0)) - 2, np.ceil(points[:, :2].max(0)) + 3
        box = (
            int(np.clip(low[0], 0, width - 1)),
            int(np.clip(low[1], 0, height - 1)),
            int(np.clip(high[0], 1, width)),
            int(np.clip(high[1], 1, height)),
        )
        skin = parse_face(self._parser, pixels, points[:, :2]).in_box(box)[SKIN]
        yaw, pitch, roll = head_pose(points)
        return Face(pixels, points, box, yaw, pitch, roll, smoothstep(*_SURE_OF_SKIN, skin))


def _shows_skin(face: Face) -> bool:
    return face.skin is not None and float(face.skin.mean()) >= _SKIN_OF_A_FACE


def head_pose(points_xyz: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees: the rotation that best turns the median face to this one.

    Least-squares rotation between the two point sets (Kabsch, 1976).
    """
    frontal = canonical_face().points_xyz
    found = np.float64(points_xyz[: len(frontal)])
    u, _, vt = np.linalg.svd((frontal - frontal.mean(0)).T @ (found - found.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T
    yaw = np.degrees(np.arctan2(-rotation[0, 2], rotation[2, 2]))
    pitch = np.degrees(np.arcsin(np.clip(rotation[1, 2], -1, 1)))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[1, 1]))
    return float(yaw), float(pitch), float(roll)


class BodyAnalyzer:
    """Finds the largest person of a picture and which pixels are hair, skin and garment.

    One object may be shared by threads.

    Args:
        video: follow the person from picture to picture.
    """

    def __init__(self, video: bool = False) -> None:
        self._lock = threading.Lock()
        self._finder = BodyFinder(video)
        self._parser: HumanParser | None = None

    def load(self) -> None:
        """Load the models now rather than with the first picture.

        Raises:
            CheckpointError: the parser's weights are not here.
        """
        with self._lock:
            if self._parser is None:
                from models.analysis.human_parsing import HumanParser

                self._parser = load_network(HumanParser, WEIGHTS / "human-parser")
                self._finder.load()

    def __call__(self, image: Image.Image) -> Person:
        """Look at a picture.

        Raises:
            NoPersonError: nobody, or too little of a person.
            CheckpointError: the parser's weights are not here.
        """
        import torch

        self.load()
        assert self._parser is not None
        pixels = np.ascontiguousarray(image.convert("RGB"))
        people = self._finder.find_all(pixels)
        box = people[0].crop_xyxy()
        x0, y0, x1, y1 = inside(box, pixels.shape)
        seen = max(0, x1 - x0) * max(0, y1 - y0) / ((box[2] - box[0]) * (box[3] - box[1]))
        if seen < LEAST_IN_VIEW:
            raise NoPersonError(
                "most of the upper body is outside the picture",
                found=round(seen, 2),
                needed=LEAST_IN_VIEW,
            )
        crop = shrink(cut(pixels, box), TRYON_SIZE_HW)
        small = torch.from_numpy(shrink(crop, PARSED_SIZE_HW)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            logits = self._parser(small / 127.5 - 1.0)
            logits = torch.nn.functional.interpolate(logits, TRYON_SIZE_HW, mode="bilinear")
            parts = logits.softmax(1)[0].numpy()
        return Person(people[0], box, crop, parts, len(people))


def shrink(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bring a picture to a height and width; larger ones are averaged."""
    height, width = size_hw
    smaller = image.shape[0] > height
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)


Network = TypeVar("Network", bound="ModelMixin")


def load_network(kind: type[Network], folder: Path) -> Network:
    """Read a network's weights, ready to be used on a CPU.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    import torch
    from diffusers.utils import logging

    if not (folder / "config.json").is_file():
        raise CheckpointError(f"no weights in {folder}", found=None, needed=folder.name)
    logging.disable_progress_bar()  # of files that are read in an instant
    try:
        # Said outright, or diffusers advises at every start to install accelerate.
        network = kind.from_pretrained(folder, low_cpu_mem_usage=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: {error}", found=None, needed=folder.name) from None
    network.float().eval()
    fold_batch_norms(network)
    # Twice as fast on a CPU.
    network.to(memory_format=torch.channels_last)  # pyright: ignore
    return network


def fold_batch_norms(network: nn.Module) -> None:
    """Make each batch norm that follows a convolution part of it: the same result, sooner.

    Args:
        network: in eval mode; changed in place, and no longer to be trained.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for block in [m for m in network.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(block) - 1):
            convolution, norm = block[i], block[i + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[i] = fuse_conv_bn_eval(convolution, norm)
                block[i + 1] = nn.Identity()
