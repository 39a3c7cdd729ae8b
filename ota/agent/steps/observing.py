"""What the agent sees of the edge: its newest word, how long it is silent, and what became of a set
on probation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from contracts.errors import BadInputError
from contracts.reason import Reason
from ota.agent.files import Files
from ota.agent.handover import Active, Running, read_running
from ota.agent.steps.probation import Outcome, Probation, Watched, judge, unsettled, watch
from ota.agent.steps.state import State

_SILENT_S = 60.0
"""Many times what an edge leaves between two words (ota.agent.handover.BEAT_S)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`outcome` is None where nothing is on probation. `watched` goes into the state; `must_keep`
    says that it must outlive this process: the edge started once more, or ran for a while longer.
    """

    outcome: Outcome | None
    state: State
    must_keep: bool = False


class Observer:
    """`running` is the edge's newest word that could be read, None before its first; `pins_known`:
    that it is the newest indeed, so that what it pins may be relied on.
    """

    def __init__(self, files: Files, policy: Probation, *, monotonic: Callable[[], float]) -> None:
        self._files, self._policy, self._monotonic = files, policy, monotonic
        self._heard_at = self._switched_at = self._looked_at = monotonic()
        self.running: Running | None = None
        self.pins_known = False

    def switched(self) -> None:
        """The edge was just told to run something else."""
        self._switched_at = self._monotonic()

    def silence(self) -> Reason | None:
        """That the edge said nothing for long: what it runs is then its last word, no fresh one."""
        silent_s = self._monotonic() - self._heard_at
        if self.running is None or silent_s <= _SILENT_S:
            return None
        return Reason("ota_edge_silent", {"minutes": round(silent_s / 60)})

    def late_share(self, lane: str) -> float:
        """Of the cartons under the set that runs now; 0 where nothing is known."""
        now = self.running.lanes.get(lane) if self.running else None
        return now.late / now.cartons if now is not None and now.cartons else 0.0

    def look(self, active: Active, state: State) -> Seen:
        """Read the edge's word and judge what is on probation."""
        try:
            running = read_running(self._files)
            self.pins_known = running is not None
        except BadInputError:
            running, self.pins_known = self.running, False
        now = self._monotonic()
        passed_s, self._looked_at = now - self._looked_at, now
        if running != self.running:
            self._heard_at = now
        self.running = running
        lanes = unsettled(active, state.settled)
        if not lanes:
            return Seen(None, state)
        watched = watch(state.watched, lanes, running, passed_s=passed_s)
        outcome = judge(
            lanes,
            watched,
            running,
            self._policy,
            silent_s=now - self._heard_at,
            waited_s=now - self._switched_at,
            late_before=state.late_before,
        )
        kept = {lane: dict(seen) for lane, seen in watched.items()}
        # What must outlive the agent: which starts of the edge there were, and how long each lasted.
        again = self._periods(kept) != self._periods(state.watched)
        return Seen(outcome, replace(state, watched=kept), must_keep=again)

    def _periods(self, watched: Watched) -> set[tuple[str, str, int]]:
        period_us = max(round(self._policy.least_s * 1_000_000), 1_000_000)
        return {
            (lane, boot, each.ran_us // period_us)
            for lane, seen in watched.items()
            for boot, each in seen.items()
        }
