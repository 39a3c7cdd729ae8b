"""The fleet as the view shows it, folded from what the bridge heard. No I/O.

The bridge's own snapshot decides who is there and in which state; this adds what only people need:
positions between two states, trails, ways, complaints in full, places on the map.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agv_bridge.fleet.condition import Condition, Problem, condition_of, problems_of
from agv_bridge.fleet.curves import Line
from agv_bridge.fleet.places import PlaceAt, Source, learn, shown_by
from agv_bridge.fleet.spot import Spot, spot_of
from agv_bridge.fleet.trail import Crumb, Trail, go_on
from agv_bridge.fleet.way import Way, planned_line, way_of
from agv_bridge.missions.vehicles import VehicleSnapshot
from agv_bridge.vda5050.codec import Message
from agv_bridge.vda5050.messages import Factsheet, Position, State, Visualization

FINEST = timedelta(milliseconds=200)
"""Positions of one vehicle are taken at most this often, however fast it shows itself."""
MOST_PLACES = 20_000
MOST_VEHICLES = 20_000
"""Who speaks under ever new names does not fill the memory, and keeps nobody out: beyond it the one
heard longest ago goes.
"""
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One vehicle of the view. Metres and radians on `map_id`; times are ours."""

    vehicle: VehicleSnapshot
    condition: Condition
    problems: tuple[Problem, ...] = ()
    x: float | None = None
    y: float | None = None
    theta: float | None = None
    map_id: str = ""
    localized: bool = True
    speed_m_s: float | None = None
    seen_at: datetime | None = None
    """When the position came."""
    trail: Trail = field(default_factory=Trail)
    way: Way = field(default_factory=Way)

    @property
    def name(self) -> str:
        return self.vehicle.vehicle


@dataclass(slots=True)
class _Track:
    state: State | None = None
    position: Position | None = None
    seen_at: datetime | None = None
    speed_m_s: float | None = None
    trail: Trail = field(default_factory=Trail)
    way: Way | None = None
    """None: not worked out since the last state; it is when somebody looks."""
    planned: Line = ()
    """What a visualization since then says of the way."""
    factsheet: Factsheet | None = None


