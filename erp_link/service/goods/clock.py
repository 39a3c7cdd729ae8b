"""I4: with the hub's clock below the time that was written down before, no date is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.service.work import Work

_FLOOR = "clock_floor_s"
_SLACK = timedelta(minutes=2)
"""Two hubs over one database differ by so much at most; less is no jump."""
_ASK = select(t.counter.c.value).where(t.counter.c.name == _FLOOR)


def is_sure(connection: Connection, now: datetime) -> bool:
    """False where `now` stands before the floor."""
    floor = connection.execute(_ASK).scalar_one_or_none()
    return floor is None or now + _SLACK >= datetime.fromtimestamp(floor, UTC)


def raise_floor(work: Work) -> None:
    """Write down that it is at least this late. The floor never sinks."""
    seconds = int(work.now.timestamp())
    if not inserted(work.connection, t.counter, name=_FLOOR, value=seconds):
        work.connection.execute(
            update(t.counter)
            .where(t.counter.c.name == _FLOOR, t.counter.c.value < seconds)
            .values(value=seconds)
        )
