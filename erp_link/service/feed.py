"""The feed: the history of the core read to its end by many readers, with no gap (I2).

Whoever tells the outside (ERP outbox, EPCIS, webhooks, files) follows the append-only `event` table
from a cursor of its own. What it writes and how far it has come are one transaction: into its own
tables each event goes exactly once.

Reading by the event's number alone would skip: on PostgreSQL a transaction that began early may
commit after one that began late. So an event carries the number of its transaction, the order is
(transaction, event), and only transactions older than the oldest one still running are read. A
transaction left open anywhere in that PostgreSQL server therefore holds the feed back; nothing
overtakes it. SQLite has one writer at a time, there the event's number is the order.

Transaction numbers belong to one PostgreSQL server. After a restore into another one they may lie
ahead of it: reading then raises ConflictError, and `rebase`, which the hub calls as it starts, mends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    update,
)

from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import exchange_tables as x
from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.domain.moves import Line, Place
from erp_link.service.store import Store
from erp_link.service.work import Work

P = TypeVar("P")

START = ""
"""Before the first event."""
_HALF = 16
_SHAPE = re.compile(f"[0-9a-f]{{{2 * _HALF}}}")
_BEFORE_ALL = (0, 0)


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event with the lines of its move. `position` sorts as text in the order of the feed."""

    position: str
    event_id: int
    at: datetime
    what: str
    by: str
    batch: BatchKey | None
    session_id: int | None
    reference: str
    code: str
    params: dict[str, str | int | float]
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> Reason:
        return Reason(self.code, self.params)


def events_after(connection: Connection, after: str, *, limit: int) -> list[FeedEvent]:
    """The next events after a position, at most `limit`, in the order of the feed.

    Raises BadInputError for a position that is none, ConflictError after a restore (see above).
    """
    txid, event_id = _parsed(after)
    if _is_postgresql(connection):
        old, rows = _settled_after(connection, txid, event_id, limit)
    else:
        old, rows = 0, connection.execute(_NEXT, {"number": event_id, "most": limit}).all()
    lines = _lines_of(connection, [row.id for row in rows])
    return [_event(row, tuple(lines.get(row.id, ())), old=old) for row in rows]


def events_numbered(connection: Connection, numbers: Sequence[int]) -> list[FeedEvent]:
    """The events with these numbers, in the numbers' order: what a reader noted before."""
    found = {row.id: row for row in connection.execute(_NUMBERED, {"ids": list(numbers)})}
    lines = _lines_of(connection, list(found))
    rows = [found[number] for number in numbers]
    return [_event(row, tuple(lines.get(row.id, ())), old=0) for row in rows]


def newest(connection: Connection) -> str:
    """Where a reader begins who wants only what comes from now on."""
    if _is_postgresql(connection):
        old = _checked(connection, 0)
        row = connection.execute(_LAST_SETTLED, {"old": old}).one_or_none()
        if row is None:
            return _position(0, old) if old else START
        return _position(row.txid, row.id)
    last = connection.execute(select(func.max(t.event.c.id))).scalar_one()
    return START if last is None else _position(0, last)


def cursor(connection: Connection, consumer: str) -> str:
    """How far a reader has come; START for one that never read."""
    found = connection.execute(_CURSOR, {"reader": consumer}).scalar_one_or_none()
    return found or START


def take_cursor(work: Work, consumer: str) -> str:
    """As `cursor`, and nobody else moves it until this transaction ends: two hubs may run the same
    reader, and only one of them projects an event.
    """
    empty = {"consumer": consumer, "position": START, "moved_at": work.now}
    work.connection.execute(insert_missing(work.connection, x.feed_cursor), empty)
    locked = work.connection.execute(_CURSOR.with_for_update(), {"reader": consumer})
    return str(locked.scalar_one())


def keep_cursor(work: Work, consumer: str, position: str) -> None:
    """Note in this transaction how far a reader has come. Raises BadInputError."""
    _parsed(position)
    kept = (
        update(x.feed_cursor)
        .where(x.feed_cursor.c.consumer == consumer)
        .values(position=position, moved_at=work.now)
    )
    if work.connection.execute(kept).rowcount == 0:
        row = {"consumer": consumer, "position": position, "moved_at": work.now}
        work.connection.execute(x.feed_cursor.insert(), row)


