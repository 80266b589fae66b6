"""Distil FLUX-Makeup into a student of one or a few steps: one command, a dozen ways.

    python -m training.train_distill tiny                             # seconds, synthetic pairs
    python -m training.train_distill nano --method dmd2 --steps 4 --model TEACHER --cache CACHE
    accelerate launch -m training.train_distill card80 --model TEACHER --cache CACHE
    python -m training.train_distill ppcl --model TEACHER --cache CACHE    # fewer blocks (PPCL)

TEACHER is a folder that `FluxMakeupPipeline.from_pretrained` reads, CACHE what it was trained on.
With `tiny` and `nano` student, teacher and critic are whole networks. With the others they are
low-rank changes of one frozen FLUX, and only the changes are saved (`pipelines.flux.load_student`
reads them); `training.memory.distill` reckons what a preset needs. `ppcl` makes no student of few
steps but a FLUX of fewer blocks, and leaves it as a TEACHER. Stop the run, give the same command,
and it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.diffusion.lora import recompute_activations
from models.errors import TrainingError
from training.config import LoopConfig, OptimConfig, from_command_line
from training.flux.distill_networks import (
    DistillNetworks,
    Frozen,
    LowRankNetworks,
    MethodConfig,
    build_method,
)
from training.flux.distill_teacher import (
    EditPairs,
    load_flux_teacher,
    load_pairs,
    load_teacher,
    make_toy_teacher,
)
from training.flux.pruning import PruningConfig, build_pruning
from training.flux.trainer import PRECISIONS, FluxConfig, FluxTrainer
from training.flux.validation_sheet import StudentSheet
from training.loop import Trainer
from training.methods.reflora import SAMPLING_GUIDANCE


@dataclass(frozen=True)
class DistillConfig(MethodConfig):
    """A run of one method with whole networks."""

    # The teacher's folder and its cache; a toy if left out.
    model: Path | None = None
    cache: Path | None = None


@dataclass(frozen=True)
class LowRankConfig(MethodConfig, FluxConfig):
    """A run of one method with low-rank changes of one frozen FLUX."""

    rank: int = 64
    # Side of the pictures the cache holds, in pixels; memory is reckoned for it.
    size: int = 1024
    # Embedded guidance of the teacher, and of the student ever after.
    guidance: float = SAMPLING_GUIDANCE
    # Transformer blocks whose tokens the discriminator sees.
    listens_to: tuple[int, ...] = (4, 12, 24, 40)


_REAL = LowRankConfig(
    name="flux-student",
    critic_steps=5,
    shard=True,
    optim=OptimConfig(lr=5e-5, weight_decay=0.01, warmup=500, schedule="constant", clip=1.0),
    loop=LoopConfig(steps=10_000, batch=64, save_every=500, ema=0.99),
)
PRESETS: dict[str, tuple[str, DistillConfig | LowRankConfig | PruningConfig]] = {
    "nano": (
        "The nano FLUX's.",
        DistillConfig(
            name="nano-student",
            optim=OptimConfig(lr=1e-4, betas=(0.5, 0.999), warmup=10, clip=1.0),
            loop=LoopConfig(steps=150, batch=8, save_every=25, ema=0.95, log_every=5, keep=1),
        ),
    ),
    "tiny": (
        "Three steps of a toy on synthetic pairs.",
        DistillConfig(
            name="tiny-student",
            optim=OptimConfig(lr=1e-4, betas=(0.5, 0.999), warmup=5, schedule="constant", clip=1.0),
            loop=LoopConfig(steps=3, batch=2, save_every=3, log_every=1, ema=0.5),
        ),
    ),
    "card80": ("FLUX at 1024 pixels, spread over eight cards of 80 GB.", _REAL),
    "card24": (
        "FLUX at 512 pixels in 4 bits on a card of 24 GB, for methods without a critic.",
        replace(
            _REAL,
            name="flux-student-24",
            method="add",
            base="nf4",
            shard=False,
            size=512,
            loop=replace(_REAL.loop, batch=16),
        ),
    ),
    "tiny_low_rank": (
        "Three steps of changes of a toy.",
        LowRankConfig(
            name="tiny-low-rank-student",
            rank=2,
            size=32,
            base="fp32",
            precision="fp32",
            guidance=1.0,
            listens_to=(0, 1),
            validation=0,
            optim=OptimConfig(lr=1e-3, warmup=1, clip=1.0),
            loop=LoopConfig(steps=3, batch=2, save_every=3, log_every=1, ema=0.5, threads=1),
        ),
    ),
    "ppcl": (
        "FLUX with fewer blocks, on a card of 80 GB.",
        PruningConfig(
            name="flux-pruned",
            optimiser="adamw8bit",
            validation=0,
            optim=OptimConfig(lr=1e-5, weight_decay=0.01, warmup=500, clip=1.0),
            loop=LoopConfig(steps=20_000, batch=16, save_every=1000, ema=0.999),
        ),
    ),
    "tiny_ppcl": (
        "Three steps of one block for two of a toy's.",
        PruningConfig(
            name="tiny-pruned",
            intervals=((1, 2),),
            base="fp32",
            precision="fp32",
            guidance=1.0,
            validation=0,
            optim=OptimConfig(lr=1e-3, warmup=1, clip=1.0),
            loop=LoopConfig(steps=3, batch=2, save_every=3, log_every=1, ema=0.5, threads=1),
        ),
    ),
}


def build(config: DistillConfig | LowRankConfig | PruningConfig) -> Trainer:
    """Return the trainer of one run.

    Raises:
        TrainingError: one of model and cache is given without the other, or cannot be read; or
            the settings of a low-rank run or of pruning do not go together.
    """
    if (config.model is None) != (config.cache is None):
        raise TrainingError("give both --model and --cache, or neither for a toy")
    if isinstance(config, LowRankConfig):
        return _build_low_rank(config)
    if isinstance(config, PruningConfig):
        return build_pruning(config)
    cache = config.cache or config.folder / "cache"
    if config.model is None:
        teacher = make_toy_teacher(cache, config.loop.seed)
    else:
        teacher = load_teacher(config.model, cache, blocks=(1, 3))
    method, _ = build_method(config, DistillNetworks(teacher, teacher.blocks))
    return Trainer(config, method, EditPairs(load_pairs(cache)))


def _build_low_rank(config: LowRankConfig) -> FluxTrainer:
    _check(config)
    cache, blocks = config.cache or config.folder / "cache", config.listens_to
    if config.model is None:
        teacher = make_toy_teacher(cache, config.loop.seed, blocks)
    else:
        teacher = load_flux_teacher(config.model, config.base, cache, blocks)
    count = len(teacher.transformer.transformer_blocks)
    count += len(teacher.transformer.single_transformer_blocks)
    if max(blocks) >= count:
        raise TrainingError(
            f"--listens-to names block {max(blocks)}, and the teacher's last is {count - 1}",
            found=max(blocks),
            needed=count - 1,
        )
    teacher.guidance = config.guidance
    recompute_activations(teacher.transformer)
    frozen = Frozen(teacher, PRECISIONS[config.precision])
    networks = LowRankNetworks(frozen, blocks, hidden=256, rank=config.rank, seed=config.loop.seed)
    method, sampler = build_method(config, networks)
    draw = None
    if config.validation:
        draw = StudentSheet(teacher, method.networks["student"], sampler, config).paint
    trainer = FluxTrainer(config, method, EditPairs(load_pairs(cache)), draw=draw)
    trainer.place_transformer(teacher.transformer)
    teacher.to(trainer.device)  # the injector, and the conditions of the transformer
    return trainer


def _check(config: LowRankConfig) -> None:
    if config.rank < 1:
        raise TrainingError(
            "a change of rank 0 has nothing to learn; give --rank 1 or more",
            found=config.rank,
            needed=1,
        )
    low = config.precision != "fp32"
    if config.base != "fp32" and not low:
        raise TrainingError(f"a base in {config.base} computes in bf16; give --precision bf16")
    if config.method == "sana-sprint" and low:
        raise TrainingError(
            "sana-sprint differentiates forward, which needs float32; "
            "give --base fp32 --precision fp32"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
