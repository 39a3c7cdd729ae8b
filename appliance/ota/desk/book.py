"""All rollouts as they stand, beside the store that keeps what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.errors import ConflictError, NotFoundError
from ota.rollout.events import Event, Recorded
from ota.rollout.ports import RolloutStore
from ota.rollout.state import Phase, Rollout, apply, begin, fold


class RolloutBook:
    """Not safe by itself: its owner holds a lock."""

    def __init__(self, store: RolloutStore) -> None:
        self._store = store
        self._known: dict[str, Rollout] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Take over what others (a command line beside the hub) wrote; whether there was any."""
        heads = self._store.heads()
        moved = [name for name, last in heads.items() if self._at(name) != last]
        for name in moved:
            self._known[name] = fold(self._store.history(name))
        return bool(moved)

    def all(self) -> list[Rollout]:
        """Newest first."""
        return list(reversed(self._known.values()))

    def speaking(self) -> list[Rollout]:
        """Those that say something about boxes, newest first by when they began."""
        silent = (Phase.DRAFT, Phase.APPROVED, Phase.CANCELLED)
        return sorted(
            (each for each in self._known.values() if each.phase not in silent),
            key=lambda each: each.started_us,
            reverse=True,
        )

    def one(self, rollout: str) -> Rollout:
        """Raises NotFoundError."""
        state = self._known.get(rollout)
        if state is None:
            raise NotFoundError(
                f"There is no rollout {rollout[:80]!r}", mend="tallyman ota status lists them"
            )
        return state

    def is_newest(self, state: Rollout) -> bool:
        """Whether no rollout of the lane that came to boxes began after this one."""
        spoke = [each for each in self.speaking() if each.plan.lane == state.plan.lane]
        return bool(spoke) and spoke[0].rollout == state.rollout

    def lane_taken(self, state: Rollout) -> bool:
        """Whether another rollout of its lane is under way or on its way back."""
        return any(
            each.plan.lane == state.plan.lane
            and each.rollout != state.rollout
            and (each.under_way or each.phase is Phase.RETURNING)
            for each in self._known.values()
        )

    def add(self, rollout: str, events: Sequence[Event], *, who: str, at_us: int) -> Rollout:
        """Write events behind what is known. Raises ConflictError where others were faster."""
        recorded = self._store.append(
            rollout, after=self._at(rollout), events=events, who=who, at_us=at_us
        )
        return self._take(rollout, recorded)

    def command(
        self, rollout: str, decide: Callable[[Rollout], Sequence[Event]], *, who: str, at_us: int
    ) -> Rollout:
        """What a person asks for, decided over the state as it is in the store. Raises what
        `decide` raises, NotFoundError.
        """
        for last_try in (False, True):
            self.refresh()
            state = self.one(rollout)
            events = decide(state)
            if not events:
                return state
            try:
                return self.add(rollout, events, who=who, at_us=at_us)
            except ConflictError:
                if last_try:
                    raise
        raise AssertionError

    def _take(self, rollout: str, recorded: Sequence[Recorded]) -> Rollout:
        state = self._known.get(rollout)
        for each in recorded:
            state = begin(each) if state is None else apply(state, each)
        if state is None:
            raise ConflictError(f"Nothing happened in rollout {rollout}")
        self._known[rollout] = state
        return state

    def _at(self, rollout: str) -> int:
        state = self._known.get(rollout)
        return state.events if state else 0
