"""When is it time to learn? Pure; the hub's job asks every minute and keeps the state on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_SUNDAY = 6
_MOST_TRIES = 2


class Every(StrEnum):
    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Schedule:
    """At `hour` in the site's time zone: every day, or on Sundays, where at least `least_new`
    examples came since the last run.
    """

    every: Every
    hour: int
    least_new: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of runs. `slot` is the planned time that the last run answered; `running`
    names a run that has begun and not ended; `learnt_until_us` is the newest example of the last
    run that ended.
    """

    slot: datetime | None = None
    tries: int = 0
    running: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""
    """`candidate` (one lies there), `nothing` (too little to learn from), `failed`, `interrupted`."""
    detail: str = ""
    learnt_until_us: int = 0


class Wait(StrEnum):
    """Why no run begins now."""

    NONE = ""
    OFF = "off"
    NO_ENVIRONMENT = "no_environment"
    NOTHING_NEW = "nothing_new"
    NOT_YET = "not_yet"
    RUNNING = "running"


def waits(  # noqa: PLR0911 -- one answer for each reason
    state: State, schedule: Schedule, now: datetime, *, new: int, environment: bool
) -> Wait:
    """`new` counts examples since the last run; `environment`: training is possible here. A hub that
    was away at the planned time runs when it is back; one that is new waits for the first.
    """
    if state.running:
        return Wait.RUNNING
    if schedule.every is Every.OFF:
        return Wait.OFF
    if not environment:
        return Wait.NO_ENVIRONMENT
    if state.slot is None:
        return Wait.NOT_YET
    if state.slot >= last_slot(schedule, now):
        again = state.outcome == "interrupted" and state.tries < _MOST_TRIES
        if not again:
            return Wait.NOT_YET
    if new < schedule.least_new:
        return Wait.NOTHING_NEW
    return Wait.NONE


def passed(state: State, schedule: Schedule, now: datetime) -> State:
    """The planned time passes without a run: the next chance is the next planned time, not the
    middle of a working day.
    """
    slot = last_slot(schedule, now)
    if state.slot is not None and state.slot >= slot:
        return state
    return replace(state, slot=slot, tries=0)


def last_slot(schedule: Schedule, now: datetime) -> datetime:
    """The newest planned time that is not after `now`."""
    local = now.astimezone(schedule.zone)
    day = local.date()
    if schedule.every is Every.WEEKLY:
        day -= timedelta(days=(day.weekday() - _SUNDAY) % 7)
    at = datetime.combine(day, time(schedule.hour), schedule.zone)
    if at > local:
        days = 7 if schedule.every is Every.WEEKLY else 1
        at = datetime.combine(day - timedelta(days=days), time(schedule.hour), schedule.zone)
    return at


def next_slot(schedule: Schedule, now: datetime) -> datetime:
    days = 7 if schedule.every is Every.WEEKLY else 1
    return last_slot(schedule, now) + timedelta(days=days)


def begun(state: State, schedule: Schedule, now: datetime, run: str) -> State:
    """A run begins; written down before it does anything, so that a restart does not begin twice."""
    slot = last_slot(schedule, now)
    tries = state.tries + 1 if state.slot == slot else 1
    return replace(state, slot=slot, tries=tries, running=run, started_at=now, detail="")


def ended(state: State, now: datetime, *, outcome: str, detail: str, learnt_until_us: int) -> State:
    """A run that failed has learnt nothing: its examples are new again next time."""
    learnt = outcome in {"candidate", "nothing"}
    return replace(
        state,
        running="",
        ended_at=now,
        outcome=outcome,
        detail=detail,
        learnt_until_us=max(state.learnt_until_us, learnt_until_us)
        if learnt
        else state.learnt_until_us,
    )


def interrupted(state: State, now: datetime) -> State:
    """The hub ended in the middle of a run, and the run with it."""
    return ended(state, now, outcome="interrupted", detail="", learnt_until_us=0)
