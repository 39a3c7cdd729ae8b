"""Replenishment and stock health: how fast for a house of a thousand products and half a year, how
fast the books are followed, and how often the bound on demand held on days that nobody had seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from appliance.bench import facts
from appliance.bench.core.demand import KINDS, made_up
from contracts.clock import SystemClock
from contracts.gs1 import check_digit
from erp_link.adapters import care_tables as c
from erp_link.adapters import database
from erp_link.adapters import tables as t
from erp_link.domain.places import CUSTOMER_ACCOUNT, STAGING
from erp_link.forecasting.outlook import outlook
from erp_link.service.care import daily
from erp_link.service.care.desks import CareDesks
from erp_link.service.care.reorder import DEFAULT
from erp_link.service.core import Core
from erp_link.service.work import new_id

DAYS = 180
LOT_DAYS = 30
SHARE = 0.95
_HORIZONS = (DEFAULT.horizon_days, 14)
_SEEDS = 5
_REPEATS = 5
_NORMAL = 1.6449
"""The 95 % quantile of the normal distribution, for the rule of the textbook beside ours."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Milliseconds: `first_ms` reads and forecasts, later questions only read what is here."""

    products: int
    days: int
    forecast_p50_ms: float
    first_p50_ms: float
    again_p50_ms: float
    health_p50_ms: float
    followed_events_per_s: float


@dataclass(frozen=True, slots=True)
class Held:
    """How often demand stayed under the bound for `SHARE`, on days after the history, and how much
    is kept for it: the bound over the mean demand. `normal_...` is the textbook's mean and
    standard deviation.
    """

    horizon_days: int
    coverage: float
    lowest_coverage_of_a_seed: float
    by_kind: dict[str, float]
    kept_over_mean: float
    normal_coverage: float
    normal_kept_over_mean: float
    own_measure: float
    """What the forecast itself had measured on its newest window, before these days."""


def suggestions(url: str, *, seed: int, products: int = 1000, events: int = 20_000) -> Suggested:
    """Times over one database."""
    demand, _ = made_up(products, DAYS, seed=seed)
    core = Core(url, clock=SystemClock(), zone=UTC)
    try:
        _furnish(core, demand)
        firsts, agains, healths, forecasts = [], [], [], []
        for _ in range(_REPEATS):
            care = CareDesks(lambda: core)()
            firsts.append(_ms(care.reorder.plan))
            agains.append(_ms(care.reorder.plan))
            healths.append(_ms(care.health.report))
            forecasts.append(_ms(lambda: _looked(demand, DEFAULT.horizon_days)))
        rate = _followed(core, events)
    finally:
        core.close()
    return Suggested(
        products,
        DAYS,
        facts.median(forecasts),
        facts.median(firsts),
        facts.median(agains),
        facts.median(healths),
        rate,
    )


def held(*, seed: int, products: int = 1000) -> list[Held]:
    """How often the bound held, for each horizon; demand made from `seed` and the next ones."""
    return [_held(horizon, seed, products) for horizon in _HORIZONS]


def _held(horizon: int, seed: int, products: int) -> Held:
    under: list[Any] = []
    kept = needed = normal_kept = 0.0
    normal_under: list[Any] = []
    own: list[tuple[int, int]] = []
    kinds: Any = None
    for each in range(seed, seed + _SEEDS):
        demand, kinds = made_up(products, DAYS + horizon, seed=each)
        past, ahead = demand[:, :DAYS], demand[:, DAYS:].sum(axis=1)
        found = _looked(past, horizon)
        textbook = past.mean(axis=1) * horizon + _NORMAL * past.std(axis=1) * np.sqrt(horizon)
        under.append(np.where(found.known, ahead <= found.high, np.nan))
        normal_under.append(np.where(found.known, ahead <= textbook, np.nan))
        kept += float(found.high[found.known].sum())
        normal_kept += float(textbook[found.known].sum())
        needed += float(ahead[found.known].sum())
        own.append((found.check.newest_held, found.check.newest_windows))
    every = np.array(under)
    return Held(
        horizon_days=horizon,
        coverage=float(np.nanmean(every)),
        lowest_coverage_of_a_seed=float(np.nanmin(np.nanmean(every, axis=1))),
        by_kind={name: float(np.nanmean(every[:, kinds == at])) for at, name in enumerate(KINDS)},
        kept_over_mean=kept / needed,
        normal_coverage=float(np.nanmean(np.array(normal_under))),
        normal_kept_over_mean=normal_kept / needed,
        own_measure=sum(one for one, _ in own) / max(1, sum(all_of for _, all_of in own)),
    )


