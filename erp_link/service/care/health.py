"""The stock health desk: what turns, what grows old, what matters, what expires; from the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import care_tables as c
from erp_link.adapters import tables as t
from erp_link.domain.expiry import Stage, days_left, stage_of
from erp_link.domain.health import measures
from erp_link.domain.health.measures import Importance, Turnover
from erp_link.domain.places import is_account
from erp_link.domain.products import Product
from erp_link.service.care import daily
from erp_link.service.care.catalogue import Card, cards
from erp_link.service.care.history import History, HistoryBook
from erp_link.service.goods.product_rows import read_products
from erp_link.service.store import Store

SPAN_DAYS = 90
"""Turnover and importance look at so many days."""
UNDATED = "undated"
RUNGS = (*(stage.value for stage in reversed(Stage)), UNDATED)
"""The expiry ladder, most urgent first; the last one holds goods whose date is not known."""


@dataclass(frozen=True, slots=True)
class BatchHealth:
    """One batch that stands here, in base units."""

    key: BatchKey
    name: str
    expiry: date | None
    days_left: int | None
    rung: str
    on_hand: int
    free: int
    blocked: int
    oldest_days: int


@dataclass(frozen=True, slots=True)
class ProductHealth:
    """One product; quantities in base units, shares of `SPAN_DAYS` days."""

    card: Card
    on_hand: int
    blocked: int
    shipped: int
    mean_stock: float
    turnover: Turnover
    importance: Importance
    ages: tuple[int, ...]
    """Units in each age group (measures.AGES), and those older."""
    oldest_days: int
    rungs: Mapping[str, int]

    @property
    def old(self) -> int:
        """Units that came more than 90 days ago."""
        return sum(self.ages[measures.AGES.index(measures.OLD_DAYS) + 1 :])

    @property
    def dead(self) -> bool:
        """Here, and nothing of it went out in the span."""
        return self.on_hand > 0 and self.importance is Importance.NONE


@dataclass(frozen=True, slots=True)
class Health:
    """The whole house. `shipped_weeks` and `stock_weeks` are the last weeks, oldest first."""

    today: date
    products: tuple[ProductHealth, ...]
    batches: tuple[BatchHealth, ...]
    turnover: Turnover
    shipped_weeks: tuple[int, ...]
    stock_weeks: tuple[int, ...]
    pareto: tuple[tuple[float, float], ...]
    behind: bool = False
    """The books are still being counted: of a long history, the newest part is missing."""

    @property
    def on_hand(self) -> int:
        return sum(each.on_hand for each in self.products)

    def rung(self, name: str) -> tuple[int, int]:
        """Units and batches on one rung of the ladder."""
        found = [each for each in self.batches if each.rung == name]
        return sum(each.on_hand for each in found), len(found)

    @property
    def ages(self) -> tuple[int, ...]:
        sums = [sum(column) for column in zip(*(each.ages for each in self.products), strict=True)]
        return tuple(sums) or (0,) * (len(measures.AGES) + 1)


@dataclass(slots=True)
class _Here:
    """A batch's stock while it is added up."""

    row: Any
    on_hand: int = 0
    free: int = 0
    blocked: int = 0


class StockHealth:
    """Asked by many threads."""

    def __init__(self, store: Store, past: HistoryBook | None = None) -> None:
        self._store = store
        self._past = past or HistoryBook(store)

    def report(self) -> Health:
        """How healthy the stock is now. Raises UnavailableError."""
        done = daily.catch_up(self._store)
        return replace(self._store.read(self._report), behind=not done)

    def _report(self, connection: Connection) -> Health:
        _, history = self._past.read(connection)
        known = cards(connection)
        here = _standing(connection)
        described = read_products(connection, {each.row.gtin for each in here.values()})
        layers = _layers(connection, here, history.until)
        batches = [
            self._batch(one, described, layers[batch_id], known) for batch_id, one in here.items()
        ]
        batches.sort(key=lambda each: (each.expiry or date.max, each.key.gtin, each.key.lot))
        products = _products(history, known, batches, layers, here)
        shipped = history.shipped[:, -SPAN_DAYS:].sum()
        mean = float(history.on_hand[:, -SPAN_DAYS:].sum(axis=0).mean()) if history.gtins else 0.0
        span = int(min(SPAN_DAYS, history.days.max(initial=0)))
        return Health(
            today=history.until,
            products=products,
            batches=tuple(batches),
            turnover=measures.turnover(float(shipped), mean, span),
            shipped_weeks=_weeks(history.shipped.sum(axis=0), total=True),
            stock_weeks=_weeks(history.on_hand.sum(axis=0), total=False),
            pareto=tuple(measures.pareto([each.shipped for each in products])),
        )

    def _batch(
        self,
        one: _Here,
        described: Mapping[str, Product],
        layers: list[tuple[int, int]],
        known: Mapping[str, Card],
    ) -> BatchHealth:
        row = one.row
        now, zone = self._store.clock.now(), self._store.zone
        product = described[row.gtin]
        stage = stage_of(row.expiry, product.expiry, now=now, zone=zone)
        undated = row.expiry is None and product.dated
        return BatchHealth(
            key=BatchKey(row.supplier, row.gtin, row.lot),
            name=known[row.gtin].name if row.gtin in known else "",
            expiry=row.expiry,
            days_left=None if row.expiry is None else days_left(row.expiry, now=now, zone=zone),
            rung=UNDATED if undated else stage.value,
            on_hand=one.on_hand,
            free=one.free,
            blocked=one.blocked,
            oldest_days=max((age for age, _ in layers), default=0),
        )


