"""Deliveries as they stand: expectations for stations, reports, what waits at the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from contracts.asn import AsnLine, Expectations, ExpectedLine
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.domain.receiving import (
    CartonState,
    DeliveryReport,
    OffListCarton,
    ReportLine,
)
from erp_link.service.judging import telling
from erp_link.service.sessions import find_session, name_of, number_of
from erp_link.service.ticketing import older_than
from erp_link.service.work import EXPECTATIONS


def version(connection: Connection) -> int:
    """Grows with every change of what stations are told."""
    found = connection.execute(
        select(t.counter.c.value).where(t.counter.c.name == EXPECTATIONS)
    ).scalar_one_or_none()
    return found or 0


def expectations(connection: Connection, station: str | None = None) -> Expectations:
    """What a station is told. The version is read first: what follows is at least as new."""
    known = version(connection)
    row = _session_for(connection, station)
    lines = _lines(connection, row) if row is not None else ()
    session = name_of(row.id) if row is not None else None
    told = telling.told(connection, station, session)
    return Expectations(
        version=known,
        session=session,
        asn=row.asn if row is not None else None,
        lines=tuple(ExpectedLine(line.line, line.counted) for line in lines),
        held=_held(connection),
        pins=told.pins,
        reads=told.reads,
        rejudge=told.rejudge,
    )


def _session_for(connection: Connection, station: str | None) -> Row[Any] | None:
    """The newest session open at the station's own dock. Without one, the only session open in the
    house: a site with one delivery at a time need not name docks as it names stations. With several
    open elsewhere, none: a station does not count on a delivery that may be another dock's.
    """
    rows = connection.execute(
        select(t.session).where(t.session.c.closed_at.is_(None)).order_by(t.session.c.id.desc())
    ).all()
    if station is None:
        return rows[0] if rows else None
    here = [row for row in rows if row.dock == station]
    if here:
        return here[0]
    return rows[0] if len(rows) == 1 else None


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
                quantity=c.quantity,
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


def announced(
    connection: Connection,
    *,
    waiting: bool = False,
    before: tuple[datetime, str] | None = None,
    limit: int | None = None,
) -> list[AsnSummary]:
    """Announced deliveries, newest first: all, those that wait for a session, or at most `limit` of
    those imported before `(when, number)`. Of two of one moment the one with the higher number is
    the newer.
    """
    which: list[ColumnElement[bool]] = []
    if before is not None:
        which.append(older_than(t.asn.c.imported_at, t.asn.c.number, before))
    if waiting:
        which.append(t.asn.c.number.not_in(select(t.session.c.asn)))
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
        .where(*which)
        .order_by(t.asn.c.imported_at.desc(), t.asn.c.number.desc())
        .limit(limit)
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


def all_sessions(
    connection: Connection, *, before: str | None = None, limit: int | None = None
) -> list[str]:
    """The ids of sessions, newest first; at most `limit` of those older than `before`."""
    query = select(t.session.c.id).order_by(t.session.c.id.desc()).limit(limit)
    number = number_of(before)
    if number is not None:
        query = query.where(t.session.c.id < number)
    return [name_of(session_id) for session_id in connection.execute(query).scalars()]


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
    held = {
        BatchKey(r.supplier, r.gtin, r.lot)
        for r in connection.execute(select(t.batch).where(covered))
    }
    lots = {(key.gtin, key.lot) for key in held}
    nameless = (
        connection.execute(select(t.batch).where(t.batch.c.supplier == "")).all() if held else ()
    )
    held.update(BatchKey("", r.gtin, r.lot) for r in nameless if (r.gtin, r.lot) in lots)
    return tuple(sorted(held))
