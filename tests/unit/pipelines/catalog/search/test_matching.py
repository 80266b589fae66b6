import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.errors import AnalysisError
from models.ops.color import delta_e, hex_to_lab
from pipelines.catalog.search.matching import match_makeup, match_outfit, match_skin
from pipelines.catalog.search.outfit import OutfitColor, read_outfit_colors
from pipelines.catalog.search.store import Catalog
from pipelines.makeup.face_makeup import MakeupColor


def entry(sku, color, category, finish="matte"):
    lab = [float(value) for value in hex_to_lab(color)]
    return {
        "sku": sku,
        "lab": lab,
        "hex": color,
        "category": category,
        "finish": finish,
        "name": sku,
        "shade_index": 0,
    }


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    catalog = Catalog(tmp_path_factory.mktemp("c") / "shelf")
    catalog.upsert(
        [
            entry("ruby", "#b3122f", "lipstick"),
            entry("ruby gloss", "#b5142f", "lip_gloss", "gloss"),
            entry("coral", "#e8604c", "lipstick"),
            entry("blue lips", "#2040a0", "lipstick"),
            entry("teal", "#1c7c7d", "eyeshadow"),
            entry("gold", "#c9a24a", "eyeshadow", "shimmer"),
            entry("taupe", "#8b7f78", "eyeshadow"),
            entry("fair", "#f0d5be", "foundation"),
            entry("tan", "#a67850", "foundation"),
            entry("deep", "#5a3a28", "foundation"),
            entry("peach", "#e9967a", "blush"),
        ]
    )
    return catalog


def outfit(color, share=1.0) -> OutfitColor:
    lab = [float(value) for value in hex_to_lab(color)]
    return OutfitColor((lab[0], lab[1], lab[2]), color, f"the colour {color}", share)


def test_the_colors_of_a_dress_on_a_table_are_found_with_their_shares():
    image = Image.new("RGB", (300, 400), (238, 236, 232))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 40, 240, 360), fill=(20, 110, 110))
    draw.rectangle((60, 280, 240, 360), fill=(230, 200, 60))
    first, second = read_outfit_colors(image)
    assert delta_e(np.array(first.lab), hex_to_lab("#146e6e")) < 2
    assert delta_e(np.array(second.lab), hex_to_lab("#e6c83c")) < 2
    assert (first.share, second.share) == pytest.approx((0.75, 0.25), abs=0.02)


def test_an_empty_table_has_no_outfit():
    with pytest.raises(AnalysisError):
        read_outfit_colors(Image.new("RGB", (300, 400), (238, 236, 232)))


def test_below_the_face_her_suit_is_orange_and_her_skin_is_no_garment(astronaut, face):
    from models.instant.face_texture import unfold

    colors = read_outfit_colors(astronaut, face, unfold(face).tone)
    hue = [np.degrees(np.arctan2(c.lab[2], c.lab[1])) for c in colors]
    orange = sum(c.share for c, h in zip(colors, hue, strict=True) if 35 < h < 75 and c.lab[1] > 25)
    assert orange > 0.3


def test_every_category_is_proposed_but_what_follows_the_skin(catalog):
    matches = match_outfit(catalog, [outfit("#146e6e")])
    assert {m.shade["category"] for m in matches} == {"lipstick", "lip_gloss", "eyeshadow", "blush"}
    first = {m.shade["category"]: m for m in reversed(matches)}
    assert first["eyeshadow"].shade["sku"] == "teal"
    assert "repeats" in first["eyeshadow"].reason
    lips = [m.shade["sku"] for m in matches if m.shade["category"] == "lipstick"]
    assert lips.index("coral") < lips.index("blue lips"), "opposite, and worn on lips"
    assert "opposite" in next(m.reason for m in matches if m.shade["sku"] == "coral")


def test_black_leaves_room_for_an_accent_and_red_is_repeated(catalog):
    accent = [
        m for m in match_outfit(catalog, [outfit("#101010")]) if m.shade["category"] == "lipstick"
    ]
    assert accent[0].shade["sku"] in ("ruby", "coral")
    assert "accent" in accent[0].reason
    red = [
        m for m in match_outfit(catalog, [outfit("#c01838")]) if m.shade["category"] == "lipstick"
    ]
    assert red[0].shade["sku"] == "ruby"
    assert "repeats" in red[0].reason


def test_a_skin_finds_its_foundation_and_hears_what_differs(catalog):
    for color, sku in (("#eed2ba", "fair"), ("#a0744e", "tan"), ("#50301f", "deep")):
        first, *_ = match_skin(catalog, hex_to_lab(color), 2)
        assert first.shade["sku"] == sku
        assert "undertone" in first.reason
    assert match_skin(catalog, hex_to_lab("#301d14"), 1)[0].reason.startswith("lighter")


def test_what_a_face_wears_is_found_for_its_region_and_by_finish(catalog):
    lab = tuple(float(v) for v in hex_to_lab("#b3122f"))
    colors = [
        MakeupColor("lips", "#b3122f", lab, "gloss", 0.9),
        MakeupColor("cheeks", "#e9967a", lab, "matte", 0.1),
    ]
    ((color, matches),) = match_makeup(catalog, colors)
    assert color.region == "lips"
    assert [m.shade["sku"] for m in matches[:2]] == ["ruby gloss", "ruby"]
