"""Goods that quality decided to return or to scrap leave the house: the one way out for goods that
are not free, and only on the ground of that decision (I1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contracts.errors import ConflictError, HeldError, NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind, StockStatus, TicketState, UsageDecision
from erp_link.adapters import quality_tables as q
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.moves import Place
from erp_link.domain.places import SCRAP_ACCOUNT, SUPPLIER_ACCOUNT, is_account
from erp_link.domain.quality.policy import LEAVING
from erp_link.domain.tickets import TicketKind
from erp_link.service import holding, slots, transport
from erp_link.service.quality.scope import holds_of, units_held
from erp_link.service.ticketing import find_ticket, set_state
from erp_link.service.work import Work, batch_guards, hold_guards, key_of, location_guard

_ACCOUNT = {UsageDecision.RETURN: SUPPLIER_ACCOUNT, UsageDecision.SCRAP: SCRAP_ACCOUNT}
_PARTIAL = (HoldKind.CARTONS.value, HoldKind.QUANTITY.value)
_WHAT = {UsageDecision.RETURN: "sent_back", UsageDecision.SCRAP: "scrapped"}


def guards_of(connection: Connection, ticket_id: str) -> set[Guard]:
    """What the command takes: the batch, exclusively because a hold may end with it, and the places
    where its goods stand.
    """
    ticket = find_ticket(connection, ticket_id)
    if ticket.batch_id is None:
        return set()
    batch = connection.execute(select(t.batch).where(t.batch.c.id == ticket.batch_id)).one()
    places = connection.execute(
        select(t.stock.c.location).where(t.stock.c.batch_id == batch.id, t.stock.c.quantity > 0)
    ).scalars()
    return {*batch_guards(connection, batch), *(location_guard(code) for code in places)}


def carry_out(work: Work, ticket_id: str) -> int:
    """Book what was decided: the goods go to the supplier, or to scrap; the ticket is closed. How
    many units left.

    Raises ConflictError where that was not decided or nothing is left, HeldError where a hold on the
    goods waits for a decision of its own, NotFoundError.
    """
    ticket = find_ticket(work.connection, ticket_id)
    if ticket.batch_id is not None:
        exclusive = hold_guards(work.batch(ticket.batch_id))
        work.take(guards_of(work.connection, ticket_id), exclusive)
    ticket = find_ticket(work.connection, ticket_id)
    decision = UsageDecision(ticket.decision) if ticket.decision else None
    if decision not in LEAVING:
        raise ConflictError(
            f"Ticket {ticket_id} is not decided as a return or scrap",
            mend="Decide first",
            ticket_id=ticket_id,
        )
    if ticket.batch_id is None:
        raise NotFoundError(
            f"Ticket {ticket_id} names no batch", mend="Hold and decide on the batches themselves"
        )
    holds = holds_of(work.connection, ticket_id)
    rows = _cartons(work, ticket, holds)
    loose = _loose(work, ticket, holds)
    _check_holds(work, ticket, {row.location for row in rows}.union(loose))
    quantity = _send(work, ticket, decision, rows, loose)
    if not quantity:
        raise ConflictError(
            f"Nothing that ticket {ticket_id} is about stands blocked in the house",
            mend="Bring back what is picked or on its way first",
            ticket_id=ticket_id,
        )
    if ticket.state == TicketState.DECIDED.value:
        set_state(work, ticket_id, TicketState.CLOSED, words=f"{decision.value}: {quantity}")
    _finish(work, ticket_id, holds)
    return quantity


def _cartons(work: Work, ticket: Row[Any], holds: Collection[Row[Any]]) -> list[Row[Any]]:
    """The blocked cartons that the decision is about."""
    rows = work.connection.execute(
        select(t.carton)
        .where(
            t.carton.c.batch_id == ticket.batch_id,
            t.carton.c.status == StockStatus.BLOCKED.value,
        )
        .order_by(t.carton.c.location, t.carton.c.carton_id)
    ).all()
    here = [row for row in rows if not is_account(row.location)]
    if _is_whole(holds):
        others = _spoken_for(work, ticket)
        return [row for row in here if row.carton_id not in others]
    named = {name for hold in holds for name in hold.cartons}
    named.update(ticket.cartons, {ticket.carton_id})
    return [row for row in here if row.carton_id in named]


def _is_whole(holds: Collection[Row[Any]]) -> bool:
    return any(hold.kind == HoldKind.BATCH.value for hold in holds)


def _spoken_for(work: Work, ticket: Row[Any]) -> set[str]:
    """Cartons that another finding's decision is about."""
    rows = work.connection.execute(
        select(t.ticket.c.cartons, t.ticket.c.carton_id).where(
            t.ticket.c.batch_id == ticket.batch_id,
            t.ticket.c.ticket_id != ticket.ticket_id,
            t.ticket.c.kind.in_([TicketKind.FINDING.value, TicketKind.APART.value]),
            t.ticket.c.decision.is_not(None),
            t.ticket.c.decision != ticket.decision,
        )
    ).all()
    return {name for row in rows for name in (*row.cartons, row.carton_id)}


