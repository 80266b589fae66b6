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
from models.tryon.agnostic import grow, is_part
from pipelines.files import write_json
from training import metrics
from training.data.tryon.batches import TryOnData, fill_region
from training.data.tryon.reposing import PoseRarity

CHANGED = 24 / 127.5  # a pixel that moved by 24 of 255 levels has changed to the eye
# Distance of a pose to its neighbours in the training set; 15 % of the set's own lie further.
RARE = 0.18
CHANGEABLE = (Part.UPPER, Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK, Part.HANDS)


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


def compare(
    result: Tensor, target: Tensor, given: Tensor, parts: Tensor, parser: HumanParser
) -> dict[str, Tensor]:
    """Return measures per sample, (B,), of a swap-back.

    Args:
        result: (B, 3, H, W) in [-1, 1].
        target: the photograph.
        given: what the network was given as the person.
        parts: (B, H, W), of the photograph.
        parser: measures the feature distance.
    """
    region = is_part(parts, Part.UPPER)
    rest = 1 - grow(is_part(parts, *CHANGEABLE), 0.02)
    away = is_part(parts, Part.BACKGROUND) * (1 - grow(1 - is_part(parts, Part.BACKGROUND), 0.02))
    error = (result - target).abs()
    moved = ((result - given).abs().amax(1, keepdim=True) > CHANGED).float()
    inside_r, inside_t = result * region, target * region
    features = [
        (a - b).abs().mean((1, 2, 3)) / b.abs().mean((1, 2, 3)).clamp_min(1e-3)
        for a, b in zip(parser.features(inside_r), parser.features(inside_t), strict=True)
    ]
    square = metrics.masked_mean((result - target).square(), region)
    return {
        "l1": 127.5 * metrics.masked_mean(error, region),
        "psnr": 10 * torch.log10(4 / square.clamp_min(1e-6)),
        "ssim": metrics.masked_mean(metrics.ssim(result, target), region),
        "feature_distance": torch.stack(features).mean(0),
        "lettering": metrics.high_pass_agreement(result, target, region),
        "unchanged_l1": 127.5 * metrics.masked_mean(error, rest),
        "halo_per_mille": 1000 * metrics.masked_mean(moved, away),
    }


def describe_garment(picture: Tensor, mask: Tensor) -> Tensor:
    """Describe the garment inside a mask by colour and texture, (B, D); each part sums to 1.

    Color: a 6x6x6 histogram of the picture blurred by 3 pixels. Texture: at two scales, shares of
    gradient strength in 8 steps.

    Args:
        picture: (B, 3, H, W) in [-1, 1].
        mask: (B, 1, H, W), 1 on the garment; its edge is left out.
    """
    inner = 1 - grow(1 - mask, 0.012)
    smooth = F.avg_pool2d(picture, 3, 1, 1)
    bins = ((smooth + 1) / 2 * 5.999).long().clamp(0, 5)
    index = (bins[:, 0] * 36 + bins[:, 1] * 6 + bins[:, 2]).flatten(1)
    weight = inner.flatten(1)
    parts = [torch.zeros(len(picture), 216).scatter_add_(1, index, weight)]
    grey = picture.mean(1, keepdim=True)
    for scale in (1, 2):
        small = F.avg_pool2d(grey, scale) if scale > 1 else grey
        within = F.avg_pool2d(inner, scale) if scale > 1 else inner
        dx, dy = small.diff(dim=3)[:, :, 1:], small.diff(dim=2)[:, :, :, 1:]
        steps = (torch.hypot(dx, dy) * 40).long().clamp(0, 7).flatten(1)
        there = within[:, :, 1:, 1:].flatten(1)
        parts.append(torch.zeros(len(picture), 8).scatter_add_(1, steps, there))
    return torch.cat([p / p.sum(1, keepdim=True).clamp_min(1e-6) for p in parts], 1)


def measure_retrieval(results: Tensor, garments: Tensor, group: int = 64) -> dict[str, float]:
    """Return how often a result's nearest garment among `group` is the given one.

    Args:
        results: (N, D) features of what is worn.
        garments: (N, D) features of the garment each was given.
        group: size of the choice.
    """
    ranks = []
    for start in range(0, len(results) - group + 1, group):
        chosen = slice(start, start + group)
        distance = torch.cdist(results[chosen], garments[chosen], p=1)
        ranks.append((distance < distance.diag()[:, None]).sum(1))
    rank = torch.cat(ranks).float() if ranks else torch.zeros(0)
    return {"top1": float((rank < 1).float().mean()), "top5": float((rank < 5).float().mean())}


def measure_still_visible(
    result: Tensor, person: Tensor, parts: Tensor, garment: Tensor, mask: Tensor
) -> Tensor:
    """Return the share of the old garment that is still there, (B,).

    Counted are its pixels that differ by 40 levels from the new garment's mean colour; those that
    moved by less than 10 levels are still there.
    """
    mean = (garment * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1)
    differs = ((person - mean).abs().amax(1, keepdim=True) > 40 / 127.5).float()
    region = (1 - grow(1 - is_part(parts, Part.UPPER), 0.01)) * differs
    same = ((result - person).abs().amax(1, keepdim=True) < 10 / 127.5).float()
    return metrics.masked_mean(same, region)


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
