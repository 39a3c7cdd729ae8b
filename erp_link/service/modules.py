"""What module stations said, booked once each (I1, I2).

A failed check holds the carton, or its batch where the policy says so, and opens a ticket with the
message as evidence. A passed check is written down and lifts nothing: only a usage decision does. A
storage station's word books a step of an order that we sent; anything else it did is a ticket.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from contracts.modules import FailedCheck, ModuleEvent, ModuleWord
from contracts.reason import Reason
from contracts.stock import HoldKind, TicketState, TransportProgress, TransportState
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard, inserted
from erp_link.domain.effects import Applied
from erp_link.domain.places import is_account
from erp_link.domain.tickets import TicketKind
from erp_link.service import holding, progress, transport
from erp_link.service.ticketing import note, open_ticket
from erp_link.service.work import Work, batch_guards, hold_guards, location_guard

FAILED, FAILED_EARLY = "module_check_failed", "module_check_unknown"
_NONE = "–"
_SENT = frozenset(
    {
        TransportState.SENT.value,
        TransportState.ACCEPTED.value,
        TransportState.PICKED.value,
        TransportState.DROPPED.value,
        TransportState.FAILED.value,
    }
)
"""States of an order that went out to a vehicle."""


_FAILED_BEFORE = select(t.ticket.c.ticket_id).where(
    t.ticket.c.carton_id == bindparam("carton"),
    t.ticket.c.code == FAILED_EARLY,
    t.ticket.c.state.in_([TicketState.OPEN.value, TicketState.CONTAINED.value]),
)


def failed_before(work: Work, carton_id: str, batch_id: int) -> bool:
    """Whether a carton that is now received failed a check before anybody knew its batch: a station
    on the network is heard at once, a dock that was offline tells of the carton days later. The
    ticket names the batch from now on, so that its decision reaches the carton.
    """
    found = list(work.connection.execute(_FAILED_BEFORE, {"carton": carton_id}).scalars())
    if found:
        work.connection.execute(
            update(t.ticket).where(t.ticket.c.ticket_id.in_(found)).values(batch_id=batch_id)
        )
    return bool(found)


def said(work: Work, event: ModuleEvent, *, failed_check: FailedCheck) -> Applied:
    """Book one event; the same (station, event_id) again changes nothing."""
    carton = _carton(work.connection, event.load_id)
    order = _order_of_ours(work.connection, event, carton)
    step = _drop_of(order, event) if order is not None else None
    _take_guards(work, event, carton, step)
    new = inserted(
        work.connection,
        t.progress,
        vehicle=event.station,
        order_id="",
        action=f"{event.what.value}/{event.event_id}",
        at=event.at,
    )
    if not new:
        return Applied(duplicate=True)
    match event.what:
        case ModuleWord.CHECK_FAILED:
            _failed(work, event, carton, failed_check)
        case ModuleWord.CHECK_PASSED:
            _write_down(work, event, carton, "story_module_passed")
        case _ if order is not None or (carton is not None and _is_known(event, carton)):
            _write_down(work, event, carton, f"story_module_{event.what.value}")
            if step is not None:
                progress.progressed(work, step)
        case _:
            _unordered(work, event, carton)
    return Applied(duplicate=False, effects=tuple(work.effects))


def _take_guards(
    work: Work,
    event: ModuleEvent,
    carton: Row[Any] | None,
    step: TransportProgress | None,
) -> None:
    share: set[Guard] = set()
    exclusive: set[Guard] = set()
    if step is not None:
        share |= progress.guards_of(work.connection, step)
    if carton is not None:
        share.add(location_guard(carton.location))
    if carton is not None and carton.batch_id is not None:
        batch = work.batch(carton.batch_id)
        share |= batch_guards(work.connection, batch)
        if event.what is ModuleWord.CHECK_FAILED:
            exclusive = hold_guards(batch)
    work.take(share, exclusive)


def _failed(
    work: Work, event: ModuleEvent, carton: Row[Any] | None, failed_check: FailedCheck
) -> None:
    reason = Reason(
        FAILED,
        {"station": event.station, "carton": event.load_id, "detail": event.detail or _NONE},
    )
    open_one = _open_ticket_of(work.connection, event)
    if open_one is not None:
        # The station looked again: the ticket and its hold stand already.
        _keep_evidence(work, open_one, event)
        return
    if carton is None or carton.batch_id is None:
        # No batch to hold yet; `failed_before` sees to it when the carton is received.
        early = Reason(FAILED_EARLY, reason.params)
        _ticket(work, event, early, carton, kind=TicketKind.FINDING)
        return
    holds = _hold(work, event, carton, reason, failed_check)
    _ticket(work, event, reason, carton, kind=TicketKind.HOLD, holds=holds)
    if not is_account(carton.location):
        transport.ask_for(work, carton.carton_id)


def _hold(
    work: Work, event: ModuleEvent, carton: Row[Any], reason: Reason, failed_check: FailedCheck
) -> tuple[str, ...]:
    hold_id = "H-" + _name_of(event)
    if failed_check is FailedCheck.CARTON:
        holding.hold_cartons(work, hold_id, carton.batch_id, [carton.carton_id], reason)
        return (hold_id,)
    standing = (
        select(t.hold.c.hold_id)
        .where(
            t.hold.c.batch_id == carton.batch_id,
            t.hold.c.kind == HoldKind.BATCH.value,
            t.hold.c.released_at.is_(None),
        )
        .order_by(t.hold.c.hold_id)
    )
    holds = tuple(work.connection.execute(standing).scalars())
    if holds:
        return holds
    holding.hold_batch(work, hold_id, carton.batch_id, reason)
    return (hold_id,)


def _order_of_ours(
    connection: Connection, event: ModuleEvent, carton: Row[Any] | None
) -> Row[Any] | None:
    """The order that the event tells of: it went out, for the same load, to or from that place. One
    that is done long since explains nothing that the books contradict.
    """
    if event.what not in (ModuleWord.STORED, ModuleWord.RETRIEVED):
        return None
    stored = event.what is ModuleWord.STORED
    place = t.transport.c.target if stored else t.transport.c.source
    found = connection.execute(
        select(t.transport)
        .where(
            t.transport.c.load_id == event.load_id,
            t.transport.c.state.in_(_SENT),
            place == event.place,
        )
        .order_by(t.transport.c.id.desc())
        .limit(1)
    ).one_or_none()
    done = found is not None and found.state == TransportState.DROPPED.value
    if done and carton is not None and (carton.location == event.place) is not stored:
        return None
    return found


def _drop_of(order: Row[Any], event: ModuleEvent) -> TransportProgress | None:
    """A load that stands in its slot was dropped there, whatever states of the vehicle were lost.
    One that was taken out waits for the vehicle: only that knows when it is on board.
    """
    if event.what is not ModuleWord.STORED:
        return None
    return TransportProgress(
        order.order_id,
        TransportState.DROPPED,
        order.vehicle or event.station,
        event.at,
        f"{order.order_id}.drop",
        event.load_id,
        event.place,
    )


def _is_known(event: ModuleEvent, carton: Row[Any]) -> bool:
    """It says where the books have the carton already."""
    return event.what is ModuleWord.STORED and carton.location == event.place


def _unordered(work: Work, event: ModuleEvent, carton: Row[Any] | None) -> None:
    params: dict[str, str | int | float] = {
        "station": event.station,
        "carton": event.load_id,
        "place": event.place,
    }
    _ticket(work, event, Reason(f"module_{event.what.value}_unordered", params), carton)


def _ticket(
    work: Work,
    event: ModuleEvent,
    reason: Reason,
    carton: Row[Any] | None,
    *,
    kind: TicketKind = TicketKind.TRANSPORT,
    holds: tuple[str, ...] = (),
) -> None:
    ticket_id = "QC-" + _name_of(event)
    open_ticket(
        work,
        ticket_id,
        reason,
        kind=kind,
        batch_id=carton.batch_id if carton is not None else None,
        hold_ids=holds,
        carton_id=event.load_id,
        device=event.station,
    )
    _keep_evidence(work, ticket_id, event)


def _keep_evidence(work: Work, ticket_id: str, event: ModuleEvent) -> None:
    words = f"{event.at.isoformat()} SHA-256 {event.sha256 or _NONE}: {event.message or _NONE}"
    note(work, ticket_id, "module", words)


def _open_ticket_of(connection: Connection, event: ModuleEvent) -> str | None:
    """The ticket of an earlier failed check of this carton at this station that nobody decided."""
    query = (
        select(t.ticket.c.ticket_id)
        .where(
            t.ticket.c.carton_id == event.load_id,
            t.ticket.c.device == event.station,
            t.ticket.c.code.in_([FAILED, FAILED_EARLY]),
            t.ticket.c.state.in_([TicketState.OPEN.value, TicketState.CONTAINED.value]),
        )
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def _write_down(work: Work, event: ModuleEvent, carton: Row[Any] | None, code: str) -> None:
    params: dict[str, str | int | float] = {
        "station": event.station,
        "carton": event.load_id,
        "place": event.place or _NONE,
    }
    batch_id = carton.batch_id if carton is not None else None
    reference = event.order_id or event.load_id
    work.event("noted", Reason(code, params), batch_id=batch_id, reference=reference, at=event.at)


def _carton(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(t.carton).where(t.carton.c.carton_id == name)).one_or_none()


def _name_of(event: ModuleEvent) -> str:
    """The same for the same event, and short: a station's own numbers may be of any length."""
    return hashlib.sha256(f"{event.station}\n{event.what}\n{event.event_id}".encode()).hexdigest()[
        :12
    ]
