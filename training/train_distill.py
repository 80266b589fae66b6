"""Distil FLUX-Makeup into a student of one or a few steps: one command, a dozen ways.

    python -m training.train_distill tiny                                  # seconds, made-up pairs
    python -m training.train_distill nano --method dmd2 --steps 4 --model TEACHER --cache CACHE

TEACHER is a folder that `FluxMakeupPipeline.from_pretrained` reads, CACHE what it was trained on.
Student, teacher and critic are whole networks here; `training.distill_memory` reckons what that
costs with FLUX itself. Stop the run, give the same command, and it goes on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models import seeding, tiny
from models.errors import TrainingError
from models.mcvton.discriminator import TokenHeads
from models.ops.few_step import FewStepSampler, Noise
from models.ops.flux_denoiser import hearing
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.flux_latents import FluxLatents
from training.loop import Method, Trainer
from training.methods.distill.consistency import Consistency
from training.methods.distill.dmd import DMD, DMD2
from training.methods.distill.ladd import LADD
from training.methods.distill.rcgm import RCGM, TwinFlow
from training.methods.distill.scm import SanaSprint
from training.methods.distill.score import Players
from training.methods.distill.sid import SiD
from training.train_reflora import toy_cache

Name = Literal["cd", "rcgm", "twinflow", "sana-sprint", "dmd", "dmd2", "sid", "ladd", "add"]


@dataclass(frozen=True)
class DistillConfig(RunConfig):
    """A run of one method."""

    method: Name = "dmd2"
    # Steps of the student. Trajectory methods serve any number; these are what is saved for it.
    steps: int = 4
    # Tell the critic of several steps' pictures which step made them.
    step_conditioned: bool = True
    # Steps of the critic for one of the student.
    critic_steps: int = 2
    # The teacher's folder and its cache; a toy if left out.
    model: Path | None = None
    cache: Path | None = None


PRESETS: dict[str, tuple[str, DistillConfig]] = {
    "nano": (
        "The nano FLUX's.",
        DistillConfig(
            name="nano-student",
            optim=OptimConfig(lr=1e-4, betas=(0.5, 0.999), warmup=5, schedule="constant", clip=1.0),
            loop=LoopConfig(steps=35, batch=8, save_every=35, ema=0.9, log_every=5, keep=1),
        ),
    ),
}
PRESETS["tiny"] = (
    "Three steps of a toy on made-up pairs.",
    replace(
        PRESETS["nano"][1],
        name="tiny-student",
        loop=LoopConfig(steps=3, batch=2, save_every=3, log_every=1, ema=0.5),
    ),
)


class Edits:
    """Cached pairs as methods of distillation want them: `x0` and `cond`."""

    def __init__(self, latents: FluxLatents) -> None:
        self.latents = latents

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `x0` (B, N, C) and `cond` (B, 2 N, C), source and reference."""
        found = self.latents.batch(indices, generator)
        return {
            "x0": found["target"],
            "cond": torch.cat([found["source"], found["reference"]], dim=1),
        }


@dataclass(frozen=True)
class Cast:
    """Copies of one teacher.

    Attributes:
        teacher: as it was trained.
        blocks: what discriminators listen to.
    """

    teacher: MakeupDenoiser
    blocks: tuple[int, ...]

    def copy(self) -> MakeupDenoiser:
        """A network that begins as the teacher and hears more than the time."""
        own = self.teacher
        return MakeupDenoiser(
            hearing(own.transformer),
            copy.deepcopy(own.injector),
            own.prompt,
            own.pooled,
            own.size_rc,
            self.blocks,
        )

    def head(self) -> TokenHeads:
        """A discriminator's, which begins without an opinion."""
        heads = TokenHeads(self.teacher.transformer.inner_dim, self.blocks, hidden=64)
        seeding.initialise(heads, seeding.generator_for(0, "heads"))
        for head in heads.heads:
            nn.init.zeros_(head.get_submodule("3").get_parameter("weight"))
        return heads

    def players(self, sampler: FewStepSampler) -> Players:
        """For methods that compare scores."""
        return Players(self.copy(), self.teacher, self.copy(), sampler)


