"""A message's values to the rules, written out for the usual numbers of series.

A loop over three values costs twice as much as three times the same lines, and this is half of what
rules cost at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from telemetry.ingest.counts import Counts
from telemetry.ports import Engine

_log = logging.getLogger(__name__)

Values = tuple[float | None, ...]
Judge = Callable[[Values, int], None]
"""Takes the values of one message, in the order of its series, and their time in microseconds; they
must not be older than the newest of their series."""


def judge_of(engine: Engine, series: Sequence[int]) -> Judge:
    """What the rules do with each message of these series, whose watchers must exist."""
    match tuple(series):
        case (first,):
            return _one(engine, first)
        case (first, second):
            return _two(engine, first, second)
        case (first, second, third):
            return _three(engine, first, second, third)
        case several:
            return _many(engine, several)


def pass_time(engine: Engine, now_us: int, counts: Counts) -> None:
    """What time alone brings; a fence that fails at it costs no reading and no start."""
    try:
        engine.tick(now_us)
    except Exception:  # noqa: BLE001 -- as the docstring says
        counts.rule_errors += 1
        _log.exception("The rules failed as time passed; readings go on")


def _one(engine: Engine, a: int) -> Judge:
    latest, latest_us, watch_a = engine.latest, engine.latest_us, engine.watch[a]

    def judge(values: Values, at_us: int) -> None:
        (x,) = values
        if x is not None:
            latest[a] = x
            latest_us[a] = at_us
            if not watch_a.low <= x <= watch_a.high:
                watch_a.see(at_us, x)

    return judge


def _two(engine: Engine, a: int, b: int) -> Judge:
    latest, latest_us = engine.latest, engine.latest_us
    watch_a, watch_b = engine.watch[a], engine.watch[b]

    def judge(values: Values, at_us: int) -> None:
        x, y = values
        if x is not None:
            latest[a] = x
            latest_us[a] = at_us
            if not watch_a.low <= x <= watch_a.high:
                watch_a.see(at_us, x)
        if y is not None:
            latest[b] = y
            latest_us[b] = at_us
            if not watch_b.low <= y <= watch_b.high:
                watch_b.see(at_us, y)

    return judge


def _three(engine: Engine, a: int, b: int, c: int) -> Judge:
    latest, latest_us = engine.latest, engine.latest_us
    watch_a, watch_b, watch_c = engine.watch[a], engine.watch[b], engine.watch[c]

    def judge(values: Values, at_us: int) -> None:
        x, y, z = values
        if x is not None:
            latest[a] = x
            latest_us[a] = at_us
            if not watch_a.low <= x <= watch_a.high:
                watch_a.see(at_us, x)
        if y is not None:
            latest[b] = y
            latest_us[b] = at_us
            if not watch_b.low <= y <= watch_b.high:
                watch_b.see(at_us, y)
        if z is not None:
            latest[c] = z
            latest_us[c] = at_us
            if not watch_c.low <= z <= watch_c.high:
                watch_c.see(at_us, z)

    return judge


def _many(engine: Engine, series: tuple[int, ...]) -> Judge:
    latest, latest_us = engine.latest, engine.latest_us
    watchers = tuple((number, engine.watch[number]) for number in series)

    def judge(values: Values, at_us: int) -> None:
        for (number, watcher), value in zip(watchers, values, strict=False):
            if value is not None:
                latest[number] = value
                latest_us[number] = at_us
                if not watcher.low <= value <= watcher.high:
                    watcher.see(at_us, value)

    return judge
