"""What a page shows of a mission: where it is, since when, and what is wrong with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agv_bridge.missions import reasons
from agv_bridge.missions.mission import Mission
from agv_bridge.missions.vehicles import Vehicle
from contracts.reason import Reason
from contracts.stock import BatchKey, TransportKind, TransportOrder, TransportState

NONE_FREE = "agv_none_free"
OFFLINE = "agv_offline"


@dataclass(frozen=True, slots=True)
class MissionSnapshot:
    """One transport order that is not done, with the vehicle that has it."""

    order_id: str
    kind: TransportKind
    load_id: str
    batch: BatchKey | None
    source: str
    target: str
    vehicle: str
    """Empty while no vehicle has it."""
    step: TransportState
    """REQUESTED, SENT, ACCEPTED, PICKED; FAILED while it waits for a person."""
    since: datetime | None
    """Since when it stands at this step, by the bridge's clock."""
    trouble: Reason | None
    """What keeps it, or will soon make it a task; None while all is well."""
    load_read: str | None
    """The load as the vehicle reads it, once it has one on board."""


def waiting(order: TransportOrder, trouble: Reason | None) -> MissionSnapshot:
    """An order that no vehicle has."""
    return _snapshot(order, "", TransportState.REQUESTED, order.requested_at, trouble, None)


def under_way(mission: Mission, vehicle: Vehicle | None, *, stop: Reason | None) -> MissionSnapshot:
    """An order that a vehicle has, or had when it failed."""
    step = TransportState.FAILED if mission.failed else mission.reached
    return _snapshot(
        mission.order,
        mission.vehicle,
        step,
        mission.stepped_at or mission.watched_since,
        _trouble(mission, vehicle, stop),
        mission.load_seen,
    )


def age_of(shown: MissionSnapshot, order: TransportOrder) -> tuple[float, str]:
    """Sorts the oldest order first."""
    asked = order.requested_at
    return asked.timestamp() if asked is not None else 0.0, shown.order_id


def _trouble(mission: Mission, vehicle: Vehicle | None, stop: Reason | None) -> Reason | None:
    """The gravest thing: what made it a task, why it is being stopped, what the vehicle lacks."""
    named: dict[str, str | int | float] = {
        "order": mission.order.order_id,
        "vehicle": mission.vehicle,
    }
    if mission.failed:
        return Reason(mission.failed, named)
    if stop is not None:
        return stop
    if vehicle is not None and vehicle.is_lost:
        return Reason(OFFLINE, named)
    if mission.disputed_since is not None:
        picked = mission.has(TransportState.PICKED)
        return Reason(reasons.LOAD_REMAINS if picked else reasons.LOAD_MISSING, named)
    if mission.load_seen not in {None, mission.order.load_id}:
        return Reason(reasons.LOAD_MISMATCH, named)
    return None


def _snapshot(
    order: TransportOrder,
    vehicle: str,
    step: TransportState,
    since: datetime | None,
    trouble: Reason | None,
    load_read: str | None,
) -> MissionSnapshot:
    return MissionSnapshot(
        order_id=order.order_id,
        kind=order.kind,
        load_id=order.load_id,
        batch=order.batch,
        source=order.source,
        target=order.target,
        vehicle=vehicle,
        step=step,
        since=since,
        trouble=trouble,
        load_read=load_read,
    )
