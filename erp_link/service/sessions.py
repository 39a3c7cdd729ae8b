"""Deliveries: import the announced list, open and close a receiving session, count, report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.asn import Asn, AsnLine, Expectations, ExpectedLine
from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.domain.receiving import (
    CartonState,
    Count,
    DeliveryReport,
    OffListCarton,
    ReportLine,
)
from erp_link.service.work import EXPECTATIONS, Work, ensure_batch, new_id


def digest_of(asn: Asn) -> str:
    """Two lists with the same digest announce the same."""
    return hashlib.sha256(repr(asn).encode()).hexdigest()


def import_asn(work: Work, asn: Asn) -> bool:
    """Keep an announced list; False where the same list is known already.

    Raises ConflictError where the number is known with other lines.
    """
    digest = digest_of(asn)
    new = inserted(
        work.connection,
        t.asn,
        number=asn.number,
        supplier=asn.supplier,
        digest=digest,
        imported_at=work.now,
        imported_by=work.by,
    )
    if not new:
        known = work.connection.execute(
            select(t.asn.c.digest).where(t.asn.c.number == asn.number)
        ).scalar_one()
        if known == digest:
            return False
        raise ConflictError(
            f"A list with the number {asn.number} is known already, with other lines",
            mend="Give the corrected list a number of its own",
            asn=asn.number,
        )
    ids = {key: ensure_batch(work.connection, key) for key in sorted(x.key for x in asn.lines)}
    for line in asn.lines:
        batch_id = ids[line.key]
        if line.description:
            work.connection.execute(
                update(t.batch)
                .where(t.batch.c.id == batch_id, t.batch.c.description == "")
                .values(description=line.description)
            )
    work.connection.execute(
        insert(t.asn_line),
        [
            {
                "asn": asn.number,
                "number": line.number,
                "batch_id": ids[line.key],
                "expiry": line.expiry,
                "quantity": line.quantity,
                "unit": line.unit,
                "sku": line.sku,
                "description": line.description,
                "order_ref": line.order,
            }
            for line in asn.lines
        ],
    )
    work.connection.execute(
        insert(t.event),
        [
            {
                "at": work.now,
                "what": "announced",
                "by": work.by,
                "batch_id": ids[line.key],
                "reference": asn.number,
                "code": "story_announced",
                "params": {"asn": asn.number, "quantity": line.quantity, "unit": line.unit},
            }
            for line in asn.lines
        ],
    )
    return True


def open_session(work: Work, asn_number: str, dock: str) -> str:
    """Start to receive a delivery; the session's id. Raises NotFoundError, ConflictError."""
    known = work.connection.execute(
        select(t.asn.c.number).where(t.asn.c.number == asn_number).with_for_update()
    ).scalar_one_or_none()
    if known is None:
        raise NotFoundError(
            f"No list with the number {asn_number} was imported",
            mend="Import the list first",
            asn=asn_number,
        )
    already = work.connection.execute(
        select(t.session.c.id).where(t.session.c.asn == asn_number, t.session.c.closed_at.is_(None))
    ).scalar_one_or_none()
    if already is not None:
        raise ConflictError(
            f"The delivery {asn_number} is being received already in {name_of(already)}",
            mend="Go on with that session, or close it",
            session=name_of(already),
        )
    session_id = new_id(
        work.connection.execute(
            insert(t.session).values(
                asn=asn_number, dock=dock, opened_at=work.now, opened_by=work.by, closed_by=""
            )
        )
    )
    work.connection.execute(
        insert(t.session_line).from_select(
            ["session_id", "number", "counted", "damaged", "in_review"],
            select(
                func.coalesce(session_id, 0),
                t.asn_line.c.number,
                func.coalesce(0, 0),
                func.coalesce(0, 0),
                func.coalesce(0, 0),
            ).where(t.asn_line.c.asn == asn_number),
        )
    )
    work.changes_expectations = True
    work.event(
        "session",
        Reason("story_session_opened", {"asn": asn_number, "dock": dock}),
        session_id=session_id,
        reference=name_of(session_id),
    )
    return name_of(session_id)


def close_session(work: Work, name: str) -> None:
    """End a session; cartons that a station judged before it heard of it still count.

    Raises NotFoundError, and ConflictError where it is closed already.
    """
    row = find_session(work.connection, name)
    closed = work.connection.execute(
        update(t.session)
        .where(t.session.c.id == row.id, t.session.c.closed_at.is_(None))
        .values(closed_at=work.now, closed_by=work.by)
    )
    if closed.rowcount == 0:
        raise ConflictError(
            f"The session {name} is closed already", mend="Look at its report", session=name
        )
    work.changes_expectations = True
    work.event("session", Reason("story_session_closed"), session_id=row.id, reference=name)


def count(work: Work, session_id: int | None, line: int | None, change: Count) -> None:
    """Add to a line's counts; a carton on no line counts off the list, by its own row."""
    if session_id is None:
        return
    work.changes_expectations = True
    if line is None or change == Count():
        return
    work.connection.execute(
        update(t.session_line)
        .where(t.session_line.c.session_id == session_id, t.session_line.c.number == line)
        .values(
            counted=t.session_line.c.counted + change.counted,
            damaged=t.session_line.c.damaged + change.damaged,
            in_review=t.session_line.c.in_review + change.in_review,
        )
    )


