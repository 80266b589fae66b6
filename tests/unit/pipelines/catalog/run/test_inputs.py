import io
import json
import os
import tarfile

import numpy as np
import pytest
from PIL import Image

from models.errors import CatalogError, ImageError
from pipelines.catalog.formats.manifests import parse_price
from pipelines.catalog.formats.tables import import_parquet
from pipelines.catalog.run.inputs import read_inputs, read_item


def picture(color=(200, 30, 60)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "lips").mkdir()
    for name in ("b.png", "a.JPG", "lips/red.webp", "notes.txt", "lips/.hidden"):
        (tmp_path / name).write_bytes(picture())
    return tmp_path


def skus(*inputs, **more):
    return [item.sku for item in read_inputs(map(str, inputs), **more)]


def test_a_folder_is_read_in_order_of_names_with_all_below_it(shop):
    assert skus(shop) == ["a", "b", "lips/red"]
    assert skus(shop / "*.png") == ["b"]
    assert skus(shop / "lips" / "red.webp", shop / "b.png") == ["red", "b"]
    assert skus(shop / "lips" / ".." / "lips") == ["red"]


def test_an_empty_folder_has_no_pictures_and_a_wrong_name_is_refused(tmp_path):
    assert skus(tmp_path) == []
    with pytest.raises(CatalogError, match="nothing at"):
        skus(tmp_path / "no-such")


def test_names_with_markup_line_breaks_and_no_utf8_are_read_and_printed(tmp_path):
    names = [b"<b>&.png", b"two\nlines.png", "été ✿.png".encode(), b"caf\xe9.png"]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(picture())
    items = list(read_inputs([str(tmp_path)]))
    assert {item.sku for item in items} == {"<b>&", "two\nlines", "été ✿", "caf\\xe9"}
    for item in items:
        assert read_item(item.locator) == picture()
        item.source.encode("utf-8")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_manifest_brings_the_words_of_the_shop(shop, ending):
    rows = [
        {
            "image": "b.png",
            "sku": "B-1",
            "title": "Rouge",
            "price": "12.50 EUR",
            "brand": "X & Y",
            "category": "Lip Gloss",
        },
        {
            "image": "lips/red.webp",
            "sku": "",
            "title": "Two,\nlines",
            "price": "9",
            "brand": "",
            "category": "Lip Colour",
        },
        {"image": "", "sku": "none", "title": "", "price": "", "brand": "", "category": ""},
    ]
    path = shop / f"shop.{ending}"
    if ending == "csv":
        import csv

        with path.open("w", newline="", encoding="utf-8-sig") as file:  # as Excel writes it
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        import pyarrow as pa

        import_parquet().write_table(pa.Table.from_pylist(rows), path)
    first, second, third = read_inputs([str(path)])
    assert (first.sku, first.price, first.currency) == ("B-1", 12.5, "EUR")
    assert (first.title, first.brand, first.category) == ("Rouge", "X & Y", "lip_gloss")
    assert (second.sku, second.title, second.price) == ("red", "Two,\nlines", 9.0)
    assert (second.category, second.description) == ("", "Lip Colour.")
    assert read_item(second.locator) == picture()
    with pytest.raises(ImageError) as caught:
        read_item(third.locator)
    assert caught.value.reason == "missing"


def test_standard_input_is_a_manifest(shop):
    lines = io.StringIO('{"image": "%s", "sku": "7"}\n\n' % (shop / "b.png"))
    (item,) = read_inputs(["-"], lines)
    assert item.sku == "7"
    assert read_item(item.locator) == picture()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("m.csv", "picture,sku\na.png,1\n", "columns"),
        ("m.jsonl", '{"image": "a.png"}\nnot json\n', "damaged"),
        ("m.jsonl", "[1, 2]\n", "damaged"),
        ("m.parquet", "PAR1 but not really", "damaged"),
        ("m.tar", "no tar", "damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(CatalogError) as caught:
        skus(tmp_path / name)
    assert caught.value.reason == reason


def test_a_webdataset_tar_is_read_in_place(tmp_path):
    path = tmp_path / "shard-000.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (
            ("x/001.png", picture((255, 0, 0))),
            ("x/001.json", json.dumps({"title": "Ruby", "price": 5}).encode()),
            ("x/002.cls", b"3"),
            ("x/003.jpg", picture((0, 0, 255))),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    first, second = read_inputs([str(path)])
    assert (first.sku, first.title, first.price, second.sku) == ("x/001", "Ruby", 5.0, "x/003")
    assert first.source.endswith("shard-000.tar/x/001.png")
    for item, color in ((first, (255, 0, 0)), (second, (0, 0, 255))):
        assert read_item(item.locator, item.start, item.size) == picture(color)


def test_urls_are_listed_and_read_through_fsspec():
    import fsspec

    files = fsspec.filesystem("memory")
    for name in ("/shop/b.png", "/shop/deep/a.png", "/shop/readme.md"):
        files.pipe_file(name, picture())
    files.pipe_file("/shop/list.csv", b"image,sku\nb.png,from-csv\n")
    assert skus("memory://shop") == ["b", "deep/a"]
    assert skus("memory://shop/*.png") == ["/shop/b"] or skus("memory://shop/*.png") == ["b"]
    (item,) = read_inputs(["memory://shop/list.csv"])
    assert item.sku == "from-csv"
    assert read_item(item.locator) == picture()
    with pytest.raises(ImageError):
        read_item("memory://shop/none.png")
    files.rm("/shop", recursive=True)


@pytest.mark.parametrize(
    ("text", "price", "currency"),
    [
        (12.5, 12.5, ""),
        ("12,50 EUR", 12.5, "EUR"),
        ("USD 7", 7.0, "USD"),
        (None, None, ""),
        ("on request", None, ""),
        (np.float64(3), 3.0, ""),
    ],
)
def test_prices_are_read_as_shops_write_them(text, price, currency):
    assert parse_price(text) == (price, currency)
