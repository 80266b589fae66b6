"""ADD (arXiv 2311.17042) and LADD (2403.12015): a discriminator on the frozen teacher's features.

    L_G = -D(x_g) + lambda c(t) | x_g - teacher(x_g noised to t) |^2,   hinge loss for D

ADD uses both terms, LADD the first alone. The student starts from real pictures noised to one of
its few times (at the first of them, noise); MC-VTON's eight steps are trained so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.diffusion.few_step import FewStepSampler, Network, predict_x0
from models.seeding import noise_like
from training.loop import Method, select_networks
from training.losses import adversarial, flow
from training.methods.time_samplers import TimeSampler, logit_normal

NOISE_TIMES: TimeSampler = logit_normal(-0.6, 1.0)
"""SANA-Sprint's times of noise for the discriminator."""


def compute_logits(
    feature_network: Network,
    head: nn.Module,
    pictures: Tensor,
    cond: Tensor | None,
    generator: torch.Generator,
) -> Tensor:
    """Return logits of pictures, noised anew, from a network's features."""
    t = NOISE_TIMES(len(pictures), generator).to(pictures)
    noise = noise_like(pictures, generator)
    return head(feature_network.features(flow.add_noise(pictures, noise, t), t, cond))


def discriminate(
    feature_network: Network,
    head: nn.Module,
    real: Tensor,
    fake: Tensor,
    cond: Tensor | None,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Return the head's hinge loss; features are computed without gradient where frozen."""
    real_logits = compute_logits(feature_network, head, real, cond, generator)
    fake_logits = compute_logits(feature_network, head, fake.detach(), cond, generator)
    return {"discriminate": adversarial.discriminator_loss(real_logits, fake_logits, "hinge")}


class LADD(Method):
    """A few-step student whose only judge is the teacher's own eye; with `distill` it is ADD.

    Args:
        student: a copy of the teacher.
        teacher: frozen; has `features`.
        head: on these.
        sampler: of the student.
        distill: weight of ADD's second term.
    """

    def __init__(
        self,
        student: Network,
        teacher: Network,
        head: nn.Module,
        sampler: FewStepSampler,
        distill: float = 0.0,
    ) -> None:
        self.student, self.teacher, self.head = student, teacher, head
        self.sampler, self.distill = sampler, distill
        self.notes = sampler.notes
        self.networks = select_networks(student=student, teacher=teacher, head=head)
        self.phases = {"head": ("head",), "student": ("student",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of student or head."""
        x0, cond = batch["x0"], batch.get("cond")
        number = int(torch.randint(len(self.sampler.times), (), generator=generator))
        t = torch.full((len(x0),), self.sampler.times[number], device=x0.device)
        noise = noise_like(x0, generator)
        with torch.set_grad_enabled(phase == "student"):
            x_t = flow.add_noise(x0, noise, t)
            pictures = self.sampler.guess(self.student, x_t, number, cond)
        if phase == "head":
            return discriminate(self.teacher, self.head, x0, pictures, cond, generator)
        logits = compute_logits(self.teacher, self.head, pictures, cond, generator)
        losses = {"adversarial": adversarial.generator_loss(logits, "hinge")}
        if self.distill:
            again = NOISE_TIMES(len(x0), generator).to(x0)
            fresh = noise_like(x0, generator)
            with torch.no_grad():
                x_again = flow.add_noise(pictures, fresh, again)
                taught = predict_x0(self.teacher, x_again, again, cond)
            losses["distill"] = self.distill * flow.score_distillation(pictures, taught, again)
        return losses
