r"""Find an E2GAN adapter's layers and ranks, and judge it on people nobody was trained on.

    python -m training.evaluation.e2gan PAIRS --search SEARCH --held HELD --base BASE \
        --runs RUNS -o tests/benchmarks/results/e2gan.json --sheet SHEET.png

PAIRS, SEARCH and HELD hold a folder of `mirra pairs` for each look, of different people: what is
trained on, what layers and ranks are chosen by, and what the table is of. BASE is the generator's
folder in a run of `training.train_e2gan base`. Stop it, give the same command, and it goes on. The
sheet shows people: keep it out of the repository.

Figures are CIEDE2000 to the teacher's picture, pixel by pixel, mean within a region and over the
faces; `painted` is where the teacher changes the colour by more than 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor

from models import devices
from models.analysis.face_classes import LEFT_EYE, LOWER_LIP, RIGHT_EYE, UPPER_LIP
from models.ops.color import delta_e, rgb_to_lab
from models.small.e2gan import LAYERS, E2Gan, LookAdapter, single_look
from pipelines.files import write_json
from training.data.makeup.flux_pairs import MakeupPairs
from training.evaluation.held_out_pairs import HeldOutPairs
from training.evaluation.rank_search import Ranks, ablate_by_freezing, search_ranks
from training.train_e2gan import PRESETS, E2GanConfig, build

PAINTED = 2.0
"""CIEDE2000 from which on a pixel counts as painted by the teacher."""
LARGEST = 0.02
"""Share of the base's weights an adapter may have."""
ABLATED = 2
"""Rank of the adapters of the freezing ablation."""
CRUCIAL = 3
"""How many groups of layers are crucial."""

PaintLook = Callable[[Tensor], Tensor]


def find_regions(held_out: HeldOutPairs) -> dict[str, np.ndarray]:
    """Where lips, eyes and cheeks are, (N, S, S) bool.

    Cheeks are the skin between the eyes' lower and the mouth's upper edge, beside the mouth.
    """
    found = held_out.find_regions()
    cheeks = found.pop("skin")
    for face, classes in zip(cheeks, held_out.classes, strict=True):
        eyes = np.argwhere(np.isin(classes, (LEFT_EYE, RIGHT_EYE)))
        lips = np.argwhere(np.isin(classes, (UPPER_LIP, LOWER_LIP)))
        if not len(eyes) or not len(lips):
            face[:] = False
            continue
        face[: eyes[:, 0].max() + 1] = False
        face[lips[:, 0].min() :] = False
        face[:, lips[:, 1].min() : lips[:, 1].max() + 1] = False
    return found | {"cheeks": cheeks}


def judge(held_out: HeldOutPairs, painted: Tensor) -> dict[str, float]:
    """The figures of pictures (N, 3, S, S) in [-1, 1]; see the file's head."""
    made, target, source = (
        rgb_to_lab(((x.movedim(1, -1).numpy() + 1) / 2).clip(0, 1))
        for x in (painted, held_out.target, held_out.source)
    )
    error = delta_e(made, target)
    areas = find_regions(held_out) | {"painted": delta_e(source, target) > PAINTED}
    return {
        name: round(
            float(np.mean([e[m].mean() for e, m in zip(error, area, strict=True) if m.any()])), 4
        )
        for name, area in areas.items()
    }


@dataclass(frozen=True)
class Trials:
    """Trainings on the new look, each in a run of its own.

    Attributes:
        config: of all of them.
        base: what they start from.
        held_out: what layers and ranks are chosen by.
    """

    config: E2GanConfig
    base: E2Gan
    held_out: HeldOutPairs

    def train(
        self, name: str, *, ranks: Ranks, steps: int, images: int = 0
    ) -> tuple[PaintLook, Path]:
        """Train an adapter of these ranks; or all of the base, at a tenth of its rate, if none."""
        loop = replace(self.config.loop, steps=steps, save_every=steps, keep=1)
        optim = (
            self.config.optim if ranks else replace(self.config.optim, lr=self.config.optim.lr / 10)
        )
        config = replace(
            self.config, name=name, ranks=dict(ranks), images=images, loop=loop, optim=optim
        )
        build(config).run()
        weights = config.folder / "checkpoints" / f"{steps:06d}" / "weights"
        if ranks:
            folder = weights / "adapter"
            adapter = LookAdapter.from_pretrained(folder, low_cpu_mem_usage=False)
            return single_look(self.base, adapter), folder
        folder = weights / "generator"
        whole = E2Gan.from_pretrained(folder, low_cpu_mem_usage=False)
        return single_look(whole.eval(), 0), folder

    def make_error_measure(self, steps: int) -> Callable[[Ranks], float]:
        """A function that trains an adapter for some steps and returns its `painted` error."""

        def error(ranks: Ranks) -> float:
            slug = "-".join(f"{layer}_{rank}" for layer, rank in ranks.items())
            painter, _ = self.train(f"trial-{slug}", ranks=ranks, steps=steps)
            return judge(self.held_out, paint(painter, self.held_out))["painted"]

        return error

    def count_weights(self, ranks: Ranks) -> int:
        """How many weights an adapter of these ranks has."""
        return _count_weights(LookAdapter.for_base(self.base, ranks))


COLUMNS = ("lips", "eyes", "cheeks", "painted")


