"""What a vehicle's states mean for one transport order. Pure (I1, I2).

A state is a snapshot: any may be missing, doubled, late or replayed. So a mission only ever joins
facts (accepted < picked < dropped), each proved by one snapshot alone, and never waits for a
transition. Facts stand in any order of arrival; the steps reported are always the same.

A pick or drop counts when its action is FINISHED and the load agrees: something on board after a
pick, nothing after a drop, or a vehicle that cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from agv_bridge.missions import reasons
from agv_bridge.missions.orders import Leg
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.messages import FAILED, FINISHED, State
from contracts.stock import OpenTransport, TransportOrder, TransportProgress, TransportState

_LONGEST_LOAD = 200
_STEPS = (
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
)


@dataclass(frozen=True, slots=True)
class Mission:
    """One order on one vehicle."""

    leg: Leg
    vehicle: str
    assigned: bool
    """False: taken away again, or never given by us but seen on the vehicle."""
    watched_since: datetime
    """When this process began to watch: patience counts from here, not from before a restart."""
    reached: TransportState = TransportState.SENT
    load_seen: str | None = None
    failed: str = ""
    stopped: bool = False
    """It was withdrawn, and the vehicle does not go on with it."""
    published_at: datetime | None = None
    disputed_since: datetime | None = None
    missing_since: datetime | None = None
    cancelled_at: datetime | None = None
    stepped_at: datetime | None = None
    """When this process saw it reach where it is; after a restart, when it was sent."""

    @property
    def order(self) -> TransportOrder:
        return self.leg.order

    @property
    def is_over(self) -> bool:
        return bool(self.failed) or self.stopped or self.reached is TransportState.DROPPED

    @property
    def is_carried(self) -> bool:
        """Whether a vehicle has the order now."""
        return self.assigned and not self.is_over

    def has(self, step: TransportState) -> bool:
        return _is_at_least(self.reached, step)


def restore(known: OpenTransport, *, now: datetime) -> Mission:
    """The mission of an order that the core says is open, after a restart."""
    failed = known.state is TransportState.FAILED
    return Mission(
        Leg.of(known.order),
        known.vehicle,
        assigned=True,
        watched_since=now,
        reached=known.state if known.state in _STEPS else TransportState.SENT,
        failed=reasons.KNOWN if failed else "",
        stepped_at=known.since,
    )


def is_further(mission: Mission, known: TransportState) -> bool:
    """Whether more happened than the core knows."""
    if known not in _STEPS or mission.stopped or not (mission.assigned or mission.failed):
        return known is TransportState.FAILED and mission.reached is TransportState.DROPPED
    return bool(mission.failed) or not _is_at_least(known, mission.reached)


def say_again(mission: Mission, *, at: datetime) -> TransportProgress:
    """The newest step once more; the core counts each once."""
    if mission.failed and mission.reached is not TransportState.DROPPED:
        return step(mission, TransportState.FAILED, at=at, reason=mission.failed)
    return step(mission, mission.reached, at=mission.stepped_at or at)


def speaks_of(state: State, leg: Leg) -> bool:
    return state.order_id == leg.order.order_id or any(
        action.action_id in {leg.pick_id, leg.drop_id} for action in state.action_states
    )


def works_on(mission: Mission, vehicle: Vehicle | None) -> bool:
    """Whether the vehicle has the order under way, by its newest state."""
    state = vehicle.state if vehicle is not None else None
    return state is not None and state.is_working and speaks_of(state, mission.leg)


def observe(
    mission: Mission, state: State, *, at: datetime, stopping: bool = False
) -> tuple[Mission, tuple[TransportProgress, ...]]:
    """The mission after one state, and the steps to report, each once and in order.

    stopping: it was withdrawn, so that actions FAIL because of our cancel and need no person.
    """
    leg = mission.leg
    if not speaks_of(state, leg):
        return mission, ()
    picked_ok, dropped_ok = _facts(state, leg)
    reached = TransportState.ACCEPTED
    if dropped_ok:
        reached = TransportState.DROPPED
    elif picked_ok:
        reached = TransportState.PICKED
    after = mission
    if not mission.has(reached):
        after = replace(after, reached=reached, stepped_at=at)
    if after.has(TransportState.PICKED):
        # Whoever carries the goods has the order, whatever was decided meanwhile.
        after = replace(after, assigned=True)
    if picked_ok and not dropped_ok and state.loads:
        seen = _load_on_board(state, leg.order.load_id)
        after = replace(after, load_seen=mission.load_seen or seen)
    failed = _failure(state, leg)
    if failed and after.assigned and not after.is_over and not stopping:
        after = replace(after, failed=failed)
    return after, _progress(mission, after, at=at)


def note_newest(mission: Mission, state: State, *, at: datetime) -> Mission:
    """What only the newest state can say: whether the vehicle forgot the order, or says FINISHED
    while the load says otherwise.
    """
    spoken = speaks_of(state, mission.leg)
    leg, picked = mission.leg, mission.has(TransportState.PICKED)
    finished_more = (
        state.action(leg.drop_id) == FINISHED and not mission.has(TransportState.DROPPED)
    ) or ((leg.is_on_board or state.action(leg.pick_id) == FINISHED) and not picked)
    missing = None if spoken else (mission.missing_since or at)
    disputed = (mission.disputed_since or at) if spoken and finished_more else None
    if (missing, disputed) == (mission.missing_since, mission.disputed_since):
        return mission
    return replace(mission, missing_since=missing, disputed_since=disputed)


def step(
    mission: Mission, state: TransportState, *, at: datetime, reason: str = ""
) -> TransportProgress:
    """One line for the core about a mission."""
    match state:
        case TransportState.PICKED:
            action, location = mission.leg.pick_id, mission.order.source
        case TransportState.DROPPED:
            action, location = mission.leg.drop_id, mission.order.target
        case TransportState.CANCELLED if mission.has(TransportState.PICKED):
            # Another line than that of an order stopped before its pick.
            action, location = mission.leg.drop_id, ""
        case _:
            action, location = "", ""
    return TransportProgress(
        mission.order.order_id,
        state,
        mission.vehicle,
        at,
        action,
        mission.load_seen,
        location,
        reason,
    )


def _is_at_least(reached: TransportState, step: TransportState) -> bool:
    return _STEPS.index(reached) >= _STEPS.index(step)


def _facts(state: State, leg: Leg) -> tuple[bool, bool]:
    """Whether this one state proves the pick, and the drop. Goods that were on board before the
    order count as picked once the vehicle has it.
    """
    on_board, unknown = bool(state.loads), state.loads is None
    pick, drop = state.action(leg.pick_id), state.action(leg.drop_id)
    dropped = drop == FINISHED and pick != FAILED and not on_board
    taken = leg.is_on_board or pick == FINISHED
    return dropped or (taken and (on_board or unknown)), dropped


def _failure(state: State, leg: Leg) -> str:
    if state.action(leg.pick_id) == FAILED:
        return reasons.PICK_FAILED
    return reasons.DROP_FAILED if state.action(leg.drop_id) == FAILED else ""


def _load_on_board(state: State, ordered: str) -> str | None:
    named = [load.load_id for load in state.loads or () if load.load_id]
    if ordered in named:
        return ordered
    return _writable(named[0]) if named else None


def _writable(name: str) -> str:
    """A reader on a vehicle may read anything; a database takes no NUL, and a page no control
    characters.
    """
    return "".join(sign if sign.isprintable() else "?" for sign in name[:_LONGEST_LOAD])


def _progress(before: Mission, after: Mission, *, at: datetime) -> tuple[TransportProgress, ...]:
    steps = _STEPS[_STEPS.index(before.reached) + 1 : _STEPS.index(after.reached) + 1]
    mismatch = after.load_seen is not None and after.load_seen != after.order.load_id
    told = mismatch and before.load_seen == after.load_seen
    lines: list[TransportProgress] = []
    for state in steps:
        if state is TransportState.ACCEPTED and not after.assigned:
            continue
        reason = reasons.LOAD_MISMATCH if state is TransportState.PICKED and mismatch else ""
        told = told or bool(reason)
        lines.append(step(after, state, at=at, reason=reason))
    if mismatch and not told:
        # The reading came after the pick was reported: say it again, with the load.
        lines.append(step(after, TransportState.PICKED, at=at, reason=reasons.LOAD_MISMATCH))
    if after.failed and not before.failed:
        lines.append(step(after, TransportState.FAILED, at=at, reason=after.failed))
    return tuple(lines)
