"""Painting for programs: faces on the CPU, and a GPU only for what is between."""

import sys
from types import ModuleType

import numpy as np
import pytest

from app.service import Studio, estimate_seconds
from app.ui.makeup.painting import paint_with_flux
from models import tiny
from models.cancellation import raise_if_cancelled
from models.errors import CancelledError
from models.zero_gpu import with_lent_gpu
from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline


@pytest.fixture(scope="module")
def studio(pipeline):
    parts = tiny.flux()
    studio = Studio()
    studio.flux_makeup = FluxMakeupPipeline(
        **parts, injector=tiny.reflora_injector(parts["transformer"]), default_size=32
    )
    studio.flux_makeup.analyzer = pipeline.analyzer
    return studio


@pytest.fixture
def photo(astronaut, tmp_path):
    astronaut.save(tmp_path / "me.png")
    return tmp_path / "me.png"


def test_the_same_seed_paints_the_same_picture(studio, photo, astronaut):
    first, again = (paint_with_flux(studio, photo, photo, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.size == astronaut.size


def test_painting_stops_between_steps_when_nobody_waits_for_it(studio, photo, monkeypatch):
    steps = []

    def unwanted():
        steps.append(1)
        raise CancelledError("gone")

    monkeypatch.setattr("app.ui.makeup.painting.raise_if_cancelled", unwanted)
    with pytest.raises(CancelledError):
        paint_with_flux(studio, photo, photo, seed=3)
    assert steps == [1]
    raise_if_cancelled()


def test_a_gpu_is_borrowed_for_as_long_as_the_call_will_take(studio, photo, monkeypatch):
    """`spaces` itself works on a ZeroGPU Space only; this one keeps what it is told."""
    asked = []
    spaces = ModuleType("spaces")

    def lend(duration):
        return lambda function: (
            lambda *given, **more: (
                asked.append(duration(*given, **more)) or function(*given, **more)
            )
        )

    monkeypatch.setattr(spaces, "GPU", lend, raising=False)
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    generate = studio.flux_makeup.generate
    assert with_lent_gpu(generate, estimate_seconds) is generate
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(studio.flux_makeup, "generate", with_lent_gpu(generate, estimate_seconds))
    paint_with_flux(studio, photo, photo, seed=3)
    assert asked == [10 + 0.8 * 25]
