"""Holds raised by hand, and what quality decides on a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, update

from contracts.errors import BadInputError, NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.adapters import guards
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.receiving import Cause
from erp_link.domain.tickets import TicketKind, check_decider, lifts_hold
from erp_link.domain.units import MOST_UNITS
from erp_link.service import apart, booking, holding, transport
from erp_link.service.judging import people
from erp_link.service.quality import rework
from erp_link.service.ticketing import find_ticket, note, open_ticket, set_state
from erp_link.service.work import Work, batch_guards, find_batch, hold_guards, location_guard


def raise_hold(
    work: Work,
    hold_id: str,
    kind: HoldKind,
    reason: Reason,
    *,
    batch: BatchKey | None = None,
    cartons: Sequence[str] = (),
    location: str = "",
    supplier: str = "",
    quantity: int = 0,
) -> None:
    """A hold with its ticket. Takes its guard exclusively. A hold on a quantity names the batch,
    and may name the place.

    Raises BadInputError where it does not say what it covers, NotFoundError.
    """
    if quantity > MOST_UNITS:
        raise BadInputError(
            f"A hold on {quantity} units", mend="Check the quantity: no house holds so many"
        )
    batch_id: int | None = None
    match kind:
        case HoldKind.BATCH if batch is not None:
            found = find_batch(work.connection, batch)
            batch_id = found.id
            work.take((), hold_guards(found))
            holding.hold_batch(work, hold_id, batch_id, reason)
        case HoldKind.CARTONS if cartons:
            batch_id = _batch_of_cartons(work.connection, cartons)
            work.take((), hold_guards(work.batch(batch_id)))
            holding.hold_cartons(work, hold_id, batch_id, cartons, reason)
        case HoldKind.LOCATION if location:
            work.take((), {location_guard(location)})
            holding.hold_location(work, hold_id, location, reason)
        case HoldKind.SUPPLIER if supplier:
            work.take((), {Guard("supplier", supplier)})
            holding.hold_supplier(work, hold_id, supplier, reason)
        case HoldKind.QUANTITY if batch is not None and quantity > 0:
            found = find_batch(work.connection, batch)
            batch_id = found.id
            work.take((), hold_guards(found))
            holding.hold_quantity(work, hold_id, batch_id, quantity, reason, location=location)
        case _:
            raise BadInputError(
                f"A hold of kind {kind} does not say what it covers",
                mend="Give the batch, the cartons, the location, the supplier, or the batch with"
                " a quantity of at least 1",
            )
    ticket_id = "QC-" + hold_id.removeprefix("H-")
    open_ticket(
        work,
        ticket_id,
        reason,
        kind=TicketKind.HOLD,
        batch_id=batch_id,
        hold_ids=(hold_id,),
    )


@dataclass(frozen=True, slots=True)
class About:
    """What a ticket's decision reaches: its row, its holds, the batches that it names itself, and
    every batch that those holds cover.
    """

    ticket: Row[Any]
    holds: tuple[Row[Any], ...]
    batches: frozenset[int]
    touched: frozenset[int]

    @property
    def ticket_id(self) -> str:
        return str(self.ticket.ticket_id)


def decide(work: Work, ticket_id: str, decision: UsageDecision, *, role: str, reason: str) -> None:
    """The usage decision. Only a release lifts a hold, and only when nothing else that names the
    hold is undecided; a carton that is returned or scrapped stays blocked.

    Raises ForbiddenError, BadInputError, NotFoundError, ConflictError.
    """
    check_decider(role, reason)
    settle(work, taken(work, ticket_id), decision, reason=reason)


def taken(work: Work, ticket_id: str) -> About:
    """What a decision on a ticket reaches, with its guards taken. Raises NotFoundError."""
    ticket = find_ticket(work.connection, ticket_id)
    holds = _holds_of(work.connection, ticket_id)
    batches = {h.batch_id for h in holds if h.batch_id is not None} | (
        {ticket.batch_id} if ticket.batch_id is not None else set()
    )
    exclusive = {g for b in batches for g in hold_guards(work.batch(b))}
    exclusive.update(g for h in holds for g in holding.guards_of_hold(work, h))
    touched = batches.union(*(holding.covered_by(work.connection, h) for h in holds))
    share = {g for b in touched for g in batch_guards(work.connection, work.batch(b))}
    work.take(share, exclusive)
    # Read before the locks were given, they may have been decided and lifted since.
    return About(
        find_ticket(work.connection, ticket_id),
        tuple(_holds_of(work.connection, ticket_id)),
        frozenset(batches),
        frozenset(touched),
    )


def settle(work: Work, about: About, decision: UsageDecision, *, reason: str) -> None:
    """Book a decision about everything that a ticket is about. The caller took its guards, and
    checked who decides. Raises ConflictError where the ticket is decided already.
    """
    ticket, ticket_id = about.ticket, about.ticket_id
    _mark(work, ticket_id, decision, reason)
    text = Reason(f"story_decided_{decision.value}", {"ticket": ticket_id, "reason": reason})
    work.event("decided", text, batch_id=ticket.batch_id, reference=ticket_id)
    if decision is UsageDecision.RELEASE and ticket.kind == TicketKind.FINDING.value:
        _answer_finding(work, ticket)
    for hold in about.holds:
        if hold.released_at is None and lifts_hold(_decisions_on(work.connection, hold.hold_id)):
            holding.lift(work, hold.hold_id, reason=reason)
    people.decided(work, ticket, about.holds, decision, why=text)
    if ticket.kind == TicketKind.REWORK.value:
        rework.judged(work, ticket, decision, why=text)
    if decision is UsageDecision.RELEASE and ticket.kind == TicketKind.TRANSPORT.value:
        transport.ask_for(work, ticket.carton_id)
    elif decision is UsageDecision.RELEASE:
        for batch_id in sorted(about.batches):
            batch = work.batch(batch_id)
            if not guards.held(work.connection, batch_guards(work.connection, batch)):
                booking.free_batch(work, batch_id, why=text, reference=ticket_id)
                transport.put_away_freed(work, batch_id)


def correct_expiry(work: Work, batch: BatchKey, expiry: date, *, role: str, reason: str) -> None:
    """The date of a batch was mistyped or misread. What only its date blocked follows the batch
    again, and the tickets about the date are answered; a date seen later may bring it forward.

    Raises ForbiddenError, BadInputError, NotFoundError.
    """
    check_decider(role, reason)
    row = find_batch(work.connection, batch)
    work.take(batch_guards(work.connection, row), hold_guards(row))
    work.connection.execute(update(t.batch).where(t.batch.c.id == row.id).values(expiry=expiry))
    work.forget(row.id)
    text = Reason(
        "story_expiry_corrected",
        {"known": str(row.expiry or "-"), "expiry": expiry.isoformat(), "reason": reason},
    )
    work.event("expiry", text, batch_id=row.id)
    if work.expired(work.batch(row.id)):
        return
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.batch_id == row.id, t.carton.c.cause == Cause.EXPIRED.value)
        .values(cause=Cause.HOLD.value)
    )
    about_date = select(t.ticket.c.ticket_id).where(
        t.ticket.c.batch_id == row.id,
        t.ticket.c.kind == TicketKind.EXPIRY.value,
        t.ticket.c.decision.is_(None),
    )
    for ticket_id in list(work.connection.execute(about_date).scalars()):
        _mark(work, ticket_id, UsageDecision.RELEASE, reason)
    if not guards.held(work.connection, batch_guards(work.connection, row)):
        booking.free_batch(work, row.id, why=text, reference="")
        transport.put_away_freed(work, row.id)


def _mark(work: Work, ticket_id: str, decision: UsageDecision, reason: str) -> None:
    set_state(work, ticket_id, TicketState.DECIDED, words=f"{decision.value}: {reason}")
    work.connection.execute(
        update(t.ticket).where(t.ticket.c.ticket_id == ticket_id).values(decision=decision.value)
    )


def _answer_finding(work: Work, ticket: Row[Any]) -> None:
    """With every finding on it answered by a release, a carton follows its batch again."""
    carton = work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == ticket.carton_id)
    ).one_or_none()
    if carton is None or carton.cause != Cause.DEFECT.value or carton.batch_id is None:
        return
    if carton.carton_id not in apart.unanswered(work.connection, carton.batch_id).cartons:
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id == carton.carton_id)
            .values(cause=Cause.HOLD.value)
        )


def assign(work: Work, ticket_id: str, owner: str) -> None:
    """Give a ticket to somebody. Raises NotFoundError."""
    find_ticket(work.connection, ticket_id)
    work.connection.execute(
        update(t.ticket).where(t.ticket.c.ticket_id == ticket_id).values(owner=owner)
    )
    note(work, ticket_id, "assigned", owner)


def _holds_of(connection: Connection, ticket_id: str) -> Sequence[Row[Any]]:
    return connection.execute(
        select(t.hold)
        .join(t.ticket_hold, t.ticket_hold.c.hold_id == t.hold.c.hold_id)
        .where(t.ticket_hold.c.ticket_id == ticket_id)
        .order_by(t.hold.c.hold_id)
    ).all()


def _decisions_on(connection: Connection, hold_id: str) -> list[UsageDecision | None]:
    rows = connection.execute(
        select(t.ticket.c.decision)
        .join(t.ticket_hold, t.ticket_hold.c.ticket_id == t.ticket.c.ticket_id)
        .where(t.ticket_hold.c.hold_id == hold_id)
    ).scalars()
    return [UsageDecision(d) if d else None for d in rows]


def _batch_of_cartons(connection: Connection, cartons: Sequence[str]) -> int:
    rows = connection.execute(
        select(t.carton.c.batch_id)
        .where(t.carton.c.carton_id.in_(sorted(cartons)), t.carton.c.batch_id.is_not(None))
        .distinct()
    ).scalars()
    batches = list(rows)
    if len(batches) != 1:
        raise NotFoundError(
            f"The cartons belong to {len(batches)} known batches, not to one",
            mend="Hold the cartons of each batch by themselves",
            cartons=list(cartons),
        )
    return int(batches[0])
