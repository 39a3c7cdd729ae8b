"""What candidates have shown, from the core: shadow results that stations journaled, and what people
answered about the same cartons. Both are append-only there, so counting them again counts the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from contracts.ota import Tally
from erp_link.service.judging.answers import Answer
from ota.gates.gate import Signal
from ota.rollout.evidence import BoxTally, overrides, shown_by
from ota.rollout.gating import Shown
from ota.rollout.state import Rollout


class CountsShadows(Protocol):
    """A tally as the core's desk of the one judge gives it."""

    @property
    def device(self) -> str: ...
    @property
    def model_set(self) -> str: ...
    @property
    def signals(self) -> dict[str, Tally]: ...


class CoreEvidence:
    """ota.rollout.ports.Evidence."""

    def __init__(
        self,
        tallies: Callable[[str], Sequence[CountsShadows]],
        answers: Callable[[str], Sequence[Answer]],
        *,
        every_s: float = 1.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tallies = tallies
        self._answers = answers
        self._every_s = every_s
        self._seconds = seconds
        self._known: dict[str, tuple[float, Shown]] = {}

    def shown(self, state: Rollout) -> Shown:
        """Counted at most every so often: boxes report many times a second, and each report asks."""
        now = self._seconds()
        known = self._known.get(state.rollout)
        if known is None or now - known[0] >= self._every_s:
            known = self._known[state.rollout] = (now, self._count(state))
        return known[1]

    def _count(self, state: Rollout) -> Shown:
        against = self._against(state)
        found = [
            BoxTally(
                each.device,
                each.model_set,
                _with_overrides(each.signals, len(against.get((each.device, each.model_set), ()))),
            )
            for each in self._tallies(state.rollout)
        ]
        return shown_by(state, found)

    def _against(self, state: Rollout) -> dict[tuple[str, str], set[str]]:
        """Cartons whose answer went against the candidate, by box and shadow."""
        found: dict[tuple[str, str], set[str]] = {}
        for each in self._answers(state.rollout):
            word = each.said if each.model_set == state.plan.candidate else each.stood
            if overrides(word, each.answer):
                found.setdefault((each.device, each.model_set), set()).add(each.carton_id)
        return found


def _with_overrides(signals: dict[str, Tally], bad: int) -> dict[str, Tally]:
    frames = max((each.frames for each in signals.values()), default=0)
    return {**signals, Signal.OVERRIDE.value: Tally(frames, min(frames, bad))}
