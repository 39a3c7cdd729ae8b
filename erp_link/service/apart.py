"""What keeps goods from leaving beside the holds on their batch: cartons on hold by name, findings
without an answer, and units that were set apart in quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.quality_tables import ticket_link
from erp_link.domain.holds import Part
from erp_link.domain.moves import Place
from erp_link.domain.tickets import TicketKind
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards

FOLLOW_UP = "follow_up"
"""The link of a ticket to the one whose question it asks again, after rework or sorting."""


NAMING = (HoldKind.CARTONS.value, HoldKind.QUANTITY.value)
"""Holds that name cartons one by one; one on a quantity names those that stood apart for it."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What tickets without a release speak of: cartons by name, and units in quarantine that have
    no carton in the books.
    """

    cartons: frozenset[str]
    units: int


def holds_by_name(connection: Connection, batch_id: int) -> dict[str, tuple[str, ...]]:
    """The cartons of a batch that open holds name one by one, with those holds' ids."""
    rows = connection.execute(
        select(t.hold.c.hold_id, t.hold.c.cartons)
        .where(
            t.hold.c.batch_id == batch_id,
            t.hold.c.kind.in_(NAMING),
            t.hold.c.released_at.is_(None),
        )
        .order_by(t.hold.c.hold_id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for hold_id, names in rows:
        for name in names:
            found[name] = (*found.get(name, ()), hold_id)
    return found


def units_on_hold(connection: Connection, batch_id: int) -> list[Part]:
    """Units of a batch that open holds set apart by number, each with the place where; the cartons
    that stand for some of them are held by name.
    """
    rows = connection.execute(
        select(t.hold.c.location, t.hold.c.quantity, t.hold.c.cartons)
        .where(
            t.hold.c.batch_id == batch_id,
            t.hold.c.kind == HoldKind.QUANTITY.value,
            t.hold.c.released_at.is_(None),
        )
        .order_by(t.hold.c.hold_id)
    )
    return [
        Part(row.location, max(0, row.quantity - units_of(connection, row.cartons))) for row in rows
    ]


def units_of(connection: Connection, names: Collection[str]) -> int:
    """Base units in the named cartons."""
    if not names:
        return 0
    held = select(func.coalesce(func.sum(t.carton.c.quantity), 0))
    return int(connection.execute(held.where(t.carton.c.carton_id.in_(sorted(names)))).scalar_one())


def fitting(connection: Connection, names: Sequence[str], quantity: int) -> list[str]:
    """Those of `names`, in their order, that make up at most `quantity` base units together."""
    if not names:
        return []
    rows = connection.execute(
        select(t.carton.c.carton_id, t.carton.c.quantity).where(t.carton.c.carton_id.in_(names))
    )
    held = {row.carton_id: row.quantity for row in rows}
    found: list[str] = []
    left = quantity
    for name in names:
        if held[name] <= left:
            found.append(name)
            left -= held[name]
    return found


def open_cartons(work: Work, batch_id: int, place: Place) -> None:
    """Some units were taken out of a carton: it stays where it is with fewer in it. The books
    never have more in cartons of many units than stands in a place.
    """
    rows = work.connection.execute(
        select(t.carton.c.carton_id, t.carton.c.quantity)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.location == place.location,
            t.carton.c.status == place.status.value,
        )
        .order_by(t.carton.c.carton_id)
    ).all()
    if all(row.quantity == 1 for row in rows):
        return
    there, _ = ledger.on_hand(work.connection, batch_id, place)
    missing = sum(row.quantity for row in rows) - there
    for row in rows:
        part = min(missing, row.quantity - 1)
        if part > 0:
            missing -= part
            work.connection.execute(
                update(t.carton)
                .where(t.carton.c.carton_id == row.carton_id)
                .values(quantity=row.quantity - part)
            )


def cartons_at(connection: Connection, batch_id: int, place: Place) -> list[str]:
    """The cartons of a batch that the books have in a place, by name."""
    rows = connection.execute(
        select(t.carton.c.carton_id)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.location == place.location,
            t.carton.c.status == place.status.value,
        )
        .order_by(t.carton.c.carton_id)
    )
    return list(rows.scalars())


def unanswered(connection: Connection, batch_id: int) -> Unanswered:
    """Undecided findings on a batch, and those decided otherwise than by a release. One that a
    later ticket took over speaks no more.
    """
    taken_over = select(ticket_link.c.parent).where(ticket_link.c.why == FOLLOW_UP)
    of_batch = select(t.carton.c.carton_id).where(t.carton.c.batch_id == batch_id)
    rows = connection.execute(
        select(t.ticket.c.carton_id, t.ticket.c.cartons, t.ticket.c.quantity).where(
            t.ticket.c.kind.in_([TicketKind.FINDING.value, TicketKind.APART.value]),
            func.coalesce(t.ticket.c.decision, "") != UsageDecision.RELEASE.value,
            t.ticket.c.ticket_id.not_in(taken_over),
            (t.ticket.c.batch_id == batch_id) | t.ticket.c.carton_id.in_(of_batch),
        )
    ).all()
    names = {row.carton_id for row in rows if row.carton_id}
    names.update(name for row in rows for name in row.cartons)
    return Unanswered(frozenset(names), sum(row.quantity for row in rows))


def set_apart(
    work: Work,
    ticket_id: str,
    batch_id: int,
    quantity: int,
    *,
    cartons: Collection[str],
    reason: Reason,
) -> None:
    """Goods went to quarantine. Where nothing else leads to a decision on them (a hold, or their
    date), a ticket does: without one they would stand there for ever.
    """
    batch = work.batch(batch_id)
    if work.is_held(*batch_guards(work.connection, batch)) or work.expired(batch):
        return
    named = holds_by_name(work.connection, batch_id)
    own = [name for name in cartons if name not in named]
    units = max(0, quantity - units_of(work.connection, cartons))
    if own or units:
        open_ticket(
            work,
            ticket_id,
            reason,
            kind=TicketKind.APART,
            batch_id=batch_id,
            cartons=own,
            quantity=units,
        )
