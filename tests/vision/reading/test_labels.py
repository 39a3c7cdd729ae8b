"""Two cartons in one picture must not become one: whose line is whose."""

from __future__ import annotations

from datetime import date

import numpy as np

from contracts.reading import Symbol
from tests.vision.reading.readings import glyphs
from vision.reading.labels import split_labels
from vision.reading.recogniser import ReadLine
from vision.reading.symbols import Elements, SeenSymbol

LEFT = ("CHOCOLATE", "LOT L342836", "MFG 2027-06-05", "EXP 2028-12-03")
RIGHT = ("BISCUITS", "LOT A98B61", "MFG 2028-06-05", "EXP 2029-09-19")


def printed(
    rows: tuple[str, ...], *, x: float, y: float, height: float = 30.0, tilt: float = 0.0
) -> list[ReadLine]:
    """Rows of text under each other, their left edges at `x`, turned by `tilt` around (0, 0)."""
    c, s = np.cos(tilt), np.sin(tilt)
    found = []
    for i, text in enumerate(rows):
        length = 0.6 * height * len(text)
        px, py = x + length / 2, y + 1.6 * height * i
        box = np.array([px * c - py * s, px * s + py * c, length, height, tilt])
        found.append(ReadLine(box, glyphs(text), text, 0.95))
    return found


def code(elements: Elements, *, x: float, y: float) -> SeenSymbol:
    quad = ((x, y), (x + 90, y), (x + 90, y + 90), (x, y + 90))
    return SeenSymbol(Symbol("QRCode", "", quad), elements)


def test_one_label_is_one_group() -> None:
    lines = printed(LEFT, x=100, y=100)
    symbols = [code(Elements("08804045943238", "L342836", date(2028, 12, 3)), x=500, y=100)]
    (group,) = split_labels(lines, symbols)
    assert group.lines == (0, 1, 2, 3)
    assert group.symbols == (0,)


def test_an_empty_picture_has_no_label() -> None:
    assert split_labels([], []) == ()


def test_labels_beside_each_other_are_two_at_any_tilt() -> None:
    for tilt in (-0.3, 0.0, 0.2):
        lines = [*printed(LEFT, x=100, y=100, tilt=tilt), *printed(RIGHT, x=620, y=130, tilt=tilt)]
        groups = split_labels(lines, [])
        assert sorted(group.lines for group in groups) == [(0, 1, 2, 3), (4, 5, 6, 7)], tilt


def test_labels_under_each_other_are_two_and_each_keeps_its_symbol() -> None:
    lines = [*printed(LEFT, x=100, y=100), *printed(RIGHT, x=120, y=520)]
    symbols = [
        code(Elements("06938967753711", "A98B61"), x=560, y=540),
        code(Elements("08804045943238", "L342836"), x=560, y=110),
    ]
    groups = split_labels(lines, symbols)
    assert {(group.lines, group.symbols) for group in groups} == {
        ((0, 1, 2, 3), (1,)),
        ((4, 5, 6, 7), (0,)),
    }


def test_a_label_half_hidden_behind_is_the_smaller_group() -> None:
    lines = [*printed(RIGHT[1:3], x=900, y=80, height=16), *printed(LEFT, x=100, y=200)]
    front, behind = split_labels(lines, [])
    assert front.lines == (2, 3, 4, 5)
    assert behind.lines == (0, 1)
    assert front.height_px > 1.5 * behind.height_px


def test_symbols_of_two_products_are_two_labels_even_where_no_text_reads() -> None:
    symbols = [
        code(Elements("08804045943238"), x=100, y=100),
        code(Elements("06938967753711"), x=700, y=100),
    ]
    assert sorted(group.symbols for group in split_labels([], symbols)) == [(0,), (1,)]


def test_a_bilingual_label_that_says_its_batch_twice_is_one() -> None:
    rows = ("批号:L342836", "LOT L342836", "EXP 2028-12-03")
    assert len(split_labels(printed(rows, x=100, y=100), [])) == 1
    misread = ("批号:L342836", "LOT L3428B6", "EXP 2028-12-03")
    assert len(split_labels(printed(misread, x=100, y=100), [])) == 1


def test_a_date_under_a_misread_caption_is_no_second_batch() -> None:
    rows = ("LOT L886202", "批号: 2027.0626", "B: 100")
    assert len(split_labels(printed(rows, x=100, y=100), [])) == 1


def test_a_chinese_and_an_english_label_are_two() -> None:
    chinese = ("批号:2428-674", "EXP 2028-12-03")
    lines = [*printed(LEFT, x=100, y=100), *printed(chinese, x=620, y=130)]
    assert len(split_labels(lines, [])) == 2


def test_the_element_string_under_the_symbol_is_no_second_batch() -> None:
    rows = (*LEFT, "(01)08804045943238(17)281203(10)L34283G")
    assert len(split_labels(printed(rows, x=100, y=100), [])) == 1


def test_four_cartons_on_a_pallet_are_four() -> None:
    lines = [
        line
        for k, (x, y) in enumerate([(50, 50), (640, 60), (60, 500), (650, 510)])
        for line in printed((f"LOT L{k}{k}{k}{k}42", "EXP 2028-12-03"), x=x, y=y)
    ]
    groups = split_labels(lines, [])
    assert sorted(group.lines for group in groups) == [(0, 1), (2, 3), (4, 5), (6, 7)]
