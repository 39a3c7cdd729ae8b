"""One word on a carton's goods, weighed by its batch's pin and kept, whatever it is worth (I3, I4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select

from contracts.events import CartonJudged, JournalEntry
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Pin, Standing, Watermark, frees, judge_digest, parts_of
from contracts.reading import ReadDecision
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision
from erp_link.adapters import judging_tables as j
from erp_link.domain.judging import FIRST, ResultKind, mark_of, worth
from erp_link.domain.receiving import CartonState
from erp_link.service.devices import moment_of
from erp_link.service.judging import pins
from erp_link.service.work import Work, key_of

_GOODS = "inspect"
"""The kind of evidence that shows the goods."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a result is worth now. `picture` names the frame that it was made from, at its station."""

    mark: Watermark
    standing: Standing
    decision: InspectDecision
    picture: str

    @property
    def frees(self) -> bool:
        return frees(self.standing, passed=self.decision is InspectDecision.PASS)


def weigh(work: Work, body: CartonJudged, batch_id: int | None) -> Weighed | None:
    """What a verdict's look at the goods is worth; a batch that nobody judges yet is given to it.
    None where no machine looked.
    """
    seen = body.inspection
    if seen is None:
        return None
    mark = mark_of(body.under, body.model_sets, seen.profile) or Watermark("", FIRST)
    parts = parts_of(body.model_sets, seen.profile)
    named = judge_digest(parts) if parts else ""
    pin = None
    if batch_id is not None:
        pin = _pin(work, batch_id, parts, may_pin=named == mark.judge and _is_sure(body))
    return Weighed(mark, worth(pin, mark, named), seen.decision, picture_of(body.evidence))


def keep(
    work: Work,
    entry: JournalEntry,
    carton_id: str,
    batch_id: int | None,
    weighed: Weighed,
    *,
    kind: ResultKind,
    station: str,
    model_sets: Mapping[str, str],
    variant: str,
) -> None:
    """Write a machine's word down."""
    work.connection.execute(
        insert(j.judgement).values(
            carton_id=carton_id,
            batch_id=batch_id,
            kind=kind.value,
            judge=weighed.mark.judge,
            generation=weighed.mark.generation,
            provisional=int(weighed.mark.provisional),
            standing=weighed.standing.value,
            decision=weighed.decision.value,
            station=station,
            device=entry.device,
            seq=entry.seq,
            at=moment_of(entry),
            picture=weighed.picture,
            model_sets=dict(model_sets),
            variant=variant,
        )
    )


def person_said(
    work: Work,
    carton_id: str,
    batch_id: int | None,
    *,
    passed: bool,
    station: str = "",
    device: str = "",
    seq: int = 0,
    at: datetime | None = None,
) -> None:
    """A person had the carton in hand, or decided about it: they speak for the newest generation."""
    generation = FIRST if batch_id is None else pins.generation(work.connection, batch_id)
    decision = InspectDecision.PASS if passed else InspectDecision.DEFECT
    work.connection.execute(
        insert(j.judgement).values(
            carton_id=carton_id,
            batch_id=batch_id,
            kind=ResultKind.PERSON.value,
            judge="",
            generation=generation,
            provisional=0,
            standing=Standing.COUNTS.value,
            decision=decision.value,
            station=station,
            device=device or work.by,
            seq=seq,
            at=at or work.now,
            picture="",
            model_sets={},
            variant="",
        )
    )


def let_in_before(work: Work, carton: Row[Any] | None) -> None:
    """A carton that came in by the site's policy before any machine looked at it: whoever looks now
    and does not count takes nothing back. What waits for its settlement was not let in.
    """
    if carton is None or carton.state == CartonState.REVIEW.value:
        return
    known = work.connection.execute(
        select(j.judgement.c.id).where(j.judgement.c.carton_id == carton.carton_id).limit(1)
    ).first()
    if known is None:
        person_said(work, carton.carton_id, carton.batch_id, passed=True, at=carton.judged_at)


def note_reader(work: Work, body: CartonJudged, session_id: int | None) -> None:
    """Reading has its own pin: the first set that reads a session's labels. A label that another
    read is written down.
    """
    reader = body.model_sets.get("read", "")
    if session_id is None or body.session is None or body.reading is None or not reader:
        return
    known = pins.ensure_session(work, body.session, reader)
    if known.model_set != reader:
        params: dict[str, str | int | float] = {"carton": body.carton_id, "station": body.station}
        text = Reason("story_read_by_other", params)
        work.event("noted", text, session_id=session_id, reference=body.carton_id)


def picture_of(evidence: tuple[Evidence, ...]) -> str:
    """SHA-256 of the picture of the goods; empty where none was kept."""
    return next((each.sha256 for each in evidence if each.kind == _GOODS), "")


def named_judge(model_sets: Mapping[str, str], seen: Inspection | None) -> str:
    """The judge that a result's own sets make; empty where nobody looked."""
    parts = parts_of(model_sets, seen.profile) if seen is not None else {}
    return judge_digest(parts) if parts else ""


def _pin(work: Work, batch_id: int, parts: Mapping[str, str], *, may_pin: bool) -> Pin | None:
    if may_pin and parts:
        row = pins.ensure(work, batch_id, parts)
        return pins.pin_of(row, key_of(work.batch(batch_id)))
    known = pins.newest(work.connection, batch_id)
    return None if known is None else pins.pin_of(known, key_of(work.batch(batch_id)))


def _is_sure(body: CartonJudged) -> bool:
    """A doubtful reading must not pin a neighbour's batch."""
    if body.verdict.decision is not Decision.REVIEW:
        return True
    return body.reading is not None and body.reading.decision is ReadDecision.ACCEPT
