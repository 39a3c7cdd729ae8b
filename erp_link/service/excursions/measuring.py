"""One excursion measured: who was there, what each batch went through, and a hold on what must not
leave, in the transaction of the entry that told of it (I1).

Measured again with every change of the alarm, and when goods are told of late. A hold is only ever
added here: quality alone lifts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.reason import Reason
from contracts.telemetry import TracePoint
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import alarm, excursion, excursion_batch
from erp_link.domain.excursions.exposure import Exposure, exposure, stretches
from erp_link.domain.excursions.judging import Finding, judge, minutes, number
from erp_link.domain.excursions.limits import (
    CELSIUS,
    TEMPERATURE,
    WITHOUT_LEVEL,
    Limits,
    of_fence,
)
from erp_link.domain.tickets import TicketKind
from erp_link.service import holding
from erp_link.service.excursions.limit_rows import of_products
from erp_link.service.excursions.sources import (
    alarms_of,
    batch_named,
    earlier_of,
    read_traces,
)
from erp_link.service.excursions.whereabouts import Stay, moment, stays
from erp_link.service.goods.product_rows import read_products
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, hold_guards

OPEN, CLOSED = "open", "closed"
_MEASURED_AS = {
    ("temperature", "Cel"): ("Temperature", "CEL"),
    ("humidity", "%RH"): ("RelativeHumidity", "P1"),
}
"""A quantity and its unit as EPCIS names them: GS1 measurement type, UN/ECE Recommendation 20."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One batch of an excursion, as found now."""

    stay: Stay
    limits: Limits
    found: Exposure
    finding: Finding


def measure(work: Work, excursion_id: str, *, until_us: int = 0) -> None:
    """Measure an excursion and hold what is beyond. Takes the guards of what it holds: nothing
    else may have taken any in this transaction. `until_us`: it is known to go on until then, though
    nobody told of it.
    """
    row = work.connection.execute(
        select(excursion).where(excursion.c.excursion_id == excursion_id).with_for_update()
    ).one()
    about = work.connection.execute(select(alarm).where(alarm.c.alarm_id == row.alarm_id)).one()
    alarms = alarms_of(work.connection, excursion_id, about)
    points = read_traces(work.connection, alarms)
    begun = min([*(each.since_us for each in alarms), *(point.at_us for point in points[:1])])
    ended = max([*(each.at_us for each in alarms), begun, until_us])
    state = OPEN if any(each.state == OPEN for each in alarms) else CLOSED
    known = _known(work.connection, excursion_id)
    measured = measure_all(work.connection, about, points, begun, ended)
    wanted = {each.stay.batch_id for each in measured if _needs_hold(each, known)}
    if wanted:
        work.take((), {g for each in sorted(wanted) for g in hold_guards(work.batch(each))})
        # Goods may have come or gone while the guards were waited for.
        measured = measure_all(work.connection, about, points, begun, ended)
    closes = state == CLOSED and row.state == OPEN
    for each in measured:
        before = known.get(each.stay.batch_id)
        held = ("", "")
        if each.stay.batch_id in wanted and each.finding.beyond:
            held = _hold(work, excursion_id, about, each)
        _keep(work, excursion_id, each, before, held)
        if closes or (state == CLOSED and before is None):
            _tell(work, excursion_id, about, each, begun, ended)
    _left_out(work, excursion_id, known, {each.stay.batch_id for each in measured})
    newest = work.connection.execute(select(func.max(t.event.c.id))).scalar_one()
    missed = any(_needs_hold(e, known) and e.stay.batch_id not in wanted for e in measured)
    work.connection.execute(
        update(excursion)
        .where(excursion.c.excursion_id == excursion_id)
        .values(
            state=state,
            begun_us=begun,
            ended_us=ended,
            closed_at=work.now if closes else row.closed_at,
            measured_at=work.now,
            # Nothing counts as known where one was found whose guard was not taken: looked at again.
            measured_event=0 if missed else newest or 0,
        )
    )


def measure_all(
    connection: Connection, about: Row[Any], points: Sequence[TracePoint], begun: int, ended: int
) -> list[Measured]:
    """Every batch that was there, by number. `about` is the row of the alarm."""
    there = _there(connection, about, begun, ended)
    batches = {
        row.id: row
        for at in range(0, len(there), 500)
        for row in connection.execute(
            select(t.batch).where(
                t.batch.c.id.in_([each.batch_id for each in there[at : at + 500]])
            )
        )
    }
    known = read_products(connection, {row.gtin for row in batches.values()})
    own = of_products(connection, known, about.place)
    degrees = about.quantity == TEMPERATURE and about.unit == CELSIUS
    told = stretches(points, begun, ended)
    before = earlier_of(connection, about.alarm_id, list(batches), begun) if degrees else {}
    seen: dict[tuple[object, Limits, int], Exposure] = {}
    found = []
    for stay in there:
        gtin = batches[stay.batch_id].gtin
        limits = own[gtin] if degrees else of_fence(about.kind, about.limit)
        # Hundreds of batches that stood there all the time went through the same.
        at = (stay.present, limits, before.get(stay.batch_id, 0))
        if at not in seen:
            seen[at] = exposure(
                told,
                stay.present,
                limits,
                begun_us=begun,
                ended_us=ended,
                earlier_s=at[2],
                throughout=not degrees and about.kind in WITHOUT_LEVEL,
            )
        finding = judge(seen[at], limits, unit=about.unit)
        found.append(Measured(stay, limits, seen[at], finding))
    return found


