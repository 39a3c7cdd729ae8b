"""What each day did to each batch, followed from the feed: shipped, received, change of stock.

Demand is what went to customers; a day counts by the site's calendar and by when it happened, not
by when it was booked. A reader of its own on the feed: each event counts exactly once (I2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Connection, Executable, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from contracts.stock import StockStatus
from erp_link.adapters import care_tables as c
from erp_link.adapters import tables as t
from erp_link.domain.moves import Line
from erp_link.domain.places import CUSTOMER_ACCOUNT, SUPPLIER_ACCOUNT, is_account
from erp_link.service.feed import FeedEvent, follow
from erp_link.service.store import Store
from erp_link.service.work import Work

READER = "stock care"
REVISION = "stock_care"
"""A counter that grows whenever a day before today has changed: what was worked out from past days
is worked out again.
"""
_AT_ONCE = 2000
_SUMS = ("shipped", "received", "net", "net_free")
Sums = list[int]


def catch_up(store: Store, *, most: int = 5, at_once: int = _AT_ONCE) -> bool:
    """Count what happened since; True when nothing is left. At most `most` transactions of
    `at_once` events, so that a page over a long history answers while the hub goes on counting.
    """
    return any(follow(store, READER, _counted, limit=at_once) < at_once for _ in range(most))


def revision(connection: Connection) -> int:
    """Which version of the past the sums have."""
    found = connection.execute(
        select(t.counter.c.value).where(t.counter.c.name == REVISION)
    ).scalar_one_or_none()
    return int(found or 0)


def sums_of(events: Sequence[FeedEvent], zone: tzinfo) -> dict[tuple[int, int], Sums]:
    """(batch, day) -> shipped, received, net, net_free of those events."""
    found: dict[tuple[int, int], Sums] = {}
    for event in events:
        day = event.at.astimezone(zone).date().toordinal()
        for line in event.lines:
            sums = found.setdefault((line.batch_id, day), [0, 0, 0, 0])
            for at, units in enumerate(_share(line)):
                sums[at] += units
    return {key: sums for key, sums in found.items() if any(sums)}


def _share(line: Line) -> tuple[int, int, int, int]:
    place, units = line.place, line.quantity
    if not is_account(place.location):
        return 0, 0, units, units if place.status is StockStatus.UNRESTRICTED else 0
    shipped = units if _is_of(place.location, CUSTOMER_ACCOUNT) else 0
    received = -units if _is_of(place.location, SUPPLIER_ACCOUNT) and units < 0 else 0
    return shipped, received, 0, 0


def _is_of(location: str, account: str) -> bool:
    return location == account or location.startswith(f"{account}/")


def _counted(work: Work, events: Sequence[FeedEvent]) -> None:
    sums = sums_of(events, work.zone)
    if not sums:
        return
    rows = [
        {"batch_id": batch_id, "day": day, **dict(zip(_SUMS, values, strict=True))}
        for (batch_id, day), values in sorted(sums.items())
    ]
    work.connection.execute(_adding(work.connection), rows)
    today = work.now.astimezone(work.zone).date().toordinal()
    if any(day < today for _, day in sums):
        raised = update(t.counter).where(t.counter.c.name == REVISION)
        if not work.connection.execute(raised.values(value=t.counter.c.value + 1)).rowcount:
            work.connection.execute(insert(t.counter).values(name=REVISION, value=1))


def _adding(connection: Connection) -> Executable:
    insert_into = pg_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert_into(c.stock_day)
    return statement.on_conflict_do_update(
        index_elements=["batch_id", "day"],
        set_={name: c.stock_day.c[name] + statement.excluded[name] for name in _SUMS},
    )
