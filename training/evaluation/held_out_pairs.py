"""What makeup painted at 64 pixels is judged by.

Colour error is CIEDE2000 between a region's mean colour and the true one; detail is the correlation
of fine detail in the face with the true result's; elsewhere is the mean change, in levels of 255,
where there is no face; Frechet is the distance to the true results in features of our face parser;
identity, with a face recogniser's ONNX file, is the cosine between source and result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models import nano, seeding
from models.analysis.face_classes import LEFT_EYE, LOWER_LIP, RIGHT_EYE, SKIN, UPPER_LIP
from models.analysis.face_landmarks import FaceMesh
from models.analysis.face_parsing import FaceParser, network_input
from models.ops.color import delta_e, rgb_to_lab
from training import metrics
from training.data.makeup.flux_pairs import MILD, MakeupPairs, warp_reference
from training.data.makeup.pair_quality import OnnxEmbedder

SHADOW = 3
"""How far from the eye, in pixels of 64, eyeshadow is looked for."""


@dataclass(frozen=True)
class HeldOutPairs:
    """Pairs kept apart.

    Attributes:
        source, target, reference: (B, 3, S, S) in [-1, 1]; the reference is another's
            face, or the target's own, warped, where there is none.
        classes: (B, S, S) uint8, of `models.analysis.face_classes`.
    """

    source: Tensor
    target: Tensor
    reference: Tensor
    classes: np.ndarray

    @classmethod
    def of(cls, pairs: MakeupPairs, count: int, seed: int = 0) -> HeldOutPairs:
        """Up to `count` pairs of a folder, evenly taken, the same warps every time."""
        rows: list[tuple[np.ndarray, ...]] = []
        for index in np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int).tolist():
            pair = pairs.read_pair(index)
            generator = seeding.generator_for(seed, "exam", index)
            reference = pair.other
            if reference is None:
                reference = warp_reference(pair.reference, MILD, generator)
            rows.append((pair.source, pair.target, reference, pair.classes))
        *pictures, classes = (np.stack(kind) for kind in zip(*rows, strict=True))
        shown = [torch.from_numpy(x).movedim(-1, 1) / 127.5 - 1 for x in pictures]
        return cls(shown[0], shown[1], shown[2], classes)

    def find_regions(self) -> dict[str, np.ndarray]:
        """Where lips, eyeshadow and the skin that blush and powder lie on are, (B, S, S) bool."""
        eyes = np.isin(self.classes, (LEFT_EYE, RIGHT_EYE))
        square = np.ones((2 * SHADOW + 1, 2 * SHADOW + 1), np.uint8)
        around = np.stack([cv2.dilate(e.astype(np.uint8), square) for e in eyes]) > 0
        face = self.classes == SKIN
        return {
            "lips": np.isin(self.classes, (UPPER_LIP, LOWER_LIP)),
            "eyes": around & face,
            "skin": face & ~around,
        }


class Identity:
    """Whether a person is still themselves.

    Args:
        embedder: the recogniser's ONNX file.
        source: (B, 3, S, S) in [-1, 1]; those without a face that is found are left out.
    """

    def __init__(self, embedder: Path, source: Tensor) -> None:
        self.embed = OnnxEmbedder(embedder)
        landmarks = FaceMesh()
        found = [landmarks.find(picture, lenient=True) for picture in _enlarge(source)]
        self.meshes = {index: meshes[0] for index, meshes in enumerate(found) if meshes}
        self.before = self._embed(source)

    def _embed(self, pictures: Tensor) -> np.ndarray:
        shown = _enlarge(pictures)
        return np.stack([self.embed.embed(shown[i], mesh) for i, mesh in self.meshes.items()])

    def __call__(self, made: Tensor) -> float:
        """Mean cosine between sources and results."""
        return float((self.before * self._embed(made)).sum(1).mean())


def _enlarge(pictures: Tensor) -> np.ndarray:
    larger = functional.interpolate(pictures, scale_factor=4, mode="bicubic").clamp(-1, 1)
    return ((larger + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


@torch.no_grad()
def judge(
    held_out: HeldOutPairs, made: Tensor, parser: FaceParser, identity: Identity | None = None
) -> dict[str, float]:
    """Return the figures of pictures (B, 3, S, S) in about [-1, 1]; the file's head names them."""
    made = made.clamp(-1, 1)
    labs = [
        rgb_to_lab(((x.permute(0, 2, 3, 1).numpy() + 1) / 2).reshape(-1, nano.SIZE, 3)).reshape(
            len(x), nano.SIZE, nano.SIZE, 3
        )
        for x in (made, held_out.target)
    ]
    found: dict[str, float] = {}
    for name, region in held_out.find_regions().items():
        means = [
            [lab[mask].mean(0) for lab, mask in zip(pictures, region, strict=True) if mask.any()]
            for pictures in labs
        ]
        found[name] = float(delta_e(np.stack(means[0]), np.stack(means[1])).mean())
    face = torch.from_numpy(held_out.classes > 0)[:, None].float()
    found["detail"] = float(metrics.high_pass_agreement(made, held_out.target, face).mean())
    away = metrics.masked_mean((made - held_out.source).abs(), 1 - face)
    found["elsewhere"] = float(away.mean()) * 127.5
    seen = [_extract_features(parser, x, held_out.classes) for x in (made, held_out.target)]
    found["frechet"] = metrics.frechet_distance(*seen)
    if identity is not None:
        found["identity"] = identity(made)
    return {name: round(value, 4) for name, value in found.items()}


def _extract_features(parser: FaceParser, pictures: Tensor, classes: np.ndarray) -> Tensor:
    """Mean features of the parser's first level, (B, 32)."""
    pixels = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    oval = torch.from_numpy((classes != 0).astype(np.uint8) * 255)
    larger = [x.repeat_interleave(2, 1).repeat_interleave(2, 2) for x in (pixels, oval)]
    shown = network_input(*larger)
    features = parser.stem(shown)
    for level in parser.down[:1]:
        features = level(features)
    return features.mean((2, 3))