def format_table(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as `training/README.md` shows them."""
    lines = [f"| way | weights | {' | '.join(COLUMNS)} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    for row in rows:
        weights = f"{row['weights']:,} ({row['share']:.1%})" if "weights" in row else ""
        figures = " | ".join(f"{row[name]:.2f}" for name in COLUMNS)
        lines.append(f"| {row['way']} | {weights} | {figures} |")
    return "\n".join(lines) + "\n"


@torch.inference_mode()
def paint(painter: PaintLook, held_out: HeldOutPairs) -> Tensor:
    """The faces painted, (N, 3, S, S) in [-1, 1]."""
    return torch.cat([painter(part) for part in held_out.source.split(16)])


def read_seconds(run: Path) -> float:
    """How long a run took up to its last logged step."""
    return json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])["s"]


def _count_weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def main(
    pairs: Annotated[Path, tyro.conf.Positional],
    search: Path,
    held: Path,
    base: Path,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    runs: Path = Path("runs"),
    look: str = "classic-red",
    known: tuple[str, ...] = PRESETS["base"][1].looks,
    trial_steps: int = 30,
    steps: int = 150,
    images: tuple[int, ...] = (24,),
    threads: int = 1,
    sheet: Path | None = None,
) -> None:
    """Search, train and judge.

    Args:
        pairs: to train on.
        search: to choose layers and ranks by.
        held: to judge by.
        base: a trained generator's folder.
        output: the JSON.
        runs: where trainings are kept.
        look: the new one.
        known: the base's looks, in the order it learned them.
        trial_steps: of each training of the search.
        steps: of each training that is judged.
        images: how many pairs data reduction keeps, for each of several trainings.
        threads: of torch.
        sheet: pictures side by side.
    """
    devices.use_threads(threads)
    preset = PRESETS["look"][1]
    config = replace(
        preset,
        output=runs,
        pairs=pairs,
        looks=(look,),
        base=base,
        loop=replace(preset.loop, threads=threads),
    )
    net = E2Gan.from_pretrained(base, low_cpu_mem_usage=False).eval()

    def load_held_out(folder: Path) -> HeldOutPairs:
        shown = MakeupPairs(folder, config.side)
        return HeldOutPairs.of(shown, len(shown))

    trials = Trials(config, net, load_held_out(search / look))
    ablation = ablate_by_freezing(LAYERS, ABLATED, trials.make_error_measure(trial_steps))
    crucial = tuple(ablation)[:CRUCIAL]
    allowed = LARGEST * _count_weights(net)
    ranks, curve = search_ranks(
        crucial,
        trials.make_error_measure(trial_steps),
        lambda r: trials.count_weights(r) <= allowed,
    )

    held_out = load_held_out(held / look)
    embedding = dict.fromkeys(crucial, 0)
    ways: list[tuple[str, Ranks, int]] = [
        ("the embedding alone", embedding, 0),
        ("LoRA, crucial layers", ranks, 0),
        *((f"LoRA, crucial layers, {n} pairs", ranks, n) for n in images),
        ("LoRA, all layers", dict.fromkeys(LAYERS, max(ranks.values())), 0),
        ("all weights", {}, 0),
    ]
    mean = single_look(net, LookAdapter.for_base(net, embedding))
    pictures = {"bare face": held_out.source, "base, mean of its looks": paint(mean, held_out)}
    rows: list[Mapping[str, object]] = [
        {"way": w} | judge(held_out, x) for w, x in pictures.items()
    ]
    for way, layers, number in ways:
        name = way.replace(", ", "-").replace(" ", "-").lower()
        painter, folder = trials.train(name, ranks=layers, steps=steps, images=number)
        pictures[way] = paint(painter, held_out)
        trained = trials.count_weights(layers) if layers else _count_weights(net)
        rows.append(
            {
                "way": way,
                "ranks": layers,
                "weights": trained,
                "share": round(trained / _count_weights(net), 4),
            }
            | {"bytes": (folder / "diffusion_pytorch_model.safetensors").stat().st_size}
            | {"seconds": read_seconds(runs / name)}
            | judge(held_out, pictures[way])
        )
    found = {
        "command": "python -m training.evaluation.e2gan "
        "PAIRS --search S --held H --base B --runs R",
        "torch": torch.__version__,
        "threads": threads,
        "side": config.side,
        "faces": {"held": len(held_out.source), "search": len(trials.held_out.source)},
        "look": look,
        "pairs": {name: len(MakeupPairs(pairs / name)) for name in (*known, look)},
        "base": {
            "weights": _count_weights(net),
            "steps": int(base.parents[1].name),
            "seconds": read_seconds(base.parents[3]),
            "looks": _judge_known_looks(net, held, known, load_held_out),
        },
        "ablation": {"rank": ABLATED, "steps": trial_steps, "rise": ablation, "crucial": crucial},
        "curve": [
            {"ranks": tried, "weights": trials.count_weights(tried), "painted": error}
            for tried, error in curve
        ],
        "steps": steps,
        "rows": rows,
    }
    print(format_table(rows))  # noqa: T201
    write_json(found, output)
    if sheet is not None:
        some = slice(0, None, max(1, len(held_out.source) // 8))
        shown = [*pictures.values(), held_out.target]
        grid = torch.cat([torch.cat(list(x[some][:8]), 2) for x in shown], 1)
        pixels = ((grid.clamp(-1, 1) + 1) * 127.5).byte().movedim(0, -1).numpy()
        Image.fromarray(pixels).save(sheet)


def _judge_known_looks(
    net: E2Gan, held: Path, looks: tuple[str, ...], load_held_out: Callable[[Path], HeldOutPairs]
) -> dict[str, dict[str, dict[str, float]]]:
    """How the base wears the looks it was trained on, beside bare faces."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number, look in enumerate(looks):
        held_out = load_held_out(held / look)
        made = judge(held_out, paint(single_look(net, number), held_out))
        found[look] = {"bare": judge(held_out, held_out.source), "base": made}
    return found


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