def follow(
    store: Store,
    consumer: str,
    project: Callable[[Work, Sequence[FeedEvent]], None],
    *,
    limit: int = 200,
) -> int:
    """Let `project` write what follows from the next events, in one transaction with the cursor;
    how many events there were. 0: the reader has come to the end.

    `project` has no effect outside: the transaction may be repeated. Raises what it raises; then
    the cursor stays.
    """

    def act(work: Work) -> int:
        events = events_after(work.connection, take_cursor(work, consumer), limit=limit)
        if events:
            project(work, events)
            keep_cursor(work, consumer, events[-1].position)
        return len(events)

    # Most looks find nothing, and must not wait for the writers to tell so.
    if not store.read(lambda c: events_after(c, cursor(c, consumer), limit=1)):
        return 0
    return store.write(act, by=consumer)


def follow_prepared(
    store: Store,
    consumer: str,
    prepare: Callable[[Connection, Sequence[FeedEvent]], P],
    keep: Callable[[Work, P], object],
    *,
    limit: int = 200,
) -> int:
    """As `follow` for a reader that has much to think about: `prepare` works in a transaction that
    only reads, and no writer waits for it; `keep` writes what came out. Where another reader was
    faster meanwhile, what was prepared is dropped.
    """

    def look(connection: Connection) -> tuple[str, list[FeedEvent], P | None]:
        at = cursor(connection, consumer)
        events = events_after(connection, at, limit=limit)
        return at, events, prepare(connection, events) if events else None

    at, events, ready = store.read(look)
    if ready is None:
        return 0
    prepared = ready

    def act(work: Work) -> None:
        if take_cursor(work, consumer) == at:
            keep(work, prepared)
            keep_cursor(work, consumer, events[-1].position)

    store.write(act, by=consumer)
    return len(events)


def rebase(work: Work) -> int:
    """After a restore into another PostgreSQL server: the events that are there count as old and go
    by their number, and readers go on with the first that they had not read. Some may be read
    again, none is skipped. How many readers were moved; 0 where nothing was wrong.
    """
    connection = work.connection
    if not _is_postgresql(connection):
        return 0
    # Nobody writes an event meanwhile: one with a lower number that commits later would be lost.
    connection.execute(text("LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE"))
    server = connection.execute(_SERVER).one()
    ahead = select(t.event.c.id).where(t.event.c.id > server.old, t.event.c.txid >= server.at)
    if connection.execute(ahead.limit(1)).first() is None:
        return 0
    newest_id = connection.execute(select(func.max(t.event.c.id))).scalar_one()
    readers = connection.execute(select(x.feed_cursor.c.consumer, x.feed_cursor.c.position)).all()
    for reader in readers:
        unread = connection.execute(
            select(func.min(t.event.c.id)).where(
                _is_after(*_parsed(reader.position), old=server.old)
            )
        ).scalar_one()
        number = newest_id if unread is None else unread - 1
        keep_cursor(work, reader.consumer, _position(0, number))
    connection.execute(insert(x.feed_restore).values(last_old_event=newest_id, at=work.now))
    return len(readers)


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _checked(connection: Connection, txid: int) -> int:
    """The last event that counts as old. Raises ConflictError after a restore."""
    server = connection.execute(_SERVER).one()
    # Where old events lie ahead of the server, the highest number is not found by the index.
    highest = _NEWEST_TXID if server.old else _HIGHEST_TXID
    found = connection.execute(highest, {"old": server.old}).scalar_one_or_none()
    ahead = max(txid, found or 0)
    if ahead >= server.at:
        raise ConflictError(
            f"An event carries transaction {ahead}, and this database server is at {server.at}:"
            " the database was restored from another server",
            mend="Start the hub again: it puts the feed right, and readers go on where they were",
            transaction=ahead,
        )
    return int(server.old)


