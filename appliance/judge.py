"""The judgement on one carton, as a pure function (I1, I3, I7).

Values in, verdict out: reading, defects, holds known here, expiry and policy. The sternest finding
wins (hold over review over accept) and every finding is told. Accept is said only when nothing
speaks against it and everything that was asked for has been seen. A defective carton is held by
itself; its batch is frozen once so many of its cartons are defective that a sound batch would hardly
ever show as many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.asn import Expectations, ExpectedLine
from contracts.condition import CartonCondition
from contracts.inspection import InspectDecision, Inspection
from contracts.reading import LabelReading, ReadDecision
from contracts.reason import Reason
from contracts.stock import BatchKey
from contracts.verdict import Decision, Verdict


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """What a site decides. Days count from today in the site's time zone."""

    inspection_required: bool = True
    warn_days: int = 30
    short_dated_days: int = 15
    audit_one_in: int = 0
    """One in so many accepted cartons is confirmed by a person; 0: none."""
    freeze_percent: float = 1.0
    """At most so many of a hundred sound batches are frozen by chance."""


@dataclass(frozen=True, slots=True)
class BatchTally:
    """What is known of the carton's batch, the carton itself included."""

    judged: int
    defective: int
    needed: int | None
    """So many defective ones of `judged` freeze the batch; None: no bound can be stated (I7)."""
    percent: float
    """At most so many of a hundred sound batches are ever frozen."""
    steady: bool = True
    """False while it is not sure that camera and light are as at enrolment: nothing is frozen."""

    @property
    def enough(self) -> bool:
        return self.needed is not None and self.defective >= self.needed

    @property
    def freezes(self) -> bool:
        return self.enough and self.steady


@dataclass(frozen=True, slots=True)
class Finding:
    weight: Decision
    reason: Reason


def judge(
    reading: LabelReading | None,
    inspection: Inspection | None,
    *,
    expectations: Expectations,
    today: date,
    clock_is_sure: bool,
    policy: JudgePolicy,
    tally: BatchTally | None = None,
    condition: CartonCondition | None = None,
    condition_may_hold: bool = False,
    faults: Iterable[Reason] = (),
    audit: bool = False,
) -> Verdict:
    """Judge a carton from what was read and seen.

    `reading` is None when no label picture belongs to the carton, `inspection` when the goods
    were not looked at (no picture, or no profile for the product). `clock_is_sure` is False while
    the clock is unsynchronised or below its persisted floor: then nothing is accepted on expiry.
    `tally` is what the batch has shown so far; None where the carton does not count.
    `condition` is what the label camera said of the carton itself, `condition_may_hold` whether
    damage holds it or asks for a review. `faults` speak against the pictures themselves: a camera that was dark, a missing close.
    `audit`: the carton was drawn (`drawn_for_audit`), so that a person confirms what would be
    accepted.
    """
    line = _line_of(reading, expectations)
    batch, sure = batch_of(reading, expectations)
    defect = inspection is not None and inspection.decision is InspectDecision.DEFECT
    counts = tally if defect and sure else None
    freezes = counts is not None and counts.freezes
    # The first reason is what the hold and its ticket are called by: the batch's own where it freezes.
    findings = [
        *(_of_batch(counts) if freezes else ()),
        *_of_reading(reading, line, expectations),
        *_of_goods(inspection, policy),
        *(() if freezes else _of_batch(counts)),
        *_of_outside(condition, may_hold=condition_may_hold),
        *(Finding(Decision.REVIEW, fault) for fault in faults),
    ]
    expiry: str | None = None
    if reading is not None:
        expiry = reading.fields.expiry.value if reading.fields.expiry else None
        known = _of_expiry(expiry, today, policy, clock_is_sure=clock_is_sure)
        if batch is not None and is_held(batch, expectations.held):
            known.append(Finding(Decision.HOLD, Reason("batch_held", {"lot": batch.lot})))
        # What follows from a doubtful reading is doubtful too: a person settles it first.
        doubtful = reading.decision is ReadDecision.REVIEW
        findings += [Finding(Decision.REVIEW, f.reason) if doubtful else f for f in known]

    decision = _sternest(finding.weight for finding in findings)
    if audit and decision is Decision.ACCEPT:
        findings.append(Finding(Decision.REVIEW, Reason("audit")))
        decision = Decision.REVIEW
    return Verdict(
        decision=decision,
        reasons=tuple(
            finding.reason for finding in sorted(findings, key=lambda f: _RANK[f.weight])
        ),
        batch=batch,
        expiry=expiry,
        asn_line=line.line.number if line else None,
        freezes=batch if freezes else None,
        off_list=reading is not None
        and any(reason.code == "off_list" for reason in reading.reasons),
    )


def batch_of(
    reading: LabelReading | None, expectations: Expectations
) -> tuple[BatchKey | None, bool]:
    """The batch that a reading names, and whether it is known for sure.

    Only then is anything counted or frozen: a doubtful reading must not freeze a neighbour's goods.
    """
    if reading is None:
        return None, False
    read = reading.decision is ReadDecision.ACCEPT
    line = _line_of(reading, expectations)
    if line is not None:
        return line.line.key, read
    fields = reading.fields
    if read and fields.gtin and fields.batch:
        return BatchKey("", fields.gtin.value, fields.batch.value), False
    return None, False