Build = Callable[[Cast, FewStepSampler, DistillConfig], Method]


def _score(config: DistillConfig) -> dict[str, Any]:
    # The teacher was never shown a batch without condition, so the critic is not either.
    return {"drop": 0.0, "step_conditioned": config.step_conditioned}


METHODS: dict[Name, Build] = {
    "cd": lambda c, s, o: Consistency(c.copy(), c.copy(), c.teacher, grid=25),
    "rcgm": lambda c, s, o: RCGM(c.copy(), c.copy(), c.teacher, average=0.95),
    "twinflow": lambda c, s, o: TwinFlow(c.copy(), c.copy(), c.teacher, average=0.95),
    "sana-sprint": lambda c, s, o: SanaSprint(
        c.copy(), c.teacher, c.head(), c.teacher, sigma_data=1.0, warm_up=o.loop.steps
    ),
    "dmd": lambda c, s, o: DMD(c.players(s), every=o.critic_steps, **_score(o)),
    "dmd2": lambda c, s, o: DMD2(
        c.players(s), c.head(), (1e-2, 1e-2), every=o.critic_steps, **_score(o)
    ),
    "sid": lambda c, s, o: SiD(c.players(s), **_score(o)),
    "ladd": lambda c, s, o: LADD(c.copy(), c.teacher, c.head(), s),
    "add": lambda c, s, o: LADD(c.copy(), c.teacher, c.head(), s, distill=1.0),
}
NOISE: dict[str, Noise] = {"rcgm": "jump", "twinflow": "jump"}


def load_teacher(folder: Path, cache: Path, blocks: tuple[int, ...] = ()) -> MakeupDenoiser:
    """Read a teacher or student.

    Args:
        folder: with `transformer` and `injector`.
        cache: whose prompt it is told.
        blocks: that discriminators listen to.

    Raises:
        TrainingError: a folder is missing.
    """
    latents = FluxLatents(cache, tiny.scheduler().config)
    try:
        transformer = FluxTransformer2DModel.from_pretrained(folder / "transformer")
        injector = RefLoRAInjector.from_pretrained(folder / "injector")
    except OSError as error:
        raise TrainingError(f"{folder} holds no teacher: {error}") from error
    return _denoiser(transformer.float(), injector.float(), latents, blocks)


def toy_teacher(cache: Path, seed: int) -> MakeupDenoiser:
    """A toy, and the cache it is told of."""
    toy_cache(cache, 32, seed)
    transformer = tiny.flux_transformer(seed)
    latents = FluxLatents(cache, tiny.scheduler().config)
    return _denoiser(transformer, tiny.reflora_injector(transformer, seed), latents, (0, 1))


def _denoiser(
    transformer: FluxTransformer2DModel,
    injector: RefLoRAInjector,
    latents: FluxLatents,
    blocks: tuple[int, ...],
) -> MakeupDenoiser:
    size_rc = (latents.rows, latents.columns)
    made = MakeupDenoiser(
        transformer, injector, latents.prompt[None], latents.pooled[None], size_rc, blocks
    )
    return cast(MakeupDenoiser, made.eval().requires_grad_(False))


def build(config: DistillConfig) -> Trainer:
    """Return the trainer of one run.

    Raises:
        TrainingError: one of model and cache is given without the other, or cannot be read.
    """
    if (config.model is None) != (config.cache is None):
        raise TrainingError("give both --model and --cache, or neither for a toy")
    cache = config.cache or config.folder / "cache"
    if config.model is None:
        teacher = toy_teacher(cache, config.loop.seed)
    else:
        teacher = load_teacher(config.model, cache, blocks=(1, 3))
    sampler = FewStepSampler.even(config.steps, NOISE.get(config.method, "fresh"))
    method = METHODS[config.method](Cast(teacher, teacher.blocks), sampler, config)
    method.notes = sampler.notes
    return Trainer(config, method, Edits(FluxLatents(cache, tiny.scheduler().config)))


if __name__ == "__main__":
    build(from_command_line(PRESETS, __doc__ or "")).run()
