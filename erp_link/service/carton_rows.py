"""Find a carton and what it belongs to; write it with its receipt, or take that back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import SUPPLIER_ACCOUNT
from erp_link.domain.receiving import CartonState, Receipt, count_of
from erp_link.service.goods.product_rows import product_of
from erp_link.service.observed import move_observed
from erp_link.service.sessions import count, number_of
from erp_link.service.work import Work, ensure_batch, key_of


@dataclass(frozen=True, slots=True)
class Seen:
    """Which batch, session and line an entry is about, found before the guards are taken.

    `known` is the carton as it stands in the books already.
    """

    batch_id: int | None
    session_id: int | None
    line: int | None
    known: Row[Any] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is written of a carton beside its receipt."""

    carton_id: str
    station: str
    device: str
    location: str
    at: datetime
    off_list: bool
    printed: Mapping[str, str]


def find(
    connection: Connection,
    carton_id: str,
    *,
    session: str | None,
    batch: BatchKey | None,
    line: int | None,
) -> Seen:
    """Look everything up; a batch not heard of before is known from now on.

    A session or line that does not exist is left out: the carton is booked all the same.
    """
    session_id = None
    number = number_of(session)
    if number is not None:
        session_id = connection.execute(
            select(t.session.c.id).where(t.session.c.id == number)
        ).scalar_one_or_none()
    if session_id is None or line is None:
        line = None
    else:
        line = connection.execute(
            select(t.session_line.c.number).where(
                t.session_line.c.session_id == session_id, t.session_line.c.number == line
            )
        ).scalar_one_or_none()
    known = connection.execute(
        select(t.carton).where(t.carton.c.carton_id == carton_id)
    ).one_or_none()
    batch_id = ensure_batch(connection, batch) if batch is not None else None
    return Seen(batch_id, session_id, line, known)


def announced_key(
    connection: Connection, *, session: str | None, line: int | None, gtin: str, lot: str
) -> tuple[BatchKey | None, int | None]:
    """The batch an operator means: the line picked, or the one line with this GTIN and lot, or
    what was keyed, from the delivery's supplier.
    """
    number = number_of(session)
    supplier = ""
    if number is not None:
        query = (
            select(t.asn_line.c.number, t.batch)
            .join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
            .join(t.session, t.session.c.asn == t.asn_line.c.asn)
            .where(t.session.c.id == number)
        )
        if line is not None:
            query = query.where(t.asn_line.c.number == line)
        else:
            query = query.where(t.batch.c.gtin == gtin, t.batch.c.lot == lot)
        rows = connection.execute(query).all()
        if len(rows) == 1:
            return key_of(rows[0]), int(rows[0].number)
        supplier = (
            connection.execute(
                select(t.asn.c.supplier)
                .join(t.session, t.session.c.asn == t.asn.c.number)
                .where(t.session.c.id == number)
            ).scalar_one_or_none()
            or ""
        )
    return (BatchKey(supplier, gtin, lot), None) if gtin and lot else (None, None)


def write(work: Work, seen: Seen, receipt: Receipt, facts: Facts) -> None:
    """Book the carton once: its stock from the supplier's account, its count, its row."""
    status = receipt.status if seen.batch_id is not None else None
    units = units_of(work, seen.batch_id)
    work.connection.execute(delete(t.carton).where(t.carton.c.carton_id == facts.carton_id))
    work.connection.execute(
        insert(t.carton).values(
            carton_id=facts.carton_id,
            session_id=seen.session_id,
            line_number=seen.line,
            batch_id=seen.batch_id,
            state=receipt.state.value,
            off_list=int(facts.off_list),
            location=facts.location,
            status=status.value if status else "",
            cause=receipt.cause.value,
            station=facts.station,
            device=facts.device,
            judged_at=facts.at,
            printed=dict(facts.printed),
            quantity=units,
        )
    )
    work.changes_expectations = True
    count(work, seen.session_id, seen.line, count_of(receipt.state).times(units))
    text = Reason(
        f"story_{'in_review' if receipt.state is CartonState.REVIEW else 'received'}",
        {
            "carton": facts.carton_id,
            "location": facts.location,
            "status": status.value if status else "-",
        },
    )
    event_id = work.event(
        "received",
        text,
        batch_id=seen.batch_id,
        session_id=seen.session_id,
        reference=facts.carton_id,
        at=facts.at,
    )
    if status is not None and seen.batch_id is not None:
        work.move(
            event_id,
            seen.batch_id,
            units,
            Place(SUPPLIER_ACCOUNT, status),
            Place(facts.location, status),
        )
    key = key_of(work.batch(seen.batch_id)) if seen.batch_id is not None else None
    kind = "in_review" if receipt.state is CartonState.REVIEW else "received"
    work.tell(kind, facts.carton_id, text, key)


def units_of(work: Work, batch_id: int | None) -> int:
    """Base units in one carton of a batch; 1 where nobody knows what it is."""
    if batch_id is None:
        return 1
    return product_of(work, batch_id).per_carton


def take_back(work: Work, known: Row[Any]) -> None:
    """Undo a carton's receipt and count: what is known of it now replaces them."""
    was = count_of(CartonState(known.state))
    count(
        work,
        known.session_id,
        known.line_number,
        was.times(-known.quantity),
    )
    if not known.status or known.batch_id is None:
        return
    text = Reason("story_corrected", {"carton": known.carton_id})
    event_id = work.event("corrected", text, batch_id=known.batch_id, reference=known.carton_id)
    status = StockStatus(known.status)
    move_observed(
        work,
        event_id,
        known.batch_id,
        known.quantity,
        Place(known.location, status),
        Place(SUPPLIER_ACCOUNT, status),
    )
