"""Deliveries: import the announced list, open and close a receiving session, count, report."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.asn import Asn
from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import tables as t
from erp_link.adapters.guards import inserted
from erp_link.domain.receiving import (
    Count,
)
from erp_link.service.goods.announced import base_units
from erp_link.service.work import Work, ensure_batch, new_id


def digest_of(asn: Asn) -> str:
    """Two lists with the same digest announce the same."""
    return hashlib.sha256(repr(asn).encode()).hexdigest()


def import_asn(work: Work, asn: Asn) -> bool:
    """Keep an announced list; False where the same list is known already.

    Raises ConflictError where the number is known with other lines.
    """
    digest = digest_of(asn)
    units = base_units(work.connection, asn)
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
    # A hold on the supplier or on the lot may cover batches not heard of before.
    work.changes_expectations = True
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
                "quantity": units[line.number].quantity,
                "unit": units[line.number].unit,
                "stated": line.quantity,
                "stated_unit": line.unit,
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


def name_of(session_id: int) -> str:
    return f"RS-{session_id}"


def number_of(name: str | None) -> int | None:
    digits = (name or "").removeprefix("RS-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None  # noqa: PLR2004 -- fits the column
