r"""Judge teacher and students of the nano FLUX on pairs they have not seen.

    python -m training.evaluation.nano PAIRS --model TEACHER --cache CACHE --runs RUNS \
        -o tests/benchmarks/results/distillation_nano.json --sheet SHEET.png

PAIRS is a folder of pairs kept apart; RUNS holds runs of `training.train_distill`. The sheet shows
people: keep it out of the repository.

The figures are explained in `training/evaluation/held_out_pairs.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from PIL import Image
from torch import Tensor

from models import devices, nano, seeding
from models.analysis.face_parsing import FaceParser
from models.diffusion.few_step import Denoiser, FewStepSampler, HybridDenoiser, euler_sample
from models.diffusion.flux_tokens import unpack
from models.diffusion.vae import decode
from models.reflora.denoiser import MakeupDenoiser
from pipelines.files import write_json
from training.data.makeup.flux_pairs import MakeupPairs
from training.data.makeup.latents import make_encoder
from training.evaluation.held_out_pairs import HeldOutPairs, Identity, judge
from training.train_distill import load_teacher

SampleLatents = Callable[[Tensor, Tensor], Tensor]
"""(noise, condition) -> packed latents."""

TRAJECTORIES = ("cd", "rcgm", "twinflow", "sana-sprint")
"""Methods whose students serve any number of steps."""


@dataclass(frozen=True)
class Student:
    """What a finished run left.

    Attributes:
        denoiser: the student.
        sampler: it was trained with.
        cost: steps, batch and seconds of its training.
        serves_all: whether any number of steps may be taken.
    """

    denoiser: MakeupDenoiser
    sampler: FewStepSampler
    cost: dict[str, float]
    serves_all: bool


def load_students(runs: Path, cache: Path) -> dict[str, Student]:
    """Students of finished runs of `training.train_distill`, by their runs' names."""
    found: dict[str, Student] = {}
    for config in sorted(runs.glob("*/config.json")):
        settings = json.loads(config.read_text(encoding="utf-8"))
        loop = settings["loop"]
        weights = config.parent / "checkpoints" / f"{loop['steps']:06d}" / "weights"
        if "method" in settings and (weights / "student").exists():
            log = (config.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
            seconds = json.loads(log[-1])["s"]
            found[config.parent.name] = Student(
                load_teacher(weights / "student", cache),
                FewStepSampler.from_file(weights / "sampler.json"),
                {"iterations": loop["steps"], "batch": loop["batch"], "seconds": seconds},
                settings["method"] in TRAJECTORIES,
            )
    return found


def make_sampler(
    denoiser: Denoiser, sampler: FewStepSampler, upto: int | None = None
) -> SampleLatents:
    """The picture a student shows after step `upto`, its last if None."""
    last = len(sampler.times) - 1 if upto is None else upto

    def sample(noise: Tensor, cond: Tensor) -> Tensor:
        x_t = sampler.simulate(denoiser, noise, last, cond, seeding.generator_for(0, "fresh"))
        return sampler.guess(denoiser, x_t, last, cond)

    return sample


def list_samplers(
    teacher: MakeupDenoiser, runs: Path, cache: Path
) -> Iterator[tuple[str, int, SampleLatents, dict[str, float]]]:
    """Name, steps, sampler and cost of every row that is sampled."""
    for steps in (25, 8, 4, 2, 1):
        yield "teacher, Euler", steps, lambda z, c, n=steps: euler_sample(teacher, z, n, c), {}
    for name, student in load_students(runs, cache).items():
        sampler, steps = student.sampler, len(student.sampler.times)
        for other in sorted({1, 2, 4, 8, steps} if student.serves_all else {steps}):
            chosen = sampler if other == steps else FewStepSampler.even(other, sampler.noise)
            yield name, other, make_sampler(student.denoiser, chosen), student.cost
        if steps > 1 and not student.serves_all:
            aside = {"aside": 1.0}
            for upto in range(steps - 1):
                shown = make_sampler(student.denoiser, sampler, upto)
                yield f"{name}, step {upto + 1} of {steps}", upto + 1, shown, aside
            handed = HybridDenoiser(teacher, student.denoiser)
            yield f"{name}, first step by the teacher", steps, make_sampler(handed, sampler), aside


COLUMNS = ("lips", "eyes", "skin", "detail", "elsewhere", "frechet", "identity", "milliseconds")


def format_table(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as `training/README.md` shows them; those aside are in the file only."""
    lines = [f"| way | steps | {' | '.join(COLUMNS)} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    for row in (row for row in rows if "aside" not in row):
        digits = {"frechet": 3, "milliseconds": 0}
        figures = [f"{row[x]:.{digits.get(x, 2)}f}" if x in row else "" for x in COLUMNS]
        lines.append(f"| {row['name']} | {row['steps'] or ''} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


@torch.no_grad()
def main(
    pairs: Annotated[Path, tyro.conf.Positional],
    model: Path,
    cache: Path,
    runs: Path,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    parser: Path = Path("assets/weights/face-parser"),
    embedder: Path | None = None,
    count: int = 64,
    sheet: Path | None = None,
    threads: int = 1,
) -> None:
    """Write the table.

    Args:
        pairs: kept apart.
        model: the teacher, with its autoencoder.
        cache: whose prompt the networks are given.
        runs: of students.
        output: the JSON.
        parser: whose features are compared.
        embedder: ONNX file of a face recogniser, such as mobilefacenet, or None.
        count: how many pairs.
        sheet: pictures side by side; people, not for the repository.
        threads: of torch.
    """
    devices.use_threads(threads)
    held_out = HeldOutPairs.of(MakeupPairs(pairs, nano.SIZE), count)
    vae = nano.PatchAutoencoder.from_pretrained(model / "vae").float().eval()
    judge_by = FaceParser.from_pretrained(parser).float().eval()
    identity = Identity(embedder, held_out.source) if embedder else None
    encode = make_encoder(vae)
    cond = torch.cat([encode(held_out.source), encode(held_out.reference)], dim=1)
    side = nano.SIZE // (2 * nano.PATCH)
    generator = seeding.generator_for(0, "exam noise")
    noise = torch.randn((len(cond), side**2, 4 * nano.LATENT_CHANNELS), generator=generator)

    def decode_latents(latents: Tensor) -> Tensor:
        return decode(vae, unpack(latents, side, side))

    teacher = load_teacher(model, cache)
    pictures = {
        "the source as it is": held_out.source,
        "truth, autoencoded": decode_latents(encode(held_out.target)),
    }
    rows = [
        {"name": name, "steps": 0} | judge(held_out, x, judge_by, identity)
        for name, x in pictures.items()
    ]
    for name, steps, sample, cost in list_samplers(teacher, runs, cache):
        pieces = [sample(*piece) for piece in zip(noise.split(16), cond.split(16), strict=True)]
        pictures[f"{name} {steps}"] = made = decode_latents(torch.cat(pieces))
        row = {"name": name, "steps": steps} | judge(held_out, made, judge_by, identity)
        spent = _measure_milliseconds(lambda s=sample: s(noise[:1], cond[:1]))
        rows.append(row | {"milliseconds": spent} | cost)
    found = {
        "command": "python -m training.evaluation.nano PAIRS --model TEACHER --cache CACHE "
        f"--runs RUNS{' --embedder EMBEDDER' if embedder else ''} -o OUT --count {count}",
        "torch": torch.__version__,
        "threads": threads,
        "pairs": len(cond),
        "rows": rows,
    }
    print(format_table(rows))  # noqa: T201
    write_json(found, output)
    if sheet is not None:
        shown = {"": held_out.source, " ": held_out.reference, "truth": held_out.target} | pictures
        some = slice(0, None, max(1, len(cond) // 10))
        grid = torch.cat([torch.cat(list(x[some][:10]), 2) for x in shown.values()], 1)
        pixels = ((grid.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(sheet)


def _measure_milliseconds(work: Callable[[], object], repeats: int = 7) -> float:
    """Median processor time of one picture, in this process."""
    times: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(1000 * (time.process_time() - began))
    return round(sorted(times)[repeats // 2], 1)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
