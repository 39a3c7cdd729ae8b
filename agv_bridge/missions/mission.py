"""What a vehicle's states mean for one transport order. Pure (I1, I2).

A state is a snapshot: any may be missing, doubled, late or replayed. So a mission only ever joins
facts (accepted < picked < dropped), each proved by one snapshot alone, and never waits for a
transition. Facts stand in any order of arrival; the steps reported are always the same.

A pick or drop counts when its action is FINISHED and the load agrees: something on board after a
pick, nothing after a drop, or a vehicle that cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agv_bridge.missions.orders import Leg
from agv_bridge.missions.vehicles import Vehicle, silent_for
from agv_bridge.vda5050.messages import FAILED, FINISHED, State
from contracts.stock import OpenTransport, TransportOrder, TransportProgress, TransportState

_STEPS = (
    TransportState.SENT,
    TransportState.ACCEPTED,
    TransportState.PICKED,
    TransportState.DROPPED,
)

REJECTED = "agv_rejected"
NO_ANSWER = "agv_no_answer"
REFUSED_BY_ALL = "agv_refused_by_all"
FORGOT_ORDER = "agv_forgot_order"
FORGOT_LOAD = "agv_forgot_load"
LOST_BEFORE_PICK = "agv_lost_before_pick"
LOST_WITH_LOAD = "agv_lost_with_load"
SILENT = "agv_silent"
PICK_FAILED = "agv_pick_failed"
DROP_FAILED = "agv_drop_failed"
LOAD_MISSING = "agv_load_missing"
LOAD_REMAINS = "agv_load_remains"
LOAD_MISMATCH = "agv_load_mismatch"
OVERDUE = "agv_overdue"
KNOWN = "agv_failed_before"
"""Failed before this process began; its ticket says why."""

NOT_AGAIN = frozenset({REJECTED, NO_ANSWER})
"""After these the same vehicle is not asked again; a lost or rebooted one may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the bridge is."""

    resend: timedelta = timedelta(seconds=5)
    accept: timedelta = timedelta(seconds=30)
    """An order not taken up within this time goes back to the queue."""
    lost: timedelta = timedelta(seconds=30)
    """How long a vehicle may be offline before it counts as lost."""
    silent: timedelta = timedelta(seconds=90)
    """Three of the 30 s within which a state must come."""
    dispute: timedelta = timedelta(seconds=60)
    """How long an action may be FINISHED while the load says otherwise."""
    overdue: timedelta = timedelta(minutes=30)


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
        return bool(self.failed) or self.reached is TransportState.DROPPED

    def has(self, step: TransportState) -> bool:
        return _STEPS.index(self.reached) >= _STEPS.index(step)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Publish the same order again; a vehicle that has it ignores it."""


@dataclass(frozen=True, slots=True)
class Requeue:
    """Give the order back to the queue: nothing was picked up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A person must look."""

    reason: str


Decision = Wait | Resend | Requeue | Fail


def restore(known: OpenTransport, *, now: datetime) -> Mission:
    """The mission of an order that the core says is open, after a restart."""
    failed = known.state is TransportState.FAILED
    return Mission(
        Leg.of(known.order),
        known.vehicle,
        assigned=True,
        watched_since=now,
        reached=known.state if known.state in _STEPS else TransportState.SENT,
        failed=KNOWN if failed else "",
        stepped_at=known.since,
    )


def speaks_of(state: State, leg: Leg) -> bool:
    return state.order_id == leg.order.order_id or any(
        action.action_id in {leg.pick_id, leg.drop_id} for action in state.action_states
    )


def observe(
    mission: Mission, state: State, *, at: datetime
) -> tuple[Mission, tuple[TransportProgress, ...]]:
    """The mission after one state, and the steps to report, each once and in order."""
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
    if failed and after.assigned and not after.is_over:
        after = replace(after, failed=failed)
    return after, _progress(mission, after, at=at)


def note_newest(mission: Mission, state: State, *, at: datetime) -> Mission:
    """What only the newest state can say: whether the vehicle forgot the order, or says FINISHED
    while the load says otherwise.
    """
    spoken = speaks_of(state, mission.leg)
    finished_more = (
        state.action(mission.leg.drop_id) == FINISHED and not mission.has(TransportState.DROPPED)
    ) or (state.action(mission.leg.pick_id) == FINISHED and not mission.has(TransportState.PICKED))
    return replace(
        mission,
        missing_since=None if spoken else (mission.missing_since or at),
        disputed_since=(mission.disputed_since or at) if spoken and finished_more else None,
    )