class FleetBoard:
    """Fold messages in with `hear`, ask with `rows`. For one thread.

    known: the places known before. `changed` collects those that were learned since it was last
    taken with `take_changed`.
    """

    def __init__(self, known: Iterable[PlaceAt] = ()) -> None:
        self._tracks: dict[str, _Track] = {}
        self._places: dict[tuple[str, str], PlaceAt] = {}
        self._changed: dict[tuple[str, str], PlaceAt] = {}
        self.places_version = 0
        """Counts every change of a place."""
        for each in known:
            self._places[each.map_id, each.code] = each

    def hear(self, vehicle: str, message: Message, *, at: datetime) -> None:
        """A message of a vehicle that was taken in: state, visualization, factsheet; others say
        nothing here.
        """
        track = self._tracks.pop(vehicle, None)
        if track is None:
            track = _Track()
            if len(self._tracks) >= MOST_VEHICLES:
                del self._tracks[next(iter(self._tracks))]
        # The one heard longest ago stands first.
        self._tracks[vehicle] = track
        match message:
            case State():
                self._hear_state(track, message, at)
            case Visualization():
                self._see(track, message, at)
            case Factsheet():
                track.factsheet = message
            case _:
                return

    def too_soon(self, vehicle: str, *, at: datetime) -> bool:
        """Whether the next position of a vehicle would say nothing new, before it is even read."""
        track = self._tracks.get(vehicle)
        seen = track.seen_at if track is not None else None
        return seen is not None and timedelta() <= at - seen < FINEST

    def rows(self, fleet: Sequence[VehicleSnapshot]) -> tuple[FleetRow, ...]:
        """The fleet in its order. Vehicles that the bridge does not know are left out."""
        return tuple(self._row(one) for one in fleet)

    def state(self, vehicle: str) -> State | None:
        """The newest state of a vehicle."""
        track = self._tracks.get(vehicle)
        return track.state if track is not None else None

    def factsheet(self, vehicle: str) -> Factsheet | None:
        """What a vehicle says it is."""
        track = self._tracks.get(vehicle)
        return track.factsheet if track is not None else None

    def places(self) -> Mapping[tuple[str, str], PlaceAt]:
        """Every place known, by (map, code)."""
        return self._places

    def place(self, one: PlaceAt) -> None:
        """A sighting of a place, or one that the site gives."""
        if max(len(one.code), len(one.map_id)) > _LONGEST_NAME:
            return
        key = (one.map_id, one.code)
        before = self._places.get(key)
        if before is None and len(self._places) >= MOST_PLACES:
            return
        after = learn(before, one)
        if after is not before:
            self._places[key] = self._changed[key] = after
            self.places_version += 1

    def give(self, places: Iterable[PlaceAt]) -> None:
        """The places that the site gives; those that it gave before and now does not are forgotten,
        until a vehicle shows them.
        """
        given = {(one.map_id, one.code): one for one in places}
        for key, known in list(self._places.items()):
            if known.source is Source.GIVEN and key not in given:
                del self._places[key]
                self.places_version += 1
        for one in given.values():
            self.place(one)

    def take_changed(self) -> tuple[PlaceAt, ...]:
        """Places that changed since this was last asked."""
        changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def _hear_state(self, track: _Track, state: State, at: datetime) -> None:
        if _is_late(track.state, state):
            return
        track.state = state
        for shown in shown_by(state):
            self.place(shown)
        track.way, track.planned = None, ()
        self._see(track, state, at)

    def _see(self, track: _Track, message: State | Visualization, at: datetime) -> None:
        """Where the vehicle is."""
        position, where = message.position, spot_of(message.position)
        if position is None or where is None:
            return
        before, track.seen_at, track.position = track.seen_at, at, position
        track.speed_m_s = _speed(message, track, where, before, at)
        crumb = Crumb(*where, at)
        if position.localized:
            track.trail = go_on(track.trail, crumb, map_id=position.map_id)
        if isinstance(message, Visualization) and (line := planned_line(message)):
            track.way, track.planned = None, (where, *line)

    def _way(self, track: _Track) -> Way:
        if track.way is None:
            way = way_of(track.state, self._where) if track.state is not None else Way()
            if track.planned and way.nodes:
                way = Way(way.nodes, track.planned, way.unplaced)
            track.way = way
        return track.way

    def _where(self, map_id: str, code: str) -> Spot | None:
        known = self._places.get((map_id, code))
        return (known.x, known.y) if known is not None else None

    def _row(self, one: VehicleSnapshot) -> FleetRow:
        track = self._tracks.get(one.vehicle) or _Track()
        position = track.position
        return FleetRow(
            one,
            condition_of(one, track.state),
            problems_of(track.state),
            x=position.x if position is not None else one.x,
            y=position.y if position is not None else one.y,
            theta=position.theta if position is not None else one.theta,
            map_id=position.map_id if position is not None else one.map_id,
            localized=position.localized if position is not None else True,
            speed_m_s=track.speed_m_s,
            seen_at=track.seen_at or one.updated_at,
            trail=track.trail,
            way=self._way(track),
        )


def _is_late(before: State | None, state: State) -> bool:
    """Older by the vehicle's own time, and not by so much that its clock was set back."""
    if before is None or before.timestamp is None or state.timestamp is None:
        return False
    return timedelta() < before.timestamp - state.timestamp < timedelta(seconds=60)


def _speed(
    message: State | Visualization,
    track: _Track,
    where: Spot,
    before: datetime | None,
    at: datetime,
) -> float | None:
    """Metres a second: what the vehicle says, else by its way since the last crumb."""
    velocity = message.velocity
    if velocity is not None and velocity.vx is not None:
        return math.hypot(velocity.vx, velocity.vy or 0.0)
    if isinstance(message, State) and not message.driving:
        return 0.0
    if before is None or not track.trail.crumbs or at <= before:
        return track.speed_m_s
    last = track.trail.crumbs[-1]
    seconds = (at - last.at).total_seconds()
    return math.hypot(where[0] - last.x, where[1] - last.y) / seconds if seconds > 0 else None
