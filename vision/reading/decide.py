"""From evidence to a reading: which fields, how sure, accept or review, and why (I7).

Accept needs the calibrated share of one announced line, no character that clearly reads as another
one, no contradiction between symbol and print, and an expiry date that was really seen. Everything
else is review with reasons, and up to three candidates for the operator. Off the list is never
accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp

from contracts.gs1 import has_valid_check_digit
from contracts.reading import Candidate, FieldValue, LabelFields, ReadDecision
from contracts.reason import Reason
from vision.reading.confidence import Answers, Logistic, Shares, facts_of, facts_of_plain
from vision.reading.dates import parse_date
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import FieldSupport, Fused
from vision.reading.plain import PlainReading

MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`accept` is a confidence; `accept_plain` the one needed without a list, `give` the one from
    which on a single field is given out as read there. `off_list`: from these log odds on, a
    character that differs from the announced one speaks against the list. `plain`: how sure a
    plain reading must be to do so. `sure_share`: the share of a value's characters that must be
    clear before one of them may.
    """

    accept: float
    off_list: float
    plain: float
    sure_share: float
    accept_plain: float = 0.93
    give: float = 0.0


@dataclass(frozen=True, slots=True)
class Confidence:
    listed: Answers
    plain: Logistic
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Outcome:
    fields: LabelFields
    asn_line: int | None
    confidence: float
    decision: ReadDecision
    reasons: tuple[Reason, ...]
    candidates: tuple[Candidate, ...]


def decide_plain(plain: PlainReading, confidence: Confidence, *, anything: bool) -> Outcome:
    """Without a list: the fields that are surely read, under grammar and check digits; accepted
    with all three, else review that says which characters are left.
    """
    probability = confidence.plain.probability(facts_of_plain(plain))
    limits = confidence.thresholds
    fields = LabelFields(
        *(
            _given(each, limits)
            for each in (plain.fields.gtin, plain.fields.batch, plain.fields.expiry)
        )
    )
    reasons = [Reason("field_conflict", {"field": name}) for name in plain.conflicts]
    if not anything:
        reasons.append(Reason("no_label"))
    else:
        reasons += [
            _unreadable(name, plain)
            for name in ("gtin", "batch", "expiry")
            if getattr(fields, name) is None
        ]
    if not reasons and probability < limits.accept_plain:
        reasons.append(_low(probability, limits.accept_plain))
    candidate = _plain_candidate(plain.fields, probability)
    return Outcome(
        fields,
        None,
        probability,
        ReadDecision.REVIEW if reasons else ReadDecision.ACCEPT,
        tuple(reasons),
        (candidate,) if candidate else (),
    )


def _given(field: FieldValue | None, limits: Thresholds) -> FieldValue | None:
    return field if field is not None and field.confidence >= limits.give else None


def _unreadable(name: str, plain: PlainReading) -> Reason:
    """Which characters are left of a field, where any are."""
    left = plain.partly.get(name, "")
    return Reason(f"{name}_partly_read", {"read": left}) if left else Reason(f"{name}_unreadable")


def decide_listed(
    fused: Fused,
    plain: PlainReading,
    index: ExpectedIndex,
    confidence: Confidence,
    *,
    anything: bool,
) -> Outcome:
    """With a list: the best announced line, or "not on the list" with what was read instead."""
    limits = confidence.thresholds
    line = index.lines[fused.best]
    listed = {"gtin": line.gtin, "batch": line.batch, "expiry": line.expiry.isoformat()}
    shares = confidence.listed.shares(facts_of(fused))
    probability = shares.best
    reread = {
        name: _reread(name, listed[name], fused.fields[name], getattr(plain.fields, name), limits)
        for name in listed
    }
    differs = [name for name in listed if reread[name] is not None]
    # The batch tells cartons of one product apart. Where only a date or only the GTIN reads
    # otherwise, a misreading is likelier than a carton nobody announced: review, list kept.
    stranger = "batch" in differs or {"gtin", "expiry"} <= set(differs)
    off_list = stranger and shares.off_list > max(shares.best, shares.other)
    fields = {
        name: (reread[name] if off_list else None)
        or _listed_field(listed[name], fused.fields[name], probability)
        for name in listed
    }
    reasons = _reasons(fused, fields, listed, differs if off_list else [], anything=anything)
    if not off_list:
        reasons += [
            Reason("field_conflict", {"field": name})
            for name in differs
            if not fused.fields[name].against_symbol
        ]
        if anything and shares.off_list > max(shares.best, shares.other):
            reasons.append(Reason("perhaps_off_list", {"percent": round(100 * shares.off_list, 1)}))
    # Two symbols, or symbol and print, or two prints that tell two values surely.
    told = {reason.params.get("field") for reason in reasons}
    reasons += [
        Reason("field_conflict", {"field": name}) for name in plain.conflicts if name not in told
    ]
    accept = limits.accept
    if not reasons and probability < accept:
        reasons.append(_low(probability, accept))
    labelled = LabelFields(fields["gtin"], fields["batch"], fields["expiry"])
    own = _plain_candidate(labelled, shares.off_list) if off_list else None
    listed_ones = _candidates(fused, index, shares)
    candidates = (*((own,) if own else ()), *listed_ones)[:MOST_CANDIDATES]
    return Outcome(
        labelled,
        None if off_list else line.number,
        shares.off_list if off_list else probability,
        ReadDecision.REVIEW if reasons else ReadDecision.ACCEPT,
        tuple(reasons),
        candidates,
    )


