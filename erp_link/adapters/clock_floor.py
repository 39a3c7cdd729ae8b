"""I4: with the hub's clock below the time that was written down before, no date is trusted, and it
is at least as late as that time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted

_FLOOR = "clock_floor_s"
_SLACK = timedelta(minutes=2)
"""Two hubs over one database differ by so much at most; less is no jump."""
_ASK = select(t.counter.c.value).where(t.counter.c.name == _FLOOR)


def is_sure(connection: Connection, now: datetime) -> bool:
    """False where `now` stands before the floor."""
    floor = _floor(connection)
    return floor is None or now + _SLACK >= floor


def at_least(connection: Connection, now: datetime) -> datetime:
    """The moment by which dates are judged: `now`, or the floor where the clock fell below it."""
    floor = _floor(connection)
    return now if floor is None else max(now, floor)


def raise_to(connection: Connection, now: datetime) -> None:
    """Write down that it is at least this late. The floor never sinks."""
    seconds = int(now.timestamp())
    if not inserted(connection, t.counter, name=_FLOOR, value=seconds):
        connection.execute(
            update(t.counter)
            .where(t.counter.c.name == _FLOOR, t.counter.c.value < seconds)
            .values(value=seconds)
        )


def _floor(connection: Connection) -> datetime | None:
    seconds = connection.execute(_ASK).scalar_one_or_none()
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
