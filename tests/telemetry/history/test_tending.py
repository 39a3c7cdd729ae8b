"""Which files are joined, rolled up, thinned out and dropped, and when."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from telemetry.history.levels import DAY_US, SECOND_US, Keeping, Level, buckets, choose
from telemetry.history.manifest import Part
from telemetry.history.tending import (
    MOST_ROWS,
    OVER_US,
    QUIET_US,
    TOGETHER,
    Drop,
    Join,
    RollUp,
    Thin,
    due,
)

TODAY = 20_000
NOW = TODAY * DAY_US + DAY_US // 2
KEPT = Keeping()


def part(n: int, *, day: int = TODAY, rows: int = 1000, rolled: bool = False) -> Part:
    at = day * DAY_US + n * SECOND_US
    return Part(f"{day}-{n}", Level.RAW, day, at, at, rows, rows, rolled, NOW - QUIET_US)


def jobs(*parts: Part, keeping: Keeping = KEPT, now: int = NOW) -> list[object]:
    return list(due({Level.RAW: parts}, now, keeping))


def test_sixteen_files_of_about_one_size_become_one():
    assert jobs(*(part(n) for n in range(TOGETHER - 1))) == []
    [job] = jobs(*(part(n) for n in range(TOGETHER)), part(99, rows=60_000))
    assert isinstance(job, Join)
    assert len(job.parts) == TOGETHER


def test_no_file_grows_beyond_what_is_sorted_in_memory():
    found = jobs(*(part(n, rows=MOST_ROWS // 3) for n in range(TOGETHER)))
    assert found
    assert all(sum(each.rows for each in job.parts) <= MOST_ROWS for job in found)


def test_a_day_is_rolled_up_once_it_is_over_and_quiet():
    yesterday = part(1, day=TODAY - 1)
    ends = TODAY * DAY_US
    assert jobs(yesterday, now=ends + OVER_US - 1) == []
    [job] = jobs(yesterday, now=NOW)
    assert job == RollUp(TODAY - 1, (yesterday,))


def test_late_readings_wait_until_no_more_come():
    late = replace(part(1, day=TODAY - 3), made_us=NOW - 1)
    assert jobs(late) == []
    assert jobs(late, now=NOW + QUIET_US) == [RollUp(TODAY - 3, (late,))]


def test_what_is_old_becomes_seconds_and_later_goes():
    old = part(1, day=TODAY - 40, rolled=True)
    assert jobs(old) == [Thin(TODAY - 40, (old,), keep=True)]
    older = part(1, day=TODAY - 100, rolled=True)
    assert jobs(older) == [Thin(TODAY - 100, (older,), keep=False)]
    assert jobs(older, keeping=Keeping(raw_days=0)) == []


def test_nothing_is_thinned_before_it_is_rolled_up():
    late = part(1, day=TODAY - 100)
    assert jobs(late) == [RollUp(TODAY - 100, (late,))]


def test_minutes_go_when_they_are_older_than_they_are_kept():
    old = replace(part(1, day=TODAY - 800, rolled=True), level=Level.MINUTE)
    assert due({Level.MINUTE: [old]}, NOW, KEPT) == [Drop((old,))]
    assert due({Level.MINUTE: [old]}, NOW, Keeping(minute_days=0)) == []


@given(st.lists(st.integers(1, MOST_ROWS), max_size=60), st.booleans())
def test_joining_comes_to_an_end(sizes, over):
    """Every job is done as it says, and after some there is none left."""
    day = TODAY - 1 if over else TODAY
    parts = [part(n, day=day, rows=rows, rolled=over) for n, rows in enumerate(sizes)]
    for _ in range(len(sizes) + 1):
        found = jobs(*parts)
        if not found:
            break
        job = found[0]
        assert isinstance(job, Join)
        kept = [each for each in parts if each not in job.parts]
        parts = [*kept, replace(job.parts[0], rows=sum(each.rows for each in job.parts))]
    assert jobs(*parts) == []
    assert sum(each.rows for each in parts) == sum(sizes)


begins = st.fixed_dictionaries({level: st.integers(0, 10**15) for level in Level})


@given(st.integers(0, 10**15), st.integers(1, 10**14), st.integers(1, 5000), begins)
def test_a_chart_gets_about_as_many_points_as_it_asked_for(since, span, points, starts):
    level = choose(since, since + span, points, starts)
    step = buckets(since, since + span, points, level.step_us)
    assert step % level.step_us == 0
    assert span // step <= 2 * points


def test_ninety_days_are_drawn_from_hours_and_an_hour_from_readings():
    nothing = dict.fromkeys(Level, 0)
    assert choose(0, 90 * DAY_US, 2000, nothing) is Level.HOUR
    assert choose(0, 7 * DAY_US, 2000, nothing) is Level.MINUTE
    assert choose(0, 3600 * SECOND_US, 2000, nothing) is Level.SECOND
    assert choose(0, 60 * SECOND_US, 2000, nothing) is Level.RAW
    gone = nothing | {Level.RAW: DAY_US, Level.SECOND: DAY_US}
    assert choose(0, 60 * SECOND_US, 2000, gone) is Level.MINUTE
