"""A next generation of a batch: another judge, and everything that it must look at again (I1, I3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.judging import Pin
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import judging_tables as j
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.places import CUSTOMER_ACCOUNT
from erp_link.domain.receiving import CartonState, Cause
from erp_link.domain.tickets import TicketKind
from erp_link.service.judging import freeing, pins, tasks
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, find_batch, hold_guards, key_of


def open_next(
    work: Work, batch: BatchKey, parts: Mapping[str, str], *, after: int, why: str
) -> tuple[Pin, int]:
    """Open generation `after` + 1 and take back what an earlier one freed; the pin, and how many
    cartons wait again. A generation that is there already stays as it is. Takes the batch's guards
    alone: every command on it waits. Raises ConflictError, NotFoundError, BadInputError.
    """
    row = find_batch(work.connection, batch)
    work.take((), hold_guards(row))
    pin, made = pins.follow(work, batch, parts, after=after, why=why)
    if not made:
        return pin, 0
    text = Reason("story_next_generation", {"generation": pin.generation, "why": why or "-"})
    work.event("generation", text, batch_id=row.id, reference=str(pin.generation))
    lacking = freeing.come_back(work, row.id, why=text)
    again = [each for each in lacking if _is_looked_at(each)]
    tasks.ask_again(work, row.id, [each.carton_id for each in again])
    _at_risk(work, row.id, pin.generation, [each for each in lacking if _has_left(each)])
    work.tell("noted", str(pin.generation), text, batch)
    return pin, len(again)


def judged_by(connection: Connection, bad: Collection[str]) -> list[tuple[int, Row[Any]]]:
    """The batches whose newest pin names one of the sets, with that pin."""
    found: dict[int, Row[Any]] = {}
    for row in connection.execute(select(j.judge_pin).order_by(j.judge_pin.c.generation)):
        found[row.batch_id] = row
    return [
        (batch_id, row)
        for batch_id, row in sorted(found.items())
        if not set(row.parts.values()).isdisjoint(bad)
    ]


def where_is(connection: Connection, batch_id: int) -> tuple[BatchKey, bool]:
    """A batch, and whether goods of it are in the house, lent to a device, or still to come."""
    row = connection.execute(select(t.batch).where(t.batch.c.id == batch_id)).one()
    there = connection.execute(
        select(t.stock.c.batch_id)
        .where(t.stock.c.batch_id == batch_id, t.stock.c.quantity > 0)
        .limit(1)
    ).first()
    lent = connection.execute(
        select(o.quota.c.quota_id)
        .where(o.quota.c.batch_id == batch_id, o.quota.c.ended_at.is_(None))
        .limit(1)
    ).first()
    coming = connection.execute(
        select(t.asn_line.c.number)
        .join(t.session, t.session.c.asn == t.asn_line.c.asn)
        .where(t.asn_line.c.batch_id == batch_id, t.session.c.closed_at.is_(None))
        .limit(1)
    ).first()
    return key_of(row), bool(there or lent or coming)


def left_under(work: Work, batch_id: int, row: Row[Any], why: str) -> bool:
    """A batch that a bad set judged left wholly: quality is told, once; whether it was now."""
    ticket_id = f"RC-judge-{batch_id}-{row.generation}"
    known = work.connection.execute(
        select(t.ticket.c.ticket_id).where(t.ticket.c.ticket_id == ticket_id)
    ).first()
    if known is not None:
        return False
    params: dict[str, str | int | float] = {"generation": row.generation, "why": why or "-"}
    open_ticket(
        work,
        ticket_id,
        Reason("recall_judged_badly", params),
        kind=TicketKind.RECALL,
        batch_id=batch_id,
    )
    return True


def _is_looked_at(row: Row[Any]) -> bool:
    """Not what stands blocked for a defect, and not what a person is about to settle."""
    return not (row.cause == Cause.DEFECT.value or row.state == CartonState.REVIEW.value)


def _has_left(row: Row[Any]) -> bool:
    return str(row.location) == CUSTOMER_ACCOUNT


def _at_risk(work: Work, batch_id: int, generation: int, left: Sequence[Row[Any]]) -> None:
    """One task for what was shipped, one for each device that may ship of it offline."""
    if left:
        units = sum(row.quantity for row in left)
        _recall(work, batch_id, f"{generation}-shipped", "shipped", "-", units, left)
    quota = o.quota
    granted = quota.c.granted - quota.c.used - quota.c.returned
    rows = work.connection.execute(
        select(quota.c.quota_id, granted.label("left"))
        .where(quota.c.batch_id == batch_id, quota.c.ended_at.is_(None), granted > 0)
        .order_by(quota.c.quota_id)
    ).all()
    for row in rows:
        name = f"{generation}-{row.quota_id}"
        _recall(work, batch_id, name, "quota", row.quota_id, row.left, ())


def _recall(
    work: Work,
    batch_id: int,
    name: str,
    what: str,
    reference: str,
    units: int,
    cartons: Sequence[Row[Any]],
) -> None:
    params: dict[str, str | int | float] = {"reference": reference, "quantity": units}
    open_ticket(
        work,
        f"RC-judge-{batch_id}-{name}",
        Reason(f"recall_rejudged_{what}", params),
        kind=TicketKind.RECALL,
        batch_id=batch_id,
        cartons=[row.carton_id for row in cartons],
        quantity=0 if cartons else units,
    )