def _standing(connection: Connection) -> dict[int, _Here]:
    """What stands in the house, by batch."""
    rows = connection.execute(
        select(
            t.stock.c.batch_id,
            t.stock.c.location,
            t.stock.c.status,
            t.stock.c.quantity,
            t.stock.c.reserved,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
            t.batch.c.expiry,
        )
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.stock.c.quantity > 0)
    )
    found: dict[int, _Here] = {}
    for row in rows:
        if is_account(row.location):
            continue
        one = found.setdefault(row.batch_id, _Here(row))
        one.on_hand += row.quantity
        if row.status == StockStatus.UNRESTRICTED:
            one.free += row.quantity - row.reserved
        elif row.status == StockStatus.BLOCKED:
            one.blocked += row.quantity
    return found


def _layers(
    connection: Connection, here: Mapping[int, _Here], today: date
) -> dict[int, list[tuple[int, int]]]:
    """(age in days, units) of each batch's stock, youngest first."""
    standing = select(t.stock.c.batch_id).where(t.stock.c.quantity > 0)
    rows = connection.execute(
        select(c.stock_day.c.batch_id, c.stock_day.c.day, c.stock_day.c.received).where(
            c.stock_day.c.received > 0, c.stock_day.c.batch_id.in_(standing)
        )
    )
    receipts: dict[int, list[tuple[int, int]]] = {}
    for batch_id, day, units in rows:
        receipts.setdefault(batch_id, []).append((max(0, today.toordinal() - day), units))
    return {
        batch_id: measures.ages(one.on_hand, receipts.get(batch_id, ()))
        for batch_id, one in here.items()
    }


def _products(
    history: History,
    known: Mapping[str, Card],
    batches: list[BatchHealth],
    layers: Mapping[int, list[tuple[int, int]]],
    here: Mapping[int, _Here],
) -> tuple[ProductHealth, ...]:
    rows = history.rows()
    sold = history.shipped[:, -SPAN_DAYS:].sum(axis=1)
    shipped = {gtin: float(sold[rows[gtin]]) if gtin in rows else 0.0 for gtin in known}
    classes = measures.importance(shipped)
    of: dict[str, list[BatchHealth]] = {}
    for batch in batches:
        of.setdefault(batch.key.gtin, []).append(batch)
    aged: dict[str, list[int]] = {}
    for batch_id, one in here.items():
        sums = aged.setdefault(one.row.gtin, [0] * (len(measures.AGES) + 1))
        for at, units in enumerate(measures.grouped(layers[batch_id])):
            sums[at] += units
    return tuple(
        _product(
            known[gtin],
            history,
            rows.get(gtin),
            of.get(gtin, []),
            aged.get(gtin, [0] * (len(measures.AGES) + 1)),
            classes[gtin],
        )
        for gtin in sorted(known)
        if gtin in of or shipped[gtin]
    )


def _product(
    card: Card,
    history: History,
    row: int | None,
    batches: list[BatchHealth],
    aged: list[int],
    importance: Importance,
) -> ProductHealth:
    span = 0 if row is None else int(min(SPAN_DAYS, history.days[row]))
    shipped = 0.0 if row is None else float(history.shipped[row, -SPAN_DAYS:].sum())
    mean = 0.0 if row is None or not span else float(history.on_hand[row, -span:].mean())
    rungs: dict[str, int] = {}
    for batch in batches:
        rungs[batch.rung] = rungs.get(batch.rung, 0) + batch.on_hand
    return ProductHealth(
        card=card,
        on_hand=sum(each.on_hand for each in batches),
        blocked=sum(each.blocked for each in batches),
        shipped=int(shipped),
        mean_stock=mean,
        turnover=measures.turnover(shipped, mean, span),
        importance=importance,
        ages=tuple(aged),
        oldest_days=max((each.oldest_days for each in batches), default=0),
        rungs=rungs,
    )


def _weeks(a_day: Any, *, total: bool) -> tuple[int, ...]:
    weeks = len(a_day) // 7
    newest = np.asarray(a_day)[len(a_day) - 7 * weeks :].reshape(weeks, 7)
    return tuple((newest.sum(axis=1) if total else newest[:, -1]).astype(int).tolist())
