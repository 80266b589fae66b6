r"""Judge teacher and students of the nano FLUX on pairs they have not seen.

    python -m training.evaluate_nano PAIRS --model TEACHER --cache CACHE --runs RUNS \
        -o tests/benchmarks/results/distillation_nano.json --sheet SHEET.png

PAIRS is a folder of pairs kept apart; RUNS holds runs of `training.train_distill`. The sheet shows
people: keep it out of the repository.

Colour error is CIEDE2000 between a region's mean colour and the true one; detail is the correlation
of fine detail in the face with the true result's; elsewhere is the mean change, in levels of 255,
where there is no face; Frechet is the distance to the true results in features of our face parser.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor

from models import nano, seeding
from models.analysis.face_classes import LEFT_EYE, LOWER_LIP, RIGHT_EYE, SKIN, UPPER_LIP
from models.analysis.face_parsing import FaceParser, network_input
from models.ops.color import delta_e, rgb_to_lab
from models.ops.few_step import FewStepSampler, Handover, follow_flow
from models.ops.flux_tokens import unpack
from models.reflora.denoiser import MakeupDenoiser
from training import metrics
from training.data.flux_latents import decode, encoder_of
from training.data.makeup_pairs import MILD, MakeupPairs, warp_reference
from training.train_distill import load_teacher

Sample = Callable[[Tensor, Tensor], Tensor]
"""(noise, condition) -> packed latents."""

SHADOW = 3
"""How far from the eye, in pixels of 64, eyeshadow is looked for."""


@dataclass(frozen=True)
class Exam:
    """Pairs kept apart.

    Attributes:
        source, target, reference: (B, 3, S, S) in [-1, 1]; the reference is another's
            face, or the target's own, warped, where there is none.
        classes: (B, S, S) uint8, of `models.analysis.face_classes`.
    """

    source: Tensor
    target: Tensor
    reference: Tensor
    classes: np.ndarray

    @classmethod
    def of(cls, pairs: MakeupPairs, count: int, seed: int = 0) -> Exam:
        """Up to `count` pairs of a folder, evenly taken, the same warps every time."""
        rows: list[tuple[np.ndarray, ...]] = []
        for index in np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int).tolist():
            pair = pairs.upright(index)
            generator = seeding.generator_for(seed, "exam", index)
            reference = pair.other
            if reference is None:
                reference = warp_reference(pair.reference, MILD, generator)
            rows.append((pair.source, pair.target, reference, pair.classes))
        *pictures, classes = (np.stack(kind) for kind in zip(*rows, strict=True))
        shown = [torch.from_numpy(x).movedim(-1, 1) / 127.5 - 1 for x in pictures]
        return cls(shown[0], shown[1], shown[2], classes)

    def regions(self) -> dict[str, np.ndarray]:
        """Where lips, eyeshadow and the skin that blush and powder lie on are, (B, S, S) bool."""
        eyes = np.isin(self.classes, (LEFT_EYE, RIGHT_EYE))
        square = np.ones((2 * SHADOW + 1, 2 * SHADOW + 1), np.uint8)
        around = np.stack([cv2.dilate(e.astype(np.uint8), square) for e in eyes]) > 0
        face = self.classes == SKIN
        return {
            "lips": np.isin(self.classes, (UPPER_LIP, LOWER_LIP)),
            "eyes": around & face,
            "skin": face & ~around,
        }


@torch.no_grad()
def judge(exam: Exam, made: Tensor, parser: FaceParser) -> dict[str, float]:
    """Return the figures of pictures (B, 3, S, S) in about [-1, 1]; the file's head names them."""
    made = made.clamp(-1, 1)
    labs = [
        rgb_to_lab(((x.permute(0, 2, 3, 1).numpy() + 1) / 2).reshape(-1, nano.SIZE, 3)).reshape(
            len(x), nano.SIZE, nano.SIZE, 3
        )
        for x in (made, exam.target)
    ]
    found: dict[str, float] = {}
    for name, region in exam.regions().items():
        means = [
            [lab[mask].mean(0) for lab, mask in zip(pictures, region, strict=True) if mask.any()]
            for pictures in labs
        ]
        found[name] = float(delta_e(np.stack(means[0]), np.stack(means[1])).mean())
    face = torch.from_numpy(exam.classes > 0)[:, None].float()
    found["detail"] = float(metrics.high_pass_agreement(made, exam.target, face).mean())
    away = metrics.masked_mean((made - exam.source).abs(), 1 - face)
    found["elsewhere"] = float(away.mean()) * 127.5
    seen = [_features(parser, x, exam.classes) for x in (made, exam.target)]
    found["frechet"] = metrics.frechet_distance(*seen)
    return {name: round(value, 4) for name, value in found.items()}


def _features(parser: FaceParser, pictures: Tensor, classes: np.ndarray) -> Tensor:
    """Mean features of the parser's first level, (B, 32)."""
    pixels = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    oval = torch.from_numpy((classes != 0).astype(np.uint8) * 255)
    larger = [x.repeat_interleave(2, 1).repeat_interleave(2, 2) for x in (pixels, oval)]
    shown = network_input(*larger)
    features = parser.stem(shown)
    for level in parser.down[:1]:
        features = level(features)
    return features.mean((2, 3))


@dataclass(frozen=True)
class Student:
    """What a finished run left.

    Attributes:
        denoiser: the student.
        sampler: it was trained with.
        cost: steps, batch and seconds of its training.
    """

    denoiser: MakeupDenoiser
    sampler: FewStepSampler
    cost: dict[str, float]


