"""Symbols of whole frames: at every turn, beside phantoms, and never more than is there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.bench.symbols_read import find_photos, measure, plain_text, read_both
from tests.vision.reading.printed import BATCH, GTIN, TEXT, page, symbol
from vision.frames import decode_frame
from vision.reading.symbols import Elements, elements_of, read_symbols

WHOLE = Elements(GTIN, BATCH, date(2028, 12, 3))
UPS = {
    "IMG_8747": {"1Z88899K2324252627", "CA 859 2-37"},
    "IMG_8759": {"1Z11100L0708091011", "CA 859 2-38"},
    "IMG_8763": {"1Z88899K2324252627", "CA 859 2-37"},
}


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("kind", ["Code128", "QRCode", "DataMatrix"])
def test_a_label_reads_at_every_quarter_turn_and_says_where(kind: str, turns: int) -> None:
    options = {"gs1": True} if kind != "QRCode" else {}
    upright = page(symbol(kind, TEXT, module=3, **options), at=(200, 500))
    inked = np.argwhere(np.rot90(upright, turns)[:, :, 0] < 128)
    (seen,) = read_symbols(np.ascontiguousarray(np.rot90(upright, turns)))
    assert seen.elements == WHOLE
    middle = np.mean(seen.symbol.quad, axis=0)
    low, high = inked.min(axis=0)[::-1], inked.max(axis=0)[::-1]
    assert np.all(middle > low), (middle, low)
    assert np.all(middle < high), (middle, high)
    assert np.abs(middle - (low + high) / 2).max() < 30


def test_an_element_string_without_fnc1_counts_where_it_has_one_meaning() -> None:
    assert elements_of("QRCode", f"01{GTIN}1728120310{BATCH}", gs1=False) == WHOLE
    assert elements_of("QRCode", f"01{GTIN}10{BATCH}", gs1=False) == Elements(GTIN, BATCH)


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}10{BATCH}17281203",
        f"01{GTIN[:-1]}11728120310{BATCH}",
        f"01{GTIN}17289903",
        f"01{GTIN}",
        f"01{GTIN}99whatever",
    ],
)
def test_an_element_string_without_fnc1_is_not_guessed_at(text: str) -> None:
    assert not elements_of("QRCode", text, gs1=False)


def test_a_carton_with_two_codes_gives_both() -> None:
    frame = page(symbol("Code128", "1Z88899K2324252627", module=3), at=(100, 100))
    below = symbol("EAN13", "6901234567892", module=4)
    frame[600 : 600 + below.shape[0], 400 : 400 + below.shape[1]] = below[:, :, None]
    assert {each.symbol.text for each in read_symbols(frame)} == {
        "1Z88899K2324252627",
        "6901234567892",
    }


def test_print_without_a_code_has_none() -> None:
    frame = np.full((960, 1280, 3), 215, np.uint8)
    for i in range(12):
        cv2.putText(frame, "LOT L342836 EXP 2028-12-03 |||| ||", (80, 80 + 60 * i), 0, 1.2, 0, 2)
    assert read_symbols(frame) == ()


@pytest.mark.data
def test_photos_give_no_text_that_the_decoder_itself_would_not_give(data_dir: Path) -> None:
    found = measure(find_photos(data_dir / "labels" / "barcodes_zxing")[::8])
    ours, theirs = found["ours"], found["zxing_default"]
    assert found["photos"] > 50
    assert found["cut_photos"] > 300
    assert found["false_beyond_zxing"] == 0
    assert ours["false_on_cut_codes"] == 0
    assert ours["right"] >= theirs["right"]


@pytest.mark.data
def test_phantoms_of_add_ons_and_of_empty_codes_are_left_out(data_dir: Path) -> None:
    folder = data_dir / "labels" / "barcodes_zxing"
    names = {"ean13-4/06", "upce-2/14", "datamatrix-1/eci-mixed"}
    photos = [
        photo
        for photo in find_photos(folder)
        if photo.path.relative_to(folder).with_suffix("").as_posix() in names
    ]
    assert len(photos) == len(names)
    for each in read_both(photos):
        assert each.theirs, f"{each.photo.path} was chosen for its phantom"
        assert not {plain_text(text) for text in each.ours} - {plain_text(each.photo.truth)}


@pytest.mark.data
def test_both_bar_codes_of_every_shipping_carton_are_read(data_dir: Path) -> None:
    photos = sorted((data_dir / "labels" / "shipping_ups").rglob("*.JPG"))
    assert {path.stem for path in photos} == set(UPS)
    for path in photos:
        frame = decode_frame(path.read_bytes(), name=path.name)
        assert {each.symbol.text for each in read_symbols(frame)} >= UPS[path.stem]
