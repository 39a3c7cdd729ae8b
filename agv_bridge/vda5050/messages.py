"""VDA 5050 messages as our own types: one set for 2.0, 2.1 and 3.0.

Names follow 3.0 where the versions differ. `extra` keeps every field we have no use for, so that
a vendor's own fields and the parts of the standard we do not touch survive a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from agv_bridge.vda5050.wire import wired

FINISHED = "FINISHED"
FAILED = "FAILED"
_BLOCKING_LEVELS = frozenset({"FATAL", "CRITICAL"})

Extra = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every message begins with."""

    header_id: int = 0
    timestamp: datetime | None = None
    version: str = ""
    manufacturer: str = ""
    serial_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Header):
    """`connection`: retained, QoS 1; the last will says CONNECTION_BROKEN."""

    connection_state: str
    """ONLINE, OFFLINE, CONNECTION_BROKEN; HIBERNATING since 3.0."""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionParameter:
    key: str
    value: object
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    action_type: str
    action_id: str
    blocking_type: str = "HARD"
    descriptor: str | None = wired(None, v2="actionDescription", v3="actionDescriptor")
    action_parameters: tuple[ActionParameter, ...] | None = None
    extra: Extra = field(default_factory=dict)

    def parameter(self, key: str) -> object | None:
        return next((p.value for p in self.action_parameters or () if p.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    node_id: str
    sequence_id: int = 0
    released: bool = True
    descriptor: str | None = wired(None, v2="nodeDescription", v3="nodeDescriptor")
    actions: tuple[Action, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    edge_id: str
    sequence_id: int = 0
    released: bool = True
    start_node_id: str = wired("", v2="startNodeId", v3=None)
    end_node_id: str = wired("", v2="endNodeId", v3=None)
    descriptor: str | None = wired(None, v2="edgeDescription", v3="edgeDescriptor")
    actions: tuple[Action, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Header):
    order_id: str
    order_update_id: int = 0
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantActions(Header):
    actions: tuple[Action, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    node_id: str
    sequence_id: int = 0
    released: bool = True
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeState:
    edge_id: str
    sequence_id: int = 0
    released: bool = True
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionState:
    action_id: str
    action_status: str
    action_type: str | None = None
    result: str | None = wired(None, v2="resultDescription", v3="actionResult")
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    load_id: str | None = None
    """The vehicle's own reading of the load, often an RFID tag; not always what we ordered."""
    load_type: str | None = None
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Metres and radians on the vehicle's map."""

    x: float
    y: float
    theta: float = 0.0
    map_id: str = ""
    localized: bool = wired(True, v2="positionInitialized", v3="localized")
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    charge_percent: float = wired(0.0, v2="batteryCharge", v3="stateOfCharge")
    charging: bool = False
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReference:
    reference_key: str
    reference_value: str
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleError:
    error_type: str
    error_level: str = "WARNING"
    error_description: str | None = None
    error_references: tuple[ErrorReference, ...] | None = None
    extra: Extra = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether we give the vehicle no order: FATAL, and CRITICAL (3.0), after which it takes one
        but has just failed to go on with another.
        """
        return self.error_level in _BLOCKING_LEVELS

    def is_about(self, key: str, value: str) -> bool:
        return any(
            (reference.reference_key, reference.reference_value) == (key, value)
            for reference in self.error_references or ()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    emergency_stop: str = wired("NONE", v2="eStop", v3="activeEmergencyStop")
    field_violation: bool = False
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Header):
    """`state`: QoS 0, on change or every 30 s; any of them may be swallowed, doubled or late."""

    order_id: str = ""
    """The order under way, or the last one until a new one comes."""
    order_update_id: int = 0
    last_node_id: str = ""
    last_node_sequence_id: int = 0
    driving: bool = False
    paused: bool | None = None
    operating_mode: str = "AUTOMATIC"
    node_states: tuple[NodeState, ...] = ()
    edge_states: tuple[EdgeState, ...] = ()
    position: Position | None = wired(None, v2="agvPosition", v3="mobileRobotPosition")  # noqa: RUF009 -- wired is a field()
    loads: tuple[Load, ...] | None = None
    """None: the vehicle cannot tell; (): it is empty."""
    action_states: tuple[ActionState, ...] = ()
    instant_action_states: tuple[ActionState, ...] = wired((), v2=None, v3="instantActionStates")
    power: Power | None = wired(None, v2="batteryState", v3="powerSupply")  # noqa: RUF009 -- wired is a field()
    errors: tuple[VehicleError, ...] = ()
    safety: Safety | None = wired(None, v2="safetyState", v3="safetyState")  # noqa: RUF009 -- wired is a field()
    extra: Extra = field(default_factory=dict)

    def action(self, action_id: str) -> str | None:
        """The status of one action; None when the state does not speak of it."""
        return next((a.action_status for a in self.action_states if a.action_id == action_id), None)

    @property
    def is_working(self) -> bool:
        """Whether an order is under way: nodes to reach, or actions not ended."""
        ended = {FINISHED, FAILED}
        return bool(self.node_states) or any(
            action.action_status not in ended for action in self.action_states
        )
