"""Which set was made from which, as a drawing: boxes and lines with their places. Pure.

A set stands one column right of the one that it was made from; its first successor goes on in the
same row, further ones begin rows of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ota.registry.records import SetRecord

WIDTH: Final = 212
HEIGHT: Final = 58
_GAP_X: Final = 44
_GAP_Y: Final = 14


@dataclass(frozen=True, slots=True)
class Node:
    """A set at its place, px from the drawing's corner."""

    record: SetRecord
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Edge:
    """From a set's right side to the left side of one that was made from it: an SVG path."""

    path: str
    to: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All sets of a lane. `width` and `height` in px."""

    lane: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int


def drawing(lane: str, records: Sequence[SetRecord]) -> Drawing:
    """The lane's sets, oldest first from the left. A base that is not among them is none; one that
    names itself by a detour ends where it meets itself again.
    """
    mine = sorted(
        (each for each in records if each.lane == lane), key=lambda each: each.proposed_at_us
    )
    known = {each.digest: each for each in mine}
    children: dict[str, list[SetRecord]] = {}
    roots: list[SetRecord] = []
    for each in mine:
        base = each.lineage.base
        if base in known and base != each.digest:
            children.setdefault(base, []).append(each)
        else:
            roots.append(each)
    nodes: dict[str, Node] = {}
    row = 0
    for root in [*roots, *mine]:
        if root.digest not in nodes:
            row = _place(root, 0, row, children, nodes)
    edges = [
        Edge(_path(nodes[base], nodes[child.digest]), child.digest)
        for base, made in children.items()
        for child in made
    ]
    columns = max((node.x for node in nodes.values()), default=0)
    rows = max((node.y for node in nodes.values()), default=0)
    return Drawing(lane, tuple(nodes.values()), tuple(edges), columns + WIDTH, rows + HEIGHT)


def _place(
    record: SetRecord,
    column: int,
    row: int,
    children: dict[str, list[SetRecord]],
    nodes: dict[str, Node],
) -> int:
    """Put a set and all that was made from it; the next free row."""
    nodes[record.digest] = Node(record, column * (WIDTH + _GAP_X), row * (HEIGHT + _GAP_Y))
    after = row
    for child in children.get(record.digest, []):
        if child.digest not in nodes:
            after = _place(child, column + 1, after, children, nodes)
    return max(after, row + 1)


def _path(base: Node, made: Node) -> str:
    x1, y1 = base.x + WIDTH, base.y + HEIGHT // 2
    x2, y2 = made.x, made.y + HEIGHT // 2
    middle = x1 + _GAP_X // 2
    if y1 == y2:
        return f"M{x1} {y1}H{x2}"
    return f"M{x1} {y1}H{middle}V{y2}H{x2}"
