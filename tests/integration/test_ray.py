"""Ray Data on this machine, two workers; skipped where the extra `ray` is not installed."""

import importlib.util

import pytest
from PIL import Image

from pipelines.catalog.run.batch import read_pictures
from pipelines.catalog.run.engines import Work
from pipelines.catalog.run.inputs import read_inputs
from tests.mean_color import TwoColors

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is missing: pip install -e '.[ray]'"
    ),
    pytest.mark.filterwarnings("ignore"),  # Ray's own, about sockets and its coming defaults
]


def test_ray_gives_the_rows_of_this_process(tmp_path):
    import ray

    shop = tmp_path / "shop"
    shop.mkdir()
    for number in range(40):
        image = Image.new("RGB", (20, 20), (5 * number, 200 - 5 * number, 90))
        image.paste((250, 3 * number, 10), (0, 0, 20, 10))
        image.save(shop / f"{number:02}.png")
    (shop / "17.png").write_text("no picture")
    work = Work(TwoColors, "1")
    local, cluster = tmp_path / "local.parquet", tmp_path / "ray.parquet"
    read_pictures(read_inputs([str(shop)]), local, work)
    try:
        first = read_pictures(read_inputs([str(shop)]), cluster, work, workers=2, ray=True)
        assert (first.pictures, first.kept, first.errors) == (40, 0, 1)
        assert cluster.read_bytes() == local.read_bytes()
    finally:
        ray.shutdown()
