"""Where a rollout stands: a pure fold over what happened. The same history is the same state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contracts.errors import ConflictError
from contracts.reason import Reason
from ota.rollout import events as e
from ota.rollout.plan import Plan


class Phase(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    STAGING = "staging"
    """The wave's cells fetch and prove the candidate."""
    SHADOW = "shadow"
    """It judges beside the running set on the wave's boxes."""
    RUNNING = "running"
    """The wave's boxes run it, cell by cell."""
    RETURNING = "returning"
    RETURNED = "returned"
    DONE = "done"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({Phase.STAGING, Phase.SHADOW, Phase.RUNNING})
ENDED = frozenset({Phase.RETURNED, Phase.DONE, Phase.CANCELLED})


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate that is open, or the last one that was. `number` counts the rollout's gates."""

    wave: int
    role: e.Role
    boxes: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout now. `events` is the number of the last event that is in it."""

    rollout: str
    plan: Plan
    phase: Phase = Phase.DRAFT
    events: int = 0
    drafted_by: str = ""
    drafted_us: int = 0
    approved_by: str = ""
    approved_us: int = 0
    started_us: int = 0
    changed_us: int = 0
    wave: int = 0
    members: dict[str, e.Member] = field(default_factory=dict)
    seed: int = 0
    gate: Gate | None = None
    gates: int = 0
    """Gates opened so far."""
    begun: frozenset[tuple[int, str]] = frozenset()
    """(wave, cell) that may run the candidate."""
    soak_from_us: int = 0
    """Since when all of the wave run it; 0 while some do not."""
    failed: dict[str, Reason] = field(default_factory=dict)
    counted_failed: dict[str, int] = field(default_factory=dict)
    """How often each box failed, also where it was asked again since."""
    skipped: frozenset[str] = frozenset()
    retries: dict[str, int] = field(default_factory=dict)
    """How often each box was asked once more: another assignment with the same words."""
    paused: bool = False
    asks: bool = False
    """The pause is the rollout's own: its figures stand, and a person decides (`Plan.decide`)."""
    decided: bool = False
    """Somebody did, and let it go live."""
    emergency: bool = False
    why: Reason | None = None
    """Why it ended, where it did not end well."""
    ran_anywhere: bool = False
    """Whether some box was told to run the candidate: then batches may have been judged by it."""
    reopened: int | None = None
    """Batches whose next generation was opened after a return; None: nobody did yet."""

    @property
    def under_way(self) -> bool:
        return self.phase in UNDER_WAY

    def of_wave(self, wave: int) -> list[e.Member]:
        """The boxes that get the candidate in this wave."""
        return [member for member in self.members.values() if member.wave == wave]

    def cells_of(self, wave: int) -> set[str]:
        return {member.cell for member in self.of_wave(wave)}


def begin(recorded: e.Recorded) -> Rollout:
    """The state after a rollout's first event. Raises ConflictError where that is no draft."""
    match recorded.event:
        case e.Drafted(plan):
            return Rollout(
                recorded.rollout,
                plan,
                events=recorded.number,
                drafted_by=recorded.who,
                drafted_us=recorded.at_us,
                changed_us=recorded.at_us,
            )
        case _:
            raise ConflictError(f"Rollout {recorded.rollout} does not begin with a draft")


def fold(history: Iterable[e.Recorded]) -> Rollout:
    """The state after a whole history. Raises ConflictError for an empty or broken one."""
    state: Rollout | None = None
    for each in history:
        state = begin(each) if state is None else apply(state, each)
    if state is None:
        raise ConflictError("A rollout without history is none")
    return state


def apply(state: Rollout, recorded: e.Recorded) -> Rollout:
    """The state after one more event. Raises ConflictError where it is not the next one."""
    if recorded.number != state.events + 1:
        raise ConflictError(
            f"Event {recorded.number} of rollout {state.rollout} does not follow {state.events}"
        )
    changed = _apply(state, recorded)
    return replace(changed, events=recorded.number, changed_us=recorded.at_us)


def _apply(state: Rollout, recorded: e.Recorded) -> Rollout:  # noqa: PLR0911 -- a case an event
    match recorded.event:
        case e.Drafted():
            raise ConflictError(f"Rollout {state.rollout} was drafted already")
        case e.Approved():
            return replace(
                state,
                phase=Phase.APPROVED,
                approved_by=recorded.who,
                approved_us=recorded.at_us,
            )
        case e.Started(members, seed):
            who = {each.device: each for each in members}
            return replace(state, members=who, seed=seed, started_us=recorded.at_us)
        case e.Joined(member):
            return replace(state, members={**state.members, member.device: member})
        case e.BoxFailed(device, reason):
            counted = {
                **state.counted_failed,
                device: state.counted_failed.get(device, 0) + 1,
            }
            return replace(state, failed={**state.failed, device: reason}, counted_failed=counted)
        case e.Retried(devices):
            left = {device: why for device, why in state.failed.items() if device not in devices}
            retries = {device: state.retries.get(device, 0) + 1 for device in devices}
            return replace(state, failed=left, retries={**state.retries, **retries})
        case e.Skipped(devices):
            return replace(state, skipped=state.skipped | set(devices))
        case e.Paused():
            return replace(state, paused=True, asks=recorded.who == e.SYSTEM)
        case e.Resumed():
            return replace(state, paused=False, asks=False, decided=state.decided or state.asks)
        case _:
            return _move(state, recorded)


def _move(state: Rollout, recorded: e.Recorded) -> Rollout:  # noqa: PLR0911, C901 -- a case an event
    """What brings it into another phase."""
    match recorded.event:
        case e.StagingBegan(wave):
            return replace(state, phase=Phase.STAGING, wave=wave, soak_from_us=0)
        case e.GateOpened(wave, role, boxes):
            phase = Phase.SHADOW if role is e.Role.SHADOW else Phase.RUNNING
            gate = Gate(wave, role, boxes, state.gates)
            return replace(state, phase=phase, gate=gate, gates=state.gates + 1)
        case e.CellRuns(wave, cell):
            return replace(
                state,
                phase=Phase.RUNNING,
                begun=state.begun | {(wave, cell)},
                ran_anywhere=True,
                soak_from_us=0,
            )
        case e.AllRunning():
            return replace(state, soak_from_us=recorded.at_us)
        case e.Aborted(reason, emergency):
            return replace(
                state,
                phase=Phase.RETURNING,
                why=reason,
                paused=False,
                emergency=state.emergency or emergency,
            )
        case e.RolledBack(why):
            told = Reason("ota_rolled_back", {"by": recorded.who, "why": why})
            return replace(state, phase=Phase.RETURNING, why=told, paused=False)
        case e.GenerationsOpened(batches):
            return replace(state, reopened=batches)
        case e.Returned():
            return replace(state, phase=Phase.RETURNED)
        case e.Finished():
            return replace(state, phase=Phase.DONE)
        case e.Cancelled(why):
            told = Reason("ota_cancelled", {"by": recorded.who, "why": why})
            if recorded.who == e.SYSTEM:
                told = Reason("ota_withdrawn", {"set": why})
            return replace(state, phase=Phase.CANCELLED, why=told)
        case _:  # a gate that was passed and a wave that is done are told, and change nothing
            return state
