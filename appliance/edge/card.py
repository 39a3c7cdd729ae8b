"""A journal entry as the station page shows it: pure, so that live cartons and those found in the
journal after a restart look the same (I6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from appliance.desk import CartonCard
from contracts.asn import Expectations
from contracts.events import CartonJudged, CartonSettled
from contracts.geometry import Region
from contracts.reading import Candidate, FieldValue, LabelFields
from contracts.verdict import Decision


def card_of(
    body: CartonJudged,
    *,
    at: datetime,
    expectations: Expectations | None = None,
    elapsed_ms: float | None = None,
) -> CartonCard:
    """`elapsed_ms` is the time from frames to durable verdict where it was measured; for an entry
    from the journal it is the time the engines took.
    """
    reading, inspection = body.reading, body.inspection
    measured = (reading.elapsed_ms if reading else 0.0) + (
        inspection.elapsed_ms if inspection else 0.0
    )
    line = body.verdict.asn_line
    descriptions = {
        e.line.number: e.line.description for e in (expectations or Expectations()).lines
    }
    return CartonCard(
        carton_id=body.carton_id,
        station=body.station,
        at=at,
        verdict=body.verdict,
        fields=reading.fields if reading else LabelFields(),
        description=descriptions.get(line, "") if line is not None else "",
        candidates=_offered(body),
        quads=(*(text.quad for text in reading.lines), *(code.quad for code in reading.symbols))
        if reading
        else (),
        regions=_strange(body),
        evidence=body.evidence,
        model_sets=tuple(body.model_sets.values()),
        elapsed_ms=measured if elapsed_ms is None else elapsed_ms,
        product=_product_of(body),
        inspected=str(inspection.decision) if inspection else "",
    )


def _strange(body: CartonJudged) -> tuple[Region, ...]:
    """Where the goods look strange: to the profile that judged, else to a newer one."""
    for seen in (body.inspection, body.candidate):
        if seen is not None and seen.regions:
            return seen.regions
    return ()


def _product_of(body: CartonJudged) -> str:
    if body.verdict.batch is not None:
        return body.verdict.batch.gtin
    if body.reading is not None and body.reading.fields.gtin is not None:
        return body.reading.fields.gtin.value
    return ""


def _offered(body: CartonJudged) -> tuple[Candidate, ...]:
    """The answers an operator may pick. Of a carton drawn for audit they are in the order of their
    batches: whoever confirms must look at the label, not at what the machine thinks.
    """
    if body.reading is None or body.verdict.decision is not Decision.REVIEW:
        return ()
    offered = body.reading.candidates
    if any(reason.code == "audit" for reason in body.verdict.reasons):
        return tuple(sorted(offered, key=lambda each: (each.batch, each.expiry, each.gtin)))
    return offered


def settled(card: CartonCard, answer: CartonSettled) -> CartonCard:
    """The card after an operator's answer; what the machine read gives way to what a person said."""
    fields = LabelFields(
        gtin=_said(answer.gtin), batch=_said(answer.batch), expiry=_said(answer.expiry)
    )
    return replace(
        card,
        fields=card.fields if answer.how == "refused" else fields,
        candidates=(),
        settled_by=answer.operator,
        product=answer.gtin or card.product,
    )


def _said(value: str) -> FieldValue | None:
    return FieldValue(value, 1.0, "operator") if value else None
