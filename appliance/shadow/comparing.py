"""What a candidate's answer says against it, beside the running set's: pure (I3, I7).

Harmful is what would have changed a carton's way for the worse: it passes what the running set
rejects, or no longer passes what the running set passes; a label read as another batch, or no longer
read. What the running set itself left to a person says nothing about the candidate: operators'
answers do (`override`, counted at the hub).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance.sets.running import SLOWER
from contracts.events import ShadowJudged
from contracts.inspection import InspectDecision, Inspection
from contracts.ota import Shadow, ShadowReport, Tally
from contracts.reading import LabelReading, ReadDecision
from ota.gates.gate import Signal

_TOLD_HERE = (Signal.HARM, Signal.LATENCY, Signal.ERROR)


@dataclass(frozen=True, slots=True)
class Compared:
    """`said` and `stood` are decisions of the stage, not verdicts."""

    said: str
    stood: str
    harmful: bool


def compare_goods(said: Inspection, stood: Inspection) -> Compared:
    """Two looks at the same goods."""
    passes = InspectDecision.PASS
    lost = stood.decision is passes and said.decision is not passes
    missed = stood.decision is InspectDecision.DEFECT and said.decision is passes
    return Compared(str(said.decision), str(stood.decision), harmful=lost or missed)


def compare_reading(said: LabelReading, stood: LabelReading) -> Compared:
    """Two readings of the same label."""
    harmful = False
    if stood.decision is ReadDecision.ACCEPT:
        harmful = said.decision is not ReadDecision.ACCEPT or _fields(said) != _fields(stood)
    return Compared(str(said.decision), str(stood.decision), harmful=harmful)


def would_take_ms(*, said_cpu_ms: float, stood_cpu_ms: float, stood_ms: float) -> float:
    """How long the candidate would have taken in the running set's place: the running set's time,
    by the ratio of their work. A candidate looks at the lowest priority on whatever the machine has
    left, so the time that it really took says nothing of it. 0 where nothing was measured.
    """
    return stood_ms * said_cpu_ms / stood_cpu_ms if stood_cpu_ms > 0 else 0.0


def is_late(*, said_ms: float, stood_ms: float, carton_ms: float, budget_ms: float) -> bool:
    """Whether the carton would have come after its lane with the candidate, and because of it.

    `carton_ms` is what the whole carton took, `stood_ms` the running set's part of it.
    """
    return carton_ms - stood_ms + said_ms > budget_ms and said_ms > SLOWER * stood_ms


def _fields(reading: LabelReading) -> tuple[object, ...]:
    found = reading.fields
    values = (found.gtin, found.batch, found.expiry)
    return (reading.asn_line, *(each.value if each else "" for each in values))


@dataclass(slots=True)
class Tallies:
    """Cumulative since each shadow began on this box."""

    _reports: dict[tuple[str, str, str], ShadowReport] = field(default_factory=dict)

    def take_over(self, reports: tuple[ShadowReport, ...]) -> None:
        """What was told before a restart."""
        for each in reports:
            self._reports[each.rollout, each.lane, each.model_set] = each

    def count(self, judged: ShadowJudged) -> None:
        key = (judged.rollout, judged.lane, judged.model_set)
        known = self._reports.get(key) or ShadowReport(*key)
        bad = (judged.harmful, judged.late, bool(judged.error))
        signals = {
            str(signal): _more(known.signals, str(signal), bad=is_bad)
            for signal, is_bad in zip(_TOLD_HERE, bad, strict=True)
        }
        self._reports[key] = replace(known, signals=signals)

    def any(self, shadow: Shadow) -> bool:
        """Whether it said anything yet."""
        known = self._reports.get((shadow.rollout, shadow.lane, shadow.model_set))
        return known is not None and bool(known.signals)

    def reports(self, shadows: tuple[Shadow, ...]) -> tuple[ShadowReport, ...]:
        """Of the shadows that run; others are forgotten."""
        keys = [(each.rollout, each.lane, each.model_set) for each in shadows]
        self._reports = {key: self._reports.get(key) or ShadowReport(*key) for key in keys}
        return tuple(self._reports.values())


def _more(signals: Mapping[str, Tally], name: str, *, bad: bool) -> Tally:
    known = signals.get(name, Tally())
    return Tally(known.frames + 1, known.bad + bad)
