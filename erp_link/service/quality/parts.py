"""A decision about a part of a ticket's goods: the ticket splits, in one transaction.

A part that is released leaves the rest on hold: the rest gets a hold and a ticket of its own before
the ticket's holds are lifted. A part that is decided otherwise gets them itself, and the ticket goes
on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import TicketState, UsageDecision
from erp_link.adapters import quality_tables as q
from erp_link.adapters import tables as t
from erp_link.domain.quality.policy import CARRYING_ON, undecided_elsewhere
from erp_link.domain.tickets import DUE_AFTER, TicketKind
from erp_link.service import decisions, holding
from erp_link.service.apart import FOLLOW_UP
from erp_link.service.decisions import About
from erp_link.service.quality import rework
from erp_link.service.quality.scope import Scope
from erp_link.service.ticketing import find_ticket, note
from erp_link.service.work import Work

SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Part:
    """A decision about some of a ticket's goods: cartons by name, or a number of units."""

    decision: UsageDecision
    cartons: tuple[str, ...] = ()
    quantity: int = 0


def check_part(scope: Scope, quantity: int, cartons: Sequence[str]) -> None:
    """Raises BadInputError where the ticket is not about these goods."""
    if scope.batch_id is None:
        raise BadInputError(
            "This ticket is about a whole supplier or place",
            mend="Decide about all of it, or hold the batches and cartons by themselves",
        )
    unknown = sorted(set(cartons).difference(scope.cartons))
    if unknown:
        raise BadInputError(
            f"The ticket is not about {', '.join(unknown[:5])}",
            mend="Name cartons of this ticket that are still in the house",
            cartons=unknown,
        )
    if quantity and scope.cartons:
        raise BadInputError(
            f"{len(scope.cartons)} cartons of this ticket are known by name",
            mend="Name those that you decide about",
        )
    if quantity > scope.units:
        raise BadInputError(
            f"The ticket is about {scope.units} units, not {quantity}", mend="Decide about fewer"
        )


def is_everything(scope: Scope, quantity: int, cartons: Sequence[str]) -> bool:
    """True where the part is all that there is."""
    if quantity:
        return quantity == scope.units and not scope.cartons
    return set(cartons) == set(scope.cartons) and not scope.units


def carry_on(work: Work, about: About, decision: UsageDecision, child: str) -> str:
    """After sorting or rework of everything a new ticket asks the question again, under the holds
    of the old one. The new ticket's id.
    """
    ticket, reworked = about.ticket, decision is UsageDecision.REWORK
    holds = [h.hold_id for h in about.holds if h.released_at is None]
    names = sorted({*ticket.cartons, *([ticket.carton_id] if ticket.carton_id else [])})
    units, kind = ticket.quantity, TicketKind(ticket.kind)
    if reworked:
        kind = TicketKind.REWORK
    elif kind is TicketKind.REWORK:
        kind = TicketKind.FINDING
    open_child(
        work, ticket, child, FOLLOW_UP, kind=kind, holds=holds, cartons=names, quantity=units
    )
    if reworked and ticket.batch_id is not None:
        # By now this ticket speaks no more, so its own goods are not left out.
        whole = any(h.kind == "batch" and h.released_at is None for h in about.holds)
        moved = rework.to_inspection(
            work, ticket.batch_id, None if whole or not names else set(names), ticket_id=child
        )
        _set_goods(work, child, moved.cartons, moved.units)
    return child


def release_part(
    work: Work,
    about: About,
    scope: Scope,
    part: Part,
    *,
    reason: str,
    child: str,
) -> str:
    """Free some goods and keep the rest on hold under a new ticket, whose id is returned.

    Raises ConflictError where another ticket's question keeps the goods anyway.
    """
    _check_alone(work, about)
    assert scope.batch_id is not None  # noqa: S101 -- check_part saw to it
    rest = [name for name in scope.cartons if name not in set(part.cartons)]
    units = scope.units - part.quantity
    apart_only = about.ticket.kind == TicketKind.APART.value and not about.holds
    if scope.units and about.ticket.kind == TicketKind.REWORK.value:
        raise BadInputError(
            "Reworked units that have no carton cannot be told apart",
            mend="Decide about all of them",
        )
    if units and not apart_only:
        return _release_units(work, about, scope, units, reason=reason, child=child)
    hold_id = f"H-{child.removeprefix('QC-')}"
    why = Reason(about.ticket.code, about.ticket.params)
    made: list[str] = []
    if rest and not apart_only:
        holding.hold_cartons(work, hold_id, scope.batch_id, rest, why)
        made.append(hold_id)
    kind = TicketKind.APART if apart_only else TicketKind.FINDING
    open_child(
        work, about.ticket, child, SPLIT, kind=kind, holds=made, cartons=rest, quantity=units
    )
    decisions.settle(work, about, UsageDecision.RELEASE, reason=reason)
    return child


def _release_units(
    work: Work, about: About, scope: Scope, rest: int, *, reason: str, child: str
) -> str:
    """Free all but `rest` units, which a hold by number keeps; reserved under the same guards."""
    if scope.cartons:
        raise BadInputError(
            f"{rest} units without a carton stand among cartons that are known by name",
            mend="Hold those units by number first, then decide about the cartons",
        )
    assert scope.batch_id is not None  # noqa: S101 -- check_part saw to it
    hold_id = f"H-{child.removeprefix('QC-')}"
    decisions.settle(work, about, UsageDecision.RELEASE, reason=reason)
    why = Reason(about.ticket.code, about.ticket.params)
    holding.hold_quantity(work, hold_id, scope.batch_id, rest, why)
    open_child(
        work,
        about.ticket,
        child,
        SPLIT,
        kind=TicketKind.HOLD,
        holds=[hold_id],
        cartons=(),
        quantity=0,
    )
    return child


