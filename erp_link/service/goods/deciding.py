"""A delivery is accepted or refused: what waited in inspection is free, or held with a ticket (I1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select, update

from contracts.errors import ConflictError, NotFoundError
from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import acceptance
from erp_link.adapters.guards import Guard
from erp_link.domain.acceptance import AcceptanceState, check_accept, check_refuse, is_override
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE
from erp_link.domain.receiving import Cause
from erp_link.domain.sampling import Outcome
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart, holding, transport
from erp_link.service.goods import inspection
from erp_link.service.goods.admission import name_of
from erp_link.service.judging import waiting
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards, hold_guards, location_guard


def accept(work: Work, acceptance_id: int, *, roles: Iterable[str], why: str) -> None:
    """What waits of a delivery may be used from now on, as far as no hold and no date is against
    it. Raises NotFoundError, ConflictError, ForbiddenError, BadInputError.
    """
    take(work, acceptance_id)
    row = _waiting(work.connection, acceptance_id, lock=True)
    lot = inspection.of_acceptance(work.connection, acceptance_id)
    outcome = Outcome(lot.outcome) if lot is not None and lot.outcome else None
    reasons, sampled = reasons_of(row), lot is not None
    check_accept(roles, reasons, why=why, sampled=sampled, outcome=outcome)
    override = is_override(reasons, outcome, sampled=sampled)
    _decided(work, row, AcceptanceState.ACCEPTED, roles, why)
    text = Reason(
        "story_let_in" if override else "story_accepted_goods",
        {"delivery": name_of(acceptance_id), "reason": why.strip() or "-"},
    )
    work.event(
        "accepted", text, batch_id=row.batch_id, session_id=row.session_id,
        reference=name_of(acceptance_id),
    )  # fmt: skip
    batch = work.batch(row.batch_id)
    held = work.is_held(*batch_guards(work.connection, batch))
    _restate(work, row, text, held=held)
    if not held:
        transport.put_away_freed(work, row.batch_id)


def refuse(
    work: Work, acceptance_id: int, *, roles: Iterable[str], why: str, by_sample: bool = False
) -> None:
    """The batch is held from now on, with a ticket: quality decides whether it goes back.

    Raises NotFoundError, ConflictError, ForbiddenError, BadInputError.
    """
    check_refuse(roles, why)
    take(work, acceptance_id, exclusive=True)
    row = _waiting(work.connection, acceptance_id, lock=True)
    _decided(work, row, AcceptanceState.REFUSED, roles, why)
    reason = Reason(
        "sample_rejected" if by_sample else "delivery_refused",
        {"delivery": name_of(acceptance_id), "reason": why.strip()},
    )
    work.event(
        "refused", reason, batch_id=row.batch_id, session_id=row.session_id,
        reference=name_of(acceptance_id),
    )  # fmt: skip
    _restate(work, row, reason, held=True)
    hold_id = f"H-{name_of(acceptance_id)}"
    holding.hold_batch(work, hold_id, row.batch_id, reason)
    open_ticket(
        work,
        f"QC-{name_of(acceptance_id)}",
        reason,
        kind=TicketKind.HOLD,
        batch_id=row.batch_id,
        hold_ids=(hold_id,),
    )
    transport.divert_batch(work, row.batch_id)


def take(work: Work, acceptance_id: int, *, exclusive: bool = False) -> None:
    """The guards of a decision, where the transaction has none yet; exclusive ones may hold.

    Raises NotFoundError, ConflictError (decided already).
    """
    if work.held is not None:
        return
    row = _waiting(work.connection, acceptance_id)
    alone = hold_guards(work.batch(row.batch_id)) if exclusive else set()
    work.take(_shared(work, row), alone)


def reasons_of(row: Row[Any]) -> tuple[Reason, ...]:
    """Why a delivery waits."""
    return tuple(Reason(code, params) for code, params in row.reasons)


def number_of(name: str) -> int:
    """The number in the name of an acceptance. Raises NotFoundError."""
    digits = name.removeprefix("AC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):  # noqa: PLR2004 -- fits the column
        raise unknown(name)
    return int(digits)


def _waiting(connection: Connection, acceptance_id: int, *, lock: bool = False) -> Row[Any]:
    query = select(acceptance).where(acceptance.c.id == acceptance_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise unknown(name_of(acceptance_id))
    if row.state != AcceptanceState.WAITING.value:
        raise ConflictError(
            f"{name_of(acceptance_id)} is {row.state} already",
            mend="Look at it again: somebody else decided",
            state=row.state,
        )
    return row


def unknown(name: str) -> NotFoundError:
    """What to raise for a name that no acceptance has."""
    return NotFoundError(
        f"No delivery {name} waits for acceptance", mend="Look in the list of those that do"
    )


def _shared(work: Work, row: Row[Any]) -> set[Guard]:
    places = work.connection.execute(
        select(t.stock.c.location).where(
            t.stock.c.batch_id == row.batch_id,
            t.stock.c.status == StockStatus.INSPECTION.value,
            t.stock.c.quantity > 0,
        )
    ).scalars()
    wanted = {location_guard(code) for code in places}
    return wanted | batch_guards(work.connection, work.batch(row.batch_id))


def _decided(
    work: Work, row: Row[Any], state: AcceptanceState, roles: Iterable[str], why: str
) -> None:
    work.connection.execute(
        update(acceptance)
        .where(acceptance.c.id == row.id)
        .values(
            state=state.value,
            decided_at=work.now,
            decided_by=work.by,
            decided_role=",".join(sorted(roles)),
            reason=why.strip(),
        )
    )


def _restate(work: Work, row: Row[Any], why: Reason, *, held: bool) -> None:
    """What waits becomes free, or blocked where a hold or its date is against it."""
    expired = work.expired(work.batch(row.batch_id))
    named = apart.holds_by_name(work.connection, row.batch_id)
    rows = work.connection.execute(
        select(t.carton)
        .where(
            t.carton.c.batch_id == row.batch_id,
            t.carton.c.session_id.is_(None)
            if row.session_id is None
            else t.carton.c.session_id == row.session_id,
            t.carton.c.cause == Cause.ACCEPTANCE.value,
            t.carton.c.status == StockStatus.INSPECTION.value,
        )
        .order_by(t.carton.c.location, t.carton.c.carton_id)
    ).all()
    groups: dict[tuple[str, Cause], list[Row[Any]]] = {}
    # Accepted, they may wait for their judge still (I3); a hold or a date says more.
    waits = waiting.awaiting(work.connection, row.batch_id, [each.carton_id for each in rows])
    waiting.mark(work.connection, waits)
    for carton in rows:
        if carton.carton_id in waits:
            continue
        cause = Cause.HOLD if held or carton.carton_id in named else Cause.NONE
        groups.setdefault((carton.location, Cause.EXPIRED if expired else cause), []).append(carton)
    for (location, cause), cartons in groups.items():
        units = sum(carton.quantity for carton in cartons)
        status = _move(work, row, why, location, units, cause)
        names = [carton.carton_id for carton in cartons]
        work.connection.execute(
            update(t.carton)
            .where(t.carton.c.carton_id.in_(names))
            .values(status=status.value, cause=cause.value)
        )
    cause = Cause.EXPIRED if expired else Cause.HOLD if held else Cause.NONE
    for location, units in sorted(row.loose.items()):
        there, _ = ledger.on_hand(
            work.connection, row.batch_id, Place(location, StockStatus.INSPECTION)
        )
        left = min(units, there - _in_cartons(work.connection, row.batch_id, location))
        if left <= 0:
            continue
        apart_there = location == QUARANTINE and cause is Cause.NONE
        _move(work, row, why, location, left, Cause.HOLD if apart_there else cause)
        if apart_there:
            # Somebody brought them there: accepted or not, quality says why they may leave it.
            reason = Reason("received_in_quarantine", {"quantity": left})
            name = f"QC-{name_of(row.id)}-apart"
            apart.set_apart(work, name, row.batch_id, left, cartons=(), reason=reason)


def _move(
    work: Work, row: Row[Any], why: Reason, location: str, units: int, cause: Cause
) -> StockStatus:
    status = StockStatus.UNRESTRICTED if cause is Cause.NONE else StockStatus.BLOCKED
    event_id = work.event("restated", why, batch_id=row.batch_id, reference=location)
    places = Place(location, StockStatus.INSPECTION), Place(location, status)
    work.move(event_id, row.batch_id, units, *places)
    return status


def _in_cartons(connection: Connection, batch_id: int, location: str) -> int:
    rows = connection.execute(
        select(t.carton.c.quantity).where(
            t.carton.c.batch_id == batch_id,
            t.carton.c.location == location,
            t.carton.c.status == StockStatus.INSPECTION.value,
        )
    ).scalars()
    return sum(rows)
