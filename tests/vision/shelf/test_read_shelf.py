"""Codes in a picture of a shelf: what is told, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from appliance.bench.shelf.film.codes import Code, ean13, goods, neighbours
from appliance.bench.shelf.film.film import Film, Plan
from contracts.errors import BadFrameError
from contracts.shelf import ShelfBatch, ShelfCell, ShelfCode, ShelfProduct
from vision.shelf import CodeState, How, ListedCode, StockList, overlay, read_shelf

GOODS = tuple(goods(12, seed=5))


@pytest.fixture(scope="module")
def shelf() -> NDArray[np.uint8]:
    return Film(Plan((GOODS,), columns=4, rows=3, module_px=2.0)).picture(0)


def listed(*codes: Code) -> StockList:
    return StockList(ListedCode(each.gtin, each.gtin) for each in codes)


def drawn(text: str, kind: zxingcpp.BarcodeFormat, *, scale: int = 3) -> NDArray[np.uint8]:
    how = {"gs1": True} if text.startswith("(") else {}
    made = np.asarray(zxingcpp.create_barcode(text, kind, **how).to_image(scale=scale))
    return np.pad(made, 40, constant_values=255)


def test_every_code_on_the_shelf_stands_for_its_product(shelf: NDArray[np.uint8]) -> None:
    reading = read_shelf(shelf, listed(*GOODS[:9]))
    told = {each.text: each.state for each in reading.codes}
    assert set(told) == {each.text for each in GOODS}
    assert [told[each.text] for each in GOODS[:9]] == [CodeState.CONFIRMED] * 9
    assert [told[each.text] for each in GOODS[9:]] == [CodeState.OFF_LIST] * 3
    assert not reading.unread


def test_where_codes_stood_before_is_enough_to_find_them_again(shelf: NDArray[np.uint8]) -> None:
    known = listed(*GOODS)
    regions = [each.quad for each in read_shelf(shelf, known).codes]
    again = read_shelf(shelf, known, regions[:5])
    assert len(again.codes) == 5
    assert [each.quad for each in again.codes] == regions[:5]


def test_a_region_whose_code_went_away_is_not_read(shelf: NDArray[np.uint8]) -> None:
    known = listed(*GOODS)
    region = read_shelf(shelf, known).codes[0].quad
    gone = read_shelf(np.full_like(shelf, 200), known, [region])
    assert gone.codes == ()
    assert [each.state for each in gone.unread] == [CodeState.UNREAD]


def test_a_code_with_no_check_at_all_is_not_told_even_without_a_list() -> None:
    (one,) = read_shelf(drawn("1234567890", zxingcpp.BarcodeFormat.ITF), None).unread
    assert (one.state, one.text) == (CodeState.UNREAD, "")
    wrong = read_shelf(drawn("14006381333937", zxingcpp.BarcodeFormat.ITF), None)
    assert wrong.codes == ()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_label_that_hangs_sideways_or_upside_down_is_read_too(turns: int) -> None:
    code = ean13("400638133393")
    picture = np.ascontiguousarray(np.rot90(drawn(code.text, zxingcpp.BarcodeFormat.EAN13), turns))
    (one,) = read_shelf(picture, listed(code)).codes
    assert (one.text, one.state, one.how) == (code.text, CodeState.CONFIRMED, How.READ)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("(01)09506000134352(17)270131(10)AB1", zxingcpp.BarcodeFormat.Code128, "GS1-128"),
        ("(01)09506000134352(17)270131(10)AB1", zxingcpp.BarcodeFormat.DataMatrix, "GS1DataMatrix"),
        ("https://id.gs1.org/01/09506000134352/10/AB1?17=270131", zxingcpp.BarcodeFormat.QRCode, "QRCode"),
    ],
)  # fmt: skip
def test_a_carton_code_tells_its_product_batch_and_expiry(
    text: str, kind: zxingcpp.BarcodeFormat, name: str
) -> None:
    known = StockList([ListedCode("09506000134352", "09506000134338", 12)])
    (one,) = read_shelf(drawn(text, kind), known).codes
    assert (one.format, one.product, one.units) == (name, "09506000134338", 12)
    assert (one.lot, one.expiry) == ("AB1", "2027-01-31")


def test_a_code_with_a_weak_check_counts_only_where_it_is_on_the_list() -> None:
    picture = drawn("96385074", zxingcpp.BarcodeFormat.EAN8)
    known = StockList([ListedCode("00000096385074", "00000096385074")])
    assert [each.state for each in read_shelf(picture, known).codes] == [CodeState.CONFIRMED]
    stranger = read_shelf(picture, StockList())
    assert stranger.codes == ()
    assert len(stranger.unread) == 1


def test_modules_too_fine_to_be_sure_of_are_never_another_product() -> None:
    codes = tuple(goods(20, seed=7))
    film = Film(Plan((codes,), columns=5, rows=4, module_px=1.25, noise=4.0))
    decoys = [other for each in codes for other in neighbours(each, 20, seed=1)]
    known = listed(*codes, *decoys)
    truth = {each.text for each in codes}
    for number in range(0, 60, 20):
        reading = read_shelf(film.picture(number), known)
        assert {each.text for each in reading.codes} <= truth


def test_a_place_has_what_the_planogram_and_the_stock_say() -> None:
    own, carton = ShelfCode(GOODS[0].gtin), ShelfCode("19506000134359", 12)
    product = ShelfProduct(
        GOODS[0].gtin,
        "Rice",
        codes=(own, carton),
        places=("A-01",),
        batches=(ShelfBatch("S", "L", cells=(ShelfCell("B-02", 3),)),),
    )
    known = StockList.of([product])
    assert [(each.gtin, each.units) for each in known.codes] == [(own.gtin, 1), (carton.gtin, 12)]
    assert known.codes[1].places == ("A-01", "B-02")


def test_what_is_no_picture_is_refused() -> None:
    for shape, kind in (((3, 4, 5), np.uint8), ((4, 4), np.float32), ((0, 4), np.uint8)):
        with pytest.raises(BadFrameError):
            read_shelf(np.zeros(shape, dtype=kind), StockList())


def test_the_overlay_frames_every_code_and_leaves_the_picture_as_it_was(
    shelf: NDArray[np.uint8],
) -> None:
    before = shelf.copy()
    reading = read_shelf(shelf, listed(*GOODS[:6]))
    picture = overlay(shelf, reading, {GOODS[0].gtin: "燕麦 Rolled oats"})
    assert picture.shape == (*shelf.shape, 3)
    assert (shelf == before).all()
    colours = {tuple(each) for each in picture.reshape(-1, 3)[::7].tolist()}
    assert {(80, 160, 40), (190, 70, 150)} <= colours
