"""Inspection lots: made at receipt, sampled, judged by their plan (domain/sampling)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters.goods_tables import inspection_lot, inspection_result, sampling_resumed
from erp_link.domain.sampling import (
    Level,
    Outcome,
    Plan,
    SamplingRule,
    Severity,
    judge,
    plan_for,
)
from erp_link.domain.switching import Inspected, Standing, standing
from erp_link.service.work import Work

_HISTORY = 500


def grow(
    work: Work, acceptance_id: int, batch_id: int, rule: SamplingRule, units: int, *, announced: int
) -> None:
    """A delivery's lot comes to be, or has so many more units. Its plan is for what was announced,
    or for what came where that is more, until the first result stands.
    """
    lot = of_acceptance(work.connection, acceptance_id)
    if lot is None:
        batch = work.batch(batch_id)
        severity = standing_of(work.connection, batch.supplier, batch.gtin, rule).severity
        plan = _plan(max(units, announced), rule, severity)
        work.connection.execute(
            insert(inspection_lot).values(
                acceptance_id=acceptance_id,
                supplier=batch.supplier,
                gtin=batch.gtin,
                batch_id=batch_id,
                quantity=max(units, announced),
                aql=rule.aql,
                level=rule.level.value,
                opened_at=work.now,
                arrived=units,
                **_values(plan),
            )
        )
        text = Reason(
            "story_inspection_lot",
            {"sample": plan.sample, "accept": plan.accept, "letter": plan.letter, "aql": rule.aql},
        )
        work.event("sampling", text, batch_id=batch_id, reference=f"AC-{acceptance_id}")
        return
    arrived = lot.arrived + units
    values: dict[str, object] = {"arrived": arrived}
    if arrived > lot.quantity and not lot.inspected:
        kept = SamplingRule(lot.aql, Level(lot.level))
        values |= {
            "quantity": arrived,
            **_values(_plan(arrived, kept, Severity(lot.severity))),
        }
    work.connection.execute(
        update(inspection_lot).where(inspection_lot.c.id == lot.id).values(values)
    )


def add_result(work: Work, lot_id: int, inspected: int, bad: int, note: str) -> Outcome | None:
    """So many more units were looked at, so many of them bad; the outcome once the plan has one.
    From the rejection number on nobody needs to look further.

    Raises NotFoundError, BadInputError, ConflictError (judged already).
    """
    lot = find_lot(work.connection, lot_id, lock=True)
    if lot.outcome:
        raise ConflictError(
            f"Inspection lot {lot_id} is {lot.outcome} already", mend="Look at its delivery again"
        )
    if not 0 <= bad <= inspected or inspected < 1:
        raise BadInputError(
            f"{bad} bad of {inspected} units looked at",
            mend="Give how many were looked at, at least 1, and how many of them were bad",
        )
    looked, found = lot.inspected + inspected, lot.bad + bad
    if looked > lot.quantity:
        raise BadInputError(
            f"{looked} units looked at in a lot of {lot.quantity}",
            mend="Count again what was looked at",
        )
    work.connection.execute(
        insert(inspection_result).values(
            lot_id=lot_id, at=work.now, by=work.by, inspected=inspected, bad=bad, note=note.strip()
        )
    )
    plan = plan_of(lot)
    outcome = judge(plan, found) if looked >= plan.sample or found >= plan.reject else None
    values: dict[str, object] = {"inspected": looked, "bad": found}
    if outcome is not None:
        values |= {"outcome": outcome.value, "judged_at": work.now, "judged_by": work.by}
    work.connection.execute(
        update(inspection_lot).where(inspection_lot.c.id == lot_id).values(values)
    )
    text = Reason("story_inspected", {"inspected": looked, "sample": plan.sample, "bad": found})
    work.event("inspected", text, batch_id=lot.batch_id, reference=f"AC-{lot.acceptance_id}")
    return outcome


def standing_of(connection: Connection, supplier: str, gtin: str, rule: SamplingRule) -> Standing:
    """Where a supplier's product stands by its last lots."""
    lots = connection.execute(
        select(inspection_lot)
        .where(
            inspection_lot.c.supplier == supplier,
            inspection_lot.c.gtin == gtin,
            inspection_lot.c.outcome != "",
        )
        .order_by(inspection_lot.c.judged_at.desc(), inspection_lot.c.id.desc())
        .limit(_HISTORY)
    ).all()
    history = [
        (row.judged_at, Inspected(row.quantity, plan_of(row), row.bad, Outcome(row.outcome)))
        for row in lots
    ]
    resumed = connection.execute(
        select(sampling_resumed.c.at).where(
            sampling_resumed.c.supplier == supplier, sampling_resumed.c.gtin == gtin
        )
    ).scalars()
    history += [(at, Inspected(1, None, 0, Outcome.ACCEPTED, resumed=True)) for at in resumed]
    return standing([each for _, each in sorted(history, key=lambda x: x[0])], rule)


def plan_of(lot: Row[Any]) -> Plan:
    """The plan that a lot is looked at by."""
    return Plan(
        lot.letter,
        lot.sample,
        lot.accept,
        lot.reject,
        Severity(lot.severity),
        whole_lot=lot.sample >= lot.quantity,
    )


def of_acceptance(connection: Connection, acceptance_id: int) -> Row[Any] | None:
    """The lot of a delivery, None where none is sampled."""
    return connection.execute(
        select(inspection_lot).where(inspection_lot.c.acceptance_id == acceptance_id)
    ).one_or_none()


def find_lot(connection: Connection, lot_id: int, *, lock: bool = False) -> Row[Any]:
    """Raises NotFoundError."""
    query = select(inspection_lot).where(inspection_lot.c.id == lot_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no inspection lot {lot_id}", mend="Look in the list of deliveries that wait"
        )
    return row


def _plan(units: int, rule: SamplingRule, severity: Severity) -> Plan:
    if severity is Severity.DISCONTINUED:
        # Nothing is accepted on a sample any more: every unit is looked at.
        return Plan("-", units, 0, 1, severity, whole_lot=True)
    return plan_for(units, rule, severity)


def _values(plan: Plan) -> dict[str, object]:
    return {
        "severity": plan.severity.value,
        "letter": plan.letter,
        "sample": plan.sample,
        "accept": plan.accept,
        "reject": plan.reject,
    }
