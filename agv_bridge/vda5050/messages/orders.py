"""What master control says: orders, instant actions and, since 3.0, answers to requests."""

from __future__ import annotations

from typing import Annotated

from agv_bridge.vda5050.messages.parts import (
    Action,
    CorridorSince21,
    Header,
    NodePosition,
    Part,
    Trajectory,
    Whole,
)
from agv_bridge.vda5050.naming import ONLY_2, SINCE_3, Named


class Node(Part, frozen=True, kw_only=True):
    node_id: str
    sequence_id: Whole = 0
    released: bool = True
    descriptor: Annotated[str | None, Named("nodeDescription", "nodeDescriptor")] = None
    node_position: NodePosition | None = None
    actions: tuple[Action, ...] = ()


class Edge(Part, frozen=True, kw_only=True):
    """Metres, metres a second, radians, radians a second."""

    edge_id: str
    sequence_id: Whole = 0
    released: bool = True
    start_node_id: Annotated[str, ONLY_2] = ""
    end_node_id: Annotated[str, ONLY_2] = ""
    descriptor: Annotated[str | None, Named("edgeDescription", "edgeDescriptor")] = None
    maximum_speed: Annotated[float | None, Named("maxSpeed", "maximumSpeed")] = None
    maximum_height: Annotated[float | None, Named("maxHeight", "maximumMobileRobotHeight")] = None
    """Of the vehicle with its load."""
    minimum_height: Annotated[
        float | None, Named("minHeight", "minimumLoadHandlingDeviceHeight")
    ] = None
    """Of the device that handles the load."""
    orientation: float | None = None
    orientation_type: str | None = None
    direction: str | None = None
    rotation_allowed: Annotated[bool | None, ONLY_2] = None
    reach_orientation_before_entering: Annotated[bool | None, SINCE_3] = None
    maximum_rotation_speed: Annotated[
        float | None, Named("maxRotationSpeed", "maxRotationSpeed")
    ] = None
    length: float | None = None
    trajectory: Trajectory | None = None
    corridor: CorridorSince21 = None
    actions: tuple[Action, ...] = ()


class Order(Header, frozen=True, kw_only=True):
    """`order`: QoS 0; the released part is the base, the rest the horizon."""

    order_id: str
    order_update_id: Whole = 0
    description: Annotated[str | None, Named(None, "orderDescription")] = None
    zone_set_id: Annotated[str | None, ONLY_2] = None
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


class InstantActions(Header, frozen=True, kw_only=True):
    """`instantActions`: QoS 0; done at once, beside the order under way."""

    actions: tuple[Action, ...] = ()


class Response(Part, frozen=True, kw_only=True):
    """One answer to a vehicle's request."""

    request_id: str
    grant_type: str
    """GRANTED, QUEUED, REVOKED, REJECTED."""
    lease_expiry: str | None = None
    """ISO 8601, by its schema any text."""


class Responses(Header, frozen=True, kw_only=True):
    """`responses`, since 3.0: master control's answers to the requests in a state."""

    responses: tuple[Response, ...] = ()
