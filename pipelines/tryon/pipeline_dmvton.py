"""DM-VTON on whole pictures: a mobile network moves the garment, the picture keeps the rest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from models.ops.crops import cut, paste
from models.structures import Person
from pipelines.analysis import NETWORK_SIZE_HW, BodyAnalyzer, load_network, shrink
from pipelines.registry import WEIGHTS
from pipelines.steps import timed
from pipelines.tryon.garment import Garment, GarmentAnalyzer
from pipelines.tryon.output import TryOnOutput

if TYPE_CHECKING:
    from models.dmvton.generator import TryOn
    from models.dmvton.student import LightStudent
    from models.dmvton.teacher import MobileTeacher

Network = Literal["student", "teacher"]
MOST_ROWS = 1536
"""Crops higher than this are dressed at this height; the result is enlarged to the picture's."""


class DMVTONPipeline:
    """Put a garment from one picture on the person in another.

        pipe = DMVTONPipeline()
        result = pipe(person=decode("me.jpg"), garment=decode("shirt.jpg"))
        result.image.save("out.png")

    Args:
        analyzer: finds people; one may serve many pipelines.
        garments: cuts garments out.
    """

    def __init__(
        self, analyzer: BodyAnalyzer | None = None, garments: GarmentAnalyzer | None = None
    ) -> None:
        self.analyzer = analyzer or BodyAnalyzer()
        self.garments = garments or GarmentAnalyzer(self.analyzer)
        self._lock = threading.Lock()
        self._student: LightStudent | None = None
        self._teacher: MobileTeacher | None = None

    def load(self, network: Network = "student") -> None:
        """Load the models now rather than with the first picture.

        Raises:
            CheckpointError: weights are not here.
        """
        self.garments.load()
        with self._lock:
            if network == "teacher" and self._teacher is None:
                from models.dmvton.teacher import MobileTeacher

                self._teacher = load_network(MobileTeacher, WEIGHTS / "dmvton-teacher")
            if network == "student" and self._student is None:
                from models.dmvton.student import LightStudent

                self._student = load_network(LightStudent, WEIGHTS / "dmvton-student")

    def __call__(
        self, person: Image.Image, garment: Image.Image, *, network: Network = "student"
    ) -> TryOnOutput:
        """Try a garment on.

        Args:
            person: the wearer's picture.
            garment: a top, flat on anything or worn by somebody.
            network: "student" is fast; "teacher" also reads pose and parse, for a photograph.

        Raises:
            NoPersonError: nobody in the first picture, or too little of a person.
            GarmentError: no top in the second.
            CheckpointError: weights are not here.
        """
        self.load(network)
        milliseconds: dict[str, float] = {}
        # 1. Look at the person
        with timed(milliseconds, "person"):
            found = self.analyzer(person)
        # 2. Cut the garment out
        with timed(milliseconds, "garment"):
            cut_out = self.garments(garment)
        return self.wear(found, cut_out, network=network, milliseconds=milliseconds)

    def wear(
        self,
        person: Person,
        garment: Garment,
        *,
        network: Network = "student",
        milliseconds: dict[str, float] | None = None,
    ) -> TryOnOutput:
        """Put a garment already cut out on a person already found.

        Args:
            person: from `analyzer`.
            garment: from `garments`.
            network: as in `__call__`.
            milliseconds: gets the time of each stage.
        """
        from models.dmvton.compose import dress

        self.load(network)
        took = {} if milliseconds is None else milliseconds
        # 3. Find where the garment goes, at the network's size
        with timed(took, "network"):
            small = self.small_try_on(person, garment, network)
        # 4. Dress the full-size crop from the full-size garment
        with timed(took, "enlarge"):
            crop = cut(person.image, person.box_xyxy)
            work = _at_most(crop, MOST_ROWS)
            dressed, share = dress(
                small,
                work,
                person.parts,
                garment.image,
                garment.mask,
                on_plate=network == "teacher",
            )
            if work is not crop:
                dressed, share = _enlarged(dressed, share, crop)
        # 5. Put it back where it came from
        with timed(took, "paste"):
            image = paste(person.image, dressed, person.box_xyxy)
            nowhere = np.zeros(image.shape[:2], bool)
            changed = paste(nowhere, share > 0, person.box_xyxy)
        return TryOnOutput(Image.fromarray(image), changed, person, garment, network, took)

    def small_try_on(self, person: Person, garment: Garment, network: Network) -> TryOn:
        """The network's own result, at its own size; see `models.dmvton.generator.TryOn`."""
        import torch

        from models.dmvton.compose import to_tensor
        from models.tryon.agnostic import background_plate, condition_of
        from models.tryon.defringing import defringed

        seen = to_tensor(shrink(person.crop, NETWORK_SIZE_HW))
        cloth = to_tensor(shrink(garment.image, NETWORK_SIZE_HW))
        mask = torch.from_numpy(shrink(garment.mask, NETWORK_SIZE_HW))[None, None]
        mask = (mask > 0.5).float()
        flat = defringed(cloth, mask).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            if network == "student":
                assert self._student is not None
                return self._student(seen, flat, mask)[0]
            assert self._teacher is not None
            likely = torch.from_numpy(person.parts)[None]
            parts = torch.nn.functional.interpolate(likely, NETWORK_SIZE_HW, mode="area").argmax(1)
            pose = torch.from_numpy(person.body.openpose_in(person.box_xyxy))[None]
            condition = condition_of(seen, parts, pose)
            return self._teacher(condition, flat, mask, background_plate(seen, parts))[0]


def _at_most(crop: np.ndarray, rows: int) -> np.ndarray:
    height, width = crop.shape[:2]
    return crop if height <= rows else shrink(crop, (rows, round(width * rows / height)))


def _enlarged(
    dressed: np.ndarray, share: np.ndarray, crop: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a result to its crop's size; where nothing is new the crop's own pixels stay."""
    size = crop.shape[0], crop.shape[1]
    share = shrink(share, size)
    return np.where(share[..., None] > 0, shrink(dressed, size), crop), share
