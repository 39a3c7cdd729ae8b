"""What is known of each vehicle, folded from its messages. Pure.

A will arrives with an old header id and time, so connection messages count in order of arrival.
States count by the vehicle's own time: an older one that comes late does not undo a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agv_bridge.vda5050.messages import Connection, State, VehicleError
from agv_bridge.vda5050.topics import VehicleAddress

_LOST = frozenset({"OFFLINE", "CONNECTION_BROKEN"})
_WORKS_ALONE = frozenset({"AUTOMATIC", "SEMIAUTOMATIC"})
_CLOCK_WAS_SET_BACK = timedelta(seconds=60)
"""States come at least every 30 s; older ones for longer than this mean a clock set back."""
LOWEST_CHARGE_PERCENT = 15.0


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle as last heard. Times are ours, on arrival."""

    address: VehicleAddress
    version: str = ""
    connection: str = ""
    """ONLINE, OFFLINE, CONNECTION_BROKEN, HIBERNATING; empty when it never said."""
    lost_at: datetime | None = None
    state: State | None = None
    newest_at: datetime | None = None
    """When `state` came."""
    heard_at: datetime | None = None
    """When any state came, also an old one."""

    @property
    def name(self) -> str:
        return self.address.vehicle

    @property
    def is_lost(self) -> bool:
        return self.lost_at is not None


@dataclass(frozen=True, slots=True)
class VehicleSnapshot:
    """One row of the fleet page."""

    vehicle: str
    manufacturer: str
    serial: str
    version: str
    online: bool
    connection: str
    operating_mode: str
    x: float | None
    y: float | None
    theta: float | None
    map_id: str
    last_node: str
    driving: bool
    battery_percent: float | None
    charging: bool
    order_id: str
    """The order under way; empty when idle."""
    loads: tuple[str, ...] | None
    """Load ids as the vehicle reads them; None: it cannot tell."""
    errors: tuple[str, ...]
    updated_at: datetime | None


def hear_connection(vehicle: Vehicle, message: Connection, *, at: datetime) -> Vehicle:
    lost = message.connection_state in _LOST
    return replace(
        vehicle,
        connection=message.connection_state,
        version=message.version or vehicle.version,
        lost_at=(vehicle.lost_at or at) if lost else None,
    )


def hear_state(vehicle: Vehicle, state: State, *, at: datetime) -> Vehicle:
    """A newer state also ends a loss: the will of an earlier connection may come after it."""
    if not _is_newer(vehicle, state, at=at):
        return replace(vehicle, heard_at=at)
    back = vehicle.connection == "CONNECTION_BROKEN"
    return replace(
        vehicle,
        heard_at=at,
        state=state,
        newest_at=at,
        version=state.version or vehicle.version,
        connection="ONLINE" if back else vehicle.connection,
        lost_at=None if back else vehicle.lost_at,
    )


def silent_for(vehicle: Vehicle | None, *, since: datetime, now: datetime) -> timedelta:
    """How long nothing was heard of a vehicle, counted at most from `since`."""
    heard = vehicle.heard_at if vehicle is not None else None
    return now - (max(heard, since) if heard else since)


def may_take_orders(
    vehicle: Vehicle, *, now: datetime, silent_after: timedelta, loaded: bool = False
) -> bool:
    """Idle, empty (or `loaded`), online, in automatic, without a blocking error, and heard of
    lately.
    """
    state = vehicle.state
    if state is None or vehicle.is_lost or vehicle.connection == "HIBERNATING":
        return False
    if vehicle.heard_at is None or now - vehicle.heard_at > silent_after:
        return False
    stopped = state.safety is not None and state.safety.emergency_stop != "NONE"
    drained = state.power is not None and state.power.charge_percent < LOWEST_CHARGE_PERCENT
    return not (
        stopped
        or drained
        or state.paused
        or state.is_working
        or (state.loads and not loaded)
        or state.operating_mode not in _WORKS_ALONE
        or any(error.blocks for error in state.errors)
    )


def snapshot(vehicle: Vehicle, *, now: datetime, silent_after: timedelta) -> VehicleSnapshot:
    state = vehicle.state or State()
    position = state.position
    heard = vehicle.heard_at
    return VehicleSnapshot(
        vehicle=vehicle.name,
        manufacturer=vehicle.address.manufacturer,
        serial=vehicle.address.serial,
        version=vehicle.version,
        online=not vehicle.is_lost and heard is not None and now - heard <= silent_after,
        connection=vehicle.connection,
        operating_mode=state.operating_mode if vehicle.state else "",
        x=position.x if position else None,
        y=position.y if position else None,
        theta=position.theta if position else None,
        map_id=position.map_id if position else "",
        last_node=state.last_node_id,
        driving=state.driving,
        battery_percent=state.power.charge_percent if state.power else None,
        charging=state.power.charging if state.power else False,
        order_id=state.order_id if state.is_working else "",
        loads=None if state.loads is None else tuple(load.load_id or "?" for load in state.loads),
        errors=tuple(_words(error) for error in state.errors),
        updated_at=vehicle.newest_at,
    )


def _words(error: VehicleError) -> str:
    detail = f": {error.error_description}" if error.error_description else ""
    return f"{error.error_level} {error.error_type}{detail}"


def _is_newer(vehicle: Vehicle, state: State, *, at: datetime) -> bool:
    before = vehicle.state
    if before is None or vehicle.newest_at is None:
        return True
    if before.timestamp is None or state.timestamp is None:
        return True
    if state.timestamp == before.timestamp:
        # Two states in one tick of its clock: a doubled or late one does not undo the other.
        return state.header_id >= before.header_id
    return state.timestamp >= before.timestamp or at - vehicle.newest_at > _CLOCK_WAS_SET_BACK
