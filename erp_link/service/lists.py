"""Lists as pages show them: a window of so many rows, and how many there are; what a person types
into the filter is asked of the database, however long the list has grown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select

from contracts.stock import BatchKey, BatchSummary, Hold, Ticket, TicketState
from erp_link.adapters import clock_floor
from erp_link.adapters import tables as t
from erp_link.service import queries
from erp_link.service.holding import read_holds
from erp_link.service.sessions import name_of
from erp_link.service.store import Store
from erp_link.service.ticketing import read_tickets
from erp_link.service.work import find_batch

T = TypeVar("T")
_MOST_WORDS = 8
_DECIDED = (TicketState.DECIDED.value, TicketState.CLOSED.value)
_BATCH = (t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """Some rows of a list: `found` of all `total` rows match what was typed."""

    rows: Sequence[T]
    found: int
    total: int


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A receiving session in a list; base units of all its lines, the damaged among the counted."""

    session: str
    asn: str
    supplier: str
    dock: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    announced: int
    counted: int


class Lists:
    """Windows on the core's long lists. Methods block."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def tickets(self, typed: str, *, skip: int, most: int) -> Window[Ticket]:
        """Tickets: what waits for a decision first, by due time."""
        columns = (
            t.ticket.c.ticket_id,
            t.ticket.c.carton_id,
            t.ticket.c.owner,
            t.ticket.c.station,
            t.ticket.c.state,
            *_BATCH,
        )
        order = (
            case((t.ticket.c.state.in_(_DECIDED), 1), else_=0),
            t.ticket.c.due_at,
            t.ticket.c.ticket_id,
        )
        joined = (
            select(t.ticket.c.ticket_id)
            .join(t.batch, t.batch.c.id == t.ticket.c.batch_id, isouter=True)
            .where(*_words(typed, columns))
        )

        def ask(connection: Connection) -> Window[Ticket]:
            ids = list(connection.execute(_cut(joined, order, skip, most)).scalars())
            by_id = {row.ticket_id: row for row in read_tickets(connection, only=ids)}
            return Window(
                [by_id[name] for name in ids],
                _count(connection, joined),
                _all(connection, t.ticket),
            )

        return self._core.read(ask)

    def holds(self, typed: str, *, skip: int, most: int) -> Window[Hold]:
        """Holds: the open ones first, the newest of each first."""
        columns = (
            t.hold.c.hold_id,
            t.hold.c.location,
            t.hold.c.supplier,
            t.hold.c.raised_by,
            t.hold.c.code,
            *_BATCH,
        )
        order = (
            case((t.hold.c.released_at.is_(None), 0), else_=1),
            t.hold.c.raised_at.desc(),
            t.hold.c.hold_id.desc(),
        )
        joined = (
            select(t.hold.c.hold_id)
            .join(t.batch, t.batch.c.id == t.hold.c.batch_id, isouter=True)
            .where(*_words(typed, columns))
        )

        def ask(connection: Connection) -> Window[Hold]:
            ids = list(connection.execute(_cut(joined, order, skip, most)).scalars())
            only = t.hold.c.hold_id.in_(ids)
            by_id = {row.hold_id: row for row in read_holds(connection, open_only=False, only=only)}
            return Window(
                [by_id[name] for name in ids], _count(connection, joined), _all(connection, t.hold)
            )

        return self._core.read(ask)

    def holds_on(self, batch: BatchKey) -> list[Hold]:
        """Every hold on a batch itself, lifted ones too. Raises NotFoundError."""

        def ask(connection: Connection) -> list[Hold]:
            only = t.hold.c.batch_id == find_batch(connection, batch).id
            return read_holds(connection, open_only=False, only=only)

        return self._core.read(ask)

    def holds_named(self, ids: Collection[str]) -> list[Hold]:
        """The holds with these ids."""
        only = t.hold.c.hold_id.in_(sorted(ids))
        return self._core.read(lambda c: read_holds(c, open_only=False, only=only))

    def batches(self, typed: str, *, skip: int, most: int) -> Window[BatchSummary]:
        """Batches by GTIN, lot and supplier."""
        columns = (*_BATCH, t.batch.c.description)
        order = (t.batch.c.gtin, t.batch.c.lot, t.batch.c.supplier)
        wanted = select(t.batch).where(*_words(typed, columns))
        zone = self._core.zone

        def ask(connection: Connection) -> Window[BatchSummary]:
            rows = connection.execute(wanted.order_by(*order).offset(skip).limit(most)).all()
            now = clock_floor.at_least(connection, self._core.clock.now())
            found = queries.summaries(connection, rows, now=now, zone=zone)
            return Window(found, _count(connection, wanted), _all(connection, t.batch))

        return self._core.read(ask)

    def sessions(self, *, skip: int, most: int) -> Window[SessionLine]:
        """Receiving sessions: the open ones first, the newest of each first."""

        def ask(connection: Connection) -> Window[SessionLine]:
            rows = connection.execute(_SESSIONS.offset(skip).limit(most))
            total = _all(connection, t.session)
            return Window([_session(row) for row in rows], total, total)

        return self._core.read(ask)


def _words(typed: str, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
    """Every word occurs in one of the columns, in any letter case."""
    words = typed.casefold().split()[:_MOST_WORDS]
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))
        for word in words
    ]


def _cut(
    wanted: Select[Any], order: Sequence[ColumnElement[Any]], skip: int, most: int
) -> Select[Any]:
    return wanted.order_by(*order).offset(skip).limit(most)


def _count(connection: Connection, wanted: Select[Any]) -> int:
    count = select(func.count()).select_from(wanted.order_by(None).subquery())
    return int(connection.execute(count).scalar_one())


def _all(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


_ANNOUNCED = (
    select(func.coalesce(func.sum(t.asn_line.c.quantity), 0))
    .where(t.asn_line.c.asn == t.session.c.asn)
    .scalar_subquery()
)
_COUNTED = (
    select(func.coalesce(func.sum(t.session_line.c.counted), 0))
    .where(t.session_line.c.session_id == t.session.c.id)
    .scalar_subquery()
)
_SESSIONS = (
    select(t.session, t.asn.c.supplier, _ANNOUNCED.label("announced"), _COUNTED.label("counted"))
    .join(t.asn, t.asn.c.number == t.session.c.asn)
    .order_by(case((t.session.c.closed_at.is_(None), 0), else_=1), t.session.c.id.desc())
)


def _session(row: Any) -> SessionLine:
    return SessionLine(
        name_of(row.id),
        row.asn,
        row.supplier,
        row.dock,
        row.opened_at,
        row.opened_by,
        row.closed_at,
        int(row.announced),
        int(row.counted),
    )
