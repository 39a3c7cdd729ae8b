"""How the talk with the ERP stands: who talks (one hub at a time), since when nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from contracts.errors import TallymanError
from erp_link.adapters import erp_tables as e
from erp_link.adapters.guards import insert_missing
from erp_link.domain.erp.delivery import due
from erp_link.service.erp.outbox import Trouble, told
from erp_link.service.work import Work

LEASE = timedelta(minutes=3)
"""Longer than one message can take; a hub that was killed is followed by another after it."""
_FRESH = timedelta(minutes=1)
_NAME = "erp"


@dataclass(frozen=True, slots=True)
class LineState:
    """`down_since` is None while the ERP answers; `ok_at` is when it last did."""

    ok_at: datetime | None = None
    down_since: datetime | None = None
    tries: int = 0
    tried_at: datetime | None = None
    trouble: Trouble | None = None


def state(connection: Connection) -> LineState:
    row = _row(connection)
    if row is None:
        return LineState()
    return LineState(
        row.ok_at,
        row.down_since,
        row.tries,
        row.tried_at,
        Trouble(**row.error) if row.error else None,
    )


def take(work: Work, holder: str) -> bool:
    """True where `holder` may talk now: nobody else does, and the wait after a failure is over."""
    empty = insert_missing(work.connection, e.erp_line).values(name=_NAME)
    work.connection.execute(empty)
    taken = work.connection.execute(
        update(e.erp_line)
        .where(
            e.erp_line.c.name == _NAME,
            or_(
                e.erp_line.c.holder.in_(["", holder]),
                e.erp_line.c.until.is_(None),
                e.erp_line.c.until < work.now,
            ),
        )
        .values(holder=holder, until=work.now + LEASE)
    )
    row = _row(work.connection)
    return taken.rowcount == 1 and row is not None and due(row.tried_at, row.tries, work.now)


def leave(work: Work, holder: str) -> None:
    """Another hub may talk at once."""
    work.connection.execute(
        update(e.erp_line)
        .where(e.erp_line.c.name == _NAME, e.erp_line.c.holder == holder)
        .values(holder="", until=None)
    )


def answered(work: Work) -> None:
    work.connection.execute(
        update(e.erp_line)
        .where(e.erp_line.c.name == _NAME)
        .values(ok_at=work.now, down_since=None, tries=0, tried_at=None, error=None)
    )


def silent(work: Work, error: TallymanError) -> None:
    """The ERP did not answer; the wait until the next try grows."""
    row = _row(work.connection)
    since = work.now if row is None or row.down_since is None else row.down_since
    work.connection.execute(
        update(e.erp_line)
        .where(e.erp_line.c.name == _NAME)
        .values(
            down_since=since,
            tries=e.erp_line.c.tries + 1,
            tried_at=work.now,
            error=told(error),
        )
    )


def is_fresh(found: LineState, now: datetime) -> bool:
    """True where nothing new is to be said about an ERP that answers."""
    return found.down_since is None and found.ok_at is not None and now - found.ok_at < _FRESH


def hurry(work: Work) -> None:
    """A person says that the ERP is back: do not wait any longer."""
    work.connection.execute(
        update(e.erp_line).where(e.erp_line.c.name == _NAME).values(tried_at=None)
    )


def _row(connection: Connection) -> Row[Any] | None:
    return connection.execute(select(e.erp_line).where(e.erp_line.c.name == _NAME)).one_or_none()
