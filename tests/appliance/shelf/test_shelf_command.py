"""`tallyman shelf` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from typer.testing import CliRunner

from appliance.bench.shelf.film.codes import goods
from appliance.bench.shelf.film.film import Film, Plan
from appliance.cli.shelf import shelf
from appliance.shelf.stock_file import read_stock_file
from contracts.errors import BadInputError

GOODS = tuple(goods(6, seed=5))
RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture = Film(Plan((GOODS,), columns=3, rows=2, module_px=2.5)).picture(0)
    cv2.imwrite(str(tmp_path / "shelf.png"), picture)
    rows = [f"{each.text},Product {k},A;B" for k, each in enumerate(GOODS[:5])]
    (tmp_path / "list.csv").write_text("gtin,name,places\n" + "\n".join(rows), encoding="utf-8")
    return tmp_path


def test_a_picture_is_one_line_with_the_documented_keys(folder: Path) -> None:
    words = [str(folder / "shelf.png"), "--list", str(folder / "list.csv"), "--json", "--fast"]
    done = RUN.invoke(shelf, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) == {"frame", "codes", "unread", "elapsed_ms"}
    assert {each["text"]: each["state"] for each in told["codes"]} == {
        **{each.text: "confirmed" for each in GOODS[:5]},
        GOODS[5].text: "off_list",
    }
    assert set(told["codes"][0]) == {
        "quad", "state", "text", "format", "gtin", "product", "units", "lot", "expiry", "how",
        "confidence", "candidates",
    }  # fmt: skip


def test_the_overlay_stands_in_its_folder_and_people_read_names(folder: Path) -> None:
    drawn = folder / "drawn"
    words = ["read", str(folder / "shelf.png"), "--list", str(folder / "list.csv"), "--fast"]
    done = RUN.invoke(shelf, [*words, "--overlay", str(drawn)])
    assert "Product 3" in done.stdout
    picture = cv2.imread(str(drawn / "shelf.png"))
    assert picture is not None
    assert picture.shape == (720, 1280, 3)


def test_a_picture_that_is_none_is_told_and_the_others_are_read(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = RUN.invoke(shelf, [str(folder), "--fast"])
    assert done.exit_code == 2
    assert "broken.png ends too early" in done.stderr
    assert "shelf.png: 6 codes" in done.stdout


def test_a_picture_that_is_missing_is_told_and_the_others_are_read(folder: Path) -> None:
    done = RUN.invoke(shelf, [str(folder / "gone.png"), str(folder / "shelf.png"), "--fast"])
    assert done.exit_code == 2
    assert "gone.png does not exist" in done.stderr
    assert "shelf.png: 6 codes" in done.stdout


def test_without_a_list_a_code_is_read_and_not_off_any_list(folder: Path) -> None:
    carton = np.asarray(
        zxingcpp.create_barcode("14006381333938", zxingcpp.BarcodeFormat.ITF).to_image(scale=3)
    )
    cv2.imwrite(str(folder / "carton.png"), np.pad(carton, 40, constant_values=255))
    done = RUN.invoke(shelf, [str(folder / "carton.png"), str(folder / "shelf.png"), "--json"])
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["state"] for one in told for each in one["codes"]} == {"read"}
    (itf,) = told[0]["codes"]
    assert (itf["text"], itf["format"], itf["confidence"]) == ("14006381333938", "ITF14", 0.0)
    assert [each["confidence"] for each in told[1]["codes"]] == [1.0] * 6
    assert not [each for one in told for each in one["unread"]]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("code\n1", "the header is code"),
        ("gtin\n4006381333932", "line 2.*check digit"),
        ("gtin,units\n4006381333931,none", "line 2.*units is 'none'"),
        ("gtin,product\n4006381333931,12", "line 2"),
    ],
)
def test_a_list_that_cannot_be_used_says_which_line(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=what):
        read_stock_file(path)


def test_a_carton_stands_for_its_product(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "gtin,name,product,units,places\n"
        "4006381333931,Pen,,,A-01\n"
        "14006381333938,,4006381333931,12,\n",
        encoding="utf-8",
    )
    told = read_stock_file(path)
    assert told.codes is not None
    carton = told.codes.get("14006381333938")
    assert carton is not None
    assert (carton.product, carton.units) == ("04006381333931", 12)
    assert told.names == {"04006381333931": "Pen"}


def test_lists_are_imported_into_a_hub_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text("place,name\n", encoding="utf-8")
    config = tmp_path / "site.toml"
    config.write_text(f'[site]\ndata = "{tmp_path / "data"}"\n', encoding="utf-8")
    done = RUN.invoke(shelf, ["places", str(file), "--config", str(config)])
    assert "There is no hub" in str(done.exception)
