"""Goods that are reworked: out of blocked into inspection, and judged again from there.

Nothing in inspection leaves (I1), and the holds on the goods stay until the new ticket is decided.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from contracts.reason import Reason
from contracts.stock import StockStatus, UsageDecision
from erp_link.adapters import guards
from erp_link.adapters import tables as t
from erp_link.domain.moves import Place
from erp_link.domain.places import is_account
from erp_link.domain.receiving import Cause
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart, transport
from erp_link.service.work import Work, batch_guards


@dataclass(frozen=True, slots=True)
class Goods:
    """Cartons by name, and units that have no carton in the books."""

    cartons: tuple[str, ...] = ()
    units: int = 0


def to_inspection(
    work: Work, batch_id: int, names: Collection[str] | None, *, ticket_id: str
) -> Goods:
    """Blocked goods of a batch go to inspection where they stand: the named cartons, or with None
    everything blocked that no other ticket or hold by name speaks of. What was moved.
    """
    if names is None:
        answers = apart.unanswered(work.connection, batch_id)
        others = answers.cartons.union(apart.holds_by_name(work.connection, batch_id))
        rows = [
            r for r in _cartons(work, batch_id, StockStatus.BLOCKED) if r.carton_id not in others
        ]
    else:
        rows = [r for r in _cartons(work, batch_id, StockStatus.BLOCKED) if r.carton_id in names]
    why = Reason("story_to_inspection", {"ticket": ticket_id})
    _restate(work, batch_id, rows, StockStatus.BLOCKED, StockStatus.INSPECTION, Cause.NONE, why)
    units = 0
    if names is None:
        units = _restate_units(
            work, batch_id, None, StockStatus.BLOCKED, StockStatus.INSPECTION, why
        )
    return Goods(tuple(sorted(row.carton_id for row in rows)), units)


def judged(work: Work, ticket: Row[Any], decision: UsageDecision, *, why: Reason) -> None:
    """The ticket about reworked goods is decided, and its holds lifted where they could be."""
    batch_id = ticket.batch_id
    if batch_id is None:
        return
    batch = work.batch(batch_id)
    held = guards.held(work.connection, batch_guards(work.connection, batch))
    named = apart.holds_by_name(work.connection, batch_id)
    target, cause = StockStatus.UNRESTRICTED, Cause.NONE
    if work.expired(batch):
        target, cause = StockStatus.BLOCKED, Cause.EXPIRED
    elif held:
        target, cause = StockStatus.BLOCKED, Cause.HOLD
    if decision is not UsageDecision.RELEASE:
        target, cause = StockStatus.BLOCKED, Cause.DEFECT
        # From here on it speaks about the goods as any finding does.
        work.connection.execute(
            update(t.ticket)
            .where(t.ticket.c.ticket_id == ticket.ticket_id)
            .values(kind=TicketKind.FINDING.value)
        )
    rows = [
        row
        for row in _cartons(work, batch_id, StockStatus.INSPECTION)
        if row.carton_id in ticket.cartons
    ]
    free = [row for row in rows if row.carton_id not in named]
    stopped = [row for row in rows if row.carton_id in named]
    _restate(work, batch_id, free, StockStatus.INSPECTION, target, cause, why)
    other = StockStatus.BLOCKED
    _restate(work, batch_id, stopped, StockStatus.INSPECTION, other, Cause.HOLD, why)
    if ticket.quantity:
        _restate_units(work, batch_id, ticket.quantity, StockStatus.INSPECTION, target, why)
    if target is StockStatus.UNRESTRICTED:
        transport.put_away_freed(work, batch_id)


def _cartons(work: Work, batch_id: int, status: StockStatus) -> list[Row[Any]]:
    rows = work.connection.execute(
        select(t.carton)
        .where(t.carton.c.batch_id == batch_id, t.carton.c.status == status.value)
        .order_by(t.carton.c.location, t.carton.c.carton_id)
    )
    return [row for row in rows if not is_account(row.location)]


def _restate(
    work: Work,
    batch_id: int,
    rows: Collection[Row[Any]],
    source: StockStatus,
    target: StockStatus,
    cause: Cause,
    why: Reason,
) -> None:
    """Give cartons another status where they stand."""
    by_place: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_place.setdefault(row.location, []).append(row)
    for location, cartons in by_place.items():
        event_id = work.event("restated", why, batch_id=batch_id, reference=location)
        places = Place(location, source), Place(location, target)
        work.move(event_id, batch_id, sum(row.quantity for row in cartons), *places)
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id.in_([row.carton_id for row in cartons]))
            .values(status=target.value, cause=cause.value)
        )


def _restate_units(
    work: Work,
    batch_id: int,
    most: int | None,
    source: StockStatus,
    target: StockStatus,
    why: Reason,
) -> int:
    """Give `most` units without a carton another status, all of them with None; how many."""
    in_cartons: dict[str, int] = {}
    for carton in _cartons(work, batch_id, source):
        in_cartons[carton.location] = in_cartons.get(carton.location, 0) + carton.quantity
    done = 0
    rows = work.connection.execute(
        select(t.stock.c.location, t.stock.c.quantity)
        .where(t.stock.c.batch_id == batch_id, t.stock.c.status == source.value)
        .order_by(t.stock.c.location)
    ).all()
    for row in rows:
        units = row.quantity - in_cartons.get(row.location, 0)
        if most is not None:
            units = min(units, most - done)
        if units <= 0:
            continue
        event_id = work.event("restated", why, batch_id=batch_id, reference=row.location)
        places = Place(row.location, source), Place(row.location, target)
        work.move(event_id, batch_id, units, *places)
        done += units
    return done
