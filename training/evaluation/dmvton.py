"""Measure a try-on student so that copying the input does not pay.

python -m training.evaluation.dmvton --data DATA/viton --cache CACHE --parser W/parser \
    --teacher W/teacher --student W/student --report dmvton.json --sheet sheet.png

*Swap-back*: another garment is put on a person of the validation split, by the teacher or by a flat
fill of the parsed region; the student gets that picture and the person's own garment, and must give
back the photograph. *Unpaired*: is the given garment, and not the old one, on the person?
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from models import devices, seeding
from models.analysis.human_parsing import HumanParser, Part
from models.dmvton.generator import enlarge
from models.dmvton.student import LightStudent, PublishedStudent
from models.dmvton.teacher import MobileTeacher
from models.tryon.agnostic import is_part
from pipelines.files import write_json
from training import metrics
from training.data.tryon.batches import TryOnData, fill_region
from training.data.tryon.reposing import PoseRarity
from training.evaluation.tryon_measures import (
    compare,
    describe_garment,
    measure_retrieval,
    measure_still_visible,
)

# Distance of a pose to its neighbours in the training set; 15 % of the set's own lie further.
RARE = 0.18


@dataclass(frozen=True)
class DmvtonArguments:
    """What to measure, and where to write."""

    data: Path
    cache: Path
    parser: Path
    teacher: Path
    report: Path
    # Our student, and the published one if there are weights of it.
    student: Path | None = None
    published: Path | None = None
    size_hw: tuple[int, int] = (256, 192)
    # The networks see pictures of this size; the result is enlarged to `size_hw`.
    network_hw: tuple[int, int] = (256, 192)
    count: int = 420
    batch: int = 12
    # Contact sheet of 64 unpaired results; it holds pictures of the data: never publish it.
    sheet: Path | None = None
    threads: int = 2


def load_weights(network: nn.Module, folder: Path) -> nn.Module:
    """Return the network with its weights, ready to be used."""
    network.load_state_dict(load_file(folder / "diffusion_pytorch_model.safetensors"))
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # pyright: ignore


def resize_to(x: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Return a batch averaged down to a size, or as it is."""
    return x if tuple(x.shape[-2:]) == tuple(size_hw) else F.interpolate(x, size_hw, mode="area")


def dress(
    network: nn.Module,
    seen: Tensor,
    person: Tensor,
    garment: Tensor,
    mask: Tensor,
    network_hw: tuple[int, int],
) -> Tensor:
    """Return the try-on at the person's size, from a network that works at its own.

    `person` is what shows where nothing is worn or painted: for the teacher the plate.
    """
    inputs = [seen, garment, mask, *([person] if isinstance(network, MobileTeacher) else [])]
    small, _ = network(*(resize_to(x, network_hw) for x in inputs))
    if tuple(network_hw) == tuple(person.shape[-2:]):
        return small.image
    return enlarge(small, person, garment, mask).image


