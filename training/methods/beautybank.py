"""Learn makeup apart from faces, from looks worn by several people whose bare faces are known."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models import seeding
from models.beautybank.drawing import patch_weights
from models.beautybank.networks import SLOTS, BeautyBank
from models.beautybank.patches import PATCHES, REGIONS
from training.loop import Method

_ABSENT = 0.05
"""A region wears nothing when neither its opacity nor its tint (as `TINT_SPREAD`) goes beyond."""


class MakeupCodes(Method):
    """Cross-reconstruction on a grid of looks x faces.

    The code read from one wearer must draw the look on another (`render`), lines too (`edges`); it
    must be the same whoever wears it (`same`) and closer than any other look's (`nearest`, the
    InfoNCE loss with squared distance); a region that wears nothing has code 0 (`absent`), and half
    the structure draws half the strength, because the drawing is asked for at random strengths. The
    bare code
    must give the bare face (`bare`), not change with the makeup (`same_bare`) and differ between
    people (`spread`). What codes still differ by must not be the person's own (`person`), and in
    bare codes not the look's (`look`). A critic tries to see the bare face in the makeup code
    (`guess`), and the encoder to make its guess no nearer to the wearer than to others (`leak`).

    Args:
        network: its weights are drawn anew.
        seed: of the first weights.
        jitter: standard deviation of noise on the structure before it is drawn, as in the paper;
            colours get a third of it.
    """

    def __init__(self, network: BeautyBank, seed: int = 0, jitter: float = 0.1) -> None:
        seeding.initialise(network, seeding.generator_for(seed, "beautybank"))
        numbers = len(REGIONS) * network.structure + 3 * SLOTS
        critic = nn.Sequential(
            nn.Linear(numbers, 128), nn.LeakyReLU(0.1), nn.Linear(128, 2 * 3 * 16 * len(REGIONS))
        )
        seeding.initialise(critic, seeding.generator_for(seed, "critic"))
        self.networks = {"beautybank": network, "critic": critic}
        self.phases = {"beautybank": ("beautybank",), "critic": ("critic",)}
        self._read: Tensor | None = None
        self.jitter = jitter
        self.shares, self.paintable = patch_weights()

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the terms above, scalars, for a batch of `BareMakeup.grid`."""
        if phase == "critic":
            assert self._read is not None
            return {"guess": (self.networks["critic"](self._read) - _person(batch)).square().mean()}
        network = self.networks["beautybank"]
        assert isinstance(network, BeautyBank)
        see = {region: batch[f"see.{region}"] for region in REGIONS}
        structure, colors = network.encode(see)
        looks, faces = int(batch["look"].max()) + 1, int(batch["face"].max()) + 1
        whole = torch.cat([structure.flatten(1), colors.flatten(1)], 1)
        self._read = whole.detach()  # the critic learns from the same codes, after this phase
        return {
            **self._codes(whole, looks, faces),
            "absent": 0.1 * _absent(structure, colors, batch),
            "leak": self._leak(whole, batch, looks, faces),
            **self._render(network, structure, colors, batch, (looks, faces), generator),
            **self._bare(network, see, batch, looks, faces),
        }

    def _leak(self, whole: Tensor, batch: dict[str, Tensor], looks: int, faces: int) -> Tensor:
        """How much nearer to the wearer than to another the critic's guess is; 0 or more."""
        person = _person(batch)
        guess = self.networks["critic"](whole)
        others = person.view(looks, faces, -1).roll(1, 1).flatten(0, 1)
        better = (guess - others).square().mean() - (guess - person).square().mean()
        return F.relu(better) / (others - person).square().mean()

    def _render(
        self,
        network: BeautyBank,
        structure: Tensor,
        colors: Tensor,
        batch: dict[str, Tensor],
        grid: tuple[int, int],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Draw each code on the next face of the grid: never on the one it was read from."""
        looks, faces = grid
        turn = (torch.arange(looks * faces) + 1).view(looks, faces)
        turn[:, -1] -= faces
        swap = turn.flatten()
        strength = torch.rand(len(swap), 4, 1, generator=generator)
        full = torch.rand(len(swap), 1, 1, generator=generator) < 0.6
        strength = torch.where(full, torch.ones_like(strength), strength)
        structure = structure + self.jitter * torch.randn(structure.shape, generator=generator)
        colors = colors + self.jitter / 3 * torch.randn(colors.shape, generator=generator)
        layers = network.decode(structure * strength, colors, self.paintable)
        render, edges, layer = (structure.new_zeros(()) for _ in range(3))
        for number, region in enumerate(REGIONS):
            near = self.shares[region]
            share = near.repeat_interleave(3, 1)
            power = strength[:, number, :, None, None]
            change = batch[f"change.{region}"][swap] * power
            drawn = layers[region].change_on(batch[f"base.{region}"][swap])
            weight = share * (0.15 + (3 * change.abs()).clamp_max(1.5))
            render = render + (weight * (drawn - change).abs()).mean()
            edges = edges + _steepness(share * (drawn - change))
            alpha, tint = batch[f"alpha.{region}"] * power, batch[f"tint.{region}"] * power
            layer = layer + (near * (layers[region].alpha - alpha).abs()).mean()
            layer = layer + (share * (layers[region].tint - tint).abs()).mean()
        return {"render": 6 * render, "edges": 3 * edges, "layer": 0.6 * layer}

    def _codes(self, whole: Tensor, looks: int, faces: int) -> dict[str, Tensor]:
        apart = whole.view(looks, faces, -1)
        same = (apart - apart.mean(1, keepdim=True)).square().mean()
        distance = torch.cdist(whole, whole).square() / whole.shape[1]
        logits = -20 * distance - 1e4 * torch.eye(len(whole))
        look = torch.arange(looks).repeat_interleave(faces)
        alike = (look[:, None] == look[None]).float() - torch.eye(len(whole))
        nearest = -(alike * F.log_softmax(logits, 1)).sum(1) / alike.sum(1)
        return {
            "same": 3 * same,
            "nearest": 0.1 * nearest.mean(),
            "person": shared_effect(apart, torch.ones(looks, faces, 1)),
        }

    def _bare(
        self,
        network: BeautyBank,
        see: dict[str, Tensor],
        batch: dict[str, Tensor],
        looks: int,
        faces: int,
    ) -> dict[str, Tensor]:
        code = network.encode_bare(see)
        synthetic = batch["synthetic"].view(-1, 1, 1, 1)
        apart = code.view(looks, faces, -1)
        known = batch["synthetic"].view(looks, faces, 1)
        middle = (known * apart).sum(0, keepdim=True) / known.sum(0, keepdim=True).clamp_min(1)
        losses = {
            "same_bare": 0.2 * (known * (apart - middle).square()).mean(),
            "look": 0.3 * shared_effect(apart.transpose(0, 1), known.transpose(0, 1)),
            "spread": 0.3 * F.relu(1 - middle[0].std(0)).mean(),
            "bare": code.new_zeros(()),
        }
        drawn = network.decode_bare(code)
        for region in REGIONS:
            target = batch[f"bare.{region}"] - batch[f"skin.{region}"]
            share = self.shares[region].repeat_interleave(3, 1) * synthetic
            losses["bare"] += (share * (drawn[region] - target).abs()).mean()
        losses["bare"] = 2 * losses["bare"]
        return losses


def _steepness(maps: Tensor) -> Tensor:
    """Mean size of the steps between neighbouring texels: lines drawn blurred or beside."""
    across, down = maps.diff(dim=3), maps.diff(dim=2)
    return across.abs().mean() + down.abs().mean()


def _person(batch: dict[str, Tensor]) -> Tensor:
    """The bare face under neutral light, coarsely: (V, 384)."""
    coarse = [F.adaptive_avg_pool2d(batch[f"base.{region}"], 4) for region in REGIONS]
    return torch.cat([patch.flatten(1) for patch in coarse], 1)


def shared_effect(codes: Tensor, known: Tensor) -> Tensor:
    """How much of what differs within a row is the same in all rows.

    With looks as rows: how much of a code's differences between people is the people's own, in each
    number of the code. It is small when nothing of the person is in it.

    Args:
        codes: (rows, columns, D).
        known: (rows, columns, 1), 1 for codes that count.

    Returns:
        A scalar in 0..1; unrelated differences give 1 / rows.
    """
    count = known.sum(1, keepdim=True).clamp_min(1)
    rest = known * (codes - (known * codes).sum(1, keepdim=True) / count)
    effect = rest.sum(0) / known.sum(0).clamp_min(1)
    return (effect.square().mean(0) / (rest.square().mean((0, 1)) + 1e-4)).mean()


def _absent(structure: Tensor, colors: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Mean square of the codes of regions that wear nothing."""
    total = structure.new_zeros(())
    by_region = colors.split([PATCHES[region].slots for region in REGIONS], 1)
    for number, region in enumerate(REGIONS):
        strongest = batch[f"alpha.{region}"].flatten(1).amax(1)
        strongest = torch.maximum(strongest, batch[f"tint.{region}"].abs().flatten(1).amax(1))
        nothing = (strongest < _ABSENT).float()
        size = structure[:, number].square().mean(1) + by_region[number].square().mean((1, 2))
        total = total + (nothing * size).mean()
    return total
