"""The light a face is photographed in, read off its own skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models import regions
from models.instant.face_texture import FaceTexture
from models.ops.landmarks import canonical_face
from models.ops.masks import canonical_regions
from models.structures import Face

_GRID = 64  # texels a side of the fit: light is smooth
_RIDGE = np.diag([0, 1, 1, 1, 10, 10, 10, 10, 10]) * 2e-3  # flat light where skin does not tell
_PAINT = 0.15  # relative residual from which a texel counts as paint, hair or a highlight
_LAMP = np.array([0, -0.10, 0.35])  # lamps are above and in front, unless the skin says otherwise


@dataclass(frozen=True)
class FaceLight:
    """Grey light as second-order spherical harmonics of the surface normal.

    Skin and shade of a photograph cannot be told apart in absolute terms. So light is relative:
    1 is what the face's plain skin receives on average, and a colour under light 1 shows as its
    own sRGB value, as on a picture that is exposed and white-balanced for the face.

    Attributes:
        coefficients: (9,) float, in the order of `harmonics`.
        direction: (3,) unit vector to where most light comes from; x right, y down, z towards
            the camera.
        directed: 0..1, the share of light that has a direction.
        skin: linear luminance of plain skin under light 1.
    """

    coefficients: np.ndarray
    direction: np.ndarray
    directed: float
    skin: float

    def at(self, normals: np.ndarray) -> np.ndarray:
        """Diffuse light on surfaces: (..., 3) unit normals to (...) float32, 0.05 or more."""
        light = harmonics(normals) @ np.float32(self.coefficients)
        return np.maximum(light, np.float32(0.05))


def estimate_light(face: Face, texture: FaceTexture) -> FaceLight:
    """Fit the light to the face's bare skin: luminance against the normals of its mesh.

    Diffuse shading is a quadratic function of the normal to within one percent (Ramamoorthi and
    Hanrahan, "An efficient representation for irradiance environment maps", 2001, eq. 8).
    """
    mesh = canonical_face()
    normals = mesh.interpolate(mesh.normals(face.points_xyz), _GRID).reshape(-1, 3)
    lightness = cv2.resize(texture.lab[..., 0], (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    luminance = (((lightness + 16) / 116) ** 3).ravel()
    seen = cv2.resize(texture.seen, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    masks = canonical_regions(_GRID)
    skin = (masks[regions.SKIN] + masks[regions.CHEEKS]) * (1 - masks[regions.BROWS])
    trust = (seen**2 * skin).ravel() + 1e-6
    trust /= trust.sum()
    level = float(trust @ luminance)
    luminance /= level
    basis = harmonics(normals)
    fit, robust = np.zeros(9), np.ones_like(trust)
    for _ in range(5):
        weights = (trust * robust / (trust @ robust))[:, None]
        fit = np.linalg.solve(
            basis.T @ (basis * weights) + _RIDGE, basis.T @ (weights[:, 0] * luminance)
        )
        robust = 1 / (1 + ((luminance - basis @ fit) / _PAINT) ** 2)
    brightness = float(trust @ (basis @ fit))  # next to 1: what is left out as paint or glare
    fit /= brightness
    slope = fit[1:4] + _LAMP
    slope[2] = max(slope[2], 0.3 * np.linalg.norm(slope))  # not behind the skin that we see shine
    directed = float(np.clip(np.linalg.norm(fit[1:4]) / max(fit[0], 0.1), 0.4, 0.9))
    return FaceLight(fit, slope / np.linalg.norm(slope), directed, level * brightness)


def harmonics(normals: np.ndarray) -> np.ndarray:
    """The nine polynomials of spherical harmonics up to order two, unscaled: (..., 9) float32."""
    x, y, z = np.moveaxis(np.asarray(normals, np.float32), -1, 0)
    terms = [np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.stack(terms, -1)