def follow(mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits) -> Decision:
    """What to do about a mission that is under way and not over."""
    if _is_rejected(mission, vehicle):
        return Requeue(REJECTED)
    if not mission.has(TransportState.ACCEPTED):
        return _follow_unaccepted(mission, vehicle, now=now, limits=limits)
    trouble = _trouble(mission, vehicle, now=now, limits=limits)
    if not trouble:
        return Wait()
    # Goods that nobody took may be fetched by another; goods on board need a person.
    return Requeue(trouble) if trouble in {LOST_BEFORE_PICK, FORGOT_ORDER} else Fail(trouble)


def may_cancel(mission: Mission, *, now: datetime, limits: Limits) -> bool:
    """Whether `cancelOrder` is due: not after the pick, since goods on board go where the vehicle
    was told and are booked as seen; and not again at once.
    """
    picked = mission.has(TransportState.PICKED)
    lately = mission.cancelled_at is not None and now - mission.cancelled_at < limits.resend
    return not picked and not lately


def step(
    mission: Mission, state: TransportState, *, at: datetime, reason: str = ""
) -> TransportProgress:
    """One line for the core about a mission."""
    match state:
        case TransportState.PICKED:
            action, location = mission.leg.pick_id, mission.order.source
        case TransportState.DROPPED:
            action, location = mission.leg.drop_id, mission.order.target
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


def _trouble(mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits) -> str:
    """The first thing wrong with an accepted mission; empty while all is well."""
    since, picked = mission.watched_since, mission.has(TransportState.PICKED)
    lost_at = vehicle.lost_at if vehicle is not None else None

    def longer(start: datetime | None, patience: timedelta) -> bool:
        return start is not None and now - max(start, since) > patience

    silent = lost_at is None and silent_for(vehicle, since=since, now=now) > limits.silent
    checks = (
        (longer(lost_at, limits.lost), LOST_WITH_LOAD if picked else LOST_BEFORE_PICK),
        (silent, SILENT),
        (
            longer(mission.missing_since, limits.dispute),
            FORGOT_LOAD if picked else FORGOT_ORDER,
        ),
        (
            longer(mission.disputed_since, limits.dispute),
            LOAD_REMAINS if picked else LOAD_MISSING,
        ),
        (longer(since, limits.overdue), OVERDUE),
    )
    return next((reason for wrong, reason in checks if wrong), "")


def _follow_unaccepted(
    mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits
) -> Decision:
    if now - mission.watched_since > limits.accept:
        lost = vehicle is not None and vehicle.is_lost
        return Requeue(LOST_BEFORE_PICK if lost else NO_ANSWER)
    if now - (mission.published_at or mission.watched_since) > limits.resend:
        return Resend()
    return Wait()


def _is_rejected(mission: Mission, vehicle: Vehicle | None) -> bool:
    if mission.has(TransportState.ACCEPTED) or vehicle is None or vehicle.state is None:
        return False
    return any(error.is_about("orderId", mission.order.order_id) for error in vehicle.state.errors)


def _facts(state: State, leg: Leg) -> tuple[bool, bool]:
    """Whether this one state proves the pick, and the drop."""
    on_board, unknown = bool(state.loads), state.loads is None
    pick, drop = state.action(leg.pick_id), state.action(leg.drop_id)
    dropped = drop == FINISHED and pick != FAILED and not on_board
    picked = dropped or (pick == FINISHED and (on_board or unknown))
    return picked, dropped


def _failure(state: State, leg: Leg) -> str:
    if state.action(leg.pick_id) == FAILED:
        return PICK_FAILED
    return DROP_FAILED if state.action(leg.drop_id) == FAILED else ""


def _load_on_board(state: State, ordered: str) -> str | None:
    named = [load.load_id for load in state.loads or () if load.load_id]
    if ordered in named:
        return ordered
    return named[0] if named else None


def _progress(before: Mission, after: Mission, *, at: datetime) -> tuple[TransportProgress, ...]:
    steps = _STEPS[_STEPS.index(before.reached) + 1 : _STEPS.index(after.reached) + 1]
    mismatch = after.load_seen is not None and after.load_seen != after.order.load_id
    told = mismatch and before.load_seen == after.load_seen
    lines: list[TransportProgress] = []
    for state in steps:
        if state is TransportState.ACCEPTED and not after.assigned:
            continue
        reason = LOAD_MISMATCH if state is TransportState.PICKED and mismatch else ""
        told = told or bool(reason)
        lines.append(step(after, state, at=at, reason=reason))
    if mismatch and not told:
        # The reading came after the pick was reported: say it again, with the load.
        lines.append(step(after, TransportState.PICKED, at=at, reason=LOAD_MISMATCH))
    if after.failed and not before.failed:
        lines.append(step(after, TransportState.FAILED, at=at, reason=after.failed))
    return tuple(lines)
