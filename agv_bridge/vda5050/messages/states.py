"""What a vehicle says while it works: connection, state and visualization."""

from __future__ import annotations

from typing import Annotated

from agv_bridge.vda5050.messages.parts import (
    BoundingBoxReference,
    Header,
    IntermediatePath,
    LoadDimensions,
    NodePosition,
    Part,
    PlannedPath,
    Position,
    Trajectory,
    Velocity,
    Whole,
)
from agv_bridge.vda5050.naming import ONLY_2, SINCE_2_1, SINCE_3, Named, spelled

FINISHED = "FINISHED"
FAILED = "FAILED"
_BLOCKING_LEVELS = frozenset({"FATAL", "CRITICAL"})


class Connection(Header, frozen=True, kw_only=True):
    """`connection`: retained, QoS 1; the last will says CONNECTION_BROKEN."""

    connection_state: Annotated[str, spelled(CONNECTION_BROKEN="CONNECTIONBROKEN")]
    """ONLINE, OFFLINE, CONNECTION_BROKEN; HIBERNATING since 3.0."""


class MapOnBoard(Part, frozen=True, kw_only=True):
    map_id: str
    map_version: str = ""
    descriptor: Annotated[str | None, Named("mapDescription", "mapDescriptor")] = None
    map_status: str = "ENABLED"


class ZoneSetOnBoard(Part, frozen=True, kw_only=True):
    zone_set_id: str
    map_id: str = ""
    zone_set_status: str = "ENABLED"


class NodeState(Part, frozen=True, kw_only=True):
    node_id: str
    sequence_id: Whole = 0
    released: bool = True
    descriptor: Annotated[str | None, Named("nodeDescription", "nodeDescriptor")] = None
    node_position: NodePosition | None = None


class EdgeState(Part, frozen=True, kw_only=True):
    edge_id: str
    sequence_id: Whole = 0
    released: bool = True
    descriptor: Annotated[str | None, Named("edgeDescription", "edgeDescriptor")] = None
    trajectory: Trajectory | None = None


class ActionState(Part, frozen=True, kw_only=True):
    action_id: str
    action_status: str
    """WAITING, INITIALIZING, RUNNING, PAUSED, FINISHED, FAILED; RETRIABLE since 3.0."""
    action_type: str | None = None
    descriptor: Annotated[str | None, Named("actionDescription", "actionDescriptor")] = None
    result: Annotated[str | None, Named("resultDescription", "actionResult")] = None


class Load(Part, frozen=True, kw_only=True):
    load_id: str | None = None
    """The vehicle's own reading of the load, often an RFID tag; not always what we ordered."""
    load_type: str | None = None
    load_position: str | None = None
    bounding_box_reference: BoundingBoxReference | None = None
    load_dimensions: LoadDimensions | None = None
    weight: float | None = None
    """Kilograms."""


class Power(Part, frozen=True, kw_only=True):
    charge_percent: Annotated[float, Named("batteryCharge", "stateOfCharge")] = 0.0
    battery_voltage: float | None = None
    battery_current: Annotated[float | None, SINCE_3] = None
    battery_health: float | None = None
    """Percent."""
    charging: bool = False
    reach: Annotated[float | None, Named("reach", "range")] = None
    """Metres that it can still drive."""


class Reference(Part, frozen=True, kw_only=True):
    """What an error or an information is about."""

    reference_key: str
    reference_value: str


ErrorReference = Reference


class Translation(Part, frozen=True, kw_only=True):
    translation_key: str
    """ISO 639-1 language."""
    translation_value: str


class VehicleError(Part, frozen=True, kw_only=True):
    error_type: str = ""
    error_level: str = "WARNING"
    error_description: str | None = None
    error_description_translations: Annotated[tuple[Translation, ...] | None, SINCE_3] = None
    error_hint: Annotated[str | None, SINCE_2_1] = None
    error_hint_translations: Annotated[tuple[Translation, ...] | None, SINCE_3] = None
    error_references: tuple[Reference, ...] | None = None

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


class Information(Part, frozen=True, kw_only=True):
    """For people; no decision may rest on it."""

    info_type: str = ""
    info_level: str = "INFO"
    descriptor: Annotated[str | None, Named("infoDescription", "infoDescriptor")] = None
    info_references: tuple[Reference, ...] | None = None


class Safety(Part, frozen=True, kw_only=True):
    emergency_stop: Annotated[str, Named("eStop", "activeEmergencyStop")] = "NONE"
    field_violation: bool = False


class ZoneRequest(Part, frozen=True, kw_only=True):
    """Since 3.0: may I enter, or plan anew? Answered through `responses`."""

    request_id: str
    request_type: str
    zone_id: str = ""
    zone_set_id: str = ""
    request_status: str = "REQUESTED"
    trajectory: Trajectory | None = None


class EdgeRequest(Part, frozen=True, kw_only=True):
    """Since 3.0: may I leave the line within this edge's corridor?"""

    request_id: str
    request_type: str = "CORRIDOR"
    edge_id: str = ""
    sequence_id: Whole = 0
    request_status: str = "REQUESTED"


class State(Header, frozen=True, kw_only=True):
    """`state`: QoS 0, on change or every 30 s; any of them may be swallowed, doubled or late."""

    order_id: str = ""
    """The order under way, or the last one until a new one comes."""
    order_update_id: Whole = 0
    last_node_id: str = ""
    last_node_sequence_id: Whole = 0
    driving: bool = False
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: float | None = None
    operating_mode: Annotated[str, spelled(TEACH_IN="TEACHIN")] = "AUTOMATIC"
    maps: Annotated[tuple[MapOnBoard, ...] | None, SINCE_2_1] = None
    zone_set_id: Annotated[str | None, ONLY_2] = None
    zone_sets: Annotated[tuple[ZoneSetOnBoard, ...] | None, SINCE_3] = None
    node_states: tuple[NodeState, ...] = ()
    edge_states: tuple[EdgeState, ...] = ()
    planned_path: Annotated[PlannedPath | None, SINCE_3] = None
    intermediate_path: Annotated[IntermediatePath | None, SINCE_3] = None
    position: Annotated[Position | None, Named("agvPosition", "mobileRobotPosition")] = None
    velocity: Velocity | None = None
    loads: tuple[Load, ...] | None = None
    """None: the vehicle cannot tell; (): it is empty."""
    action_states: tuple[ActionState, ...] = ()
    instant_action_states: Annotated[tuple[ActionState, ...], SINCE_3] = ()
    zone_action_states: Annotated[tuple[ActionState, ...] | None, SINCE_3] = None
    zone_requests: Annotated[tuple[ZoneRequest, ...] | None, SINCE_3] = None
    edge_requests: Annotated[tuple[EdgeRequest, ...] | None, SINCE_3] = None
    power: Annotated[Power | None, Named("batteryState", "powerSupply")] = None
    errors: tuple[VehicleError, ...] = ()
    information: tuple[Information, ...] | None = None
    safety: Annotated[Safety | None, Named("safetyState", "safetyState")] = None

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


class Visualization(Header, frozen=True, kw_only=True):
    """`visualization`: QoS 0, often; where the vehicle is, for pictures and nothing else."""

    reference_state_header_id: Annotated[Whole, SINCE_3] = 0
    """The header id of the last state, to which this belongs."""
    planned_path: Annotated[PlannedPath | None, SINCE_3] = None
    intermediate_path: Annotated[IntermediatePath | None, SINCE_3] = None
    position: Annotated[Position | None, Named("agvPosition", "mobileRobotPosition")] = None
    velocity: Velocity | None = None
