"""DM-VTON's four stages: a teacher that sees no garment, a student that sees no parse."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from models.analysis.human_parsing import HumanParser, Part
from models.dmvton.flow import Warp, sample
from models.dmvton.student import LightStudent, PublishedStudent
from models.dmvton.teacher import MobileTeacher
from models.tryon.agnostic import is_part
from training.loop import Method
from training.losses.perceptual import perceptual
from training.losses.tryon import tryon_losses
from training.losses.tryon_distill import adjustable_distillation, compute_gates
from training.losses.warp import warp_losses

Scope = Literal["warp", "e2e"]
Model = MobileTeacher | LightStudent | PublishedStudent


def channels_last(x: Tensor) -> Tensor:
    """Return the tensor in the layout CPU convolutions are fastest in."""
    return x.contiguous(memory_format=torch.channels_last)


class _DMVTONMethod(Method):
    """What both share: the targets, and the losses of a warp and a picture."""

    def __init__(self, parser: HumanParser, scope: Scope) -> None:
        self.parser, self.scope = parser, scope

    def losses(
        self, model: Model, seen: Tensor, batch: dict[str, Tensor]
    ) -> tuple[Warp, dict[str, Tensor]]:
        """Run `model` on what it sees and on the garment that is worn.

        Returns:
            The warp, and the losses against the photograph.
        """
        person, parts = batch["person"], batch["parts"]
        garment, mask = batch["garment"], batch["garment_mask"]
        upper_mask = is_part(parts, Part.UPPER)
        known = 1 - is_part(parts, Part.HAIR, Part.HANDS, Part.OTHER)
        upper = person * upper_mask
        seen = channels_last(seen)
        warp = model.warp(seen, channels_last(garment))
        terms = warp_losses(warp, garment, mask, upper, upper_mask, known)
        if self.scope == "warp":
            # Half size: seams and prints are to be in place, threads need not be.
            moved = F.avg_pool2d(sample(garment, warp.flow) * upper_mask, 2)
            look = perceptual(self.parser, moved, F.avg_pool2d(upper, 2))
            return warp, terms | {"warp_look": 0.3 * look}
        if isinstance(model, MobileTeacher):
            result = model.paint(seen, garment, mask, warp.flow, batch["plate"])
        else:
            result = model.paint(seen, garment, mask, warp.flow)
        share = {name: 0.5 * term for name, term in terms.items()}
        body = is_part(parts, Part.UPPER, Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK)
        painted = tryon_losses(result, person, upper_mask, self.parser, body=body)
        if isinstance(model, MobileTeacher):
            hole, wall = seen[:, 3:4], is_part(parts, Part.BACKGROUND)
            painted["wall"] = 2.0 * ((result.person_share - wall).abs() * hole).mean()
        return warp, share | painted


class DMVTONTeacher(_DMVTONMethod):
    """Stages 1 and 2: dress the agnostic person in the garment the photograph shows.

    Args:
        teacher: trained.
        parser: frozen; measures perceptual distance.
        scope: "warp" trains the flow alone, "e2e" flow and generator.
    """

    def __init__(self, teacher: MobileTeacher, parser: HumanParser, scope: Scope) -> None:
        super().__init__(parser, scope)
        self.teacher = teacher
        self.networks = {"teacher": teacher, "parser": parser}
        self.phases = {"teacher": ("teacher",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of one batch."""
        return self.losses(self.teacher, batch["condition"], batch)[1]


class DMVTONStudent(_DMVTONMethod):
    """Stages 3 and 4: undo what the teacher dressed the person in, and learn to dress by it.

    The student sees the person in another garment and the flat garment of the photograph, and must
    give back the photograph. The paper shows only the teacher's persons. A share of flat fills adds
    real arms and necks; a share of untouched photographs teaches to leave alone what fits.

    Args:
        student: trained.
        teacher: frozen.
        parser: frozen; measures perceptual distance.
        scope: "warp" or "e2e".
        fills: share of samples whose garment is painted flat into the region.
        untouched: share of samples that already wear the garment.
    """

    def __init__(
        self,
        student: LightStudent | PublishedStudent,
        teacher: MobileTeacher,
        parser: HumanParser,
        scope: Scope,
        fills: float = 0.2,
        untouched: float = 0.06,
    ) -> None:
        super().__init__(parser, scope)
        self.student, self.teacher = student, teacher
        self.fills, self.untouched = fills, untouched
        self.networks = {"student": student, "teacher": teacher, "parser": parser}
        self.phases = {"student": ("student",)}

    @torch.no_grad()
    def seen_person(self, batch: dict[str, Tensor]) -> Tensor:
        """Return what the student is shown, (B, 3, H, W) in [-1, 1]."""
        dressed, _ = self.teacher(
            channels_last(batch["condition"]),
            channels_last(batch["other_garment"]),
            batch["other_mask"],
            batch["plate"],
        )
        draw = batch["draw"][:, None, None, None]
        seen = torch.where(draw < self.fills, batch["fill"], dressed.image)
        return torch.where(draw > 1 - self.untouched, batch["person"], seen)

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of one batch."""
        seen = self.seen_person(batch)
        warp, terms = self.losses(self.student, seen, batch)
        with torch.no_grad():
            guide = self.teacher.warp(
                channels_last(batch["condition"]), channels_last(batch["garment"])
            )
        if [x.shape for x in guide.levels] != [x.shape for x in warp.levels]:
            return terms  # the published student has other levels
        upper = batch["person"] * is_part(batch["parts"], Part.UPPER)
        gates = compute_gates(guide, warp, batch["garment"], upper)
        scale = 1.0 if self.scope == "warp" else 0.25
        distilled = adjustable_distillation(guide, warp, gates)
        watched = {"gates_open": gates.mean()}
        return terms | {k: scale * v for k, v in distilled.items()} | watched
