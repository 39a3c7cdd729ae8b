"""`zoneSet`, since 3.0: the areas of a map and what vehicles may do in them."""

from __future__ import annotations

from agv_bridge.vda5050.messages.parts import ActionParameter, Header, Part, Point


class ZoneAction(Part, frozen=True, kw_only=True):
    """What a vehicle does at or in an ACTION zone; it gives the action its id itself."""

    action_type: str
    blocking_type: str = "NONE"
    action_descriptor: str | None = None
    action_parameters: tuple[ActionParameter, ...] | None = None


class Zone(Part, frozen=True, kw_only=True):
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


class ZoneSetContent(Part, frozen=True, kw_only=True):
    map_id: str
    zone_set_id: str
    zone_set_descriptor: str | None = None
    zones: tuple[Zone, ...] = ()


class ZoneSet(Header, frozen=True, kw_only=True):
    """One set of zones for one map, from master control to a vehicle."""

    zone_set: ZoneSetContent
