"""What candidates have shown, from what stations journal: pure folds, each entry once (I2, I7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.events import FALSE_ALARM, MISS, ShadowJudged
from contracts.ota import Tally
from ota.gates.evidence import Counts
from ota.gates.gate import Signal
from ota.rollout.boxes import BoxCounts
from ota.rollout.events import Role
from ota.rollout.gating import Shown
from ota.rollout.state import Rollout

_PASSES = frozenset({"pass", "accept"})
_REJECTS = frozenset({"defect", "hold", "damaged", "reject"})
REFUSED = "refused"
_SETTLED_GOOD = frozenset({"candidate", "keyed"})


@dataclass(frozen=True, slots=True)
class BoxTally:
    """What one set showed on one box in one rollout. `signals` by `Signal`'s values."""

    device: str
    model_set: str
    signals: Mapping[str, Tally]


def overrides(candidate_said: str, answer: str) -> bool:
    """Whether a person's answer goes against what the candidate said of the same carton. `answer`:
    how a review was settled (CartonSettled.how) or what was taught (DefectTaught.lesson).
    """
    if candidate_said in _PASSES:
        return answer in (REFUSED, MISS)
    if candidate_said in _REJECTS:
        return answer in _SETTLED_GOOD or answer == FALSE_ALARM
    return False


def candidates_word(state: Rollout, judged: ShadowJudged) -> str:
    """What the candidate said: as the shadow, or, where it runs, as the one beside the shadow."""
    return judged.said if judged.model_set == state.plan.candidate else judged.stood


def shown_by(state: Rollout, tallies: list[BoxTally]) -> Shown:
    """Counts by role, device and signal. While the candidate runs, the set beside it may fail or be
    late without saying anything about the candidate.
    """
    found: dict[Role, dict[str, BoxCounts]] = {Role.SHADOW: {}, Role.WATCH: {}}
    for each in tallies:
        role = Role.SHADOW if each.model_set == state.plan.candidate else Role.WATCH
        seen = found[role].get(each.device, {})
        # More than one set may have looked beside the candidate on one box: all of it counts.
        found[role][each.device] = {
            signal: seen.get(signal, Counts()) + _counts(signal, role, each.signals)
            for signal in Signal
            if role is Role.SHADOW or signal is not Signal.LATENCY
        }
    return found


def _counts(signal: Signal, role: Role, signals: Mapping[str, Tally]) -> Counts:
    tally = signals.get(signal.value, Tally())
    # Every frame that was judged twice is one that a person might have contradicted.
    frames = max((each.frames for each in signals.values()), default=0)
    bad = 0 if role is Role.WATCH and signal is Signal.ERROR else tally.bad
    return Counts(max(frames, bad), bad)


class MemoryEvidence:
    """ota.rollout.ports.Evidence in memory, for simulations and tests."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, int]] = set()
        self._signals: defaultdict[tuple[str, str, str], dict[str, Tally]] = defaultdict(dict)
        self._words: dict[str, list[tuple[str, ShadowJudged]]] = {}
        self._answered: set[str] = set()

    def judged(self, device: str, seq: int, body: ShadowJudged) -> bool:
        """One journal entry; False where it was taken before."""
        if (device, seq) in self._taken:
            return False
        self._taken.add((device, seq))
        signals = self._signals[(body.rollout, device, body.model_set)]
        bad = {"harm": body.harmful, "latency": body.late, "error": bool(body.error)}
        for signal, is_bad in {**bad, "override": False}.items():
            known = signals.get(signal, Tally())
            signals[signal] = Tally(known.frames + 1, known.bad + int(is_bad))
        self._words.setdefault(body.carton_id, []).append((device, body))
        return True

    def answered(self, carton_id: str, answer: str) -> None:
        """A person settled or taught a carton that was judged twice; the first answer counts."""
        if carton_id in self._answered or carton_id not in self._words:
            return
        self._answered.add(carton_id)
        for device, body in self._words[carton_id]:
            key = (body.rollout, device, body.model_set)
            # Whose word is the candidate's is known when somebody asks: both are kept.
            for name, word in (("said", body.said), ("stood", body.stood)):
                if overrides(word, answer):
                    known = self._signals[key].get(name, Tally())
                    self._signals[key][name] = Tally(known.frames, known.bad + 1)

    def shown(self, state: Rollout) -> Shown:
        return shown_by(
            state,
            [
                BoxTally(device, model_set, _with_overrides(state, model_set, signals))
                for (rollout, device, model_set), signals in self._signals.items()
                if rollout == state.rollout
            ],
        )


def _with_overrides(
    state: Rollout, model_set: str, signals: Mapping[str, Tally]
) -> Mapping[str, Tally]:
    against = signals.get("said" if model_set == state.plan.candidate else "stood", Tally())
    plain = {name: tally for name, tally in signals.items() if name not in ("said", "stood")}
    frames = plain.get("override", Tally()).frames
    return {**plain, "override": Tally(frames, min(frames, against.bad))}
