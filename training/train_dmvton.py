"""Train DM-VTON, stage by stage; each begins from the folder the stage before it left.

python -m training.train_dmvton tiny                                   # seconds, synthetic data
python -m training.train_dmvton pb_e2e --data DATA/viton --cache CACHE --parser W/parser
python -m training.train_dmvton pf_e2e --data DATA/viton --cache CACHE --parser W/parser \
    --teacher W/teacher
Stop a command and run it again to go on. W is a checkpoint's `weights` folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from safetensors.torch import load_file
from torch import nn

from models import seeding
from models.analysis.human_parsing import HumanParser
from models.dmvton.student import LightStudent, PublishedStudent
from models.dmvton.teacher import MobileTeacher
from models.errors import TrainingError
from training.checkpoints import load_matching
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.tryon.batches import SyntheticTryOn, TryOnData
from training.loop import Trainer
from training.methods.dmvton import DMVTONStudent, DMVTONTeacher

Stage = Literal["pb_warp", "pb_e2e", "pf_warp", "pf_e2e"]
TINY = {
    "channels": 8,
    "widths": (8, 8, 8, 8),
    "depths": (1, 1, 1, 1),
    "expand": 2,
    "head": 8,
    "flow_size_hw": (64, 64),
    "generator_widths": (8, 8, 8, 8),
    "generator_depths": (1, 1, 1, 1),
}


@dataclass(frozen=True)
class TryOnConfig(RunConfig):
    """Training of the teacher (pb, parser-based) or the student (pf, parser-free)."""

    stage: Stage = "pb_warp"
    # Folder of VITON's tars; synthetic data if left out. Arrays are kept in `cache`.
    data: Path | None = None
    cache: Path = Path("cache")
    size_hw: tuple[int, int] = (128, 96)
    # Folders under a checkpoint's `weights`. `start` is of the network that is trained.
    parser: Path | None = None
    teacher: Path | None = None
    start: Path | None = None
    # The published student instead of ours, to compare with.
    published: bool = False
    fills: float = 0.2
    untouched: float = 0.06
    # Share of persons put into a rare pose (VTP-DS).
    reposed: float = 0.0
    toy: bool = False


def _make_preset(stage: Stage, steps: int, line: str, lr: float = 6e-4) -> tuple[str, TryOnConfig]:
    return line, TryOnConfig(
        name=f"dmvton-{stage}",
        stage=stage,
        optim=OptimConfig(lr=lr, betas=(0.5, 0.999)),
        loop=LoopConfig(steps=steps, batch=16, save_every=100),
    )


def _shrink(config: TryOnConfig) -> TryOnConfig:
    loop = LoopConfig(steps=3, batch=2, save_every=3, log_every=1)
    return replace(config, name=f"{config.name}-tiny", toy=True, size_hw=(64, 64), loop=loop)


STAGES: dict[str, tuple[str, TryOnConfig]] = {
    "pb_warp": _make_preset("pb_warp", 1000, "Stage 1: the teacher's flow."),
    "pb_e2e": _make_preset("pb_e2e", 3000, "Stage 2: the teacher's flow and generator."),
    "pf_warp": _make_preset("pf_warp", 1000, "Stage 3: the student's flow, distilled."),
    "pf_e2e": _make_preset("pf_e2e", 3000, "Stage 4: the student's flow and generator, distilled."),
}
PRESETS: dict[str, tuple[str, TryOnConfig]] = {
    "tiny": ("Three steps of stage 4 on synthetic data.", _shrink(STAGES["pf_e2e"][1])),
    **STAGES,
    **{
        f"{name}_tiny": (f"{line} Tiny.", _shrink(config))
        for name, (line, config) in STAGES.items()
    },
}


LoadedNetwork = TypeVar("LoadedNetwork", bound=nn.Module)


def _load_weights(network: LoadedNetwork, folder: Path | None) -> LoadedNetwork:
    if folder is not None:
        load_matching(network, load_file(folder / "diffusion_pytorch_model.safetensors"))
    return network


def build(config: TryOnConfig) -> Trainer:
    """Return the trainer of one stage.

    Raises:
        TrainingError: a student is to be trained on real data without a teacher.
    """
    if config.data is not None and config.stage.startswith("pf") and config.teacher is None:
        raise TrainingError(f"{config.stage} needs --teacher: the weights that pb_e2e left")
    sizes = TINY if config.toy else {}
    generator = seeding.generator_for(config.loop.seed, "networks")
    parser = (
        HumanParser(widths=TINY["widths"], depths=TINY["depths"]) if config.toy else HumanParser()
    )
    teacher = MobileTeacher(**sizes)
    seeding.initialise(parser, generator)
    seeding.initialise(teacher, generator)
    _load_weights(parser, config.parser)
    scope = "warp" if config.stage.endswith("warp") else "e2e"
    if config.stage.startswith("pb"):
        # The parser's encoder has seen persons and garments: the try-on's begin as its copies.
        for pyramid in (teacher.garment_encoder, teacher.person_encoder):
            load_matching(pyramid.encoder, parser.encoder.state_dict())
        method = DMVTONTeacher(_load_weights(teacher, config.start), parser, scope)
    else:
        _load_weights(teacher, config.teacher)
        student = PublishedStudent() if config.published else LightStudent(**sizes)
        seeding.initialise(student, generator)
        if not config.published:
            load_matching(student, teacher.state_dict())
            # The condition's stem has other channels; a picture's stem is the parser's.
            stem = student.get_submodule("person_encoder.encoder.stem")
            load_matching(stem, parser.encoder.stem.state_dict())
        _load_weights(student, config.start)
        method = DMVTONStudent(student, teacher, parser, scope, config.fills, config.untouched)
    data = (
        SyntheticTryOn(config.size_hw)
        if config.data is None
        else TryOnData(config.data, config.cache, config.size_hw, reposed=config.reposed)
    )
    return Trainer(config, method, data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
