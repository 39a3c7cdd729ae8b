"""Spans of the week, where the clock jumps too."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.watching.hours import Hours, Span

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600 * 1_000_000


def us(*local, zone=BERLIN):
    return int(datetime(*local, tzinfo=zone).timestamp()) * 1_000_000


def test_a_night_belongs_to_the_day_on_which_it_begins():
    nights = Hours("Europe/Berlin", (Span("5", "18:00", "06:00"),))
    friday, saturday = us(2026, 11, 20, 17, 59), us(2026, 11, 21, 5, 59)
    assert not nights.holds(friday)
    assert nights.next_change(friday) == us(2026, 11, 20, 18)
    assert nights.holds(saturday)
    assert nights.next_change(saturday) == us(2026, 11, 21, 6)
    assert not nights.holds(us(2026, 11, 21, 18, 30))


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 28), 11), ((2026, 10, 24), 13), ((2026, 6, 6), 12)]
)
def test_the_night_of_the_clock_change_is_as_long_as_it_is(day, hours):
    nights = Hours("Europe/Berlin", (Span("1234567", "18:00", "06:00"),))
    begins = us(*day, 18)
    assert nights.holds(begins)
    assert nights.next_change(begins) == begins + hours * HOUR


def test_a_begin_that_the_clock_jumps_over_is_as_long_after_midnight_as_ever():
    early = Hours("Europe/Berlin", (Span("7", "02:30", "05:00"),))
    # On 29 March 2026 there is no 02:30: it is 01:30 UTC, 03:30 by the clock.
    assert early.next_change(us(2026, 3, 29, 1)) == us(2026, 3, 29, 3, 30)


def test_spans_that_touch_are_one():
    always = Hours("Asia/Shanghai", (Span("1234567", "00:00", "12:00"), Span("1234567", "12:00", "00:00")))  # fmt: skip
    assert always.holds(us(2026, 11, 22, 12, zone=UTC))
    assert always.next_change(us(2026, 11, 22, 12, zone=UTC)) is None


@settings(max_examples=60)
@given(
    st.integers(us(2026, 1, 1), us(2026, 12, 31)),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from(
        [("12345", "08:00", "17:00"), ("67", "22:15", "02:45"), ("3", "02:30", "02:30")]
    ),
)
def test_between_two_changes_nothing_changes(at, zone, span):
    hours = Hours(zone, (Span(*span),))
    change = hours.next_change(at)
    assert change is not None
    assert at < change <= at + 8 * 24 * HOUR
    assert hours.holds(change) != hours.holds(at)
    assert hours.holds(change - 1_000_000) == hours.holds(at)
    assert hours.holds((at + change) // 2) == hours.holds(at)
