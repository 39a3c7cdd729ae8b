"""The true value's place in what was read: the right one, or none at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.learning.example import Glyph, Truth
from appliance.learning.locate import best_places, locate
from tests.appliance.learning.cartons import TRUTH, line


def printed(text: str, truth: Truth = TRUTH) -> dict[str, str]:
    return {place.field: place.text for place in locate(truth, line(text))}


@pytest.mark.parametrize(
    ("read", "means"),
    [
        ("LOT: A18B07", {"batch": "A18B07"}),
        ("LOT: A1BB07", {"batch": "A18B07"}),
        ("批号A18B0数量:48", {"batch": "A18B07"}),
        ("EXP 2027-12-03", {"expiry": "2027-12-03"}),
        ("EXP 2027--03", {"expiry": "2027-12-03"}),
        ("EXP 2027-12 03", {"expiry": "2027-12-03"}),
        ("有效期至2027年12月3日", {"expiry": "2027年12月3"}),
        ("BBE O3 DEC 2027", {"expiry": "03 DEC 2027"}),
        ("EXP 20271203", {"expiry": "20271203"}),
        ("(01)09521100410014(17)271203(10)A18B07",
         {"gtin": "09521100410014", "expiry": "(17)271203", "batch": "A18B07"}),
        ("9521100410014", {"gtin": "9521100410014"}),
        ("Sunrise Foods, 12 Harbour Road", {}),
        ("MFG 2027-12-03", {}),
        ("EXP 2028-06-21", {}),
    ],
)  # fmt: skip
def test_what_is_printed_is_told_from_what_was_read(read: str, means: dict[str, str]) -> None:
    assert printed(read) == means


def test_a_date_with_one_mark_lost_has_the_mark_that_was_read() -> None:
    assert printed("EXP: 202!10/07", replace(TRUTH, expiry="2029-10-07")) == {
        "expiry": "2029/10/07"
    }


def test_a_date_whose_marks_differ_is_not_believed() -> None:
    assert printed("EXP 2027-12/03") == {}


def test_a_date_without_zeros_is_believed_only_where_all_of_it_was_read() -> None:
    truth = replace(TRUTH, expiry="2028-03-05")
    assert printed("EXP 2028-3-5", truth) == {"expiry": "2028-3-5"}
    assert "expiry" not in printed("EXP 202 3-5", truth)


def test_a_short_batch_must_be_read_whole() -> None:
    truth = replace(TRUTH, batch="B7")
    assert printed("LOT B7", truth) == {"batch": "B7"}
    assert printed("QTY B1 x 7", truth) == {}


def test_a_batch_is_not_found_inside_a_longer_number() -> None:
    truth = replace(TRUTH, batch="2345")
    assert printed("0123456", truth) == {}
    assert printed("LOT 2345", truth) == {"batch": "2345"}


def test_characters_that_were_not_read_are_told() -> None:
    (place,) = locate(TRUTH, line("LOT: 18B0"))
    assert (place.text, place.lead, place.trail) == ("A18B07", 1, 1)
    assert place.seen == (False, True, True, True, True, False)


def test_characters_that_the_reader_called_unreadable_keep_their_place() -> None:
    (place,) = locate(TRUTH, line("LOT: ▯18B▯7"))
    assert (place.text, place.start, place.end) == ("A18B07", 5, 11)
    assert (place.lead, place.trail) == (0, 0)
    assert place.seen == (False, True, True, True, False, True)
    (date,) = locate(TRUTH, line("EXP 2027▯12-03"))
    assert date.text == "2027-12-03"
    assert locate(TRUTH, line("LOT ▯▯▯▯▯▯")) == ()


def test_of_two_dates_in_a_picture_only_the_better_one_is_the_expiry() -> None:
    """The production date lies a digit away, and its caption was torn off."""
    lines = [line("2026-12-03"), line("EXP 2027-12-03"), line("2027-12-03", frame=1)]
    assert set(best_places(TRUTH, lines)) == {1, 2}


def test_print_that_surely_says_something_else_teaches_nothing() -> None:
    """The operator looked at another label, or mistyped."""
    read = line("A18X9Z")
    sure = tuple(Glyph(n / 6, ((letter, 0.99),)) for n, letter in enumerate(read.text))
    unsure = tuple(replace(glyph, letters=((glyph.letters[0][0], 0.5),)) for glyph in sure)
    truth = replace(TRUTH, batch="A18B97")
    caption = replace(read, text="LOT A18X9Z")
    assert locate(truth, replace(read, glyphs=sure)) == ()
    assert locate(truth, caption)[0].text == "A18B97"
    assert locate(truth, replace(read, glyphs=unsure)) == ()


@given(
    st.text("ABCDEFGHKLMNPRSTUVWXYZ0123456789", min_size=5, max_size=12),
    st.sampled_from(["LOT ", "批号:", "BATCH NO. ", ""]),
    st.sampled_from(["", " QTY 48", "  "]),
)
def test_a_batch_that_was_read_whole_is_found_as_it_is(batch: str, before: str, after: str) -> None:
    truth = replace(TRUTH, batch=batch, gtin="", expiry="")
    (place,) = locate(truth, line(before + batch + after))
    assert (place.text, place.fit) == (batch, 1.0)
    assert (before + batch + after)[place.start : place.end] == batch
