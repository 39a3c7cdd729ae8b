"""`factsheet`: retained; what a kind of vehicle is, can do and can bear.

Everything may be missing: real factsheets are written by hand and often leave out what the schema
demands, and nothing but pages and checks reads them.
"""

from __future__ import annotations

from typing import Annotated

from agv_bridge.vda5050.messages.parts import (
    BoundingBoxReference,
    Header,
    LoadDimensions,
    Part,
    Point,
)
from agv_bridge.vda5050.naming import SINCE_2_1, SINCE_3, Named

Texts = tuple[str, ...]
Permission = str | bool
"""A truth value by the text of 3.0, a string by its schema: `true`, `false`."""
Prose = str | float
"""A description; 2.0 and 2.1 ask for a number in two places, by mistake."""


class TypeSpecification(Part, frozen=True, kw_only=True):
    series_name: str = ""
    series_description: str | None = None
    kinematics: Annotated[str | None, Named("agvKinematic", "mobileRobotKinematics")] = None
    kinematic: Annotated[str | None, Named(None, "mobileRobotKinematic")] = None
    """The same once more: the official 3.0 schema describes the one and demands the other."""
    robot_class: Annotated[str, Named("agvClass", "mobileRobotClass")] = ""
    maximum_load_mass: Annotated[float, Named("maxLoadMass")] = 0.0
    """Kilograms."""
    localization_types: Texts = ()
    navigation_types: Texts = ()
    supported_zones: Annotated[Texts | None, SINCE_3] = None


class PhysicalParameters(Part, frozen=True, kw_only=True):
    """Metres, seconds, radians."""

    minimum_speed: Annotated[float, Named("speedMin")] = 0.0
    maximum_speed: Annotated[float, Named("speedMax")] = 0.0
    minimum_angular_speed: Annotated[float | None, SINCE_3] = None
    maximum_angular_speed: Annotated[float | None, SINCE_3] = None
    maximum_acceleration: Annotated[float, Named("accelerationMax")] = 0.0
    maximum_deceleration: Annotated[float, Named("decelerationMax")] = 0.0
    minimum_height: Annotated[float, Named("heightMin")] = 0.0
    maximum_height: Annotated[float, Named("heightMax")] = 0.0
    width: float = 0.0
    length: float = 0.0


class StringLengths(Part, frozen=True, kw_only=True):
    """Characters; nothing said: no limit."""

    message: Annotated[int | None, Named("msgLen", "maximumMessageLength")] = None
    topic_serial: Annotated[int | None, Named("topicSerialLen", "maximumTopicSerialLength")] = None
    topic_element: Annotated[int | None, Named("topicElemLen", "maximumTopicElementLength")] = None
    id: Annotated[int | None, Named("idLen", "maximumIdLength")] = None
    id_numerical_only: bool | None = None
    enum: Annotated[int | None, Named("enumLen", None)] = None
    load_id: Annotated[int | None, Named("loadIdLen", "maximumLoadIdLength")] = None


class Timing(Part, frozen=True, kw_only=True):
    """Seconds."""

    minimum_order_interval: Annotated[float, Named("minOrderInterval")] = 0.0
    minimum_state_interval: Annotated[float, Named("minStateInterval")] = 0.0
    default_state_interval: float | None = None
    visualization_interval: float | None = None


class ProtocolLimits(Part, frozen=True, kw_only=True):
    string_lengths: Annotated[
        StringLengths | None, Named("maxStringLens", "maximumStringLengths")
    ] = None
    array_lengths: Annotated[
        dict[str, object] | None, Named("maxArrayLens", "maximumArrayLengths")
    ] = None
    """Longest lists by their place in the messages, such as `order.nodes`."""
    timing: Timing | None = None


class OptionalParameter(Part, frozen=True, kw_only=True):
    parameter: str = ""
    support: str = "SUPPORTED"
    description: str | None = None


class ParameterSpecification(Part, frozen=True, kw_only=True):
    key: str = ""
    value_data_type: str = "STRING"
    description: str | None = None
    is_optional: bool | None = None


class ActionSpecification(Part, frozen=True, kw_only=True):
    action_type: str = ""
    action_description: str | None = None
    action_scopes: Texts = ()
    """INSTANT, NODE, EDGE; ZONE since 3.0."""
    action_parameters: tuple[ParameterSpecification, ...] | None = None
    result: Annotated[str | None, Named("resultDescription", "actionResult")] = None
    blocking_types: Annotated[Texts | None, SINCE_2_1] = None
    pause_allowed: Annotated[Permission | None, SINCE_3] = None
    cancel_allowed: Annotated[Permission | None, SINCE_3] = None


class ProtocolFeatures(Part, frozen=True, kw_only=True):
    optional_parameters: tuple[OptionalParameter, ...] = ()
    actions: Annotated[
        tuple[ActionSpecification, ...], Named("agvActions", "mobileRobotActions")
    ] = ()


