"""Journal entries to rows of read rates: idempotent, and the same for every order of entries (I6).

Each half of a row, judged and settled, is written by the newest entry that speaks of it, by the
device's time, then device and sequence; what follows from both halves is worked out again with
either. So the table can be filled again from the devices' journals at any time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contracts.events import CartonJudged, CartonSettled, EventBody, JournalEntry
from erp_link.adapters import read_tables as r
from erp_link.adapters import tables as t
from erp_link.adapters.guards import insert_missing
from erp_link.domain.reads import (
    QUARTER_US,
    Answer,
    Cell,
    Facet,
    is_right,
    read_of,
    truth_of,
)
from erp_link.service.devices import moment_of
from erp_link.service.sessions import number_of

# Statements that every carton needs are built once: building them costs more than running them.
_KNOWN = select(r.carton_read).where(r.carton_read.c.carton_id == bindparam("wanted"))
_NEW = insert(r.carton_read)
_CHANGE = update(r.carton_read).where(r.carton_read.c.carton_id == bindparam("wanted"))
_CELL = select(r.read_cell.c.id).where(
    *(r.read_cell.c[name] == bindparam(f"of_{name}") for name in r.COUNTED)
)
_SUPPLIER = (
    select(t.asn.c.supplier)
    .join(t.session, t.session.c.asn == t.asn.c.number)
    .where(t.session.c.id == bindparam("wanted"))
)


def project(connection: Connection, entry: JournalEntry, body: EventBody) -> None:
    """Write what `entry` says about reading; entries of other kinds say nothing."""
    match body:
        case CartonJudged():
            _judged(connection, entry, body)
        case CartonSettled():
            _settled(connection, entry, body)
        case _:
            pass


def _judged(connection: Connection, entry: JournalEntry, body: CartonJudged) -> None:
    row = _row(connection, body.carton_id)
    stamp = _stamp(entry)
    if row is not None and row.judged_by >= stamp:
        return
    read = read_of(
        body,
        supplier=_supplier(connection, body),
        truth=_truth_in(row) if row is not None else None,
    )
    values = {
        "judged_by": stamp,
        "at": moment_of(entry),
        "quarter": entry.at_us // QUARTER_US,
        "cell_id": _cell_id(connection, read.cell),
        "accepted": int(read.cell.accepted),
        "confidence": read.confidence,
        "band": read.band,
        "gtin": read.answer.gtin,
        "batch": read.answer.batch,
        "expiry": read.answer.expiry,
        "reasons": [{"code": each.code, "params": each.params} for each in read.reasons],
        "pictures": list(read.pictures),
    }
    _write(connection, body.carton_id, values, new=row is None)


def _settled(connection: Connection, entry: JournalEntry, body: CartonSettled) -> None:
    row = _row(connection, body.carton_id)
    stamp = _stamp(entry)
    if row is not None and row.settled_by >= stamp:
        return
    truth = truth_of(body)
    said = truth or Answer()
    values: dict[str, Any] = {
        "settled_by": stamp,
        "how": body.how,
        "true_gtin": said.gtin,
        "true_batch": said.batch,
        "true_expiry": said.expiry,
    }
    if row is not None and row.cell_id is not None:
        answer = Answer(row.gtin, row.batch, row.expiry)
        right = is_right(answer, truth, claimed=row.confidence is not None)
        cell = replace(cell_by_id(connection, row.cell_id), was_right=right)
        values["cell_id"] = _cell_id(connection, cell)
    _write(connection, body.carton_id, values, new=row is None)


def cell_of(row: Row[Any]) -> Cell:
    """A cell from its row."""
    return Cell(
        Facet(**{name: getattr(row, name) for name in r.FACETS}),
        accepted=bool(row.accepted),
        audited=bool(row.audited),
        cause=row.cause,
        was_right=None if row.was_right < 0 else bool(row.was_right),
    )


def cell_by_id(connection: Connection, number: int) -> Cell:
    return cell_of(connection.execute(select(r.read_cell).where(r.read_cell.c.id == number)).one())


def _stamp(entry: JournalEntry) -> str:
    return f"{entry.at_us:020d} {entry.device} {entry.seq:012d}"


def _row(connection: Connection, carton_id: str) -> Row[Any] | None:
    return connection.execute(_KNOWN, {"wanted": carton_id}).one_or_none()


def _truth_in(row: Row[Any]) -> Answer | None:
    if not row.settled_by or row.how == "refused":
        return None
    return Answer(row.true_gtin, row.true_batch, row.true_expiry)


def _write(connection: Connection, carton_id: str, values: dict[str, Any], *, new: bool) -> None:
    if new:
        connection.execute(_NEW, {"carton_id": carton_id, **values})
    else:
        connection.execute(_CHANGE, {"wanted": carton_id, **values})


def _supplier(connection: Connection, body: CartonJudged) -> str:
    """Who announced the delivery; a carton read and one not read count for the same supplier."""
    number = number_of(body.session)
    if number is not None:
        supplier = connection.execute(_SUPPLIER, {"wanted": number}).scalar_one_or_none()
        if supplier:
            return str(supplier)
    return body.verdict.batch.supplier if body.verdict.batch else ""


def _cell_id(connection: Connection, cell: Cell) -> int:
    values: dict[str, Any] = {
        **{name: getattr(cell.facet, name) for name in r.FACETS},
        "cause": cell.cause,
        "accepted": int(cell.accepted),
        "audited": int(cell.audited),
        "was_right": -1 if cell.was_right is None else int(cell.was_right),
    }
    wanted = {f"of_{name}": value for name, value in values.items()}
    found = connection.execute(_CELL, wanted).scalar_one_or_none()
    if found is None:
        connection.execute(insert_missing(connection, r.read_cell), values)
        found = connection.execute(_CELL, wanted).scalar_one()
    return int(found)
