"""A fleet in memory for the page tests: real states through the real view, no broker."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from agv_bridge.missions.snapshots import MissionSnapshot
from agv_bridge.missions.vehicles import Vehicle, VehicleSnapshot, hear_state, snapshot
from agv_bridge.vda5050.codec import Received
from agv_bridge.vda5050.messages import (
    ActionState,
    Load,
    NodeState,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
)
from agv_bridge.vda5050.topics import VehicleAddress
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from contracts.clock import Clock
from contracts.reason import Reason
from contracts.stock import BatchKey, TransportKind, TransportState

OATS = BatchKey("Nordfeld", "04006381333931", "L2611A07")
SILENT = timedelta(seconds=90)


@dataclass
class FakeBridge:
    """What the fleet view asks of the bridge."""

    clock: Clock
    known: dict[str, Vehicle] = field(default_factory=dict)
    open_missions: list[MissionSnapshot] = field(default_factory=list)

    def vehicles(self) -> tuple[VehicleSnapshot, ...]:
        now = self.clock.now()
        return tuple(
            snapshot(self.known[name], now=now, silent_after=SILENT) for name in sorted(self.known)
        )

    def missions(self) -> list[MissionSnapshot]:
        return self.open_missions


class Fleet:
    """Vehicles that say what a test lets them say."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.bridge = FakeBridge(clock)
        self.notebook = Notebook(folder / "fleet.db")
        self.watch = FleetWatch(None, self.notebook, clock=clock)
        self.watch.follow(self.bridge)

    def says(self, name: str, state: State, *, connection: str = "ONLINE") -> None:
        """A vehicle `manufacturer/serial` sends a state."""
        manufacturer, serial = name.split("/")
        address = VehicleAddress("uagv", "v2", manufacturer, serial)
        now = self.clock.now()
        state = replace_state(state, timestamp=now, version=state.version or "2.1.0")
        before = self.bridge.known.get(name) or Vehicle(address)
        known = hear_state(before, state, at=now)
        lost = now if connection in {"OFFLINE", "CONNECTION_BROKEN"} else None
        self.bridge.known[name] = replace(known, connection=connection, lost_at=lost)
        self.watch.heard(Received(address, "state", "2.1.0", state))
        self.watch._rows_at -= SILENT

    def mission(self, number: int, vehicle: str = "", **more: Any) -> MissionSnapshot:
        """A mission under way."""
        given = {
            "order_id": f"TO-C-{number:05}-1",
            "kind": TransportKind.PUT_AWAY,
            "load_id": f"C-{number:05}",
            "batch": OATS,
            "source": "DOCK",
            "target": f"A-0{number % 9 + 1}-1",
            "vehicle": vehicle,
            "step": TransportState.ACCEPTED if vehicle else TransportState.REQUESTED,
            "since": self.clock.now(),
            "trouble": None,
            "load_read": None,
        }
        one = MissionSnapshot(**(given | more))
        self.bridge.open_missions.append(one)
        return one


def replace_state(state: State, **changes: Any) -> State:
    return msgspec.structs.replace(state, **changes)


def where(x: float, y: float, theta: float = 0.0, map_id: str = "hall") -> Position:
    return Position(x=x, y=y, theta=theta, map_id=map_id)


def small_fleet(fleet: Fleet) -> None:
    """Nine vehicles, each in another condition, on two floors; places that they showed."""
    full = Power(charge_percent=82)
    for n in range(1, 10):
        code = f"A-0{n}-1"
        fleet.says("acme/101", State(position=where(4.0 * n, 12.0), last_node_id=code, power=full))
    fleet.says("acme/101", State(position=where(2, 2), last_node_id="DOCK", power=full))
    going = (NodeState(node_id="A-07-1", sequence_id=2),)
    for x in (6.0, 10.0, 14.0):
        fleet.says(
            "acme/102",
            State(
                position=where(x, 6 + math.sin(x)), power=full, node_states=going, driving=True,
                order_id="TO-C-00007-1", loads=(Load(load_id="C-00007"),),
                action_states=(ActionState(action_id="TO-C-00007-1.drop", action_status="WAITING"),),
            ),
        )  # fmt: skip
    blocked = VehicleError(
        error_type="laserScannerBlocked", error_level="FATAL", error_description="Pallet in the way",
        error_hint="Clear the aisle, then release it",
    )  # fmt: skip
    fleet.says("acme/103", State(position=where(20, 3, 2), power=full, errors=(blocked,)))
    fleet.says("acme/104", State(position=where(26, 4), power=Power(charge_percent=9)))
    charging = Power(charge_percent=41, charging=True)
    fleet.says("acme/105", State(position=where(30, 1), power=charging))
    warned = VehicleError(error_type="wheelSlip")
    fleet.says(
        "nord/7", State(position=where(33, 6, 1), power=full, errors=(warned,), version="3.0.0")
    )
    fleet.says("nord/8", State(position=where(16, 9), power=full), connection="CONNECTION_BROKEN")
    fleet.says("nord/9", State(position=where(5, 5, map_id="upper floor"), power=full))
    pressed = Safety(emergency_stop="MANUAL")
    fleet.says("nord/10", State(position=where(9, 3, map_id="upper floor"), safety=pressed))
    fleet.mission(7, "acme/102", step=TransportState.PICKED)
    fleet.mission(
        8, "nord/8",
        trouble=Reason("agv_lost_with_load", {"vehicle": "nord/8", "order": "TO-C-00008-1"}),
    )  # fmt: skip
    fleet.mission(9)
