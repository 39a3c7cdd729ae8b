"""From evidence to a reading: which fields, how sure, accept or review, and why (I7).

Accept needs the calibrated confidence, no character that reads better as another one, no
contradiction between symbol and print, and an expiry date that was really seen. Everything else is
review with reasons, and up to three candidates for the operator. Off the list is never accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp

from contracts.gs1 import has_valid_check_digit
from contracts.reading import Candidate, FieldValue, LabelFields, ReadDecision
from contracts.reason import Reason
from vision.reading.confidence import Logistic, facts_of, facts_of_plain
from vision.reading.dates import parse_date
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import FieldSupport, Fused
from vision.reading.plain import PlainReading

MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`accept` is a confidence. `off_list`: from these log odds on, a character that differs from
    the announced one says that the carton is not on the list. `plain`: how sure a plain reading
    must be to stand against the list. `sure_share`: the share of a value's characters that must
    be clear before one of them may speak against the list.
    """

    accept: float
    off_list: float
    plain: float
    sure_share: float


@dataclass(frozen=True, slots=True)
class Confidence:
    listed: Logistic
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
    """Without a list: all three fields, under grammar and check digits, or review."""
    probability = confidence.plain.probability(facts_of_plain(plain))
    reasons = [Reason("field_conflict", {"field": name}) for name in plain.conflicts]
    if not anything:
        reasons.append(Reason("no_label"))
    else:
        reasons += [
            Reason(f"{name}_unreadable")
            for name in ("gtin", "batch", "expiry")
            if getattr(plain.fields, name) is None
        ]
    accept = confidence.thresholds.accept
    if not reasons and probability < accept:
        reasons.append(_low(probability, accept))
    candidate = _plain_candidate(plain.fields, probability)
    return Outcome(
        plain.fields,
        None,
        probability,
        ReadDecision.REVIEW if reasons else ReadDecision.ACCEPT,
        tuple(reasons),
        (candidate,) if candidate else (),
    )


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
    probability = confidence.listed.probability(facts_of(fused))
    reread = {
        name: _reread(name, listed[name], fused.fields[name], getattr(plain.fields, name), limits)
        for name in listed
    }
    differs = [name for name in listed if reread[name] is not None]
    # The batch tells cartons of one product apart. Where only a date or only the GTIN reads
    # otherwise, a misreading is likelier than a carton nobody announced: review, list kept.
    off_list = "batch" in differs or {"gtin", "expiry"} <= set(differs)
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
    accept = limits.accept
    if not reasons and probability < accept:
        reasons.append(_low(probability, accept))
    labelled = LabelFields(fields["gtin"], fields["batch"], fields["expiry"])
    candidates: tuple[Candidate, ...]
    if off_list:
        # The list's share is what the plain evidence against it leaves.
        surest = max(each.confidence for each in reread.values() if each is not None)
        against = max(1 - probability, surest)
        own = _plain_candidate(labelled, against)
        others = _candidates(fused, index, min(probability, 1 - against))
        candidates = (*((own,) if own else ()), *others)[:MOST_CANDIDATES]
    else:
        candidates = _candidates(fused, index, probability)
    return Outcome(
        labelled,
        None if off_list else line.number,
        min(field.confidence for field in fields.values()) if off_list else probability,
        ReadDecision.REVIEW if reasons else ReadDecision.ACCEPT,
        tuple(reasons),
        candidates,
    )


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
    if plain is not None and plain.value != listed and field.worst > limits.off_list / 2:
        sure = limits.plain if plain.source == "text" else 0.0
        if plain.confidence >= sure:
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


def _plain_candidate(fields: LabelFields, probability: float) -> Candidate | None:
    values = [each.value if each else "" for each in (fields.gtin, fields.batch, fields.expiry)]
    return Candidate(values[0], values[1], values[2], probability) if any(values) else None


def _candidates(fused: Fused, index: ExpectedIndex, probability: float) -> tuple[Candidate, ...]:
    best = fused.ranking[0][1]
    # What the best line does not have is shared among the next ones by their odds.
    weights = [exp(max(-40.0, odds - best)) for _, odds in fused.ranking[1:]]
    rest = (1 - probability) / max(sum(weights), 1.0)
    shares = [probability, *(weight * rest for weight in weights)]
    found = []
    for (i, _), share in list(zip(fused.ranking, shares, strict=True))[:MOST_CANDIDATES]:
        line = index.lines[i]
        found.append(
            Candidate(
                line.gtin, line.batch, line.expiry.isoformat(), share, line.number, line.description
            )
        )
    return tuple(found)
