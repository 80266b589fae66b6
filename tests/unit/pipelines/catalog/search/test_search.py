import sys

import numpy as np
import pytest

from models.errors import CatalogError
from models.ops.color import delta_e, lab_to_hex
from pipelines.catalog.search.filters import Filters
from pipelines.catalog.search.search import find_nearest, find_similar, find_within, make_lab_box
from pipelines.catalog.search.store import Catalog, keep_best_pictures
from tests.mean_color import shade_of

RNG = np.random.default_rng(11)
COUNT = 3000
# Half all over CIELAB, the rest lipsticks, and blues, where CIEDE2000 is least like a distance
LABS = np.float32(
    np.concatenate(
        [
            RNG.uniform((0, -100, -110), (100, 100, 110), (COUNT // 2, 3)),
            RNG.normal((45, 45, 18), (14, 14, 10), (COUNT // 4, 3)),
            RNG.normal((40, 10, -50), (14, 12, 14), (COUNT // 4, 3)),
        ]
    )
)
FINISHES = RNG.choice(["matte", "gloss", "shimmer"], COUNT)
PRICES = RNG.uniform(3, 40, COUNT).round(2)


def row(number, **given):
    lab = [float(value) for value in LABS[number]]
    said = {
        "sku": f"it's {number // 2}",
        "shade_index": number % 2,
        "lab": lab,
        "hex": lab_to_hex(LABS[number]),
        "finish": str(FINISHES[number]),
        "category": "lipstick",
        "brand": "Ö'Hara" if number % 3 else "Plain",
        "price": float(PRICES[number]),
        "gloss": 0.1,
        "name": "a name",
        "title": "<b>bold</b>\nmove",
        "source": "a.png",
    }
    return {**said, **given}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "shelf")
    assert catalog.upsert(row(number) for number in range(COUNT)) == COUNT
    catalog.optimize()
    return catalog


def asked(match):
    return match.shade["sku"], match.shade["shade_index"]


def by_hand(lab, allowed=None):
    """Every shade's difference, by brute force; sorted."""
    differences = delta_e(np.float64(LABS), np.float64(lab))
    numbers = np.arange(COUNT) if allowed is None else np.flatnonzero(allowed)
    return differences, numbers[np.argsort(differences[numbers], kind="stable")]


@pytest.mark.parametrize("radius", [0.5, 2.0, 5.0, 12.0, 15.9, 40.0])
def test_a_radius_finds_what_brute_force_finds(catalog, radius):
    for number in (0, 7, COUNT // 2 + 5, COUNT - 20):
        differences, _ = by_hand(LABS[number])
        expected = set(np.flatnonzero(differences <= radius))
        found = find_within(catalog, LABS[number], radius)
        assert {asked(m) for m in found} == {(f"it's {n // 2}", n % 2) for n in expected}
        assert [m.delta_e for m in found] == sorted(m.delta_e for m in found)


@pytest.mark.parametrize("limit", [1, 10, 300])
def test_the_nearest_are_the_nearest_also_with_filters(catalog, limit):
    filters = Filters(finishes=("gloss",), brands=("Ö'Hara",), min_price=10, max_price=30)
    allowed = (FINISHES == "gloss") & (np.arange(COUNT) % 3 != 0)
    allowed &= (PRICES >= 10) & (PRICES <= 30)
    for lab in ((45, 50, 20), (30, 30, -70), (97, 0, 2)):
        for chosen, mask in ((Filters(), None), (filters, allowed)):
            differences, order = by_hand(lab, mask)
            found = find_nearest(catalog, lab, limit, chosen)
            expected = differences[order[:limit]].round(2).tolist()
            assert [m.delta_e for m in found] == pytest.approx(expected, abs=0.011)


def test_the_box_leaves_no_color_out_anywhere():
    """Against CIEDE2000 itself: pairs all over CIELAB, many of them near, many of them blue."""
    rng = np.random.default_rng(5)
    first = rng.uniform((0, -110, -110), (100, 110, 110), (60_000, 3))
    first[::3] = rng.uniform((0, -20, -110), (100, 40, -20), (20_000, 3))
    second = first + rng.normal(size=(60_000, 3)) * rng.uniform(0.2, 30, (60_000, 1))
    second[:, 0] = second[:, 0].clip(0, 100)
    differences = delta_e(first, second)
    near = differences < 15.9
    assert near.sum() > 30_000
    for one, other, radius in zip(first[near], second[near], differences[near], strict=True):
        box = make_lab_box(one, radius)
        assert all(low <= v <= high for v, (low, high) in zip(other, box, strict=True))


def test_the_box_of_a_red_is_small():
    box = make_lab_box((40, 55, 25), 2.0)
    assert all(high - low < 25 for low, high in box)


def test_a_product_is_replaced_with_all_its_shades(tmp_path):
    catalog = Catalog(tmp_path / "c")
    catalog.upsert([row(0), row(1), row(2), row(3)])
    catalog.upsert([row(0, lab=[50.0, 0.0, 0.0]), row(0, lab=[60.0, 0.0, 0.0])])
    assert [s["lab"][0] for s in catalog.read_product("it's 0")] == [60.0]
    assert len(catalog.read_product("it's 1")) == 2
    assert catalog.read_product("no such") == []
    assert catalog.count_shades()["shades"] == 3


def test_a_swatch_finds_its_finish_among_equal_colors(tmp_path):
    catalog = Catalog(tmp_path / "c")
    lab = [45.0, 50.0, 20.0]
    catalog.upsert([row(0, lab=lab, gloss=0.05), row(2, lab=lab, gloss=0.9)])
    for gloss, sku in ((0.0, "it's 0"), (1.0, "it's 1")):
        first, second = find_similar(catalog, shade_of(lab, gloss=gloss, opacity=0.0))
        assert first.shade["sku"] == sku
        assert first.delta_e == second.delta_e == 0


def test_of_several_pictures_of_a_product_the_best_read_counts():
    rows = [
        row(0, source="front", confidence=0.6, best=True),
        row(2, source="other", confidence=0.5, best=True),
        row(0, source="back", confidence=0.9, best=True),
        row(0, source="back", shade_index=1, confidence=0.3, best=False),
        {"sku": "it's 0", "source": "broken", "status": "error"},
    ]
    kept = [
        (r["sku"], r["source"], r["shade_index"]) for r in keep_best_pictures(lambda: iter(rows))
    ]
    assert kept == [("it's 1", "other", 0), ("it's 0", "back", 0), ("it's 0", "back", 1)]


def test_questions_nobody_can_answer_are_refused(tmp_path):
    with pytest.raises(CatalogError, match="velvety"):
        Filters(finishes=("velvety",))
    with pytest.raises(CatalogError) as caught:
        find_nearest(Catalog(tmp_path / "none"), (50, 0, 0))
    assert caught.value.reason == "missing"


def test_a_catalog_counts_its_shades(catalog):
    stats = catalog.count_shades()
    assert (stats["shades"], stats["products"]) == (COUNT, COUNT // 2)
    assert sum(stats["finish"].values()) == COUNT
    assert stats["brand"]["Ö'Hara"] == COUNT - COUNT // 3


def test_a_catalog_without_its_extra_says_so_in_a_sentence(tmp_path, monkeypatch):
    for name in ("lancedb", "pyarrow"):  # as an import finds a package that is not installed
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CatalogError) as caught:
        Catalog(tmp_path / "shelf").upsert([row(0)])
    assert caught.value.reason == "extra"