def set_part(work: Work, about: About, scope: Scope, part: Part, *, reason: str, child: str) -> str:
    """Some goods go another way than the rest: a hold and a ticket of their own, decided at once
    or, after sorting and rework, to be decided again. The new ticket's id.

    Raises BadInputError for units that cannot be told apart.
    """
    assert scope.batch_id is not None  # noqa: S101 -- check_part saw to it
    kind, holds = TicketKind.FINDING, [f"H-{child.removeprefix('QC-')}"]
    if part.decision is UsageDecision.REWORK:
        kind = TicketKind.REWORK
    if part.quantity:
        kind, holds = TicketKind.APART, []
        _take_from(work, about, part)
    else:
        why = Reason(about.ticket.code, about.ticket.params)
        holding.hold_cartons(work, holds[0], scope.batch_id, part.cartons, why)
    open_child(
        work,
        about.ticket,
        child,
        SPLIT,
        kind=kind,
        holds=holds,
        cartons=part.cartons,
        quantity=part.quantity,
    )
    which = ", ".join(part.cartons) or str(part.quantity)
    note(work, about.ticket_id, part.decision.value, f"{which}: {reason}")
    if part.decision not in CARRYING_ON:
        alone = frozenset({scope.batch_id})
        own = About(find_ticket(work.connection, child), (), alone, alone)
        decisions.settle(work, own, part.decision, reason=reason)
    elif part.decision is UsageDecision.REWORK:
        moved = rework.to_inspection(work, scope.batch_id, set(part.cartons), ticket_id=child)
        _set_goods(work, child, moved.cartons, 0)
    return child


def _take_from(work: Work, about: About, part: Part) -> None:
    """Units that were set apart can be divided; others cannot be told from each other."""
    if (
        about.ticket.kind != TicketKind.APART.value
        or about.holds
        or (part.decision is UsageDecision.REWORK)
    ):
        raise BadInputError(
            f"{part.quantity} units of these goods cannot be told from the others",
            mend="Release the others first; what stays has a ticket of its own then",
        )
    rest = about.ticket.quantity - part.quantity
    _set_goods(work, about.ticket_id, about.ticket.cartons, rest)


def links_of(connection: Connection, ticket_id: str) -> tuple[str, tuple[str, ...]]:
    """The ticket before this one ("" for none), and those that go on from it."""
    link = q.ticket_link.c
    before = select(link.parent).where(link.child == ticket_id)
    after = select(link.child).where(link.parent == ticket_id).order_by(link.child)
    return (
        connection.execute(before).scalar_one_or_none() or "",
        tuple(connection.execute(after).scalars()),
    )


def open_child(
    work: Work,
    parent: Row[Any],
    child: str,
    why: str,
    *,
    kind: TicketKind,
    holds: Sequence[str],
    cartons: Sequence[str],
    quantity: int,
) -> None:
    """A ticket that goes on from another, with its evidence."""
    own = parent.carton_id if parent.carton_id in cartons else ""
    work.connection.execute(
        insert(t.ticket).values(
            dict(parent._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
            | {
                "ticket_id": child,
                "state": TicketState.OPEN.value,
                "opened_at": work.now,
                "due_at": work.now + DUE_AFTER,
                "decision": None,
                "kind": kind.value,
                "cartons": sorted(cartons),
                "carton_id": own,
                "quantity": quantity,
            }
        )
    )
    for hold_id in holds:
        work.connection.execute(insert(t.ticket_hold).values(ticket_id=child, hold_id=hold_id))
    work.connection.execute(
        insert(q.ticket_link).values(child=child, parent=parent.ticket_id, why=why)
    )
    note(work, child, "opened", parent.ticket_id)
    text = Reason("story_ticket", {"ticket": child})
    work.event("ticket", text, batch_id=parent.batch_id, reference=child)
    work.tell("ticket", child, Reason(parent.code, parent.params))


def _set_goods(work: Work, ticket_id: str, cartons: Sequence[str], units: int) -> None:
    work.connection.execute(
        update(t.ticket)
        .where(t.ticket.c.ticket_id == ticket_id)
        .values(cartons=sorted(cartons), quantity=units)
    )


def _check_alone(work: Work, about: About) -> None:
    for hold in about.holds:
        if hold.released_at is not None:
            continue
        rows = work.connection.execute(
            select(t.ticket.c.ticket_id, t.ticket.c.decision)
            .join(t.ticket_hold, t.ticket_hold.c.ticket_id == t.ticket.c.ticket_id)
            .where(t.ticket_hold.c.hold_id == hold.hold_id)
        ).all()
        made = [
            (row.ticket_id, UsageDecision(row.decision) if row.decision else None) for row in rows
        ]
        others = undecided_elsewhere(made, ticket=about.ticket_id)
        if others:
            raise ConflictError(
                f"{', '.join(others)} asks about the same hold {hold.hold_id}",
                mend="Decide there first; until then nothing under this hold can come free",
                tickets=others,
            )
