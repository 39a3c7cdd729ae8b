"""Labels read without a list: gaps stay open, two prints help each other, nothing is invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.gs1 import check_digit
from vision.reading.ctc import UNREADABLE
from vision.reading.plain import PlainLine, PlainReading, read_plainly
from vision.reading.spelled import Spelled, together, with_check_digit

GAP = UNREADABLE


def read(*texts: str, sure: float = 0.98) -> PlainReading:
    return read_plainly([PlainLine(text, sure) for text in texts], ())


def values(reading: PlainReading) -> dict[str, str]:
    found = {name: getattr(reading.fields, name) for name in ("gtin", "batch", "expiry")}
    return {name: field.value for name, field in found.items() if field is not None}


def test_a_clean_label_is_read_whole() -> None:
    found = values(read("GTIN 06938967753711", "LOT: A98B61", "MFG 2028-03-28", "EXP 2029.09.19"))
    assert found == {"gtin": "06938967753711", "batch": "A98B61", "expiry": "2029-09-19"}


def test_the_human_readable_line_alone_is_enough() -> None:
    found = values(read("(01)06935921194733(17)290417(10)L061314"))
    assert found == {"gtin": "06935921194733", "batch": "L061314", "expiry": "2029-04-17"}


def test_a_gap_in_the_batch_is_not_given_out_but_shown() -> None:
    reading = read(f"LOT: A3{GAP}B17")
    assert values(reading) == {}
    assert reading.partly == {"batch": f"A3{GAP}B17"}


def test_print_and_human_readable_line_fill_each_others_gaps() -> None:
    reading = read(f"LOT A3{GAP}B17", f"(01)06935921194733(17)290417(10){GAP}32B1{GAP}")
    assert values(reading)["batch"] == "A32B17"
    assert reading.conflicts == ()


def test_one_missing_digit_of_a_gtin_follows_from_its_check_digit() -> None:
    assert values(read(f"GTIN 0693592{GAP}194733"))["gtin"] == "06935921194733"
    assert "gtin" not in values(read(f"GTIN 069359{GAP}{GAP}194733"))


def test_a_gtin_that_fails_its_check_digit_is_not_given_out() -> None:
    assert "gtin" not in values(read("GTIN 06938967753712"))


def test_digits_voted_together_are_checked_again() -> None:
    lines = [
        PlainLine("GTIN 06901234567892", 0.85),
        PlainLine(f"GTIN 06991{GAP}{GAP}4567892", 0.95),
    ]
    found = read_plainly(lines, ()).fields.gtin
    assert found is None or found.value == "06901234567892"


def test_a_digit_that_was_computed_earns_no_trust_by_its_check() -> None:
    whole, solved = (read(f"GTIN 0693592{c}194733").fields.gtin for c in ("1", GAP))
    assert whole is not None
    assert solved is not None
    assert solved.confidence < 0.9 * whole.confidence


def test_day_nought_of_an_element_string_is_the_months_end() -> None:
    assert values(read("(01)06935921194733(17)290400(10)L061314"))["expiry"] == "2029-04-30"


def test_weak_characters_are_shown_as_gaps() -> None:
    sure = (0.99,) * 5 + (0.99, 0.3, 0.99, 0.99, 0.99, 0.99)
    reading = read_plainly([PlainLine("LOT: A32B17", 0.9, sure)], ())
    assert reading.partly["batch"] == f"A{GAP}2B17"


def test_a_date_with_a_gap_is_no_date() -> None:
    reading = read(f"EXP 2029/{GAP}1/29")
    assert values(reading) == {}
    assert reading.partly == {"expiry": f"2029{GAP}129"}


def test_a_damaged_caption_still_tells_what_follows() -> None:
    assert values(read(f"B{GAP}TCH A14B23"))["batch"] == "A14B23"
    assert values(read(f"{GAP}{GAP}{GAP} A14B23")) == {}


def test_the_production_date_is_never_the_expiry() -> None:
    assert values(read("MFG 2028-03-28")) == {}


def test_letters_that_look_like_digits_count_as_digits_in_a_date() -> None:
    assert values(read("(01)06935921194733(17)29O417(10)L061314"))["expiry"] == "2029-04-17"


def test_two_sure_values_that_differ_are_a_conflict() -> None:
    reading = read("LOT A98B61", "BATCH A98B67", sure=0.995)
    assert reading.conflicts == ("batch",)


@pytest.mark.parametrize(
    "text", ["", "FRAGILE", "小心轻放", f"{GAP}" * 9, "EXP", "LOT:", "(01)(17)(10)"]
)
def test_what_holds_no_field_gives_none(text: str) -> None:
    assert values(read(text)) == {}


@given(st.text(alphabet="0123456789", min_size=13, max_size=13), st.integers(0, 13))
def test_any_single_lost_digit_comes_back(body: str, place: int) -> None:
    number = body + check_digit(body)
    torn = number[:place] + GAP + number[place + 1 :]
    found = with_check_digit(Spelled(torn, (0.99,) * 14))
    assert found is not None
    assert found.text == number


@given(
    st.lists(st.sampled_from("0123456789ABC"), min_size=3, max_size=10),
    st.lists(st.booleans(), min_size=10, max_size=10),
    st.lists(st.booleans(), min_size=10, max_size=10),
)
def test_agreeing_readings_never_lose_a_character(
    letters: list[str], first: list[bool], second: list[bool]
) -> None:
    """What one of two true readings saw stands in the value brought together."""
    text = "".join(letters)
    readings = [
        Spelled(
            "".join(c if ok else GAP for c, ok in zip(text, seen, strict=False)), (0.9,) * len(text)
        )
        for seen in (first, second)
    ]
    whole, conflict = together(readings)
    pairs = zip(text, whole.text, first, second, strict=False)
    assert all(b == (a if one or two else GAP) for a, b, one, two in pairs)
    assert not conflict
