"""Goods that were seen offline leave inspection: a command, so it is guarded as every other (I1)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, case, func, select, update

from contracts.errors import BadInputError, InsufficientStockError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus, TicketState
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import acceptance
from erp_link.domain.acceptance import AcceptanceState
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE, is_account
from erp_link.domain.receiving import Cause
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart
from erp_link.service.goods import admission
from erp_link.service.merge.cells import locked
from erp_link.service.work import Work, batch_guards, blocked, find_batch, unrestricted

_UNDECIDED = (TicketState.OPEN.value, TicketState.CONTAINED.value)
_SPEAKING = (TicketKind.FINDING.value, TicketKind.APART.value)


def confirm(work: Work, batch: BatchKey, location: str, quantity: int) -> int:
    """Goods that were added offline leave inspection: free, or blocked where a hold, a finding or
    their date says so; what its product lets in only by an acceptance waits for that. 0 confirms
    all. The units confirmed; the guards are taken.

    Raises InsufficientStockError, BadInputError, NotFoundError.
    """
    if quantity < 0:
        raise BadInputError(f"A quantity of {quantity}", mend="Give at least 1, or 0 for all")
    row = find_batch(work.connection, batch)
    cell = locked(work, row.id, location)[location]
    source = Place(location, StockStatus.INSPECTION)
    there, _ = ledger.on_hand(work.connection, row.id, source)
    most = min(there, cell.unconfirmed)
    units = quantity or most
    if not 0 < units <= most:
        raise InsufficientStockError(
            f"{most} units of batch {batch} wait for confirmation in {location}",
            mend="Confirm at most as many, or look at the list of conflicts again",
            batch=str(batch),
            free=most,
        )
    text = Reason("story_confirmed", {"quantity": units, "location": location})
    event_id = work.event("confirmed", text, batch_id=row.id, reference=location)
    spoken_for, others = _cartons(work, row.id, source)
    whole = work.is_held(*batch_guards(work.connection, row)) or work.expired(row)
    stays = units if whole or location == QUARANTINE else _stays(work, row.id, units, spoken_for)
    names = _restate(work, event_id, row, stays, blocked(location), [*spoken_for, *others])
    if units > stays:
        left = [name for name in others if name not in names]
        _let_in(work, event_id, row, units - stays, unrestricted(location), left)
    apart.open_cartons(work, row.id, source)
    cell.confirmed(units)
    if location == QUARANTINE:
        why = Reason("received_in_quarantine", {"quantity": units})
        apart.set_apart(work, f"QC-confirmed-{event_id}", row.id, units, cartons=names, reason=why)
    return units


def _cartons(work: Work, batch_id: int, place: Place) -> tuple[list[str], list[str]]:
    """The cartons there that a hold names, or a finding that nobody answered by a release; and the
    others. Those that wait for an acceptance or their judge, or are reworked, are let in by that.
    """
    reworked = work.connection.execute(
        select(t.ticket.c.cartons).where(
            t.ticket.c.batch_id == batch_id,
            t.ticket.c.kind == TicketKind.REWORK.value,
            t.ticket.c.state.in_(_UNDECIDED),
        )
    ).scalars()
    elsewhere = {name for names in reworked for name in names}
    rows = work.connection.execute(
        select(t.carton.c.carton_id)
        .where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.location == place.location,
            t.carton.c.status == place.status.value,
            t.carton.c.cause.not_in([Cause.ACCEPTANCE.value, Cause.JUDGING.value]),
        )
        .order_by(t.carton.c.carton_id)
    ).scalars()
    here = [name for name in rows if name not in elsewhere]
    named = {
        *apart.holds_by_name(work.connection, batch_id),
        *apart.unanswered(work.connection, batch_id).cartons,
    }
    return [name for name in here if name in named], [name for name in here if name not in named]


def _stays(work: Work, batch_id: int, units: int, spoken_for: list[str]) -> int:
    """How many of the units go on being blocked: goods that a hold or a finding speaks of were
    carried away from where they stood blocked, and units cannot be told apart.
    """
    rows = work.connection.execute(
        select(t.carton.c.location, t.carton.c.quantity).where(
            t.carton.c.batch_id == batch_id, t.carton.c.status == StockStatus.BLOCKED.value
        )
    )
    wanted = sum(int(row.quantity) for row in rows if not is_account(row.location))
    wanted += sum(part.quantity for part in apart.units_on_hold(work.connection, batch_id))
    wanted += int(
        work.connection.execute(
            select(func.coalesce(func.sum(t.ticket.c.quantity), 0)).where(
                t.ticket.c.batch_id == batch_id,
                t.ticket.c.kind.in_(_SPEAKING),
                t.ticket.c.state.in_(_UNDECIDED),
            )
        ).scalar_one()
    )
    stand = work.connection.execute(
        select(func.coalesce(func.sum(t.stock.c.quantity), 0)).where(
            t.stock.c.batch_id == batch_id, t.stock.c.status == StockStatus.BLOCKED.value
        )
    ).scalar_one()
    known = apart.units_of(work.connection, spoken_for)
    return min(units, known + max(0, wanted - int(stand)))


def _restate(
    work: Work, event_id: int, batch: Row[Any], units: int, target: Place, cartons: list[str]
) -> list[str]:
    """The units get another status where they stand, with as many of the cartons as make them up."""
    if not units:
        return []
    work.move(event_id, batch.id, units, Place(target.location, StockStatus.INSPECTION), target)
    names = apart.fitting(work.connection, cartons, units)
    free = target.status is StockStatus.UNRESTRICTED
    stopped = Cause.EXPIRED if work.expired(batch) else Cause.HOLD
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.carton_id.in_(names))
        .values(
            status=target.status.value,
            cause=Cause.NONE.value
            if free
            # What a finding says of a carton stands.
            else case(
                (t.carton.c.cause == Cause.NONE.value, stopped.value), else_=t.carton.c.cause
            ),
        )
    )
    return names


def _let_in(
    work: Work, event_id: int, batch: Row[Any], units: int, target: Place, cartons: list[str]
) -> None:
    """Cartons were judged at a station before; what has no carton goes by its product's rules, as
    goods that are received by hand.
    """
    reasons = admission.reasons_to_wait(work, batch.id, None, None)
    waits = 0
    if reasons and not _accepted_before(work, batch.id):
        source = Place(target.location, StockStatus.INSPECTION)
        there, _ = ledger.on_hand(work.connection, batch.id, source)
        names = apart.cartons_at(work.connection, batch.id, source)
        waits = min(units, max(0, there - apart.units_of(work.connection, names)))
    if waits:
        admission.wait(work, batch.id, None, reasons, units=waits, loose_at=target.location)
    _restate(work, event_id, batch, units - waits, target, cartons)


def _accepted_before(work: Work, batch_id: int) -> bool:
    """What comes after goods of the batch were let in goes the same way."""
    newest = work.connection.execute(
        select(acceptance.c.state)
        .where(acceptance.c.batch_id == batch_id)
        .order_by(acceptance.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return bool(newest == AcceptanceState.ACCEPTED.value)
