"""The dates that cartons carry."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.reading.align import SEPARATOR
from vision.reading.dates import find_dates, parse_date, written_forms

DATES = st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31))


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("2028年12月03日", date(2028, 12, 3)),
        ("2028年12月3日", date(2028, 12, 3)),
        ("2028-12-03", date(2028, 12, 3)),
        ("2028/12/03", date(2028, 12, 3)),
        ("2028.12.03", date(2028, 12, 3)),
        ("20281203", date(2028, 12, 3)),
        ("03/12/2028", date(2028, 12, 3)),
        ("3.12.2028", date(2028, 12, 3)),
        ("03 DEC 2028", date(2028, 12, 3)),
        ("03Dec2028", date(2028, 12, 3)),
        ("2028-12", date(2028, 12, 31)),
        ("02/2028", date(2028, 2, 29)),
        ("2027年2月", date(2027, 2, 28)),
        ("FEB 2027", date(2027, 2, 28)),
    ],
)
def test_every_way_to_print_a_date(printed: str, meant: date) -> None:
    assert parse_date(printed) == meant


@pytest.mark.parametrize(
    "printed", ["2028-13-01", "2027-02-29", "31/04/2028", "2028-00-10", "0000-01-01", "2028-12-00"]
)
def test_an_impossible_date_is_no_date(printed: str) -> None:
    assert find_dates(printed) == ()


def test_a_two_digit_year_is_read_only_where_yymmdd_is_meant() -> None:
    assert parse_date("281203") is None
    assert parse_date("281203", two_digit_year=True) == date(2028, 12, 3)
    assert parse_date("03/12/28", two_digit_year=True) is None


def test_day_00_of_ai_17_is_the_last_day_of_the_month() -> None:
    assert parse_date("280200", two_digit_year=True) == date(2028, 2, 29)


def test_two_dates_on_a_line_are_both_found_in_order() -> None:
    found = find_dates("MFG 2027-06-05 EXP 2028/06/04")
    assert [each.value for each in found] == [date(2027, 6, 5), date(2028, 6, 4)]


def test_half_of_a_long_number_is_no_date() -> None:
    assert find_dates("06920281203771") == ()


@given(DATES, st.sampled_from(["-", "/", "."]))
def test_what_is_written_with_marks_reads_back(day: date, mark: str) -> None:
    whole = [
        form
        for form in written_forms(day)
        if {4, 5, 6, 7} <= set(form.slots) and "(" not in form.text
    ]
    assert whole
    for form in whole:
        assert parse_date(form.text.replace(SEPARATOR, mark)) == day


@given(DATES)
def test_month_only_forms_mean_the_last_day(day: date) -> None:
    is_last = day.day == monthrange(day.year, day.month)[1]
    month_only = [form for form in written_forms(day) if not {6, 7} & set(form.slots)]
    assert bool(month_only) == is_last


@given(DATES)
def test_slots_point_at_the_characters_of_the_normal_form(day: date) -> None:
    normal = f"{day:%Y%m%d}"
    for form in written_forms(day):
        assert len(form.slots) == len(form.text)
        assert all(
            normal[slot] == letter
            for letter, slot in zip(form.text, form.slots, strict=True)
            if slot >= 0
        )


@given(st.text(max_size=40))
def test_no_text_upsets_the_grammar(text: str) -> None:
    for each in find_dates(text, two_digit_year=True):
        assert 0 <= each.start < each.end <= len(text)