def _check_holds(work: Work, ticket: Row[Any], places: Collection[str]) -> None:
    """Every open hold on the goods has been decided on: one that nobody has looked at stops them."""
    batch = work.batch(ticket.batch_id)
    ids = holding.open_holds_on(work.connection, batch, *sorted(places))
    by_name = work.connection.execute(
        select(t.hold.c.hold_id).where(
            t.hold.c.batch_id == batch.id,
            t.hold.c.kind.not_in([HoldKind.BATCH.value]),
            t.hold.c.released_at.is_(None),
        )
    ).scalars()
    every = sorted({*ids, *by_name})
    undecided = work.connection.execute(
        select(t.ticket_hold.c.hold_id)
        .join(t.ticket, t.ticket.c.ticket_id == t.ticket_hold.c.ticket_id)
        .where(t.ticket_hold.c.hold_id.in_(every), t.ticket.c.decision.is_(None))
    ).scalars()
    waiting = sorted(set(undecided))
    if waiting:
        raise HeldError(
            f"{', '.join(waiting)} on batch {key_of(batch)} waits for its own decision",
            mend="Decide on its ticket first",
            hold_ids=waiting,
        )


def _send(
    work: Work,
    ticket: Row[Any],
    decision: UsageDecision,
    cartons: Collection[Row[Any]],
    loose: Mapping[str, int],
) -> int:
    amounts: dict[str, int] = {}
    for row in cartons:
        amounts[row.location] = amounts.get(row.location, 0) + row.quantity
    for location, units in loose.items():
        amounts[location] = amounts.get(location, 0) + units
    account = Place(_ACCOUNT[decision], StockStatus.IN_TRANSIT)
    for location, quantity in sorted(amounts.items()):
        text = Reason(
            f"story_{_WHAT[decision]}", {"quantity": quantity, "ticket": ticket.ticket_id}
        )
        event_id = work.event(
            _WHAT[decision], text, batch_id=ticket.batch_id, reference=ticket.ticket_id
        )
        if not work.guards_place(location):
            raise ConflictError(f"The goods were just moved to {location}", mend="Ask again")
        source = Place(location, StockStatus.BLOCKED)
        work.move(event_id, ticket.batch_id, quantity, source, account)
        slots.vacate(work, location, quantity)
    names = [row.carton_id for row in cartons]
    for name in names:
        transport.withdraw(work, name)
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.carton_id.in_(names))
        .values(location=account.location, status=account.status.value)
    )
    work.changes_expectations = True
    return sum(amounts.values())


def _loose(work: Work, ticket: Row[Any], holds: Collection[Row[Any]]) -> dict[str, int]:
    """Blocked units without a carton, by place: all of a batch, or as many as the ticket says."""
    most = None if _is_whole(holds) else int(ticket.quantity) + units_held(holds)
    if most == 0:
        return {}
    rows = work.connection.execute(
        select(t.stock.c.location, t.stock.c.quantity)
        .where(
            t.stock.c.batch_id == ticket.batch_id,
            t.stock.c.status == StockStatus.BLOCKED.value,
            t.stock.c.quantity > 0,
        )
        .order_by(t.stock.c.location)
    ).all()
    named = work.connection.execute(
        select(t.carton.c.location, func.sum(t.carton.c.quantity))
        .where(
            t.carton.c.batch_id == ticket.batch_id,
            t.carton.c.status == StockStatus.BLOCKED.value,
        )
        .group_by(t.carton.c.location)
    )
    in_cartons = {location: int(units) for location, units in named}
    found: dict[str, int] = {}
    for row in rows:
        units = row.quantity - in_cartons.get(row.location, 0)
        if most is not None:
            units = min(units, most - sum(found.values()))
        if units > 0:
            found[row.location] = units
    return found


def _finish(work: Work, ticket_id: str, holds: Collection[Row[Any]]) -> None:
    """The decision is done; a hold on goods that are all gone has nothing to hold any more."""
    work.connection.execute(
        update(q.usage_decision)
        .where(
            (q.usage_decision.c.ticket_id == ticket_id)
            | (q.usage_decision.c.child_ticket == ticket_id),
            q.usage_decision.c.done_at.is_(None),
        )
        .values(done_at=work.now)
    )
    for hold in holds:
        if hold.kind not in _PARTIAL or hold.released_at is not None:
            continue
        left = work.connection.execute(
            select(t.carton.c.location).where(t.carton.c.carton_id.in_(hold.cartons))
        ).scalars()
        if all(is_account(location) for location in left):
            holding.lift(work, hold.hold_id, reason=f"{ticket_id}: all that it held has left")
