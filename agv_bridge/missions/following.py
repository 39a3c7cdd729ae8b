"""What to do about a mission that is under way: wait, say it again, stop it, give it to another, or
call a person. Pure. Every wait ends: nothing stays stuck until a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from agv_bridge.missions import reasons
from agv_bridge.missions.mission import Mission, speaks_of, works_on
from agv_bridge.missions.orders import cancel_id
from agv_bridge.missions.vehicles import Vehicle, silent_for
from agv_bridge.vda5050.messages import FAILED, FINISHED, State
from contracts.stock import TransportState


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the bridge is."""

    resend: timedelta = timedelta(seconds=5)
    """Orders and cancels are said again after this time until they are heard."""
    accept: timedelta = timedelta(seconds=30)
    """An order not taken up within this time goes back to the queue."""
    lost: timedelta = timedelta(seconds=30)
    """How long a vehicle may be offline before it counts as lost."""
    silent: timedelta = timedelta(seconds=90)
    """Three of the 30 s within which a state must come."""
    dispute: timedelta = timedelta(seconds=60)
    """How long an action may be FINISHED while the load says otherwise."""
    overdue: timedelta = timedelta(minutes=30)
    again: timedelta = timedelta(minutes=5)
    """A vehicle that rejected an order, or did not answer, is not asked again before."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Publish the same order again; a vehicle that has it ignores it."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Tell the vehicle to stop: cancelOrder."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The vehicle does not go on with it: tell the core, which asks anew for the goods."""


@dataclass(frozen=True, slots=True)
class Requeue:
    """Give the order back to the queue: nothing was picked up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A person must look."""

    reason: str


Decision = Wait | Resend | Cancel | Withdraw | Requeue | Fail


def follow(
    mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits, stop: bool = False
) -> Decision:
    """What to do about a mission that is under way and not over. stop: it must not go on."""
    if stop:
        return _follow_stopping(mission, vehicle, now=now, limits=limits)
    if _is_rejected(mission, vehicle):
        return Requeue(reasons.REJECTED)
    if not mission.has(TransportState.ACCEPTED):
        if now - mission.watched_since > limits.accept:
            return _unanswered(vehicle)
        published = mission.published_at or mission.watched_since
        return Resend() if now - published > limits.resend else Wait()
    return _follow_trouble(mission, vehicle, now=now, limits=limits)


def may_cancel(mission: Mission, *, now: datetime, limits: Limits) -> bool:
    """Whether `cancelOrder` may be said: not again at once."""
    return mission.cancelled_at is None or now - mission.cancelled_at >= limits.resend


def why_give_up(
    vehicle: Vehicle | None,
    *,
    since: datetime,
    now: datetime,
    limits: Limits,
) -> str:
    """Why goods on board cannot wait any longer for their vehicle to take the order; empty while
    they can. since: when the order was first seen waiting.
    """
    if vehicle is None or vehicle.state is None:
        return reasons.LOST_WITH_LOAD if now - since > limits.silent else ""
    if vehicle.lost_at is not None and now - max(vehicle.lost_at, since) > limits.lost:
        return reasons.LOST_WITH_LOAD
    if vehicle.lost_at is None and silent_for(vehicle, since=since, now=now) > limits.silent:
        return reasons.SILENT
    if vehicle.state.loads == () and now - since > limits.dispute:
        return reasons.FORGOT_LOAD
    return reasons.OVERDUE if now - since > limits.overdue else ""


def _follow_stopping(
    mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits
) -> Decision:
    """Before the pick and after it: cancelOrder, let the action under way end, then see where the
    goods are. One that came too late drops, and the core has them fetched from there.
    """
    if mission.has(TransportState.ACCEPTED):
        trouble = _follow_trouble(mission, vehicle, now=now, limits=limits)
        if trouble != Wait():
            return trouble
        if _stands(mission, vehicle):
            return Withdraw()
        due = works_on(mission, vehicle) and may_cancel(mission, now=now, limits=limits)
        return Cancel() if due else Wait()
    if _is_rejected(mission, vehicle) or _never_had(mission, vehicle):
        return Withdraw()
    if now - mission.watched_since > limits.accept:
        return _unanswered(vehicle)
    return Cancel() if may_cancel(mission, now=now, limits=limits) else Wait()


def _unanswered(vehicle: Vehicle | None) -> Decision:
    lost = vehicle is not None and vehicle.is_lost
    return Requeue(reasons.LOST_BEFORE_PICK if lost else reasons.NO_ANSWER)


def _follow_trouble(
    mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits
) -> Decision:
    trouble = _trouble(mission, vehicle, now=now, limits=limits)
    if not trouble:
        return Wait()
    return Requeue(trouble) if trouble in reasons.BACK_TO_QUEUE else Fail(trouble)


def _trouble(mission: Mission, vehicle: Vehicle | None, *, now: datetime, limits: Limits) -> str:
    """The first thing wrong with an accepted mission; empty while all is well."""
    since, picked = mission.watched_since, mission.has(TransportState.PICKED)
    lost_at = vehicle.lost_at if vehicle is not None else None

    def longer(start: datetime | None, patience: timedelta) -> bool:
        return start is not None and now - max(start, since) > patience

    silent = lost_at is None and silent_for(vehicle, since=since, now=now) > limits.silent
    checks = (
        (
            longer(lost_at, limits.lost),
            reasons.LOST_WITH_LOAD if picked else reasons.LOST_BEFORE_PICK,
        ),
        (silent, reasons.SILENT),
        (
            longer(mission.missing_since, limits.dispute),
            reasons.FORGOT_LOAD if picked else reasons.FORGOT_ORDER,
        ),
        (
            longer(mission.disputed_since, limits.dispute),
            reasons.LOAD_REMAINS if picked else reasons.LOAD_MISSING,
        ),
        (longer(since, limits.overdue), reasons.OVERDUE),
    )
    return next((reason for wrong, reason in checks if wrong), "")


def _is_rejected(mission: Mission, vehicle: Vehicle | None) -> bool:
    if mission.has(TransportState.ACCEPTED) or vehicle is None or vehicle.state is None:
        return False
    return any(error.is_about("orderId", mission.order.order_id) for error in vehicle.state.errors)


def _stands(mission: Mission, vehicle: Vehicle | None) -> bool:
    """The vehicle knows the order, works on it no more, and it is clear where the goods are."""
    state = vehicle.state if vehicle is not None else None
    if state is None or mission.disputed_since is not None:
        return False
    return speaks_of(state, mission.leg) and not state.is_working


def _never_had(mission: Mission, vehicle: Vehicle | None) -> bool:
    """The cancel was answered, by a vehicle that knows nothing of the order."""
    state = vehicle.state if vehicle is not None else None
    if state is None or mission.cancelled_at is None or speaks_of(state, mission.leg):
        return False
    return _answer(state, cancel_id(mission.order.order_id)) in {FINISHED, FAILED}


def _answer(state: State, action_id: str) -> str | None:
    told = (*state.action_states, *state.instant_action_states)
    return next((each.action_status for each in told if each.action_id == action_id), None)
