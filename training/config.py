"""The settings of a run: frozen dataclasses, presets in a dict, tyro as the command line."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from models.errors import TrainingError


@dataclass(frozen=True)
class OptimConfig:
    """Adam and its learning rate over time."""

    lr: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    # Steps of linear warm-up; then constant, or a cosine down to `final` times lr.
    warmup: int = 100
    schedule: Literal["constant", "cosine"] = "cosine"
    final: float = 0.02
    # Gradients of each phase are scaled down to this norm.
    clip: float = 5.0


@dataclass(frozen=True)
class LoopConfig:
    """How long, how often, how fast."""

    steps: int = 1000
    batch: int = 16
    seed: int = 0
    # A checkpoint every so many steps, and one at the end; only the newest `keep` remain.
    save_every: int = 200
    keep: int = 2
    log_every: int = 10
    # Decay of the averaged weights, which are the ones saved to be used; 0 switches them off.
    ema: float = 0.999
    # A run ends with an error after so many steps in a row whose loss is not a finite number.
    bad_steps: int = 10
    threads: int = 2


@dataclass(frozen=True)
class RunConfig:
    """One training run; each script adds its own fields in a subclass.

    The folder `output/name` holds all a run leaves behind. `name` defaults to the preset's.
    """

    name: str = "run"
    output: Path = Path("runs")
    optim: OptimConfig = field(default_factory=OptimConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)

    @property
    def folder(self) -> Path:
        """Where this run writes."""
        return self.output / self.name


# Fields that may differ when a run goes on: they do not change what a step computes.
FREE_TO_CHANGE = {"output", "loop.save_every", "loop.keep", "loop.log_every"}

Config = TypeVar("Config", bound=RunConfig)


def from_command_line(
    presets: Mapping[str, tuple[str, Config]],
    description: str,
    arguments: Sequence[str] | None = None,
) -> Config:
    """Return the configuration of a command such as `train_x tiny --optim.lr 1e-5`.

    Args:
        presets: preset name -> one line about it, and its configuration.
        description: shown by --help.
        arguments: the words after the script's name; `sys.argv` if None.
    """
    import tyro

    words = list(sys.argv[1:] if arguments is None else arguments)
    return tyro.extras.overridable_config_cli(
        {name: (line, config) for name, (line, config) in presets.items()},
        description=description,
        args=words,
    )


def as_json(config: RunConfig) -> str:
    """Return the configuration as readable JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2, default=str, sort_keys=True) + "\n"


def _flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flatten(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def write_or_check(config: RunConfig) -> None:
    """Write the resolved configuration before step 1, or check it against the one that is there.

    Raises:
        TrainingError: the folder holds a run with other settings; the message names them.
    """
    path = config.folder / "config.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_json(config), encoding="utf-8")
        return
    before = _flatten(json.loads(path.read_text(encoding="utf-8")))
    now = _flatten(json.loads(as_json(config)))
    changed = {
        key: (before.get(key), now.get(key))
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and key not in FREE_TO_CHANGE
    }
    if changed:
        words = ", ".join(f"{key} was {old} and is {new}" for key, (old, new) in changed.items())
        raise TrainingError(
            f"{config.folder} holds a run with other settings ({words}); "
            "choose another --name, or give the settings it began with",
            found={key: new for key, (_, new) in changed.items()},
            needed={key: old for key, (old, _) in changed.items()},
        )
