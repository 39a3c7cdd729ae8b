"""A carton judged again from its kept frame, booked (I1, I3). An observation, never refused.

A pass that counts frees what only waited for it; a defect holds, whoever found it; anything else
asks a person. No hold is lifted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from contracts.events import CartonRejudged, JournalEntry
from contracts.inspection import InspectDecision
from contracts.reason import Reason
from contracts.stock import StockStatus
from erp_link.adapters import tables as t
from erp_link.domain.judging import ResultKind, worth
from erp_link.domain.moves import Place
from erp_link.domain.places import is_account
from erp_link.domain.receiving import CartonState, Cause, count_of
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart, booking, holding, sessions, transport
from erp_link.service.devices import moment_of
from erp_link.service.judging import freeing, pins, results, tasks, waiting
from erp_link.service.judging.results import Weighed
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards, ensure_batch, hold_guards, location_guard


def rejudged(work: Work, entry: JournalEntry, body: CartonRejudged) -> None:
    """Book one answer to a task, or one that nobody asked for."""
    carton = work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == body.carton_id)
    ).one_or_none()
    batch_id = ensure_batch(work.connection, body.batch)
    if carton is not None and carton.batch_id is not None:
        batch_id = carton.batch_id
    batch = work.batch(batch_id)
    defect = body.decision is InspectDecision.DEFECT and body.inspection is not None
    share = batch_guards(work.connection, batch)
    if carton is not None:
        share.add(location_guard(carton.location))
    work.take(share, hold_guards(batch) if defect else ())
    weighed = _weigh(work, body, batch_id)
    results.let_in_before(work, carton)
    results.keep(
        work, entry, body.carton_id, batch_id, weighed,
        kind=ResultKind.REJUDGED, station=body.station, model_sets=body.model_sets,
        variant=body.variant,
    )  # fmt: skip
    params: dict[str, str | int | float] = {"carton": body.carton_id, "station": body.station}
    text = Reason(f"story_rejudged_{weighed.decision.value}", params)
    work.event("rejudged", text, batch_id=batch_id, reference=body.carton_id, at=moment_of(entry))
    work.tell("noted", body.carton_id, text, body.batch)
    tasks.done(work, body.carton_id, up_to=body.under.generation)
    if defect:
        _found_bad(work, entry, body, batch_id)
    elif weighed.frees:
        freeing.come_free(work, batch_id, [body.carton_id], why=text)
    elif carton is not None and _nobody_else(work, batch_id, carton):
        tasks.ask_person(work, batch_id, [body.carton_id])


def _weigh(work: Work, body: CartonRejudged, batch_id: int) -> Weighed:
    row = pins.newest(work.connection, batch_id)
    pin = None if row is None else pins.pin_of(row, body.batch)
    gone = body.inspection is None
    named = body.under.judge if gone else results.named_judge(body.model_sets, body.inspection)
    decision = InspectDecision.REVIEW if gone else body.decision
    return Weighed(body.under, worth(pin, body.under, named), decision, body.picture)


def _nobody_else(work: Work, batch_id: int, carton: Row[Any]) -> bool:
    """The carton waits, and no machine is asked about it any more: the newest generation's own
    judge could not say, or somebody else answered. Of an older generation's answer the newest
    one's task stands; what is in review an operator settles.
    """
    if carton.state == CartonState.REVIEW.value or carton.cause == Cause.DEFECT.value:
        return False
    if not waiting.awaiting(work.connection, batch_id, [carton.carton_id]):
        return False
    return not tasks.is_open(work.connection, carton.carton_id)


def _found_bad(work: Work, entry: JournalEntry, body: CartonRejudged, batch_id: int) -> None:
    """What was passed before is defective: blocked where it stands, held by name where it is
    picked, and told to quality where it has left.
    """
    carton = work.connection.execute(
        select(t.carton).where(t.carton.c.carton_id == body.carton_id)
    ).one_or_none()
    if carton is not None and carton.cause == Cause.DEFECT.value:
        return
    reason = body.reasons[0] if body.reasons else Reason("defect_seen")
    hold_ids: tuple[str, ...] = ()
    kind = TicketKind.FINDING
    if carton is None or (is_account(carton.location) and not _is_lent(carton)):
        params: dict[str, str | int | float] = {"carton": body.carton_id}
        reason, kind = Reason("recall_rejudged_defect", params), TicketKind.RECALL
    elif carton.status == StockStatus.IN_TRANSIT.value:
        if body.carton_id not in apart.holds_by_name(work.connection, batch_id):
            hold_ids = (f"H-{entry.device}-{entry.seq}",)
            holding.hold_cartons(work, hold_ids[0], batch_id, (body.carton_id,), reason)
            kind = TicketKind.HOLD
    else:
        _block(work, carton, f"QC-{entry.device}-{entry.seq}")
    open_ticket(
        work,
        f"QC-{entry.device}-{entry.seq}",
        reason,
        kind=kind,
        batch_id=batch_id,
        hold_ids=hold_ids,
        carton_id=body.carton_id,
        device=entry.device,
        judged=body,
    )


def _is_lent(carton: Row[Any]) -> bool:
    return str(carton.location).startswith("@quota/")


def _block(work: Work, carton: Row[Any], reference: str) -> None:
    """Blocked for itself where it stands, whatever it waited for; reservations give way."""
    name, status = carton.carton_id, StockStatus(carton.status or StockStatus.BLOCKED)
    if status is StockStatus.UNRESTRICTED:
        booking.block_cartons(
            work, carton.batch_id, [name], cause=Cause.DEFECT, reference=reference
        )
    elif status is StockStatus.INSPECTION:
        text = Reason("story_blocked_carton", {"carton": name})
        event_id = work.event("blocked", text, batch_id=carton.batch_id, reference=reference)
        places = (Place(carton.location, s) for s in (status, StockStatus.BLOCKED))
        work.move(event_id, carton.batch_id, carton.quantity, *places)
    was, now = count_of(CartonState(carton.state)), count_of(CartonState.DAMAGED)
    for change in (was.times(-carton.quantity), now.times(carton.quantity)):
        sessions.count(work, carton.session_id, carton.line_number, change)
    work.connection.execute(
        update(t.carton)
        .where(t.carton.c.carton_id == name)
        .values(
            state=CartonState.DAMAGED.value,
            status=StockStatus.BLOCKED.value,
            cause=Cause.DEFECT.value,
        )
    )
    work.changes_expectations = True
    transport.divert_cartons(work, [name])
    transport.request(work, name, source=carton.location, batch_id=carton.batch_id)
