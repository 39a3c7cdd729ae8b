"""The past as arrays: what went out of each product on each day, and on which days it could."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from erp_link.adapters import care_tables as c
from erp_link.adapters import tables as t
from erp_link.service.care import daily
from erp_link.service.store import Store

DAYS = 180
_ROWS = "SELECT batch_id, day, shipped, received, net, net_free FROM stock_day"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """`DAYS` days up to yesterday, oldest first; arrays of shape (products, DAYS), in units.

    A day is `observed` when something free stood there in the morning, or came, or left: on other
    days nobody could have taken anything, and no demand says nothing.
    """

    gtins: tuple[str, ...]
    until: date
    """The day after the last one."""
    shipped: NDArray[np.float64]
    received: NDArray[np.float64]
    on_hand: NDArray[np.float64]
    """At the end of each day, in whatever status."""
    observed: NDArray[np.bool_]
    days: NDArray[np.int64]
    """Days since the product first came, within these; of shape (products,)."""
    without_stock: NDArray[np.int64]
    """Of these, days on which there was nothing to take."""

    @property
    def first_day(self) -> date:
        return self.until - timedelta(days=self.shipped.shape[1])

    def rows(self) -> dict[str, int]:
        """Where each product stands in the arrays."""
        return {gtin: at for at, gtin in enumerate(self.gtins)}


def read_history(connection: Connection, *, today: date, days: int = DAYS) -> History:
    """The `days` days before `today` of every product that ever moved."""
    until = today.toordinal()
    products = _products(connection, until - days)
    shipped, received, net, net_free = _daily(connection, products, until, days)
    on_hand = products.net[:, None] + net.cumsum(axis=1)
    free = products.net_free[:, None] + net_free.cumsum(axis=1)
    morning = free - net_free
    moved = (shipped > 0) | (received > 0) | (net_free != 0)
    changed = moved | (net != 0)
    begun = products.begun[:, None] | np.logical_or.accumulate(changed, axis=1)
    observed = begun & ((morning > 0) | moved)
    past = np.s_[:, :-1]
    return History(
        products.gtins,
        today,
        shipped[past],
        received[past],
        on_hand[past],
        observed[past],
        begun[past].sum(axis=1),
        (begun & ~observed)[past].sum(axis=1),
    )


class HistoryBook:
    """The past, read once a day, or when a day before today has changed; shared by the desks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: tuple[tuple[date, int], History] | None = None

    def read(self, connection: Connection) -> tuple[tuple[date, int], History]:
        """The history with the state that it belongs to."""
        today = self._store.clock.now().astimezone(self._store.zone).date()
        state = (today, daily.revision(connection))
        with self._lock:
            if self._known is None or self._known[0] != state:
                self._known = (state, read_history(connection, today=today))
            return self._known


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """Every product that was ever announced or here."""

    gtins: tuple[str, ...]
    net: Floats
    net_free: Floats
    begun: NDArray[np.bool_]
    """True for a product that moved before the days that are looked at."""
    of_batch: NDArray[np.int64]
    """For each batch number, where its product stands in `gtins`."""


def _products(connection: Connection, since: int) -> _Products:
    """Every product with what it had before the day `since`."""
    named = connection.execute(select(t.batch.c.id, t.batch.c.gtin)).all()
    gtins = tuple(sorted({row.gtin for row in named}))
    place = {gtin: at for at, gtin in enumerate(gtins)}
    of_batch = np.zeros(max((row.id for row in named), default=0) + 1, np.int64)
    for row in named:
        of_batch[row.id] = place[row.gtin]
    before = connection.execute(
        select(
            c.stock_day.c.batch_id,
            func.sum(c.stock_day.c.net),
            func.sum(c.stock_day.c.net_free),
        )
        .where(c.stock_day.c.day < since)
        .group_by(c.stock_day.c.batch_id)
    ).all()
    found = _Products(
        gtins, np.zeros(len(gtins)), np.zeros(len(gtins)), np.zeros(len(gtins), bool), of_batch
    )
    for batch_id, units, free in before:
        at = of_batch[batch_id]
        found.net[at] += int(units)
        found.net_free[at] += int(free)
        found.begun[at] = True
    return found


def _daily(connection: Connection, products: _Products, until: int, days: int) -> list[Floats]:
    """Shipped, received, net and net_free, each as (products, days + 1); the last column holds
    today and whatever is dated later.
    """
    # Years of days: the driver's own rows, summed here, with no join and no grouping there.
    cursor = connection.connection.cursor()
    cursor.execute(f"{_ROWS} WHERE day >= {until - days:d}")
    rows: Sequence[Sequence[int]] = cursor.fetchall()
    cursor.close()
    shape = (len(products.gtins), days + 1)
    flat = np.fromiter(chain.from_iterable(rows), np.int64, 6 * len(rows))
    batch_id, day, *sums = flat.reshape(-1, 6).T
    when = np.minimum(day - (until - days), days)
    at = products.of_batch[batch_id] * shape[1] + when
    size = shape[0] * shape[1]
    return [np.bincount(at, each, size).astype(float).reshape(shape) for each in sums]
