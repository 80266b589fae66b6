"""Make pairs of bare and made-up faces to train on: many pictures, several processes, resumable.

OUT/v00/{src,ref}/<name>.png    OUT/mask/<name>.png    as data.makeup.flux_pairs reads them
OUT/v00/other/<name>.png        the same look on another's face, if asked for
OUT/pairs.jsonl                 one line for each pair tried: look, measures, why it was dropped
OUT/report.json                 how many were kept, and the reasons of the others, counted
"""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from models import seeding
from models.analysis.face_classes import parse_map
from models.errors import MirraError
from models.instant.drawn import draw
from models.regions import MAKEUP_REGIONS
from models.structures import Face
from pipelines.files import write_json
from pipelines.images.decode import decode
from pipelines.makeup.flux_crop import EXPAND, Square, cut_painted_parts
from pipelines.makeup.look import Look
from pipelines.makeup.named_looks import NAMED_LOOKS, find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.steps import to_images, to_tensor
from training.data.makeup.pair_quality import (
    OnnxEmbedder,
    PairLimits,
    align_to_source,
    blend_back,
    find_fault,
    measure_pair,
)
from training.data.makeup.random_looks import draw_random_recipe

RANDOM = "random"
EDIT = (
    "Add makeup to the person while keeping the original identity, facial features, expression and "
    "hairstyle. The makeup is {about}. Maintain the original photographic quality, lighting, "
    "position, background, camera angle, framing, and perspective."
)
"""FRAM's instruction to a Kontext-class editor (arXiv 2603.20012)."""


@dataclass(frozen=True)
class PairPlan:
    """What to make.

    Attributes:
        out: where to write.
        looks: names of drawn looks; each pair wears one of them, drawn by the seed. "random" is a
            new one each time.
        size: side of the pairs in pixels.
        versions: looks for each face, one folder each.
        seed: of looks and strengths.
        weakest: least strength a region is worn at; each draws its own between this and 1.
        expand: how far the square reaches beyond the face; see `flux_crop.EXPAND`.
        others: wear each look on another's face as well, to be the pair's reference.
        limits: what a pair must keep to.
        embedder: ONNX file of a face recogniser, or None to leave identity unmeasured.
        editor: folder or hub id of a Kontext-class editor, or None for instant makeup.
        explain: an error in words, for the line of a picture that is dropped.
    """

    out: Path
    looks: tuple[str, ...] = tuple(NAMED_LOOKS)
    size: int = 1024
    versions: int = 1
    seed: int = 0
    weakest: float = 0.6
    expand: float = EXPAND
    others: bool = False
    limits: PairLimits = field(default_factory=PairLimits)
    embedder: Path | None = None
    editor: str | None = None
    explain: Callable[[MirraError], str] = str


