"""`zoneSet`, since 3.0: the areas of a map and what vehicles may do in them."""

from __future__ import annotations

from dataclasses import dataclass

from agv_bridge.vda5050.parts import ActionParameter, Header, Part, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAction(Part):
    """What a vehicle does at or in an ACTION zone; it gives the action its id itself."""

    action_type: str
    blocking_type: str = "NONE"
    action_descriptor: str | None = None
    action_parameters: tuple[ActionParameter, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone(Part):
    """A polygon in metres; its type says which of the fields below it needs."""

    zone_id: str
    zone_type: str
    """BLOCKED, LINE_GUIDED, RELEASE, COORDINATED_REPLANNING, SPEED_LIMIT, ACTION, PRIORITY,
    PENALTY, DIRECTED, BIDIRECTED."""
    zone_descriptor: str | None = None
    vertices: tuple[Point, ...] = ()
    maximum_speed: float | None = None
    """Metres a second, for SPEED_LIMIT."""
    entry_actions: tuple[ZoneAction, ...] | None = None
    during_actions: tuple[ZoneAction, ...] | None = None
    exit_actions: tuple[ZoneAction, ...] | None = None
    priority_factor: float | None = None
    penalty_factor: float | None = None
    direction: float | None = None
    """Radians, for DIRECTED and BIDIRECTED."""
    limitation: str | None = None
    """SOFT, RESTRICTED, STRICT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSetContent(Part):
    map_id: str
    zone_set_id: str
    zone_set_descriptor: str | None = None
    zones: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSet(Header):
    """One set of zones for one map, from master control to a vehicle."""

    zone_set: ZoneSetContent
