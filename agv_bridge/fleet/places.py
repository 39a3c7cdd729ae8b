"""Where the places of the core stand on the vehicles' maps: given by the site, or learned. Pure.

A vehicle that stands at the node that it names shows where that place is. Traffic and planning stay
with the fleet, so this is for the eye only; nothing is ordered by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from agv_bridge.fleet.spot import spot_of
from agv_bridge.vda5050.messages import State

WEIGHT = 8
"""As many stops count at most, so that a place that was moved is followed."""
SAME_M = 1.5
"""Stops farther apart than this are not the same place."""
DOUBTS = 3
"""So many stops in a row elsewhere, and the place was moved."""
NEAR_NODE_M = 0.5
TOLD_AGAIN_M = 0.01


class Source(StrEnum):
    """How a place's position is known, the surest first."""

    GIVEN = "given"
    TOLD = "told"
    """The vehicle said where the node of its order is."""
    SEEN = "seen"
    """Where vehicles stood that said they were there."""


@dataclass(frozen=True, slots=True)
class PlaceAt:
    """A place on a map, in metres."""

    map_id: str
    code: str
    x: float
    y: float
    source: Source = Source.SEEN
    stops: int = 1
    doubts: int = 0


def learn(before: PlaceAt | None, seen: PlaceAt) -> PlaceAt:
    """What is known after one more sighting; `before` itself where nothing changed.

    Stops are averaged. A given place stays; one that was told of gives way to no stop.
    """
    if before is None or (seen.source, before.source) == (Source.GIVEN, Source.SEEN):
        return seen
    if before.source is Source.GIVEN or seen.source is Source.GIVEN:
        given_anew = seen.source is Source.GIVEN and seen != before
        return seen if given_anew else before
    away = math.hypot(seen.x - before.x, seen.y - before.y)
    if seen.source is Source.TOLD:
        return before if before.source is Source.TOLD and away < TOLD_AGAIN_M else seen
    if before.source is Source.TOLD:
        return before
    if away > SAME_M:
        return seen if before.doubts + 1 >= DOUBTS else replace(before, doubts=before.doubts + 1)
    stops = min(before.stops + 1, WEIGHT)
    return replace(
        before,
        x=before.x + (seen.x - before.x) / stops,
        y=before.y + (seen.y - before.y) / stops,
        stops=stops,
        doubts=0,
    )


def shown_by(state: State) -> tuple[PlaceAt, ...]:
    """The places that one state shows: those that it tells of, and the one where it stands."""
    position = state.position
    map_id = position.map_id if position is not None else ""
    told: list[PlaceAt] = []
    for node in state.node_states:
        where = spot_of(node.node_position)
        if where is not None and node.node_position is not None:
            on = node.node_position.map_id or map_id
            told.append(PlaceAt(on, node.node_id, *where, Source.TOLD))
    here = _standing(state)
    return (*told, *((here,) if here is not None else ()))


def _standing(state: State) -> PlaceAt | None:
    position = state.position
    if position is None or not position.localized or not state.last_node_id:
        return None
    if state.driving or state.paused or state.errors:
        return None
    if (state.distance_since_last_node or 0.0) > NEAR_NODE_M:
        return None
    # Between two nodes a vehicle may wait for another: only at the end of its order, or while it
    # handles goods, is it surely at the node.
    handling = any(action.action_status == "RUNNING" for action in state.action_states)
    if state.edge_states and not handling:
        return None
    where = spot_of(position)
    return PlaceAt(position.map_id, state.last_node_id, *where) if where is not None else None