def with_cause(outcome: Outcome, cause: str | None) -> Outcome:
    """A review says its likeliest cause too; two labels in one picture are always a review, since
    nobody knows which of them is the carton's.
    """
    if cause is None or (outcome.decision is ReadDecision.ACCEPT and cause != "two_labels"):
        return outcome
    if any(reason.code in {"off_list", "no_label", cause} for reason in outcome.reasons):
        return outcome
    return replace(outcome, decision=ReadDecision.REVIEW, reasons=(*outcome.reasons, Reason(cause)))


def _reasons(
    fused: Fused,
    fields: Mapping[str, FieldValue],
    listed: Mapping[str, str],
    differs: Sequence[str],
    *,
    anything: bool,
) -> list[Reason]:
    if not anything:
        return [Reason("no_label")]
    reasons = []
    if differs:
        name = "batch" if "batch" in differs else differs[0]
        read = fields[name].value
        reasons.append(Reason("off_list", {"field": name, "read": read, "expected": listed[name]}))
    reasons += [
        Reason("field_conflict", {"field": name})
        for name, each in fused.fields.items()
        if each.against_symbol and name not in differs
    ]
    if not fused.fields["batch"].printed:
        reasons.append(Reason("batch_unreadable"))
    if not fused.fields["expiry"].printed:
        reasons.append(Reason("expiry_unreadable"))
    return reasons


def _low(probability: float, accept: float) -> Reason:
    return Reason(
        "low_confidence",
        {"percent": round(100 * probability, 1), "needed": round(100 * accept, 1)},
    )


def _listed_field(value: str, field: FieldSupport, probability: float) -> FieldValue:
    if field.from_symbol:
        return FieldValue(value, max(probability, 0.99), "symbol")
    seen = field.printed and field.support.unseen == 0 and field.worst < 0
    return FieldValue(value, probability, "text" if seen else "asn")


def _reread(
    name: str,
    listed: str,
    field: FieldSupport,
    plain: FieldValue | None,
    limits: Thresholds,
) -> FieldValue | None:
    """What stands there instead of the announced value, where that is plain; else None."""
    if field.from_symbol:
        return None
    # Characters more or fewer are no rivals in one place: the plain value says them.
    differs = plain is not None and plain.value.upper() != listed.upper()
    if plain is not None and differs and _stands(plain, limits):
        return plain
    enough = field.support.share_sure >= limits.sure_share
    if not field.printed or field.worst <= limits.off_list or not enough:
        return None
    normal = listed.replace("-", "") if name == "expiry" else listed
    letters = [
        field.support.other[i] if rival > 1.0 else letter
        for i, (letter, rival) in enumerate(zip(normal, field.support.rival, strict=True))
    ]
    read = "".join(letters)
    sure = 1.0 - 1.0 / (1.0 + exp(min(field.worst, 20.0)))
    if name == "gtin" and not has_valid_check_digit(read):
        return None
    if name == "expiry":
        found: date | None = parse_date(read) if read.isdigit() else None
        return FieldValue(found.isoformat(), sure, "text") if found else None
    return FieldValue(read, sure, "text")


def _stands(plain: FieldValue, limits: Thresholds) -> bool:
    """May a plain reading speak against the list?"""
    return plain.source != "text" or plain.confidence >= limits.plain


def _plain_candidate(fields: LabelFields, probability: float) -> Candidate | None:
    values = [each.value if each else "" for each in (fields.gtin, fields.batch, fields.expiry)]
    return Candidate(values[0], values[1], values[2], probability) if any(values) else None


def _candidates(fused: Fused, index: ExpectedIndex, shares: Shares) -> tuple[Candidate, ...]:
    best = fused.ranking[0][1]
    # What "another line" has is shared among the next ones by their odds.
    weights = [exp(max(-40.0, odds - best)) for _, odds in fused.ranking[1:]]
    rest = shares.other / max(sum(weights), 1e-30) if weights else 0.0
    found = []
    each_share = [shares.best, *(weight * rest for weight in weights)]
    for (i, _), share in list(zip(fused.ranking, each_share, strict=True))[:MOST_CANDIDATES]:
        line = index.lines[i]
        found.append(
            Candidate(
                line.gtin, line.batch, line.expiry.isoformat(), share, line.number, line.description
            )
        )
    return tuple(found)
