"""A garment on a moving person: frame after frame."""

from __future__ import annotations

import numpy as np
from PIL import Image

from models.errors import NoPersonError
from pipelines.analysis import BodyAnalyzer
from pipelines.tryon.garment import Garment
from pipelines.tryon.pipeline_dmvton import DMVTONPipeline


class LiveTryOn:
    """Puts garments on the person in each frame. It follows one person: one object per visitor.

    Args:
        pipeline: whose student is used; may be shared.
        analyzer: made with `video=True`; a new one if None.
    """

    def __init__(self, pipeline: DMVTONPipeline, analyzer: BodyAnalyzer | None = None) -> None:
        self.pipeline = pipeline
        self.analyzer = analyzer or BodyAnalyzer(video=True)

    def __call__(self, frame: np.ndarray, garment: Garment) -> np.ndarray:
        """Put a garment on (H, W, 3) uint8; without a person the frame comes back as it was."""
        try:
            person = self.analyzer(Image.fromarray(frame))
        except NoPersonError:
            return frame
        return np.asarray(self.pipeline.wear(person, garment).image)
