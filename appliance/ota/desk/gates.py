"""The gates of rollouts for the desk: evidence once a tick, a view for pages."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.ota.rollouts import GateView
from ota.gates.gate import GateDecision
from ota.rollout.boxes import BoxCounts, Fleet
from ota.rollout.gating import Shown, counts_of, look, policy_of
from ota.rollout.ports import Evidence
from ota.rollout.state import Gate, Rollout


class Gates:
    """Not safe by itself: its owner holds a lock."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._shown: dict[str, Shown] = {}

    def forget(self) -> None:
        """Ask for the evidence again: once a tick is enough."""
        self._shown = {}

    def shown(self, state: Rollout) -> Shown:
        found = self._shown.get(state.rollout)
        if found is None:
            found = self._shown[state.rollout] = self._evidence.shown(state)
        return found

    def view(self, state: Rollout, fleet: Fleet) -> GateView | None:
        """The gate that is open or was last; None before the first."""
        if state.gate is None:
            return None
        found = self._look(state, state.gate, fleet)
        if found is None:
            return None
        decision, counts = found
        gate = state.gate
        return GateView(
            gate.wave,
            gate.role,
            gate.number,
            policy_of(state, gate).abort_at,
            decision,
            {
                box: {signal.value: (c.frames, c.events) for signal, c in each.items()}
                for box, each in counts.items()
            },
        )

    def _look(
        self, state: Rollout, gate: Gate, fleet: Fleet
    ) -> tuple[GateDecision, Mapping[str, BoxCounts]] | None:
        shown = self.shown(state)
        gone = [box for box in gate.boxes if box not in fleet or not fleet[box].live]
        decision = look(state, shown, gone=gone)
        return None if decision is None else (decision, counts_of(state, gate, shown))
