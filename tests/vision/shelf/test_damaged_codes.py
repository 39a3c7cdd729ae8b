"""Codes of which a part is destroyed, against the stock list: sure, to tap, or nothing."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.bench.shelf.damage import KINDS, Shot, shoot
from appliance.bench.shelf.film.codes import ean13, goods, neighbours
from vision.shelf import CodeState, DamagedReader, How, ListedCode, ReadCode, StockList
from vision.shelf.damaged.answer import answer
from vision.shelf.damaged.symbology import ean8, numbers_of
from vision.shelf.damaged.symbology import ean13 as ean13_layout

GOODS = tuple(goods(300, seed=2))
BARS = DamagedReader()
"""Without the print below: what bars alone say."""


@cache
def stock() -> StockList:
    return StockList(ListedCode(each.gtin, each.gtin, 1, ("A",)) for each in GOODS)


def shot(text: str, kind: str, seed: int, *, share: float = 0.4) -> Shot:
    return shoot(text, kind, np.random.default_rng(seed), share=share, module_px=2.5)


def read(picture: Shot, known: StockList | None = None) -> ReadCode:
    return BARS.read(picture.picture, known or stock(), quad=picture.quad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_with_two_fifths_destroyed_is_answered_and_never_wrongly(kind: str) -> None:
    answered = 0
    for seed in range(6):
        truth = GOODS[7 * seed].text
        one = read(shot(truth, kind, seed))
        if one.state is CodeState.CONFIRMED:
            assert (one.text, one.how) == (truth, How.LIST)
            answered += 1
        else:
            answered += truth in {each.text for each in one.candidates}
    assert answered >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_on_the_list_is_never_told_as_the_product_beside_it(kind: str) -> None:
    for seed, stranger in enumerate(neighbours(GOODS[0], 6, seed=3)):
        known = StockList(
            ListedCode(each.gtin, each.gtin) for each in GOODS if each.gtin != stranger.gtin
        )
        one = read(shot(stranger.text, kind, 100 + seed), known)
        assert one.state is CodeState.UNREAD


def test_a_whole_code_is_read_by_its_bars_alone_upright_and_upside_down() -> None:
    picture = shot(GOODS[3].text, "torn", 1, share=0.0)
    turned = Shot(
        np.ascontiguousarray(picture.picture[::-1, ::-1]),
        np.array(picture.picture.shape[::-1]) - picture.quad,
    )
    for each in (picture, turned):
        one = read(each)
        assert (one.state, one.text) == (CodeState.CONFIRMED, GOODS[3].text)
    assert read(turned).quad[0][0] > read(turned).quad[1][0]


def test_products_that_differ_where_the_code_is_gone_are_there_to_be_tapped() -> None:
    """The last digits are covered: which of the two it is nobody can know."""
    one, other = ean13("690123456781"), ean13("690123456785")
    known = StockList(ListedCode(each.gtin, each.gtin) for each in (one, other))
    picture = shot(one.text, "ink", 1, share=0.0)
    wide = picture.picture.shape[1]
    picture.picture[:, round(0.62 * wide) :] = 15
    read_as = read(picture, known)
    assert read_as.state is CodeState.UNREAD
    assert {each.text for each in read_as.candidates} == {one.text, other.text}


def test_what_stands_at_the_place_is_likelier() -> None:
    here, there = ean13("690123456781"), ean13("690123456785")
    known = StockList(
        [ListedCode(here.gtin, here.gtin, 1, ("A",)), ListedCode(there.gtin, there.gtin, 1, ("B",))]
    )
    picture = shot(here.text, "ink", 1, share=0.0)
    picture.picture[:, round(0.62 * picture.picture.shape[1]) :] = 15
    maybe = BARS.read(picture.picture, known, quad=picture.quad, place="A").candidates
    assert maybe[0].text == here.text
    assert maybe[0].share > 0.7


@pytest.mark.parametrize("what", ["nothing", "noise", "stripes"])
def test_where_no_code_is_nothing_is_said(what: str) -> None:
    random = np.random.default_rng(1)
    picture = np.full((80, 300), 200, np.uint8)
    if what == "noise":
        picture = random.integers(0, 255, picture.shape, dtype=np.uint8)
    if what == "stripes":
        picture[:, ::6] = 20
        picture[:, 1::6] = 20
    one = BARS.read(picture, stock())
    assert (one.state, one.text) == (CodeState.UNREAD, "")


def test_an_empty_list_answers_nothing() -> None:
    assert read(shot(GOODS[0].text, "torn", 1), StockList()).state is CodeState.UNREAD


@pytest.mark.parametrize(
    ("text", "layout"), [("4006381333931", ean13_layout()), ("96385074", ean8())]
)
def test_the_layout_is_what_an_encoder_draws(text: str, layout) -> None:
    from vision.shelf.damaged.symbology import SETS

    kind = getattr(zxingcpp.BarcodeFormat, layout.name)
    made = zxingcpp.create_barcode(text, kind).to_image(scale=1, add_quiet_zones=False)
    row = np.asarray(made)[5] < 128
    digits = numbers_of([text.zfill(14)], layout)
    sets = layout.sets_of(digits)[0]
    modules = layout.fixed.copy()
    for start, which, digit in zip(layout.starts, sets, digits[0][layout.leading :], strict=True):
        modules[start : start + 7] = SETS[which, digit]
    assert row[-layout.modules :].astype(float).tolist() == modules.tolist()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_shares_are_of_one_whole_and_a_seen_digit_never_helps_another_product(
    data: st.DataObject,
) -> None:
    layout = ean13_layout()
    numbers = stock().numbers(layout)
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    table = random.normal(0, data.draw(st.sampled_from([0.0, 1.0, 4.0])), (12, 3, 10))
    prior = stock().prior(layout, "A")
    before = answer(table, None, prior, numbers, layout)
    assert before.shares.sum() + before.off_list == pytest.approx(1.0)
    product = data.draw(st.integers(0, len(GOODS) - 1))
    digit = data.draw(st.integers(0, 11))
    own = numbers.digits[product, 1 + digit]
    table[digit, numbers.sets[product, digit], own] += 3.0
    after = answer(table, None, prior, numbers, layout)
    assert after.shares[product] >= before.shares[product] - 1e-12
    others = (numbers.digits[:, 1 + digit] != own) | (
        numbers.sets[:, digit] != numbers.sets[product, digit]
    )
    assert (after.shares[others] <= before.shares[others] + 1e-12).all()


def test_with_nothing_seen_every_product_is_as_likely_as_the_list_says() -> None:
    layout = ean13_layout()
    told = answer(
        np.zeros((12, 3, 10)), None, stock().prior(layout, ""), stock().numbers(layout), layout
    )
    assert told.off_list == pytest.approx(0.05)
    assert np.ptp(told.shares) < 1e-12
