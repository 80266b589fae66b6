"""Synthetic people in synthetic clothes: enough of a try-on to see whether a network learns one."""

from __future__ import annotations

import torch
from torch import Tensor

from models import seeding
from models.analysis.human_parsing import Part
from models.tryon.agnostic import L_HIP, L_SHOULDER, NECK, R_HIP, R_SHOULDER, condition_of


class SyntheticWardrobe:
    """Box people in striped tops: skin, room, stripes, place and sleeves differ.

    Args:
        size_hw: height and width.
        count: number of people; each wears a top of their own.
    """

    def __init__(self, size_hw: tuple[int, int] = (32, 24), count: int = 512) -> None:
        self.size_hw, self.count = size_hw, count

    def __len__(self) -> int:
        return self.count

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return people and their garments; a sample depends on its number alone.

        Returns:
            `person`, `garment` (B, 3, H, W) in [-1, 1], 0 off the garment; `parts` (B, H, W);
            `condition` as `condition_of` makes it.
        """
        people = [self._sample(int(i)) for i in indices]
        person, garment, parts, pose = (torch.stack(x) for x in zip(*people, strict=True))
        condition = condition_of(person, parts, pose)
        return {"person": person, "garment": garment, "parts": parts, "condition": condition}

    def _sample(self, number: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        height, width = self.size_hw
        draw = torch.rand(16, generator=seeding.generator_for(0, "wardrobe", number))
        room, skin = draw[:3] * 0.8, draw[3:6] * 0.5 - 0.1
        top, stripe = draw[6:9] * 2 - 1, draw[9:12] * 2 - 1
        y = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width)
        x = ((torch.arange(width) + 0.5) / width)[None].expand(height, width)
        across = x - (0.44 + 0.12 * draw[12])
        body, bands = 0.2 + 0.06 * draw[13], int(2 + 2 * draw[14])

        def striped(along: Tensor) -> Tensor:
            odd = (along * bands * 2).floor() % 2 == 1
            return torch.where(odd, stripe[:, None, None], top[:, None, None])

        torso = (y > 0.4) & (y < 0.85) & (across.abs() < body)
        arms = (y > 0.4) & (y < 0.8) & (across.abs() >= body) & (across.abs() < body + 0.1)
        sleeves = arms & (y < 0.5 + 0.25 * draw[15])
        face = (y > 0.1) & (y < 0.34) & (across.abs() < 0.13)
        neck = (y >= 0.34) & (y <= 0.4) & (across.abs() < 0.06)
        parts = torch.full((height, width), int(Part.BACKGROUND))
        for label, where in (
            (Part.FACE, face),
            (Part.NECK, neck),
            (Part.RIGHT_ARM, arms & (across < 0)),
            (Part.LEFT_ARM, arms & (across > 0)),
            (Part.UPPER, torso | sleeves),
        ):
            parts[where] = int(label)
        person = room[:, None, None].expand(-1, height, width)
        person = torch.where(face | neck | arms, skin[:, None, None], person)
        person = torch.where(torso | sleeves, striped((y - 0.4) / 0.45), person)
        flat = (y > 0.15) & (y < 0.85) & ((x - 0.5).abs() < 0.36)
        garment = torch.where(flat, striped((y - 0.15) / 0.7), torch.zeros(()))
        pose = torch.zeros(18, 3)
        for point, (right, down) in {
            NECK: (0.0, 0.4),
            R_SHOULDER: (-body, 0.42),
            L_SHOULDER: (body, 0.42),
            R_HIP: (-0.7 * body, 0.83),
            L_HIP: (0.7 * body, 0.83),
        }.items():
            pose[point] = torch.tensor([0.44 + 0.12 * float(draw[12]) + float(right), down, 1.0])
        return person, garment, parts, pose
