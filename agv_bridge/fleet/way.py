"""The way that a vehicle was ordered to go, as far as it can be drawn. Pure.

Best what the vehicle plans itself (3.0: plannedPath, intermediatePath), then the trajectories of
its edges, else straight from node to node where their places are known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agv_bridge.fleet.curves import Line, line_of
from agv_bridge.fleet.spot import Spot, spot_of
from agv_bridge.vda5050.messages import State, Visualization

MOST_NODES = 60
Where = Callable[[str, str], Spot | None]
"""(map, place code) -> metres."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is ahead: nodes by name, the line to draw, and names that nobody knows a place for."""

    nodes: tuple[str, ...] = ()
    line: Line = ()
    unplaced: tuple[str, ...] = ()


def planned_line(message: State | Visualization) -> Line:
    """What the vehicle says it will drive; empty where it does not say."""
    planned = line_of(message.planned_path.trajectory) if message.planned_path else ()
    if planned or message.intermediate_path is None:
        return planned
    spots = (spot_of(each) for each in message.intermediate_path.polyline)
    return tuple(spot for spot in spots if spot is not None)


def way_of(state: State, where: Where) -> Way:
    """The ordered way from here on, through the nodes still to be passed."""
    nodes = sorted(state.node_states, key=lambda node: node.sequence_id)[:MOST_NODES]
    names = tuple(node.node_id for node in nodes)
    if not names:
        return Way()
    position = state.position
    map_id = position.map_id if position is not None else ""
    here = spot_of(position)
    known = [(name, where(map_id, name)) for name in names]
    unplaced = tuple(name for name, spot in known if spot is None)
    line = planned_line(state) or _by_edges(state)
    if not line:
        line = tuple(spot for _, spot in known if spot is not None)
    start = (here,) if here is not None and line and line[0] != here else ()
    return Way(names, (*start, *line) if line else (), unplaced)


def _by_edges(state: State) -> Line:
    edges = sorted(state.edge_states, key=lambda edge: edge.sequence_id)[:MOST_NODES]
    lines = [line_of(edge.trajectory) for edge in edges]
    return tuple(spot for line in lines for spot in line) if all(lines) else ()
