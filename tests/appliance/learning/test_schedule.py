"""When the recipe runs: at its planned time, where something is new, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.learning.schedule import (
    Every,
    Schedule,
    State,
    Wait,
    begun,
    ended,
    interrupted,
    last_slot,
    next_slot,
    passed,
    waits,
)

ZONE = ZoneInfo("Asia/Shanghai")
WEEKLY = Schedule(Every.WEEKLY, hour=2, least_new=50, zone=ZONE)
SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=ZONE)
SUNDAY = datetime(2026, 11, 22, 2, 0, tzinfo=ZONE)


def asked(state: State, now: datetime, *, new: int = 60, environment: bool = True) -> Wait:
    return waits(state, WEEKLY, now, new=new, environment=environment)


def since(now: datetime) -> State:
    return passed(State(), WEEKLY, now)


def test_a_new_hub_waits_for_its_first_sunday():
    assert asked(State(), SATURDAY) is Wait.NOT_YET
    state = since(SATURDAY)
    assert asked(state, SATURDAY) is Wait.NOT_YET
    assert asked(state, SUNDAY - timedelta(seconds=1)) is Wait.NOT_YET
    assert asked(state, SUNDAY) is Wait.NONE


def test_a_week_with_little_new_is_left_out():
    state = since(SATURDAY)
    assert asked(state, SUNDAY, new=49) is Wait.NOTHING_NEW
    state = passed(state, WEEKLY, SUNDAY)
    assert asked(state, SUNDAY + timedelta(days=3)) is Wait.NOT_YET, "not on a working day"
    assert asked(state, SUNDAY + timedelta(days=7)) is Wait.NONE


def test_without_a_training_environment_nothing_runs_and_it_says_so():
    assert asked(since(SATURDAY), SUNDAY, environment=False) is Wait.NO_ENVIRONMENT


def test_a_run_answers_its_sunday_once():
    state = begun(since(SATURDAY), WEEKLY, SUNDAY, "r1")
    assert asked(state, SUNDAY) is Wait.RUNNING
    state = ended(state, SUNDAY, outcome="candidate", detail="", learnt_until_us=7)
    assert (state.learnt_until_us, state.running) == (7, "")
    assert asked(state, SUNDAY + timedelta(hours=5)) is Wait.NOT_YET
    assert asked(state, SUNDAY + timedelta(days=7)) is Wait.NONE


def test_a_run_that_failed_leaves_its_examples_new_and_waits_a_week():
    state = begun(since(SATURDAY), WEEKLY, SUNDAY, "r1")
    state = ended(state, SUNDAY, outcome="failed", detail="no fonts", learnt_until_us=7)
    assert state.learnt_until_us == 0
    assert asked(state, SUNDAY + timedelta(hours=5)) is Wait.NOT_YET


def test_a_run_that_was_cut_off_is_tried_once_more():
    state = interrupted(begun(since(SATURDAY), WEEKLY, SUNDAY, "r1"), SUNDAY)
    assert asked(state, SUNDAY) is Wait.NONE
    state = interrupted(begun(state, WEEKLY, SUNDAY, "r2"), SUNDAY)
    assert asked(state, SUNDAY) is Wait.NOT_YET


def test_a_hub_that_was_away_on_sunday_runs_when_it_is_back():
    assert asked(since(SATURDAY), SUNDAY + timedelta(days=1)) is Wait.NONE


def test_off_is_off():
    off = replace(WEEKLY, every=Every.OFF)
    assert waits(since(SATURDAY), off, SUNDAY, new=99, environment=True) is Wait.OFF


@pytest.mark.parametrize("every", [Every.DAILY, Every.WEEKLY])
@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.integers(0, 23))  # noqa: DTZ001 -- hypothesis wants naive bounds
def test_the_last_planned_time_is_past_and_the_next_is_not(every, at, hour):
    schedule = Schedule(every, hour, 1, ZoneInfo("Europe/Berlin"))
    now = at.replace(tzinfo=UTC)
    last, upcoming = last_slot(schedule, now), next_slot(schedule, now)
    assert last <= now < upcoming + timedelta(hours=1)
    assert last.hour == hour
    assert every is Every.DAILY or last.weekday() == 6
