"""What a gateway's alarm means to the core: a ticket, a work order, or goods that are measured.

Each change is known by (alarm, number): told twice, by whichever way, it changes nothing (I2).
Changes may also come out of order; how the alarm stands is what the highest number says, and the
minutes of every one are measured.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update

from contracts.events import JournalEntry
from contracts.reason import Reason
from contracts.stock import TicketState
from contracts.telemetry import AlarmChange, AlarmChanged, AlarmEffect
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import alarm, alarm_change, excursion
from erp_link.adapters.guards import inserted
from erp_link.domain.excursions.judging import number, unit_words
from erp_link.domain.tickets import TicketKind
from erp_link.service.excursions.measuring import CLOSED, OPEN, measure
from erp_link.service.excursions.whereabouts import moment
from erp_link.service.ticketing import note, open_ticket, set_state
from erp_link.service.work import Work

KINDS = ("above", "below", "rate", "missing", "expression")
_DAY_US = 24 * 3600 * 1_000_000
_LONGEST_US = 31 * _DAY_US
_TO_THE_END = {
    TicketState.OPEN: (TicketState.DECIDED, TicketState.CLOSED),
    TicketState.CONTAINED: (TicketState.DECIDED, TicketState.CLOSED),
    TicketState.DECIDED: (TicketState.CLOSED,),
    TicketState.CLOSED: (),
}


def recorded(work: Work, entry: JournalEntry, body: AlarmChanged) -> None:
    """Book one change of an alarm, and what follows from it."""
    row = work.connection.execute(
        select(alarm).where(alarm.c.alarm_id == body.alarm_id).with_for_update()
    ).one_or_none()
    if not _kept(work, entry, body):
        return
    if row is None:
        row = _opened(work, entry, body)
    elif body.number > row.number:
        row = _went_on(work, entry, row, body)
    text = reason_of(body)
    if body.change is not AlarmChange.CONTINUES:
        work.event(
            "alarm",
            Reason(f"story_alarm_{body.change.value}", {**text.params, "fence": body.fence}),
            reference=body.alarm_id,
            at=moment(_believed(entry, body.at_us)),
        )
    work.tell("alarm", body.alarm_id, text)
    match body.effect:
        case AlarmEffect.TICKET | AlarmEffect.WORK_ORDER:
            _ticket(work, entry, row, body)
        case AlarmEffect.EXCURSION:
            _excursion(work, entry, row)
        case AlarmEffect.NONE:
            pass


def reason_of(body: AlarmChanged) -> Reason:
    """The alarm in words: what, where, how far."""
    kind = body.kind if body.kind in KINDS else "expression"
    limit = body.limit
    values: dict[str, str | int | float] = {
        "sensor": str(body.series),
        "place": body.place or "–",
        "value": "–" if body.value is None else number(body.value, digits=2),
        "worst": "–" if body.worst is None else number(body.worst, digits=2),
        "limit": "–" if limit is None else number(limit, digits=2),
        "unit": unit_words(body.unit),
    }
    return Reason(f"alarm_{kind}", values)


def _kept(work: Work, entry: JournalEntry, body: AlarmChanged) -> bool:
    return inserted(
        work.connection,
        alarm_change,
        alarm_id=body.alarm_id,
        number=body.number,
        change=body.change.value,
        at_us=_believed(entry, body.at_us),
        value=body.value,
        worst=body.worst,
        trace=[
            [p.at_us, p.least, p.most, p.mean, p.count]
            for p in body.trace
            if _believed(entry, p.at_us) == p.at_us
        ],
        gateway=entry.device,
        seq=entry.seq,
        heard_at=work.now,
    )


def _opened(work: Work, entry: JournalEntry, body: AlarmChanged) -> Row[Any]:
    work.connection.execute(
        insert(alarm).values(
            alarm_id=body.alarm_id,
            gateway=entry.device,
            fence=body.fence,
            fence_version=body.fence_version,
            fence_sha256=body.fence_sha256,
            kind=body.kind,
            severity=body.severity,
            effect=body.effect.value,
            sensor=body.series.device,
            quantity=body.series.quantity,
            channel=body.series.channel,
            unit=body.unit,
            site=body.site,
            place=body.place,
            since_us=_believed(entry, body.since_us),
            limit=body.limit,
            batch=body.batch,
            product=body.product,
            calibration=asdict(body.calibration),
            ticket_id="",
            excursion_id="",
            heard_at=work.now,
            acknowledged_by="",
            note="",
            escalated=0,
            **_now(entry, body),
        )
    )
    return _row(work, body.alarm_id)


def _went_on(work: Work, entry: JournalEntry, row: Row[Any], body: AlarmChanged) -> Row[Any]:
    escalated = row.escalated + (body.change is AlarmChange.ESCALATED)
    work.connection.execute(
        update(alarm)
        .where(alarm.c.alarm_id == body.alarm_id)
        .values(
            severity=body.severity,
            escalated=escalated,
            calibration=asdict(body.calibration),
            **{**_now(entry, body), "worst": row.worst if body.worst is None else body.worst},
        )
    )
    return _row(work, body.alarm_id)


def _now(entry: JournalEntry, body: AlarmChanged) -> dict[str, Any]:
    return {
        "state": CLOSED if body.change is AlarmChange.CLEARED else OPEN,
        "number": body.number,
        "at_us": _believed(entry, body.at_us),
        "value": body.value,
        "worst": body.worst,
    }


def _row(work: Work, alarm_id: str) -> Row[Any]:
    return work.connection.execute(select(alarm).where(alarm.c.alarm_id == alarm_id)).one()


def _ticket(work: Work, entry: JournalEntry, row: Row[Any], body: AlarmChanged) -> None:
    """Opened with the alarm, noted in while it goes on, closed with it."""
    is_work = body.effect is AlarmEffect.WORK_ORDER
    if not row.ticket_id:
        ticket_id = f"{'WO' if is_work else 'QC'}-{entry.device}-{entry.seq}"
        kind = TicketKind.WORK_ORDER if is_work else TicketKind.ALARM
        open_ticket(work, ticket_id, reason_of(body), kind=kind, device=body.series.device)
        work.connection.execute(
            update(alarm).where(alarm.c.alarm_id == row.alarm_id).values(ticket_id=ticket_id)
        )
    else:
        ticket_id = row.ticket_id
        if body.change is AlarmChange.ESCALATED:
            note(work, ticket_id, "escalated", body.severity)
    if row.state == CLOSED:
        close_ticket(work, ticket_id, "alarm cleared")


def close_ticket(work: Work, ticket_id: str, words: str) -> None:
    """The ticket of an alarm that is over, through whatever is left of its life."""
    state = work.connection.execute(
        select(t.ticket.c.state).where(t.ticket.c.ticket_id == ticket_id)
    ).scalar_one()
    for step in _TO_THE_END[TicketState(state)]:
        set_state(work, ticket_id, step, words=words)


def _excursion(work: Work, entry: JournalEntry, row: Row[Any]) -> None:
    excursion_id = row.excursion_id
    if not excursion_id and row.state == OPEN:
        excursion_id = _going_on(work, row)
    if not row.excursion_id and excursion_id:
        work.connection.execute(
            update(alarm).where(alarm.c.alarm_id == row.alarm_id).values(excursion_id=excursion_id)
        )
    if not excursion_id:
        excursion_id = f"EX-{entry.device}-{entry.seq}"
        work.connection.execute(
            insert(excursion).values(
                excursion_id=excursion_id,
                alarm_id=row.alarm_id,
                state=OPEN,
                begun_us=row.since_us,
                ended_us=row.at_us,
                opened_at=work.now,
                measured_at=work.now,
                measured_event=0,
                settled=0,
            )
        )
        work.connection.execute(
            update(alarm).where(alarm.c.alarm_id == row.alarm_id).values(excursion_id=excursion_id)
        )
        if not row.place and not row.batch:
            # Nobody said where the sensor stands: a person has to find out what stood beside it.
            open_ticket(
                work,
                f"QC-{excursion_id}",
                Reason("excursion_nowhere", {"sensor": row.sensor, "excursion": excursion_id}),
                kind=TicketKind.EXCURSION,
                device=row.sensor,
            )
    measure(work, excursion_id)


def _going_on(work: Work, row: Row[Any]) -> str:
    """The excursion that another sensor of the same place tells of by the same fence; "" where none
    goes on. One heat in a room is one excursion, however many sensors stand there.
    """
    if not row.place:
        return ""
    alike = [
        getattr(alarm.c, name) == getattr(row, name)
        for name in ("place", "site", "fence", "kind", "quantity", "unit", "batch", "product")
    ]
    found = work.connection.execute(
        select(excursion.c.excursion_id)
        .join(alarm, alarm.c.alarm_id == excursion.c.alarm_id)
        .where(excursion.c.state == OPEN, *alike)
        .order_by(excursion.c.begun_us)
        .limit(1)
    ).scalar_one_or_none()
    return str(found or "")


def _believed(entry: JournalEntry, at_us: int) -> int:
    """A sensor's time as far as its gateway's own bears it out: a clock in 1970 or 2099 would hold
    whatever was ever in the room. Alarms are told within a month of their beginning.
    """
    return max(entry.at_us - _LONGEST_US, min(entry.at_us + _DAY_US, at_us))
