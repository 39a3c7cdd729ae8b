"""One carton's judgement, and its settlement, booked. Observations are never refused (I1)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from contracts.events import CartonJudged, CartonSettled, JournalEntry
from contracts.reason import Reason
from contracts.stock import HoldKind
from contracts.verdict import Decision
from erp_link.adapters import tables as t
from erp_link.domain.expiry import parse_expiry
from erp_link.domain.judging import ResultKind
from erp_link.domain.places import dock_of
from erp_link.domain.receiving import CartonState, Cause, Receipt, accepted, receive, refused
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart, booking, carton_rows, holding, modules, transport
from erp_link.service.carton_rows import Facts, Seen
from erp_link.service.devices import moment_of
from erp_link.service.goods import admission
from erp_link.service.judging import freeing, results, tasks
from erp_link.service.judging.results import Weighed
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, batch_guards, ensure_batch, hold_guards, location_guard

_WAYS = ("candidate", "keyed", "refused")
_STAY = (Cause.ACCEPTANCE, Cause.JUDGING)
"""What waits for these stays at the dock."""


def judged(work: Work, entry: JournalEntry, body: CartonJudged) -> None:
    """Book one verdict: receipt and count, hold and ticket where it says so, and transport."""
    verdict = body.verdict
    seen = carton_rows.find(
        work.connection,
        body.carton_id,
        session=body.session,
        batch=verdict.batch or verdict.freezes,
        line=verdict.asn_line,
    )
    freezes = ensure_batch(work.connection, verdict.freezes) if verdict.freezes else None
    source = dock_of(body.station) if seen.known is None else seen.known.location
    _take_guards(work, seen, source, freezes)
    work.event(
        "judged",
        Reason(
            f"story_judged_{verdict.decision}",
            {"carton": body.carton_id, "station": body.station, "device": entry.device},
        ),
        batch_id=seen.batch_id,
        session_id=seen.session_id,
        reference=body.carton_id,
        at=moment_of(entry),
    )
    held, expired = _standing(work, seen.batch_id, body.carton_id, verdict.expiry)
    why = _why_wait(work, seen)
    weighed = results.weigh(work, body, seen.batch_id)
    unjudged = weighed is not None and not weighed.frees
    receipt = receive(verdict, held=held, expired=expired, waits=bool(why), unjudged=unjudged)
    worse = (
        seen.known is not None
        and verdict.decision is Decision.HOLD
        and seen.known.state in (CartonState.RECEIVED, CartonState.REVIEW)
    )
    if seen.known is not None and worse:
        carton_rows.take_back(work, seen.known)
    if seen.known is None or worse:
        facts = Facts(
            body.carton_id,
            station=body.station,
            device=entry.device,
            location=source,
            at=moment_of(entry),
            off_list=verdict.off_list,
            printed=_printed(body),
        )
        carton_rows.write(work, seen, receipt, facts)
        _wait(work, seen, receipt, why)
    results.note_reader(work, body, seen.session_id)
    if weighed is not None:
        _by_judge(work, entry, body, seen, receipt, weighed)
    _hold_and_ticket(work, entry, body, seen, receipt, freezes)
    if worse:
        transport.divert_cartons(work, [body.carton_id])
    moves = receipt.state is not CartonState.REVIEW and receipt.cause not in _STAY
    if moves and (seen.known is None or worse):
        transport.request(work, body.carton_id, source=source, batch_id=seen.batch_id)


def settled(work: Work, entry: JournalEntry, body: CartonSettled) -> None:
    """An operator's answer: the carton is received, or refused and set aside.

    Only what waits in review is settled; an answer to a carton settled before is written down.
    """
    key, line = carton_rows.announced_key(
        work.connection, session=body.session, line=body.asn_line, gtin=body.gtin, lot=body.batch
    )
    seen = carton_rows.find(
        work.connection, body.carton_id, session=body.session, batch=key, line=line
    )
    if body.how == "refused" and key is None and seen.known is not None:
        # The operator named nothing; what was read of the carton still says what it is.
        seen = replace(
            seen,
            batch_id=seen.known.batch_id,
            session_id=seen.known.session_id,
            line=seen.known.line_number,
        )
    source = dock_of(body.station) if seen.known is None else seen.known.location
    _take_guards(work, seen, source, None)
    way = body.how if body.how in _WAYS else "keyed"
    text = Reason(
        f"story_settled_{way}", {"carton": body.carton_id, "operator": body.operator or "-"}
    )
    work.event(
        "settled",
        text,
        batch_id=seen.batch_id,
        session_id=seen.session_id,
        reference=body.carton_id,
        at=moment_of(entry),
    )
    if seen.known is not None and seen.known.state != CartonState.REVIEW:
        return
    held, expired = _standing(work, seen.batch_id, body.carton_id, body.expiry)
    known = seen.batch_id is not None
    why = _why_wait(work, seen)
    receipt = (
        refused(known=known)
        if body.how == "refused"
        else accepted(held=held, expired=expired, known=known, waits=bool(why))
    )
    if seen.known is not None:
        carton_rows.take_back(work, seen.known)
    facts = Facts(
        body.carton_id,
        station=body.station,
        device=entry.device,
        location=source,
        at=moment_of(entry),
        off_list=seen.line is None,
        printed=(
            {"gtin": body.gtin, "batch": body.batch, "expiry": body.expiry}
            if key is not None or seen.known is None
            else seen.known.printed
        ),
    )
    carton_rows.write(work, seen, receipt, facts)
    _wait(work, seen, receipt, why)
    results.person_said(
        work, body.carton_id, seen.batch_id,
        passed=body.how != "refused", station=body.station, device=entry.device, seq=entry.seq,
        at=moment_of(entry),
    )  # fmt: skip
    work.tell("settled", body.carton_id, text, key)
    if receipt.opens_ticket and seen.batch_id is not None:
        open_ticket(
            work,
            f"QC-{entry.device}-{entry.seq}",
            Reason("stock_expired", {"expiry": str(work.batch(seen.batch_id).expiry)}),
            kind=TicketKind.EXPIRY,
            batch_id=seen.batch_id,
            carton_id=body.carton_id,
            device=entry.device,
        )
    if receipt.cause is not Cause.ACCEPTANCE:
        transport.request(work, body.carton_id, source=source, batch_id=seen.batch_id)


def _by_judge(
    work: Work,
    entry: JournalEntry,
    body: CartonJudged,
    seen: Seen,
    receipt: Receipt,
    weighed: Weighed,
) -> None:
    """Keep what the machine said of the goods. Passed by one whose word does not count, the carton is
    to be judged again; by the one whose does, a carton that waited for it comes free.
    """
    results.let_in_before(work, seen.known)
    results.keep(
        work, entry, body.carton_id, seen.batch_id, weighed,
        kind=ResultKind.JUDGED, station=body.station, model_sets=body.model_sets,
        variant=body.variant,
    )  # fmt: skip
    if seen.batch_id is None:
        return
    if seen.known is not None:
        if weighed.frees and seen.known.batch_id == seen.batch_id:
            tasks.done(work, body.carton_id, up_to=weighed.mark.generation)
            text = Reason("story_judge_came", {"carton": body.carton_id})
            freeing.come_free(work, seen.batch_id, [body.carton_id], why=text)
    elif receipt.state is CartonState.RECEIVED and not weighed.frees:
        text = Reason("story_waits_for_judge", {"carton": body.carton_id})
        work.event("waits", text, batch_id=seen.batch_id, reference=body.carton_id)
        tasks.ask(
            work, seen.batch_id, body.carton_id, station=body.station, picture=weighed.picture
        )


def _why_wait(work: Work, seen: Seen) -> tuple[Reason, ...]:
    if seen.batch_id is None:
        return ()
    return admission.reasons_to_wait(work, seen.batch_id, seen.session_id, seen.line)


def _wait(work: Work, seen: Seen, receipt: Receipt, why: tuple[Reason, ...]) -> None:
    """A carton that waits for acceptance stays at the dock; its delivery's lot has grown."""
    if receipt.cause is Cause.ACCEPTANCE and seen.batch_id is not None:
        units = carton_rows.units_of(work, seen.batch_id)
        admission.wait(work, seen.batch_id, seen.session_id, why, units=units, line=seen.line)