def _looked(demand: Any, horizon: int) -> Any:
    products = len(demand)
    return outlook(
        demand,
        np.ones_like(demand, bool),
        horizon=np.full(products, horizon),
        late=np.zeros(products, np.int64),
        share=np.full(products, SHARE),
    )


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def gtin_of(number: int) -> str:
    """A GTIN of its own for each product."""
    body = f"690{number:09d}"
    return (body + check_digit(body)).zfill(14)


def _furnish(core: Core, demand: Any) -> None:
    """A lot a month of each product, straight into the tables; a week's demand is left of it."""
    today = core.clock.now().astimezone(core.zone).date()
    batches, days, here = _books(demand, today)

    def act(connection: Connection) -> None:
        connection.execute(insert(t.batch), batches)
        connection.execute(insert(c.stock_day), days)
        connection.execute(insert(t.stock), here)

    database.write(core.engine, act)


def _books(demand: Any, today: date) -> tuple[list[Any], list[Any], list[Any]]:
    batches: list[dict[str, object]] = []
    days: list[dict[str, object]] = []
    here: list[dict[str, object]] = []
    first = today.toordinal() - DAYS
    for row, units in enumerate(demand.astype(int).tolist()):
        for start in range(0, DAYS, LOT_DAYS):
            number = len(batches) + 1
            expiry = today + timedelta(days=20 + number % 300)
            batches.append(
                {"id": number, "supplier": "ACME", "gtin": gtin_of(row), "lot": f"L{start:03d}"}
                | {"description": f"Product {row}", "expiry": expiry}
            )
            part = units[start : start + LOT_DAYS]
            left = 1 + sum(part) // 4
            came = sum(part) + left
            days.append(_day(number, first + start - 1, shipped=0, received=came))
            days += [
                _day(number, first + start + at, shipped=sold, received=0)
                for at, sold in enumerate(part)
                if sold
            ]
            here.append(
                {"batch_id": number, "location": "A-01-1", "status": "unrestricted"}
                | {"quantity": left, "reserved": 0}
            )
    return batches, days, here


def _day(batch: int, day: int, *, shipped: int, received: int) -> dict[str, object]:
    net = received - shipped
    sums = {"shipped": shipped, "received": received, "net": net, "net_free": net}
    return {"batch_id": batch, "day": day, **sums}


def _followed(core: Core, events: int) -> float:
    """Goods issues a second that the reader of the feed counts."""
    now = core.clock.now()

    def act(connection: Connection) -> None:
        for number in range(events):
            batch = 1 + number % 1000
            made = connection.execute(
                insert(t.event).values(
                    at=now, what="shipped", by="bench", batch_id=batch, reference="",
                    code="story_shipped", params={},
                )
            )  # fmt: skip
            line = {"event_id": new_id(made), "batch_id": batch, "status": "in_transit"}
            out = {"location": STAGING, "quantity": -1}
            gone = {"location": CUSTOMER_ACCOUNT, "quantity": 1}
            connection.execute(insert(t.move_line), [line | out, line | gone])

    database.write(core.engine, act)
    began = time.perf_counter()
    while not daily.catch_up(core):
        pass
    return events / (time.perf_counter() - began)