def expectations(connection: Connection) -> Expectations:
    """What stations are told. The version is read first: what follows is at least as new."""
    version = connection.execute(
        select(t.counter.c.value).where(t.counter.c.name == EXPECTATIONS)
    ).scalar_one_or_none()
    row = connection.execute(
        select(t.session)
        .where(t.session.c.closed_at.is_(None))
        .order_by(t.session.c.id.desc())
        .limit(1)
    ).one_or_none()
    lines = _lines(connection, row) if row is not None else ()
    return Expectations(
        version=version or 0,
        session=name_of(row.id) if row is not None else None,
        asn=row.asn if row is not None else None,
        lines=tuple(ExpectedLine(line.line, line.counted) for line in lines),
        held=_held(connection),
    )


def report(connection: Connection, name: str) -> DeliveryReport:
    """Announced against counted, and what was on no line. Raises NotFoundError."""
    row = find_session(connection, name)
    supplier = connection.execute(
        select(t.asn.c.supplier).where(t.asn.c.number == row.asn)
    ).scalar_one()
    off = connection.execute(
        select(t.carton, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.carton.c.batch_id, isouter=True)
        .where(t.carton.c.session_id == row.id, t.carton.c.line_number.is_(None))
        .order_by(t.carton.c.judged_at, t.carton.c.carton_id)
    )
    return DeliveryReport(
        session=name,
        asn=row.asn,
        supplier=supplier,
        dock=row.dock,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        closed_at=row.closed_at,
        lines=_lines(connection, row),
        off_list=tuple(
            OffListCarton(
                carton_id=c.carton_id,
                state=CartonState(c.state),
                batch=BatchKey(c.supplier, c.gtin, c.lot) if c.batch_id is not None else None,
                at=c.judged_at,
                off_list=bool(c.off_list),
            )
            for c in off
        ),
    )


@dataclass(frozen=True, slots=True)
class AsnSummary:
    """An announced delivery. `session` is its newest receiving session, None while it waits."""

    number: str
    supplier: str
    lines: int
    quantity: int
    imported_at: datetime
    imported_by: str
    session: str | None


def announced(connection: Connection) -> list[AsnSummary]:
    """Every announced delivery, newest first."""
    newest = (
        select(t.session.c.asn, func.max(t.session.c.id).label("session_id"))
        .group_by(t.session.c.asn)
        .subquery()
    )
    rows = connection.execute(
        select(
            t.asn.c.number,
            t.asn.c.supplier,
            t.asn.c.imported_at,
            t.asn.c.imported_by,
            newest.c.session_id,
            func.count().label("lines"),
            func.sum(t.asn_line.c.quantity).label("quantity"),
        )
        .join(t.asn_line, t.asn_line.c.asn == t.asn.c.number)
        .join(newest, newest.c.asn == t.asn.c.number, isouter=True)
        .group_by(
            t.asn.c.number,
            t.asn.c.supplier,
            t.asn.c.imported_at,
            t.asn.c.imported_by,
            newest.c.session_id,
        )
        .order_by(t.asn.c.imported_at.desc(), t.asn.c.number)
    )
    return [
        AsnSummary(
            number=row.number,
            supplier=row.supplier,
            lines=row.lines,
            quantity=int(row.quantity),
            imported_at=row.imported_at,
            imported_by=row.imported_by,
            session=name_of(row.session_id) if row.session_id is not None else None,
        )
        for row in rows
    ]


def find_session(connection: Connection, name: str) -> Row[Any]:
    """The row of a session by its id. Raises NotFoundError."""
    number = number_of(name)
    row = None
    if number is not None:
        row = connection.execute(select(t.session).where(t.session.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no session {name}", mend="Look in the list of deliveries", session=name
        )
    return row


def all_sessions(connection: Connection) -> list[str]:
    """The ids of all sessions, newest first."""
    rows = connection.execute(select(t.session.c.id).order_by(t.session.c.id.desc())).scalars()
    return [name_of(session_id) for session_id in rows]


def name_of(session_id: int) -> str:
    return f"RS-{session_id}"


def number_of(name: str | None) -> int | None:
    digits = (name or "").removeprefix("RS-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None  # noqa: PLR2004 -- fits the column


def _lines(connection: Connection, row: Row[Any]) -> tuple[ReportLine, ...]:
    query = (
        select(t.asn_line, t.session_line, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
        .join(
            t.session_line,
            (t.session_line.c.number == t.asn_line.c.number)
            & (t.session_line.c.session_id == row.id),
        )
        .where(t.asn_line.c.asn == row.asn)
        .order_by(t.asn_line.c.number)
    )
    return tuple(
        ReportLine(
            line=AsnLine(
                number=r.number,
                gtin=r.gtin,
                batch=r.lot,
                expiry=r.expiry,
                quantity=r.quantity,
                unit=r.unit,
                sku=r.sku,
                description=r.description,
                supplier=r.supplier,
                order=r.order_ref,
            ),
            counted=r.counted,
            damaged=r.damaged,
            in_review=r.in_review,
        )
        for r in connection.execute(query)
    )


def _held(connection: Connection) -> tuple[BatchKey, ...]:
    covered = (
        select(t.hold.c.hold_id)
        .where(
            t.hold.c.released_at.is_(None),
            ((t.hold.c.kind == "batch") & (t.hold.c.batch_id == t.batch.c.id))
            | ((t.hold.c.kind == "supplier") & (t.hold.c.supplier == t.batch.c.supplier)),
        )
        .exists()
    )
    rows = connection.execute(select(t.batch).where(covered))
    return tuple(sorted(BatchKey(r.supplier, r.gtin, r.lot) for r in rows))