class WheelPosition(Part, frozen=True, kw_only=True):
    x: float
    y: float
    theta: float | None = None


class Wheel(Part, frozen=True, kw_only=True):
    type: str = ""
    is_active_driven: bool = False
    is_active_steered: bool = False
    position: WheelPosition | None = None
    diameter: float = 0.0
    width: float = 0.0
    center_displacement: float | None = None
    constraints: str | None = None


class Envelope2d(Part, frozen=True, kw_only=True):
    """The vehicle's outline in its own coordinates, in metres."""

    name: Annotated[str, Named("set", "envelope2dId")] = ""
    vertices: Annotated[tuple[Point, ...], Named("polygonPoints", "vertices")] = ()
    description: str | None = None


class Envelope3d(Part, frozen=True, kw_only=True):
    name: Annotated[str, Named("set", "envelope3dId")] = ""
    format: str = ""
    data: dict[str, object] | None = None
    url: str | None = None
    description: Prose | None = None


class Geometry(Part, frozen=True, kw_only=True):
    wheel_definitions: tuple[Wheel, ...] | None = None
    envelopes_2d: Annotated[tuple[Envelope2d, ...] | None, Named("envelopes2d", "envelopes2d")] = (
        None
    )
    envelopes_3d: Annotated[tuple[Envelope3d, ...] | None, Named("envelopes3d", "envelopes3d")] = (
        None
    )


class LoadSet(Part, frozen=True, kw_only=True):
    """One kind of load that the vehicle takes. Metres, kilograms, seconds, radians."""

    set_name: str = ""
    load_type: str = ""
    load_positions: Texts | None = None
    bounding_box_reference: BoundingBoxReference | None = None
    load_dimensions: LoadDimensions | None = None
    maximum_weight: Annotated[float | None, Named("maxWeight")] = None
    minimum_height: Annotated[
        float | None, Named("minLoadhandlingHeight", "minimumLoadhandlingHeight")
    ] = None
    maximum_height: Annotated[
        float | None, Named("maxLoadhandlingHeight", "maximumLoadhandlingHeight")
    ] = None
    minimum_depth: Annotated[
        float | None, Named("minLoadhandlingDepth", "minimumLoadhandlingDepth")
    ] = None
    maximum_depth: Annotated[
        float | None, Named("maxLoadhandlingDepth", "maximumLoadhandlingDepth")
    ] = None
    minimum_tilt: Annotated[
        float | None, Named("minLoadhandlingTilt", "minimumLoadhandlingTilt")
    ] = None
    maximum_tilt: Annotated[
        float | None, Named("maxLoadhandlingTilt", "maximumLoadhandlingTilt")
    ] = None
    maximum_speed: Annotated[float | None, Named("agvSpeedLimit")] = None
    maximum_acceleration: Annotated[float | None, Named("agvAccelerationLimit")] = None
    maximum_deceleration: Annotated[float | None, Named("agvDecelerationLimit")] = None
    pick_time: float | None = None
    drop_time: float | None = None
    description: Prose | None = None


class LoadSpecification(Part, frozen=True, kw_only=True):
    load_positions: Texts | None = None
    load_sets: tuple[LoadSet, ...] | None = None


class InstalledVersion(Part, frozen=True, kw_only=True):
    key: str = ""
    value: str = ""


class Network(Part, frozen=True, kw_only=True):
    dns_servers: Texts | None = None
    ntp_servers: Texts | None = None
    local_ip_address: str | None = None
    netmask: str | None = None
    default_gateway: str | None = None


class BatteryCharging(Part, frozen=True, kw_only=True):
    """Percent; the time in seconds."""

    critical_low_charging_level: float | None = None
    minimum_desired_charging_level: float | None = None
    maximum_desired_charging_level: float | None = None
    minimum_charging_time: float | None = None


class Configuration(Part, frozen=True, kw_only=True):
    versions: tuple[InstalledVersion, ...] | None = None
    network: Network | None = None
    battery_charging: Annotated[BatteryCharging | None, SINCE_3] = None


class Factsheet(Header, frozen=True, kw_only=True):
    """`factsheet`: asked for by the instant action `factsheetRequest`."""

    type_specification: TypeSpecification | None = None
    physical_parameters: PhysicalParameters | None = None
    protocol_limits: ProtocolLimits | None = None
    protocol_features: ProtocolFeatures | None = None
    geometry: Annotated[Geometry | None, Named("agvGeometry", "mobileRobotGeometry")] = None
    load_specification: LoadSpecification | None = None
    configuration: Annotated[
        Configuration | None, Named("vehicleConfig", "mobileRobotConfiguration", v2_0=None)
    ] = None
