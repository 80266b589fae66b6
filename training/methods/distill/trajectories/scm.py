"""sCM (arXiv 2410.11081) and SANA-Sprint (2503.09641): consistency in continuous time.

A flow network is given TrigFlow's times by the lossless map, F = dx/dt / sigma_data, and learns

    L = | F - F^- - g / (|g| + c) |^2 / (sigma_d tan t)

with the tangent g of `losses.trajectory`, whose JVP runs in float32 on a network that takes time
unscaled. SANA-Sprint adds LADD's discriminator on the frozen teacher's features at weight 0.5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import torch
from torch import Tensor, nn
from torch.func import jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.diffusion.few_step import Denoiser, Network, predict_x0
from models.diffusion.noise_schedules import RF, convert, map_state, trig
from models.seeding import noise_like
from training.loop import Method, select_networks
from training.losses import adversarial, flow, trajectory
from training.methods.distill.adversarial.ladd import compute_logits, discriminate
from training.methods.distill.guidance import NONE, Guidance, predict_guided_x0
from training.methods.time_samplers import log_normal_angle

if TYPE_CHECKING:
    from typing_extensions import Unpack


def trig_velocity(
    denoiser: Denoiser,
    x_t: Tensor,
    angle: Tensor,
    sigma_data: float,
    cond: Tensor | None = None,
    **extra: Tensor,
) -> Tensor:
    """Return dx/dt of TrigFlow, sigma_data F, from a rectified-flow network, (B, ...).

    `map_state` written out in float32, so that it can be differentiated. With
    c = cos t + sigma_d sin t the network sees x_rf = x_t / c at time sigma_d sin t / c.
    """
    cosine, sine = angle.cos(), sigma_data * angle.sin()
    scale = cosine + sine
    v = denoiser.velocity(x_t / flow.per_sample(scale, x_t), sine / scale, cond, **extra)
    # dx/dt = scale' x_rf + scale s' v, because x_t = scale x_rf and dx_rf/ds = v
    rate = sigma_data * angle.cos() - angle.sin()
    time_rate = sigma_data / scale.square()
    return flow.per_sample(rate / scale, x_t) * x_t + flow.per_sample(scale * time_rate, x_t) * v


class AngleOptions(TypedDict, total=False):
    """Those of `SCM`."""

    sigma_data: float
    guidance: Guidance
    warm_up: int
    time_mean: float
    time_std: float


class SCM(Method):
    """Continuous-time consistency distillation.

    Args:
        student: a copy of the teacher.
        teacher: frozen.
        sigma_data: standard deviation of the data.
        guidance: of the teacher; `embedded(4, 5)` in SANA-Sprint.
        warm_up: steps over which the tangent's second half grows in.
        time_mean: of log tan t; SANA-Sprint's code has 0.2.
        time_std: 1.6.
    """

    def __init__(
        self,
        student: Network,
        teacher: Denoiser,
        sigma_data: float = 0.5,
        guidance: Guidance = NONE,
        warm_up: int = 1000,
        time_mean: float = 0.2,
        time_std: float = 1.6,
    ) -> None:
        self.student, self.teacher, self.sigma_data = student, teacher, sigma_data
        self.guidance, self.warm_up = guidance, warm_up
        self.angles = log_normal_angle(time_mean, time_std, sigma_data)
        self.networks = select_networks(student=student, teacher=teacher)
        self.phases = {"student": ("student",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the consistency loss."""
        x0, cond, sigma = batch["x0"], batch.get("cond"), self.sigma_data
        angle = self.angles(len(x0), generator).to(x0)
        noise = noise_like(x0, generator)
        cosine, sine = flow.per_sample(angle.cos(), x0), flow.per_sample(angle.sin(), x0)
        x_t = cosine * x0 + sine * sigma * noise
        scale, _ = self.guidance.draw(generator)
        extra = self.guidance.condition_student(scale, angle)

        def student_f(x: Tensor, a: Tensor) -> Tensor:
            return trig_velocity(self.student, x, a, sigma, cond, **extra) / sigma

        with torch.no_grad():
            x_rf, s = map_state(x_t, angle, trig(sigma), RF)
            picture = predict_guided_x0(self.teacher, x_rf, s, cond, scale)
            teacher_f = convert(picture, x_t, angle, "x0", "velocity", trig(sigma)) / sigma
            along = cosine * sine * sigma * teacher_f, angle.cos() * angle.sin()
            with sdpa_kernel(SDPBackend.MATH):  # the fast kernels have no forward derivative
                frozen, rate = jvp(student_f, (x_t, angle), along)[:2]
            warm = min(1.0, self.now / max(1, self.warm_up))
            tangent = trajectory.scm_tangent(x_t, angle, frozen, teacher_f, rate, sigma, warm)
            goal = frozen + trajectory.normalise_tangent(tangent)
        error = (student_f(x_t, angle) - goal).square().flatten(1).sum(1)
        return {"scm": (error / (sigma * angle.tan())).mean()}


class SanaSprint(SCM):
    """sCM and LADD: half of the discriminator's looks are at pictures made from pure noise.

    Args:
        student: a copy of the teacher.
        teacher: frozen.
        head: of the discriminator.
        feature_network: frozen network with `features` for the head; the teacher in the paper.
        adversarial: weight; 0.5 was best.
        max_time: share of batches whose pictures come from the last time, pi/2.
        options: of `SCM`.
    """

    def __init__(
        self,
        student: Network,
        teacher: Denoiser,
        head: nn.Module,
        feature_network: Network,
        adversarial: float = 0.5,
        max_time: float = 0.5,
        **options: Unpack[AngleOptions],
    ) -> None:
        super().__init__(student, teacher, **options)
        self.head, self.weight, self.max_time = head, adversarial, max_time
        self.feature_network = feature_network
        # "listener" is its name in checkpoints
        self.networks = {**self.networks, **select_networks(head=head, listener=feature_network)}
        self.phases = {"head": ("head",), "student": ("student",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of student or head."""
        with torch.set_grad_enabled(phase == "student"):
            pictures = self._generate(batch, generator)
        cond = batch.get("cond")
        if phase == "head":
            return discriminate(
                self.feature_network, self.head, batch["x0"], pictures, cond, generator
            )
        losses = super().step(batch, generator, phase)
        logits = compute_logits(self.feature_network, self.head, pictures, cond, generator)
        return losses | {"adversarial": self.weight * adversarial.generator_loss(logits, "hinge")}

    def _generate(self, batch: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        x0 = batch["x0"]
        angle = self.angles(len(x0), generator).to(x0)
        if float(torch.rand((), generator=generator)) < self.max_time:
            angle = torch.full_like(angle, math.pi / 2)
        noise = noise_like(x0, generator)
        _, s = map_state(x0, angle, trig(self.sigma_data), RF)
        extra = self.guidance.condition_student(self.guidance.draw(generator)[0], s)
        return predict_x0(self.student, flow.add_noise(x0, noise, s), s, batch.get("cond"), **extra)
