import csv
import json
import re

import pytest

from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES
from pipelines.catalog.formats.exports import (
    GOOGLE_COLUMNS,
    format_google_feed,
    format_schema_org,
    format_shopify,
    write_export,
)
from pipelines.catalog.formats.taxonomy import CATEGORY_LEAVES, SHOPIFY_FINISHES, find_basic_color


def row(index=0, **given):
    said = {
        "sku": "N-1",
        "source": "https://shop.example/n-1.jpg",
        "title": 'Rouge "Noir"\t& <co>',
        "brand": "Maison\nX",
        "price": 12.5,
        "currency": "EUR",
        "category": "lipstick",
        "shade_index": index,
        "hex": "#b01030",
        "lab": [37.6, 59.2, 26.4],
        "lch": [37.6, 64.8, 24],
        "name": "deep red",
        "finish": "gloss",
        "gloss": 0.8,
        "sparkle_density": 0.0,
        "hue_shift": 2.0,
        "opacity": 0.9,
        "status": "ok",
    }
    return {**said, **given}


ROWS = [
    row(),
    {"sku": "BAD", "source": "x", "status": "error", "hex": None},
    row(0, sku="P-2", category="eyeshadow_palette"),
    row(1, sku="P-2", category="eyeshadow_palette", finish="matte", lch=[40, 30, 60]),
]


def test_a_product_is_a_group_whose_variants_differ_by_color():
    one, palette = map(json.loads, format_schema_org(ROWS))
    assert (one["@type"], one["productGroupID"]) == ("ProductGroup", "N-1")
    (variant,) = one["hasVariant"]
    assert variant["offers"] == {"@type": "Offer", "price": 12.5, "priceCurrency": "EUR"}
    assert variant["category"].endswith("Makeup > Lip Makeup > Lipstick")
    assert [v["sku"] for v in palette["hasVariant"]] == ["P-2-1", "P-2-2"]
    assert palette["variesBy"] == "https://schema.org/color"


def test_googles_feed_is_a_table_whatever_is_in_the_titles(tmp_path):
    path = tmp_path / "feed.tsv"
    assert write_export(format_google_feed(ROWS), path) == 4
    with path.open(newline="") as file:
        header, *lines = csv.reader(file, delimiter="\t")
    assert tuple(header) == GOOGLE_COLUMNS
    assert {len(line) for line in lines} == {len(GOOGLE_COLUMNS)}
    first = dict(zip(header, lines[0], strict=True))
    assert first["title"] == 'Rouge "Noir" & <co>'
    assert (first["price"], first["brand"]) == ("12.50 EUR", "Maison X")
    assert first["item_group_id"] == ""
    assert lines[1][1] == lines[2][1] == "P-2"


def test_shopify_gets_its_own_words():
    one, palette = map(json.loads, format_shopify(ROWS))
    assert one["category"] == "gid://shopify/TaxonomyCategory/hb-3-2-6-5-6"
    finish, color = palette["attributes"]
    assert finish["id"].endswith("/1614")
    assert finish["values"] == ["cosmetic_finish__glossy", "cosmetic_finish__matte"]
    assert color["values"] == ["color__red", "color__brown"]
    assert {m["key"] for m in one["variants"][0]["metafields"]} >= {"hex", "lab", "finish"}


def test_every_word_of_ours_has_one_of_theirs_that_is_well_formed():
    assert set(CATEGORY_LEAVES) == set(CATEGORIES) - {"unknown"}
    assert set(SHOPIFY_FINISHES) == set(FINISHES)
    for leaf in CATEGORY_LEAVES.values():
        assert re.fullmatch(r"hb-3-2(-\d+)+", leaf.shopify)
        assert (
            len(
                {
                    other.google
                    for other in CATEGORY_LEAVES.values()
                    if other.google_id == leaf.google_id
                }
            )
            == 1
        )


@pytest.mark.parametrize(
    ("lch", "name"),
    [
        ((40, 65, 25), "red"),
        ((75, 30, 0), "pink"),
        ((35, 25, 50), "brown"),
        ((80, 20, 75), "beige"),
        ((50, 40, 160), "green"),
        ((40, 50, 280), "blue"),
        ((35, 45, 320), "purple"),
        ((97, 1, 90), "white"),
        ((5, 3, 0), "black"),
        ((50, 3, 0), "gray"),
        ((65, 70, 60), "orange"),
    ],
)
def test_basic_colors_are_those_a_shopper_would_say(lch, name):
    assert find_basic_color(lch) == name
