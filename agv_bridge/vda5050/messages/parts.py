"""What messages are made of: header, actions, and geometry in metres and radians on a map.

Every part keeps what it has no field for in `extra`, by its wire name, so that a vendor's own
fields and those of later editions survive a round trip.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec.structs import replace as replace  # noqa: PLC0414 -- the face shows it too

from agv_bridge.vda5050.naming import ONLY_2, SINCE_2_1, SINCE_3, Form, Named, camel, spelled

Extra = dict[str, object]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""The standard has unsigned 32 bits; more than 64 no database of ours could keep."""


class Part(msgspec.Struct, frozen=True, kw_only=True, rename=camel):
    """Any object of the standard."""

    extra: Extra = msgspec.field(default_factory=dict)


class Header(Part, frozen=True, kw_only=True):
    """What every message begins with."""

    header_id: Whole = 0
    timestamp: datetime | None = None
    version: str = ""
    manufacturer: str = ""
    serial_number: str = ""


_Message = TypeVar("_Message", bound=Header)


def stamped(message: _Message, header: Header) -> _Message:
    """The message with that header's five fields."""
    return replace(
        message,
        header_id=header.header_id,
        timestamp=header.timestamp,
        version=header.version,
        manufacturer=header.manufacturer,
        serial_number=header.serial_number,
    )


class ActionParameter(Part, frozen=True, kw_only=True):
    key: str
    value: object = None
    """None: none was given, or `null`."""


class Action(Part, frozen=True, kw_only=True):
    action_type: str
    action_id: str
    blocking_type: str = "HARD"
    """NONE, SOFT, HARD; SINGLE since 3.0."""
    descriptor: Annotated[str | None, Named("actionDescription", "actionDescriptor")] = None
    action_parameters: tuple[ActionParameter, ...] | None = None
    retriable: Annotated[bool | None, SINCE_3] = None

    def parameter(self, key: str) -> object | None:
        return next((p.value for p in self.action_parameters or () if p.key == key), None)


class Point(Part, frozen=True, kw_only=True):
    x: float
    y: float


class ControlPoint(Part, frozen=True, kw_only=True):
    x: float
    y: float
    weight: float | None = None


class Trajectory(Part, frozen=True, kw_only=True):
    """A NURBS curve; knots lie in 0..1."""

    degree: int | None = None
    knot_vector: tuple[float, ...] | None = None
    control_points: tuple[ControlPoint, ...] = ()


class Deviation(Part, frozen=True, kw_only=True):
    """The ellipse within which a node counts as reached: half axes in metres, its turn in radians.

    2.x has a circle, written as its radius.
    """

    a: float
    b: float
    theta: float = 0.0


def _ellipse(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"a": value, "b": value, "theta": 0.0}
    return value


def _circle(value: object) -> object:
    """The widest circle that lies within, so that no vehicle is let further off than ordered."""
    match value:
        case {"a": int() | float() as a, "b": int() | float() as b}:
            return min(a, b)
        case _:
            return value


class NodePosition(Part, frozen=True, kw_only=True):
    x: float
    y: float
    theta: float | None = None
    allowed_deviation_xy: Annotated[
        Deviation | None,
        Named("allowedDeviationXY", "allowedDeviationXY"),
        Form(_ellipse, _circle),
    ] = None
    allowed_deviation_theta: float | None = None
    map_id: str = ""
    map_description: Annotated[str | None, ONLY_2] = None


class Position(Part, frozen=True, kw_only=True):
    """Where a vehicle is."""

    x: float
    y: float
    theta: float = 0.0
    map_id: str = ""
    map_description: Annotated[str | None, ONLY_2] = None
    localized: Annotated[bool, Named("positionInitialized", "localized")] = True
    localization_score: float | None = None
    """0 unknown .. 1 sure."""
    deviation_range: float | None = None


class Velocity(Part, frozen=True, kw_only=True):
    """Metres a second along and across the vehicle, radians a second."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class PlannedPath(Part, frozen=True, kw_only=True):
    """Since 3.0: the way that the vehicle means to take."""

    trajectory: Trajectory
    traversed_nodes: tuple[str, ...] | None = None


class Waypoint(Part, frozen=True, kw_only=True):
    x: float
    y: float
    theta: float | None = None
    eta: str | None = None
    """When the vehicle expects to be there: ISO 8601, by its schema any text."""


class IntermediatePath(Part, frozen=True, kw_only=True):
    """Since 3.0: where the vehicle's sensors let it drive next."""

    polyline: tuple[Waypoint, ...] = ()


class BoundingBoxReference(Part, frozen=True, kw_only=True):
    """The load's corner in the vehicle's own coordinates."""

    x: float
    y: float
    z: float
    theta: float | None = None


class LoadDimensions(Part, frozen=True, kw_only=True):
    """Metres."""

    length: float
    width: float
    height: float | None = None


class Corridor(Part, frozen=True, kw_only=True):
    """How far beside an edge a vehicle may drive, in metres."""

    left_width: float
    right_width: float
    reference_point: Annotated[
        str | None,
        Named("corridorRefPoint", "corridorReferencePoint"),
        spelled(KINEMATIC_CENTER="KINEMATICCENTER"),
    ] = None
    release_required: Annotated[bool | None, SINCE_3] = None
    release_loss_behavior: Annotated[str | None, SINCE_3] = None


CorridorSince21 = Annotated[Corridor | None, SINCE_2_1]