def recolor(person: Tensor, parts: Tensor, garment: Tensor, mask: Tensor) -> Tensor:
    """Give the worn garment the mean and spread of another one's colours."""
    region = is_part(parts, Part.UPPER)

    def moments(x: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
        count = where.sum((2, 3), keepdim=True).clamp_min(1)
        mean = (x * where).sum((2, 3), keepdim=True) / count
        spread = (((x - mean) * where).square().sum((2, 3), keepdim=True) / count).sqrt()
        return mean, spread.clamp_min(0.02)

    mean_p, spread_p = moments(person, region)
    mean_g, spread_g = moments(garment, mask)
    painted = ((person - mean_p) / spread_p * spread_g + mean_g).clamp(-1, 1)
    return person.lerp(painted, region)


def to_picture(x: Tensor) -> Image.Image:
    """Turn (3, H, W) in [-1, 1] into a picture."""
    return Image.fromarray(((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def draw_contact_sheet(
    triples: list[tuple[Tensor, Tensor, Tensor]], columns: int = 8
) -> Image.Image:
    """Lay person, garment and result side by side, `columns` of them in a row."""
    height, width = triples[0][0].shape[-2:]
    rows = -(-len(triples) // columns)
    sheet = Image.new("RGB", (columns * 3 * width, rows * height), "white")
    for i, triple in enumerate(triples):
        for j, picture in enumerate(triple):
            place = ((3 * (i % columns) + j) * width, i // columns * height)
            sheet.paste(to_picture(picture), place)
    return sheet


Way = Callable[[Tensor, dict[str, Tensor], Tensor, Tensor], Tensor]


def collect_ways_to_dress(arguments: DmvtonArguments, teacher: nn.Module) -> dict[str, Way]:
    """Return the networks and the trivial answers they must beat, by name.

    Each takes the person as given, the batch, a garment and its mask, and returns a picture. The
    trivial ones and the teacher are told the parse of the photograph; the students are not.
    """
    size = arguments.network_hw

    def student_way(student: nn.Module) -> Way:
        return lambda given, batch, garment, mask: dress(student, given, given, garment, mask, size)

    def by_teacher(
        given: Tensor, batch: dict[str, Tensor], garment: Tensor, mask: Tensor
    ) -> Tensor:
        return dress(teacher, batch["condition"], batch["plate"], garment, mask, size)

    ways: dict[str, Way] = {
        "leave as is": lambda given, batch, garment, mask: given,
        "flat paste": lambda given, batch, garment, mask: fill_region(
            given, batch["parts"], garment, mask
        ),
        "colour only": lambda given, batch, garment, mask: recolor(
            given, batch["parts"], garment, mask
        ),
        "teacher": by_teacher,
    }
    if arguments.published is not None:
        ways["published student"] = student_way(
            load_weights(PublishedStudent(), arguments.published)
        )
    if arguments.student is not None:
        ways["our student"] = student_way(load_weights(LightStudent(), arguments.student))
    return ways


@torch.inference_mode()
def evaluate(arguments: DmvtonArguments) -> dict[str, object]:
    """Return all measures, and write the contact sheet if one is wanted."""
    parser = HumanParser()
    load_weights(parser, arguments.parser)
    teacher = load_weights(MobileTeacher(), arguments.teacher)
    data = TryOnData(arguments.data, arguments.cache, arguments.size_hw, "validation")
    ways = collect_ways_to_dress(arguments, teacher)
    numbers = torch.arange(min(arguments.count, len(data)))
    swap: dict[str, dict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    free: dict[str, dict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    rarity: list[Tensor] = []
    usual = PoseRarity(data.arrays.pose[~np.isin(np.arange(len(data.arrays)), data.rows)])
    real: list[Tensor] = []
    photographs: dict[str, list[Tensor]] = {"upper": [], "garment": []}
    triples: list[tuple[Tensor, Tensor, Tensor]] = []
    shown = list(ways)[-1]

    for i, some in enumerate(numbers.split(arguments.batch)):
        batch = data.batch(some, seeding.generator_for(0, "evaluate", i))
        own = batch["garment"], batch["garment_mask"]
        other = batch["other_garment"], batch["other_mask"]
        person, parts = batch["person"], batch["parts"]
        forms = {"fill": batch["fill"], "teacher": ways["teacher"](person, batch, *other)}
        for form, given in forms.items():
            for name, way in ways.items():
                if form == "teacher" and name == "teacher":
                    continue  # it sees the same condition in both forms
                found = compare(way(given, batch, *own), person, given, parts, parser)
                for measure, values in found.items():
                    swap[f"{form}: {name}"][measure].append(values)
        rarity.append(torch.from_numpy(usual(batch["pose"].numpy())))
        real.append(parser.features(person)[-1].mean((2, 3)))
        photographs["upper"].append(describe_garment(person, is_part(parts, Part.UPPER)))
        photographs["garment"].append(describe_garment(*own))
        for name, way in ways.items():
            result = way(person, batch, *other)
            found_parts = parser(result).argmax(1)
            entry = free[name]
            entry["upper"].append(describe_garment(result, is_part(found_parts, Part.UPPER)))
            entry["garment"].append(describe_garment(other[0], other[1]))
            entry["visible"].append(measure_still_visible(result, person, parts, *other))
            entry["features"].append(parser.features(result)[-1].mean((2, 3)))
            found = compare(result, person, person, parts, parser)
            for measure in ("unchanged_l1", "halo_per_mille"):
                entry[measure].append(found[measure])
            if name == shown and len(triples) < 64:
                triples += list(zip(person, other[0], result, strict=True))

    if arguments.sheet is not None:
        draw_contact_sheet(triples[:64]).save(arguments.sheet)
    truth = torch.cat(real)
    unpaired = {}
    for name, entry in free.items():
        joined = {measure: torch.cat(values) for measure, values in entry.items()}
        unpaired[name] = {
            **measure_retrieval(joined["upper"], joined["garment"]),
            "old_still_visible": float(joined["visible"].mean()),
            "unchanged_l1": float(joined["unchanged_l1"].mean()),
            "halo_per_mille": float(joined["halo_per_mille"].mean()),
            "frechet_distance": metrics.frechet_distance(joined["features"], truth),
        }
    rare = torch.cat(rarity) > RARE
    shown, results = (torch.cat(found) for found in photographs.values())
    return {
        "pictures": len(numbers),
        "size_hw": list(arguments.size_hw),
        "network_hw": list(arguments.network_hw),
        "swap_back": {
            name: {measure: float(torch.cat(v).mean()) for measure, v in found.items()}
            for name, found in swap.items()
        },
        # The same L1 where the arms lie as they seldom do in training, and elsewhere.
        "rare_poses": {
            "pictures": int(rare.sum()),
            **{
                name: {
                    "l1": float(torch.cat(found["l1"])[rare].mean()),
                    "others_l1": float(torch.cat(found["l1"])[~rare].mean()),
                }
                for name, found in swap.items()
            },
        },
        "unpaired": unpaired,
        # The most that retrieval can give: photographs, and the garment they do show.
        "photographs": measure_retrieval(shown, results),
    }


def main(arguments: DmvtonArguments) -> None:
    """Measure and write the report."""
    devices.keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    report = evaluate(arguments)
    write_json(report, arguments.report, indent=2)


if __name__ == "__main__":
    import tyro

    main(tyro.cli(DmvtonArguments, description=__doc__))
