"""The past as arrays: what went out of each product on each day, and on which days it could."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from erp_link.adapters import care_tables as c
from erp_link.adapters import tables as t

DAYS = 180


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
    without_stock: NDArray[np.int64]
    """Days since the product first came on which there was nothing to take; of shape (products,)."""

    @property
    def first_day(self) -> date:
        return self.until - timedelta(days=self.shipped.shape[1])

    def row(self, gtin: str) -> int | None:
        """Where a product stands in the arrays."""
        at = int(np.searchsorted(np.asarray(self.gtins), gtin)) if self.gtins else 0
        return at if at < len(self.gtins) and self.gtins[at] == gtin else None


def read_history(connection: Connection, *, today: date, days: int = DAYS) -> History:
    """The `days` days before `today` of every product that ever moved."""
    until = today.toordinal()
    starts = {
        row.gtin: row
        for row in connection.execute(
            select(
                t.batch.c.gtin,
                func.min(c.stock_day.c.day).label("first"),
                func.sum(c.stock_day.c.net).label("net"),
                func.sum(c.stock_day.c.net_free).label("net_free"),
            )
            .join(t.batch, t.batch.c.id == c.stock_day.c.batch_id)
            .group_by(t.batch.c.gtin)
        )
    }
    gtins = tuple(sorted(starts))
    shipped, received, net, net_free = _daily(connection, gtins, until, days)
    ends = np.array([int(starts[gtin].net) for gtin in gtins], float)
    free_ends = np.array([int(starts[gtin].net_free) for gtin in gtins], float)
    first = np.array([int(starts[gtin].first) for gtin in gtins], np.int64)
    # The sums run to the last booked day: taking back what came later gives each evening.
    on_hand = ends[:, None] - _after(net)
    free = free_ends[:, None] - _after(net_free)
    morning = free - net_free
    moved = (shipped > 0) | (received > 0) | (net_free != 0)
    begun = np.arange(until - days, until + 1) >= first[:, None]
    observed = begun & ((morning > 0) | moved)
    past = np.s_[:, :-1]
    return History(
        gtins,
        today,
        shipped[past],
        received[past],
        on_hand[past],
        observed[past],
        (begun & ~observed)[past].sum(axis=1),
    )


def _daily(
    connection: Connection, gtins: tuple[str, ...], until: int, days: int
) -> tuple[NDArray[np.float64], ...]:
    """Each sum as (products, days + 1); the last column holds today and whatever is dated later."""
    at = {gtin: row for row, gtin in enumerate(gtins)}
    query = (
        select(
            t.batch.c.gtin,
            c.stock_day.c.day,
            func.sum(c.stock_day.c.shipped),
            func.sum(c.stock_day.c.received),
            func.sum(c.stock_day.c.net),
            func.sum(c.stock_day.c.net_free),
        )
        .join(t.batch, t.batch.c.id == c.stock_day.c.batch_id)
        .where(c.stock_day.c.day >= until - days)
        .group_by(t.batch.c.gtin, c.stock_day.c.day)
    )
    found: Sequence[Any] = connection.execute(query).all()
    sums = np.zeros((4, len(gtins), days + 1))
    if found:
        names, *columns = zip(*found, strict=True)
        rows = np.array([at[name] for name in names])
        when = np.minimum(np.array(columns[0], np.int64) - (until - days), days)
        for each in range(4):
            np.add.at(sums[each], (rows, when), np.array(columns[each + 1], float))
    return tuple(sums)


def _after(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each day, the sum of the changes of the days after it."""
    return changes[:, ::-1].cumsum(axis=1)[:, ::-1] - changes
