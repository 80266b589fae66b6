"""Instant makeup's drawn looks, each painted by a net of its own with under 100,000 weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from models import regions
from models.errors import LookError
from models.instant.makeup import Makeup
from models.lazy import locked_cache
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, smoothstep
from models.ops.warp import sample
from models.small.tiny_beauty import SIDE, TinyBeauty
from models.structures import Face
from pipelines.analysis import load_network
from pipelines.makeup.flux_crop import Square, make_layer
from pipelines.makeup.look import Look
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.output import MakeupLayers
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline, select_faces
from pipelines.registry import WEIGHTS
from pipelines.steps import to_float_pixels, to_tensor

TINY_LOOKS = ("classic-red",)
"""Drawn looks that have a net."""


class TinyBeautyPipeline(InstantMakeupPipeline):
    """Put a drawn look on faces by its net; used as `InstantMakeupPipeline` is.

    Mesh, parser and look say where makeup may lie, so that all else stays bit-equal; what lies
    there comes from the net, which sees the crop alone.
    """

    def wear(
        self, found: Sequence[Face], look: Look, *, faces: Sequence[int] | None = None
    ) -> MakeupLayers:
        """Put a look on faces already found; see `InstantMakeupPipeline.wear`.

        Raises:
            LookError: no net wears this look.
            NoFaceError: an index that no face has.
        """
        net = load_net(find_net_name(look))
        by_face = {}
        for index, face in select_faces(found, faces).items():
            square = Square.around(face)
            before = square.cut(face.image, SIDE)
            with torch.inference_mode():
                after = net(to_tensor([before]))
            layer = make_layer(face, square, before, to_float_pixels(after)[0])
            reach = find_painted_area(look.makeup, face)
            weights = {
                region: weight if region == regions.BROWS else weight * reach
                for region, weight in layer.weights.items()
            }
            by_face[index] = replace(layer, weights=weights)
        image = Image.fromarray(found[0].image)
        return MakeupLayers(image, tuple(found), by_face, dict.fromkeys(by_face, look))


def find_painted_area(makeup: Makeup, face: Face) -> np.ndarray:
    """Where a look paints a face, (h, w) float32 in 0..1 over its box, soft at the edges.

    A net this small is unsure of edges on faces unlike those it has seen; the drawn look is not.
    """
    strength = smoothstep(0, 2, np.linalg.norm(makeup.deviation, axis=2))
    painted = blur(np.maximum(makeup.opacity, strength), 0.006 * makeup.size)
    uv, _ = canonical_face().texture_positions(face.points_xyz, face.box_xyxy)
    return sample(painted, uv * makeup.size - 0.5)


def find_net_name(look: Look) -> str:
    """The name of a look that has a net.

    Raises:
        LookError: it has none; `needed` lists those that do.
    """
    for name in TINY_LOOKS:
        if look.makeup is find_look(name).makeup:
            return name
    raise LookError(f"no net wears {look.name!r}", found=look.name, needed=TINY_LOOKS)


@locked_cache
def load_net(name: str) -> TinyBeauty:
    """The net of a look in `TINY_LOOKS`, loaded once."""
    return load_network(TinyBeauty, WEIGHTS / "tiny-beauty" / name)