class PairMaker:
    """Makes one pair at a time; each process has its own.

    Args:
        plan: what to make.
    """

    def __init__(self, plan: PairPlan) -> None:
        self.plan = plan
        self.instant = InstantMakeupPipeline()
        self.bare = lru_cache(maxsize=32)(self.find_bare)  # looks of one face come in a row
        self.embed = OnnxEmbedder(plan.embedder) if plan.embedder else None
        self.editor: Any = None
        if plan.editor:
            from pipelines.flux import load_flux_makeup

            self.editor = load_flux_makeup(plan.editor, adapter=None)

    def __call__(self, picture: Path, version: int, other: Path) -> dict[str, Any]:
        """Make, measure and, if it is good, write one pair; return its line."""
        generator = seeding.generator_for(self.plan.seed, picture.name, version)
        name = self.plan.looks[int(torch.randint(len(self.plan.looks), (), generator=generator))]
        line: dict[str, Any] = {"name": picture.name, "version": version, "look": name}
        try:
            source = self.bare(picture)
            if source is None:
                return line | {"dropped": "the face is too small"}
            look = None if self.editor else self.draw_look(name, generator)
            made = self.apply_look(source, look) if look else self._edit(source, name, generator)
        except MirraError as error:
            return line | {"dropped": self.plan.explain(error)}
        if made is None:
            return line | {"dropped": "no face after the edit"}
        measures = measure_pair(source, made, self.embed)
        dropped = find_fault(measures, self.plan.limits)
        if dropped is None:
            shown = self.apply_to_other(other, look) if self.plan.others and look else None
            self.write(picture.stem, version, source, made, shown)
        return line | {"dropped": dropped} | measures

    def find_bare(self, picture: Path) -> Face | None:
        """The largest face in a square of its own; None if it has too few pixels for that."""
        face = self.instant.find_faces(decode(picture))[0]
        square = Square.around(face, self.plan.expand)
        if 2 * square.side < self.plan.size:
            return None
        crop = square.cut(face.image, self.plan.size)
        return self.instant.find_faces(Image.fromarray(crop))[0]

    def draw_look(self, name: str, generator: torch.Generator) -> Look:
        """A look at the strengths that are drawn for it."""
        spread = torch.rand(len(MAKEUP_REGIONS), generator=generator)
        draws = (self.plan.weakest + (1 - self.plan.weakest) * spread).tolist()
        if name == RANDOM:
            rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
            look = Look(RANDOM, draw(draw_random_recipe(rng)))
        else:
            look = find_look(name)
        return replace(look, strengths=dict(zip(MAKEUP_REGIONS, draws, strict=True)))

    def apply_look(self, source: Face, look: Look) -> Face | None:
        """The face in a look, laid over the source; None if there is no face any more."""
        picture = self.instant.blend(self.instant.wear([source], look))
        return next(iter(self.instant.analyzer(picture)), None)

    def apply_to_other(self, picture: Path, look: Look) -> np.ndarray | None:
        """The look on another's face, as a pipeline shows references; None if there is no face."""
        try:
            face = self.bare(picture)
        except MirraError:
            return None
        made = self.apply_look(face, look) if face else None
        return cut_painted_parts(made, {}, self.plan.size, self.plan.expand)[0] if made else None

    def _edit(self, source: Face, look: str, generator: torch.Generator) -> Face | None:
        from pipelines.makeup.flux_recipes import PromptRecipe

        recipe = PromptRecipe(EDIT.format(about=NAMED_LOOKS[look].about), 2.5, 28)
        seed = int(torch.randint(2**31, (), generator=generator))
        tensor = self.editor.generate(to_tensor([source.image]), None, [seed], recipe)
        faces = self.instant.analyzer(to_images(tensor)[0])
        if not faces:
            return None
        laid = Image.fromarray(blend_back(align_to_source(faces[0], source), source))
        return next(iter(self.instant.analyzer(laid)), None)

    def write(
        self, name: str, version: int, source: Face, made: Face, other: np.ndarray | None
    ) -> None:
        """Write the pictures and the classes of the made-up face; the mask comes last."""
        out = self.plan.out
        for folder, pixels in (
            (out / f"v{version:02d}" / "src", source.image),
            (out / f"v{version:02d}" / "other", other),
            (out / f"v{version:02d}" / "ref", made.image),
            (out / "mask", parse_map(made)),
        ):
            if pixels is not None:
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / f"{name}.png")


_maker: PairMaker | None = None


def _start_process(plan: PairPlan) -> None:
    global _maker
    _maker = PairMaker(plan)


def _make_in_process(picture: Path, version: int, other: Path) -> dict[str, Any]:
    assert _maker is not None
    return _maker(picture, version, other)


def make_pairs(pictures: list[Path], plan: PairPlan, jobs: int = 1) -> dict[str, Any]:
    """Make all pairs that have no line yet, and the report.

    Args:
        pictures: of bare faces; their names without endings must differ.
        plan: what to make.
        jobs: processes; an editor needs its card for itself, so it works in one.

    Returns:
        The report.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    lines_path = plan.out / "pairs.jsonl"
    lines = _read_lines(lines_path)
    done = {(line["name"], line["version"]) for line in lines}
    order = torch.randperm(
        len(pictures), generator=seeding.generator_for(plan.seed, "order")
    ).tolist()
    wanted = [
        (pictures[number], version, pictures[order[(place - 1 - version) % len(order)]])
        for place, number in enumerate(order)
        for version in range(plan.versions)
        if (pictures[number].name, version) not in done
    ]
    with lines_path.open("a", encoding="utf-8") as log:
        for line in _make_all(wanted, plan, jobs):
            lines.append(line)
            log.write(json.dumps(line) + "\n")
            log.flush()
    reasons = Counter(line["dropped"] for line in lines if line["dropped"])
    report = {
        "tried": len(lines),
        "kept": sum(line["dropped"] is None for line in lines),
        "dropped": dict(reasons.most_common()),
        "limits": asdict(plan.limits),
        "identity_measured": plan.embedder is not None,
    }
    write_json(report, plan.out / "report.json")
    return report


def _make_all(
    wanted: list[tuple[Path, int, Path]], plan: PairPlan, jobs: int
) -> Iterator[dict[str, Any]]:
    if jobs == 1 or plan.editor:
        maker = PairMaker(plan)
        for each in tqdm(wanted, unit="pair"):
            yield maker(*each)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _start_process, (plan,)) as pool:
        coming: list[Future[dict[str, Any]]] = [
            pool.submit(_make_in_process, *each) for each in wanted
        ]
        for future in tqdm(as_completed(coming), total=len(coming), unit="pair"):
            yield future.result()


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines written so far; one cut off by a stop is made again."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]