def is_held(batch: BatchKey, held: Iterable[BatchKey]) -> bool:
    """A batch whose supplier is not known may be any supplier's: it does not evade a hold."""
    return any(
        (each.gtin, each.lot) == (batch.gtin, batch.lot)
        and (each.supplier == batch.supplier or not batch.supplier)
        for each in held
    )


def product_of(reading: LabelReading | None, expectations: Expectations) -> str | None:
    """The GTIN whose profile judges the goods: the list's line, else what was read."""
    if reading is None:
        return None
    for expected in expectations.lines:
        if expected.line.number == reading.asn_line:
            return expected.line.gtin
    return reading.fields.gtin.value if reading.fields.gtin else None


def drawn_for_audit(carton_id: str, one_in: int) -> bool:
    """Whether a carton belongs to the random sample: by a hash of its id, so that nobody can tell
    beforehand and a repetition draws the same.
    """
    if one_in <= 0:
        return False
    digest = hashlib.sha256(f"audit {carton_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % one_in == 0


_RANK = {Decision.HOLD: 0, Decision.REVIEW: 1, Decision.ACCEPT: 2}


def _sternest(weights: Iterable[Decision]) -> Decision:
    return min(weights, key=_RANK.__getitem__, default=Decision.ACCEPT)


def _line_of(reading: LabelReading | None, expectations: Expectations) -> ExpectedLine | None:
    if reading is None or reading.asn_line is None:
        return None
    return next((e for e in expectations.lines if e.line.number == reading.asn_line), None)


def _of_reading(
    reading: LabelReading | None, line: ExpectedLine | None, expectations: Expectations
) -> list[Finding]:
    if reading is None:
        return [Finding(Decision.REVIEW, Reason("no_label_picture"))]
    findings = []
    if expectations.session is None:
        findings.append(Finding(Decision.REVIEW, Reason("no_session")))
    if reading.decision is ReadDecision.REVIEW:
        findings += [Finding(Decision.REVIEW, reason) for reason in reading.reasons]
        if not reading.reasons:
            percent = round(100 * reading.confidence)
            findings.append(
                Finding(Decision.REVIEW, Reason("low_confidence", {"percent": percent}))
            )
        return findings
    if line is None:
        if not any(reason.code == "off_list" for reason in reading.reasons):
            findings.append(Finding(Decision.REVIEW, Reason("off_list")))
        else:
            findings += [Finding(Decision.REVIEW, reason) for reason in reading.reasons]
        return findings
    if line.outstanding <= 0:
        findings.append(
            Finding(
                Decision.REVIEW,
                Reason("over_delivery", {"lot": line.line.batch, "announced": line.line.quantity}),
            )
        )
    return findings


def _of_goods(inspection: Inspection | None, policy: JudgePolicy) -> list[Finding]:
    if inspection is None:
        if policy.inspection_required:
            return [Finding(Decision.REVIEW, Reason("not_inspected"))]
        return []
    if inspection.decision is InspectDecision.PASS:
        return []
    defect = inspection.decision is InspectDecision.DEFECT
    weight = Decision.HOLD if defect else Decision.REVIEW
    reasons = inspection.reasons or (Reason("defect_seen"),)
    return [Finding(weight, reason) for reason in reasons]


def _of_outside(condition: CartonCondition | None, *, may_hold: bool) -> list[Finding]:
    if condition is None or condition.decision is InspectDecision.PASS:
        return []
    holds = may_hold and condition.decision is InspectDecision.DEFECT
    weight = Decision.HOLD if holds else Decision.REVIEW
    reasons = condition.reasons or (Reason("defect_seen"),)
    return [Finding(weight, reason) for reason in reasons]


def _of_batch(tally: BatchTally | None) -> list[Finding]:
    if tally is None:
        return []
    told: dict[str, str | int | float] = {"defective": tally.defective, "judged": tally.judged}
    if tally.needed is None:
        return [Finding(Decision.HOLD, Reason("batch_unbounded", told))]
    told |= {"needed": tally.needed, "percent": _plain(tally.percent)}
    waits = "batch_unsteady" if tally.enough else "batch_counted"
    return [Finding(Decision.HOLD, Reason("batch_frozen" if tally.freezes else waits, told))]


def _plain(number: float) -> int | float:
    """1 rather than 1.0, for a person."""
    return int(number) if number == int(number) else number


def _of_expiry(
    expiry: str | None, today: date, policy: JudgePolicy, *, clock_is_sure: bool
) -> list[Finding]:
    if expiry is None:
        return []
    if not clock_is_sure:
        return [Finding(Decision.REVIEW, Reason("clock_unsure"))]
    last_day = date.fromisoformat(expiry)
    days = (last_day - today).days
    params: dict[str, str | int | float] = {"expiry": expiry, "days": days}
    if last_day < today:
        return [Finding(Decision.HOLD, Reason("expired", {"expiry": expiry, "days": -days}))]
    if last_day <= today + timedelta(days=policy.short_dated_days):
        return [Finding(Decision.REVIEW, Reason("short_dated", params))]
    if last_day <= today + timedelta(days=policy.warn_days):
        return [Finding(Decision.ACCEPT, Reason("expires_soon", params))]
    return []