def students(runs: Path, cache: Path) -> dict[str, Student]:
    """Students of finished runs of `training.train_distill`, by their runs' names."""
    found: dict[str, Student] = {}
    for config in sorted(runs.glob("*/config.json")):
        told = json.loads(config.read_text(encoding="utf-8"))
        loop = told["loop"]
        weights = config.parent / "checkpoints" / f"{loop['steps']:06d}" / "weights"
        if "method" in told and (weights / "student").exists():
            log = (config.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
            seconds = json.loads(log[-1])["s"]
            found[config.parent.name] = Student(
                load_teacher(weights / "student", cache),
                FewStepSampler.from_file(weights / "sampler.json"),
                {"iterations": loop["steps"], "batch": loop["batch"], "seconds": seconds},
            )
    return found


def few(denoiser: Any, sampler: FewStepSampler, upto: int | None = None) -> Sample:
    """The picture a student shows after step `upto`, its last if None."""
    last = len(sampler.times) - 1 if upto is None else upto

    def sample(noise: Tensor, cond: Tensor) -> Tensor:
        x_t = sampler.simulate(denoiser, noise, last, cond, seeding.generator_for(0, "fresh"))
        return sampler.guess(denoiser, x_t, last, cond)

    return sample


def samplers(
    teacher: MakeupDenoiser, runs: Path, cache: Path
) -> Iterator[tuple[str, int, Sample, dict[str, float]]]:
    """Name, steps, sampler and cost of every row that is sampled."""
    for steps in (25, 8, 4, 2, 1):
        yield "teacher, Euler", steps, lambda z, c, n=steps: follow_flow(teacher, z, n, c), {}
    for name, student in students(runs, cache).items():
        sampler, steps = student.sampler, len(student.sampler.times)
        yield name, steps, few(student.denoiser, sampler), student.cost
        if steps > 1:
            yield f"{name}, after its first step", 1, few(student.denoiser, sampler, 0), {}
            handed = Handover(teacher, student.denoiser)
            yield f"{name}, first step by the teacher", steps, few(handed, sampler), {}


COLUMNS = ("lips", "eyes", "skin", "detail", "elsewhere", "frechet", "milliseconds")


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as `training/README.md` shows them."""
    lines = [f"| way | steps | {' | '.join(COLUMNS)} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    for row in rows:
        figures = [f"{row[name]:.{2 + (name == 'frechet')}f}" for name in COLUMNS[:-1]]
        figures.append(f"{row['milliseconds']:.0f}" if "milliseconds" in row else "")
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
    count: int = 48,
    sheet: Path | None = None,
    threads: int = 1,
) -> None:
    """Write the table.

    Args:
        pairs: kept apart.
        model: the teacher, with its autoencoder.
        cache: whose prompt the networks are told.
        runs: of students.
        output: the JSON.
        parser: whose features are compared.
        count: how many pairs.
        sheet: pictures side by side; people, not for the repository.
        threads: of torch.
    """
    torch.set_num_threads(threads)
    exam = Exam.of(MakeupPairs(pairs, nano.SIZE), count)
    vae = nano.PatchAutoencoder.from_pretrained(model / "vae").float().eval()
    judge_by = FaceParser.from_pretrained(parser).float().eval()
    encode = encoder_of(vae)
    cond = torch.cat([encode(exam.source), encode(exam.reference)], dim=1)
    side = nano.SIZE // (2 * nano.PATCH)
    generator = seeding.generator_for(0, "exam noise")
    noise = torch.randn((len(cond), side**2, 4 * nano.LATENT_CHANNELS), generator=generator)

    def back(latents: Tensor) -> Tensor:
        return decode(vae, unpack(latents, side, side))

    teacher = load_teacher(model, cache)
    pictures = {"the source as it is": exam.source, "truth, autoencoded": back(encode(exam.target))}
    rows = [{"name": name, "steps": 0} | judge(exam, x, judge_by) for name, x in pictures.items()]
    for name, steps, sample, cost in samplers(teacher, runs, cache):
        pieces = [sample(*piece) for piece in zip(noise.split(16), cond.split(16), strict=True)]
        pictures[f"{name} {steps}"] = back(torch.cat(pieces))
        row = {"name": name, "steps": steps} | judge(exam, pictures[f"{name} {steps}"], judge_by)
        spent = _milliseconds(lambda s=sample: s(noise[:1], cond[:1]))
        rows.append(row | {"milliseconds": spent} | cost)
    found = {
        "command": "python -m training.evaluate_nano PAIRS --model TEACHER --cache CACHE --runs R",
        "torch": torch.__version__,
        "threads": threads,
        "pairs": len(cond),
        "rows": rows,
    }
    print(table(rows))  # noqa: T201
    output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if sheet is not None:
        shown = {"": exam.source, " ": exam.reference, "truth": exam.target} | pictures
        some = slice(0, None, max(1, len(cond) // 10))
        grid = torch.cat([torch.cat(list(x[some][:10]), 2) for x in shown.values()], 1)
        pixels = ((grid.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(sheet)


def _milliseconds(work: Callable[[], Any], repeats: int = 7) -> float:
    """Median processor time of one picture, in this process."""
    times: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(1000 * (time.process_time() - began))
    return round(sorted(times)[repeats // 2], 1)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