def _settled_after(
    connection: Connection, txid: int, event_id: int, limit: int
) -> tuple[int, Sequence[Row[Any]]]:
    """Also the last event that counts as old."""
    old = _checked(connection, txid)
    rows: list[Row[Any]] = []
    if txid == 0 and event_id < old:
        rows += connection.execute(_OLD, {"number": event_id, "old": old, "most": limit})
        event_id = old
    if len(rows) < limit:
        wanted = {"tx": txid, "number": event_id, "old": old, "most": limit - len(rows)}
        rows += connection.execute(_SETTLED, wanted)
    return old, rows


def _position(txid: int, event_id: int) -> str:
    return f"{txid:0{_HALF}x}{event_id:0{_HALF}x}"


def _parsed(position: str) -> tuple[int, int]:
    if position == START:
        return _BEFORE_ALL
    if not _SHAPE.fullmatch(position):
        raise BadInputError(
            f"{position!r} is no position of the feed",
            mend="Use a position as it was given, or none to begin at the start",
        )
    return int(position[:_HALF], 16), int(position[_HALF:], 16)


def _event(row: Row[Any], lines: tuple[Line, ...], *, old: int) -> FeedEvent:
    return FeedEvent(
        position=_position(0 if row.id <= old else row.txid, row.id),
        event_id=row.id,
        at=row.at,
        what=row.what,
        by=row.by,
        batch=None if row.gtin is None else BatchKey(row.supplier, row.gtin, row.lot),
        session_id=row.session_id,
        reference=row.reference,
        code=row.code,
        params=row.params,
        lines=lines,
    )


def _lines_of(connection: Connection, event_ids: list[int]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    if event_ids:
        for row in connection.execute(_LINES, {"ids": event_ids}):
            place = Place(row.location, StockStatus(row.status))
            found.setdefault(row.event_id, []).append(Line(row.batch_id, place, row.quantity))
    return found


def _is_after(txid: int, event_id: int, *, old: int) -> ColumnElement[bool]:
    behind = case((t.event.c.id <= old, 0), else_=t.event.c.txid)
    return tuple_(behind, t.event.c.id) > tuple_(literal(txid), literal(event_id))


_XMIN: ColumnElement[int] = literal_column(
    "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)", BigInteger
)
# The first number that no visible transaction but a later one can have; our own counts as visible.
_SERVER_AT: ColumnElement[int] = literal_column(
    "greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
    " 1 + coalesce(pg_current_xact_id_if_assigned()::text::bigint, 0))",
    BigInteger,
)
_EVENT: Select[Any] = select(
    t.event, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot
).select_from(t.event.outerjoin(t.batch, t.batch.c.id == t.event.c.batch_id))
_NUMBERED = _EVENT.where(t.event.c.id.in_(bindparam("ids", expanding=True)))
_NEXT = (
    _EVENT.where(t.event.c.id > bindparam("number")).order_by(t.event.c.id).limit(bindparam("most"))
)
_OLD = _NEXT.where(t.event.c.id <= bindparam("old"))
_SETTLED = (
    _EVENT.where(
        tuple_(t.event.c.txid, t.event.c.id) > tuple_(bindparam("tx"), bindparam("number")),
        t.event.c.txid < _XMIN,
        t.event.c.id > bindparam("old"),
    )
    .order_by(t.event.c.txid, t.event.c.id)
    .limit(bindparam("most"))
)
_LAST_SETTLED = (
    select(t.event.c.txid, t.event.c.id)
    .where(t.event.c.txid < _XMIN, t.event.c.id > bindparam("old"))
    .order_by(t.event.c.txid.desc(), t.event.c.id.desc())
    .limit(1)
)
_HIGHEST_TXID = select(func.max(t.event.c.txid))
_NEWEST_TXID = (
    select(t.event.c.txid)
    .where(t.event.c.id > bindparam("old"))
    .order_by(t.event.c.id.desc())
    .limit(1)
)
_SERVER = select(
    func.coalesce(select(func.max(x.feed_restore.c.last_old_event)).scalar_subquery(), 0).label(
        "old"
    ),
    _SERVER_AT.label("at"),
)
_LINES = (
    select(t.move_line)
    .where(t.move_line.c.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(t.move_line.c.id)
)
_CURSOR = select(x.feed_cursor.c.position).where(x.feed_cursor.c.consumer == bindparam("reader"))