def _take_guards(work: Work, seen: Seen, source: str, freezes: int | None) -> None:
    share = {location_guard(source)}
    known = seen.known.batch_id if seen.known is not None else None
    for batch_id in (seen.batch_id, known, freezes):
        if batch_id is not None:
            share |= batch_guards(work.connection, work.batch(batch_id))
    work.take(share, hold_guards(work.batch(freezes)) if freezes is not None else ())


def _standing(
    work: Work, batch_id: int | None, carton_id: str, expiry: str | None
) -> tuple[bool, bool]:
    """Is the carton held, is it past its date: asked under the guards."""
    if batch_id is None:
        return False, False
    booking.learn_expiry(work, batch_id, parse_expiry(expiry))
    batch = work.batch(batch_id)
    named = carton_id in apart.holds_by_name(work.connection, batch_id)
    named = modules.failed_before(work, carton_id, batch_id) or named
    return named or work.is_held(*batch_guards(work.connection, batch)), work.expired(batch)


def _hold_and_ticket(
    work: Work,
    entry: JournalEntry,
    body: CartonJudged,
    seen: Seen,
    receipt: Receipt,
    freezes: int | None,
) -> None:
    verdict = body.verdict
    reason = verdict.reasons[0] if verdict.reasons else Reason("hold_without_reason")
    if verdict.decision is not Decision.HOLD and seen.batch_id is not None:
        reason = Reason("stock_expired", {"expiry": str(work.batch(seen.batch_id).expiry)})
    hold_ids: tuple[str, ...] = ()
    if freezes is not None:
        hold_ids = tuple(
            work.connection.execute(
                select(t.hold.c.hold_id)
                .where(
                    t.hold.c.batch_id == freezes,
                    t.hold.c.kind == HoldKind.BATCH.value,
                    t.hold.c.released_at.is_(None),
                )
                .order_by(t.hold.c.hold_id)
            ).scalars()
        )
        if not hold_ids:
            hold_ids = (f"H-{entry.device}-{entry.seq}",)
            holding.hold_batch(work, hold_ids[0], freezes, reason)
    if receipt.opens_ticket:
        open_ticket(
            work,
            f"QC-{entry.device}-{entry.seq}",
            reason,
            kind=receipt.ticket_kind,
            batch_id=freezes if freezes is not None else seen.batch_id,
            hold_ids=hold_ids,
            carton_id=body.carton_id,
            device=entry.device,
            judged=body,
        )


def _printed(body: CartonJudged) -> dict[str, str]:
    if body.reading is None:
        return {}
    fields = body.reading.fields
    named = {"gtin": fields.gtin, "batch": fields.batch, "expiry": fields.expiry}
    return {name: field.value for name, field in named.items() if field is not None}