def _there(connection: Connection, about: Row[Any], begun: int, ended: int) -> list[Stay]:
    batch_id = batch_named(connection, about.batch) if about.batch else None
    if about.batch and batch_id is None:
        return []
    if not about.place:
        # A logger that travels with one batch is always where the batch is.
        return [] if batch_id is None else [Stay(batch_id, 0, ((begun, ended),))]
    return stays(connection, about.place, begun, ended, batch_id=batch_id, gtin=about.product)


def _known(connection: Connection, excursion_id: str) -> dict[int, Row[Any]]:
    rows = connection.execute(
        select(excursion_batch).where(excursion_batch.c.excursion_id == excursion_id)
    )
    return {row.batch_id: row for row in rows}


def _needs_hold(each: Measured, known: dict[int, Row[Any]]) -> bool:
    before = known.get(each.stay.batch_id)
    return each.finding.beyond and (before is None or not before.hold_id)


def _hold(work: Work, excursion_id: str, about: Row[Any], each: Measured) -> tuple[str, str]:
    """The whole batch: nobody can tell its units apart by what they went through."""
    batch_id = each.stay.batch_id
    part = f"{excursion_id.removeprefix('EX-')}-{batch_id}"
    hold_id, ticket_id = f"H-EX-{part}", f"QC-EX-{part}"
    reason = Reason(
        each.finding.reason.code,
        {**each.finding.reason.params, "excursion": excursion_id, "place": about.place},
    )
    holding.hold_batch(work, hold_id, batch_id, reason)
    open_ticket(
        work,
        ticket_id,
        reason,
        kind=TicketKind.EXCURSION,
        batch_id=batch_id,
        hold_ids=(hold_id,),
        device=about.sensor,
    )
    return hold_id, ticket_id


def _keep(
    work: Work, excursion_id: str, each: Measured, before: Row[Any] | None, held: tuple[str, str]
) -> None:
    values: dict[str, Any] = {
        "quantity": each.stay.quantity,
        "present": [list(span) for span in each.stay.present],
        "present_s": each.found.present_s,
        "outside_s": each.found.outside_s,
        "unmeasured_s": each.found.unmeasured_s,
        "assumed_s": each.found.assumed_s,
        "earlier_s": each.found.earlier_s,
        "least": each.found.least,
        "most": each.found.most,
        "kinetic": each.found.kinetic,
        "limits": asdict(each.limits),
        "beyond": int(each.finding.beyond),
        "code": each.finding.reason.code,
        "params": each.finding.reason.params,
    }
    if held[0]:
        values |= {"hold_id": held[0], "ticket_id": held[1]}
    if before is None:
        key = {"excursion_id": excursion_id, "batch_id": each.stay.batch_id}
        work.connection.execute(insert(excursion_batch).values(**key, **values))
    elif any(getattr(before, name) != value for name, value in values.items()):
        work.connection.execute(
            update(excursion_batch)
            .where(
                excursion_batch.c.excursion_id == excursion_id,
                excursion_batch.c.batch_id == each.stay.batch_id,
            )
            .values(values)
        )


def _left_out(work: Work, excursion_id: str, known: dict[int, Row[Any]], found: set[int]) -> None:
    """A move that was told late says that a batch was not there after all: the row says so, and a
    hold stays until quality decides.
    """
    for batch_id, row in known.items():
        if batch_id in found or not row.present_s:
            continue
        work.connection.execute(
            update(excursion_batch)
            .where(
                excursion_batch.c.excursion_id == excursion_id,
                excursion_batch.c.batch_id == batch_id,
            )
            .values(
                quantity=0, present=[], present_s=0, outside_s=0, unmeasured_s=0, assumed_s=0, earlier_s=0,
                least=None, most=None, kinetic=None, beyond=0, code="excursion_not_there",
                params={},
            )
        )  # fmt: skip


def _tell(
    work: Work, excursion_id: str, about: Row[Any], each: Measured, begun: int, ended: int
) -> None:
    """The batch's story, and what partners read of it (EPCIS sensor report)."""
    values: dict[str, str | int | float] = {
        "excursion": excursion_id,
        "place": about.place,
        "minutes": minutes(each.found.outside_s),
        "device": about.sensor,
        "begun": moment(begun).isoformat(timespec="seconds"),
        "ended": moment(ended).isoformat(timespec="seconds"),
        "location": about.place or about.sensor,
    }
    for name, value in (("least", each.found.least), ("most", each.found.most)):
        if value is not None:
            values[name] = round(value, 3)
    values["extreme"] = _extreme(each, about.kind)
    code = "story_excursion_beyond" if each.finding.beyond else "story_excursion_within"
    named = _MEASURED_AS.get((about.quantity, about.unit))
    if named is not None:
        values |= {"measurement": named[0], "unit": named[1]}
    work.event(
        "excursion" if named is not None else "noted",
        Reason(code, values),
        batch_id=each.stay.batch_id,
        reference=excursion_id,
    )


def _extreme(each: Measured, kind: str) -> str:
    value = each.found.least if kind == "below" else each.found.most
    return "–" if value is None else number(value)
