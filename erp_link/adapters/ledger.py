"""Post moves: append the lines, and keep the on-hand projection in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, select, text, update

from contracts.stock import StockStatus
from erp_link.adapters import tables as t
from erp_link.adapters.bulk import has_arrays, insert_all, inserting
from erp_link.adapters.guards import insert_missing
from erp_link.adapters.trips import Answer, Asked, ask_all
from erp_link.domain.moves import Line, Place, is_balanced
from erp_link.domain.places import is_account


def post(connection: Connection, event_id: int, lines: Sequence[Line]) -> None:
    """Book the lines of one move. The database's own checks refuse stock below zero or below
    what is reserved (IntegrityError): the last line of defence, never the first.
    """
    post_all(connection, [(event_id, lines)])


def post_all(connection: Connection, moves: Sequence[tuple[int, Sequence[Line]]]) -> None:
    """Book many moves, each under its event, with as many statements as one takes. As `post`."""
    rows, changes = _booked(moves)
    insert_all(connection, t.move_line, rows)
    if len(changes) > 1 and all(line.quantity < 0 for line in changes):
        check_taken(changes, ask_all(connection, _take_off(connection, changes)))
        return
    for line in changes:
        _project(connection, line)


def taking_off(
    connection: Connection, moves: Sequence[tuple[int, Sequence[Line]]]
) -> tuple[list[Asked], list[Line]]:
    """The statements of moves that lead out of the house, and the changes that `check_taken` finds
    in their answers: all stock rows are there, and none becomes more.
    """
    rows, changes = _booked(moves)
    if any(line.quantity > 0 for line in changes):
        raise AssertionError("goods that only leave make no stock more")
    lines = inserting(connection, t.move_line, rows)
    return [lines, *_take_off(connection, changes)], changes


def check_taken(changes: Sequence[Line], answers: Sequence[Answer]) -> None:
    """The last answer is that of the stock: each change met its row."""
    if answers[-1].count != len(changes):
        raise AssertionError(f"{answers[-1].count} stock rows for {len(changes)} changes")


def _booked(
    moves: Sequence[tuple[int, Sequence[Line]]],
) -> tuple[list[dict[str, object]], list[Line]]:
    """The rows of the lines, and what they change on hand."""
    sums: dict[tuple[int, Place], int] = {}
    rows = []
    for event_id, lines in moves:
        if not is_balanced(lines):
            raise AssertionError(f"unbalanced move {lines}")
        for line in lines:
            rows.append({"event_id": event_id, **_row_of(line)})
            if not is_account(line.place.location):
                at = (line.batch_id, line.place)
                sums[at] = sums.get(at, 0) + line.quantity
    # In one order, so that two writers never wait for each other in a ring.
    return rows, [Line(*at, quantity) for at, quantity in sorted(sums.items()) if quantity]


def _take_off(connection: Connection, changes: Sequence[Line]) -> list[Asked]:
    rows = [_change(line) for line in changes]
    if not has_arrays(connection):
        return [(_ADD, rows)]
    values = {name: [row[name] for row in rows] for name in (*_WHERE, "change")}
    return [(_LOCK_ALL, {name: values[name] for name in _WHERE}), (_ADD_ALL, values)]


def _row_of(line: Line) -> dict[str, object]:
    return {
        "batch_id": line.batch_id,
        "location": line.place.location,
        "status": line.place.status.value,
        "quantity": line.quantity,
    }


def _change(line: Line) -> dict[str, object]:
    return {
        "in_batch_id": line.batch_id,
        "in_location": line.place.location,
        "in_status": line.place.status.value,
        "change": line.quantity,
    }


def _project(connection: Connection, line: Line) -> None:
    change = _change(line)
    changed = connection.execute(_ADD, change)
    if changed.rowcount == 0 and line.quantity > 0:
        empty = {**_row_of(line), "quantity": 0, "reserved": 0}
        connection.execute(insert_missing(connection, t.stock), empty)
        changed = connection.execute(_ADD, change)
    if changed.rowcount != 1:
        raise AssertionError(f"no stock row for {line}")


_ADD = (
    update(t.stock)
    .where(
        t.stock.c.batch_id == bindparam("in_batch_id"),
        t.stock.c.location == bindparam("in_location"),
        t.stock.c.status == bindparam("in_status"),
    )
    .values(quantity=t.stock.c.quantity + bindparam("change"))
)


_WHERE = ("in_batch_id", "in_location", "in_status")
_ROWS = """unnest(CAST(:in_batch_id AS BIGINT[]), CAST(:in_location AS TEXT[]),
    CAST(:in_status AS TEXT[])"""
# Locked in one order first: an UPDATE over many rows promises none.
_LOCK_ALL = text(
    f"SELECT 1 FROM stock JOIN {_ROWS}) AS r(b, l, s)"  # noqa: S608 -- nothing from outside
    " ON stock.batch_id = r.b AND stock.location = r.l AND stock.status = r.s"
    ' ORDER BY stock.batch_id, stock.location COLLATE "C", stock.status COLLATE "C" FOR UPDATE OF stock'
)
_ADD_ALL = text(
    f"UPDATE stock SET quantity = stock.quantity + r.q FROM {_ROWS},"  # noqa: S608 -- as above
    " CAST(:change AS BIGINT[])) AS r(b, l, s, q)"
    " WHERE stock.batch_id = r.b AND stock.location = r.l AND stock.status = r.s"
)


def on_hand(connection: Connection, batch_id: int, place: Place) -> tuple[int, int]:
    """Quantity and reserved at a place, the row locked until the transaction ends."""
    row = connection.execute(
        select(t.stock.c.quantity, t.stock.c.reserved)
        .where(*_row(batch_id, place))
        .with_for_update()
    ).one_or_none()
    return (0, 0) if row is None else (row.quantity, row.reserved)


def change_reserved(connection: Connection, batch_id: int, location: str, change: int) -> bool:
    """Raise or lower what is reserved at a location; False where not that much is free."""
    place = Place(location, StockStatus.UNRESTRICTED)
    changed = connection.execute(
        update(t.stock)
        .where(
            *_row(batch_id, place),
            t.stock.c.reserved + change >= 0,
            t.stock.c.reserved + change <= t.stock.c.quantity,
        )
        .values(reserved=t.stock.c.reserved + change)
    )
    return changed.rowcount == 1


def _row(batch_id: int, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        t.stock.c.batch_id == batch_id,
        t.stock.c.location == place.location,
        t.stock.c.status == place.status.value,
    )
