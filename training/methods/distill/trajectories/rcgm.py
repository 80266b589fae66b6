"""RCGM and TwinFlow (arXiv 2512.05150): a network of jumps, and its own critic at negative time.

F(x_t, t, r) is the average velocity from t to r: x_r = x_t - (t - r) F. RCGM makes it agree with
itself over a small step and two jumps of its running average; TwinFlow adds, in the same network,

    adv       F(x', -t') learns the velocity of noised fakes x' (the flow of what it paints)
    rectify   F(z, 1, 0) is moved along F(x', t') - F(x', -t'), real less fake: VSD without a critic
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import torch
from torch import Tensor

from models.diffusion.few_step import Denoiser, Network
from models.seeding import noise_like
from training.loop import Method, sample_indices, select_networks
from training.losses import flow, trajectory

if TYPE_CHECKING:
    from typing_extensions import Unpack


class JumpOptions(TypedDict, total=False):
    """Those of `RCGM`."""

    delta: float
    jumps: int
    average: float


class RCGM(Method):
    """Average velocities from the recursive consistency of short and long jumps.

    Args:
        student: takes the extra condition `r`.
        target: becomes its running average.
        teacher: gives v; None takes noise - x_0 of the data.
        delta: of the small step.
        jumps: N, of the average on the way from t - delta to r.
        average: share of the old target kept at each step.
    """

    def __init__(
        self,
        student: Network,
        target: Network,
        teacher: Denoiser | None = None,
        delta: float = 0.01,
        jumps: int = 2,
        average: float = 0.99,
    ) -> None:
        self.student, self.target, self.teacher = student, target, teacher
        self.delta, self.jumps = delta, jumps
        self.networks = select_networks(student=student, target=target, teacher=teacher)
        self.phases = {"student": ("student",)}
        self.follows = {"target": ("student", average)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the loss of jumps."""
        return {"jumps": self.jump_loss(batch, generator)}

    def jump_loss(self, batch: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        """A third of the batch jumps from noise to the end, a third a little, a third anywhere."""
        x0, cond = batch["x0"], batch.get("cond")
        count = len(x0)
        kind = sample_indices(batch).to(x0.device) % 3
        u, share = torch.rand((2, count), generator=generator).to(x0)
        t = torch.where(kind == 0, torch.ones_like(u), self.delta + (1 - self.delta) * u)
        r = torch.where(kind == 0, torch.zeros_like(t), share * t)
        r = torch.where(kind == 1, t * (1 - 0.05 * share), r)
        noise = noise_like(x0, generator)
        x_t = flow.add_noise(x0, noise, t)
        with torch.no_grad():
            goal = self._compute_target(x_t, t, r, noise - x0, cond)
        weight = torch.tan((1 - (t - r)) * torch.pi / 2.5) + 1
        seen = self.student.velocity(x_t, t, cond, r=r)
        error = (seen - goal).square().flatten(1).mean(1)
        return (weight * error / (error.detach() + 1e-3).sqrt()).mean()

    def _compute_target(
        self, x_t: Tensor, t: Tensor, r: Tensor, straight: Tensor, cond: Tensor | None
    ) -> Tensor:
        v = straight if self.teacher is None else self.teacher.velocity(x_t, t, cond)
        delta = torch.full_like(t, self.delta)
        x, now, jump = x_t - self.delta * v, t - delta, torch.zeros_like(x_t)
        for left in range(self.jumps, 0, -1):
            following = now + (r - now) / left
            average = self.target.velocity(x, now, cond, r=following)
            way = flow.per_sample(now - following, x) * average
            x, now, jump = x - way, following, jump + way
        frozen = self.student.velocity(x_t, t, cond, r=r)
        return trajectory.rcgm_target(frozen, v, jump, t, r, delta)


class TwinFlow(RCGM):
    """RCGM with the twin flow at negative time.

    Args:
        student: takes the extra condition `r`, and negative t.
        target: becomes its running average.
        teacher: as in `RCGM`.
        adversarial: weight of the twin's loss.
        rectify: weight of the pull towards real.
        options: of `RCGM`.
    """

    def __init__(
        self,
        student: Network,
        target: Network,
        teacher: Denoiser | None = None,
        adversarial: float = 1.0,
        rectify: float = 0.5,
        **options: Unpack[JumpOptions],
    ) -> None:
        super().__init__(student, target, teacher, **options)
        self.adversarial, self.rectify = adversarial, rectify

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of jumps, of the twin, and of the rectification."""
        losses = {"jumps": self.jump_loss(batch, generator)}
        x0, cond = batch["x0"], batch.get("cond")
        z, again = torch.randn((2, *x0.shape), generator=generator).to(x0)
        one, zero = torch.ones(len(x0), device=x0.device), torch.zeros(len(x0), device=x0.device)
        straight = self.student.velocity(z, one, cond, r=zero)
        fake = (z - straight).detach()
        t = (0.02 + 0.96 * torch.rand(len(x0), generator=generator)).to(x0)
        x_t = flow.add_noise(fake, again, t)
        twin = self.student.velocity(x_t, -t, cond, r=-t)
        with torch.no_grad():
            real = self.student.velocity(x_t, t, cond, r=t)
        return losses | {
            "twin": self.adversarial * (twin - (again - fake)).square().mean(),
            "rectify": self.rectify * trajectory.rectify(straight, real, twin.detach()),
        }
