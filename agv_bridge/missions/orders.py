"""Transport orders as VDA 5050 orders and back, and the instant actions we send. Pure.

The order's id is the transport order's id and its action ids grow from it, so that any bridge,
also one that was killed and started again, knows what a vehicle's states speak of (I2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from agv_bridge.vda5050.messages import (
    Action,
    ActionParameter,
    Edge,
    Header,
    InstantActions,
    Node,
    NodePosition,
    Order,
    Position,
)
from agv_bridge.vda5050.messages.parts import Deviation
from agv_bridge.vda5050.wire import Dialect
from contracts.stock import TransportOrder

PICK, DROP = "pick", "drop"
CANCEL_ORDER, STATE_REQUEST = "cancelOrder", "stateRequest"
_DRIFT_M = 0.5
"""How far a vehicle that stands may find itself from where it last said that it was."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One load from one node to another, with the actions that prove it. Goods that are on board
    already need no pick: `pick_id` is empty.
    """

    order: TransportOrder
    pick_id: str
    drop_id: str

    @classmethod
    def of(cls, order: TransportOrder) -> Leg:
        pick_id = "" if order.on_board else f"{order.order_id}.{PICK}"
        return cls(order, pick_id, f"{order.order_id}.{DROP}")

    @property
    def is_on_board(self) -> bool:
        return not self.pick_id


def build_order(leg: Leg, header: Header, *, start: str = "", at: Position | None = None) -> Order:
    """Pick at the source node, drop at the target node; all released, both actions HARD.

    start: the node where the vehicle stands, since an order begins there (VDA 5050, 6.6: the first
    node must be trivially reachable); empty where it is not known. at: where the vehicle says that
    it is, for those that go by positions and not by nodes.
    """
    source, target = leg.order.source, leg.order.target
    stops: list[tuple[str, tuple[Action, ...]]] = []
    if not leg.is_on_board:
        stops.append((source, (_handling(PICK, leg.pick_id, leg, source),)))
    stops.append((target, (_handling(DROP, leg.drop_id, leg, target),)))
    if start and start != stops[0][0]:
        stops.insert(0, (start, ()))
    nodes = tuple(
        Node(
            node_id=node_id,
            sequence_id=2 * number,
            actions=actions,
            node_position=_near(at) if number == 0 and node_id == start else None,
        )
        for number, (node_id, actions) in enumerate(stops)
    )
    edges = tuple(
        Edge(
            edge_id=f"{leg.order.order_id}.way{number or ''}",
            sequence_id=2 * number + 1,
            start_node_id=before.node_id,
            end_node_id=after.node_id,
        )
        for number, (before, after) in enumerate(pairwise(nodes))
    )
    return Order(**_head(header), order_id=leg.order.order_id, nodes=nodes, edges=edges)


def _near(at: Position | None) -> NodePosition | None:
    if at is None or not at.localized or not at.map_id:
        return None
    around = Deviation(a=_DRIFT_M, b=_DRIFT_M)
    return NodePosition(x=at.x, y=at.y, map_id=at.map_id, allowed_deviation_xy=around)


def cancel_id(order_id: str) -> str:
    """The id of the cancelOrder for an order, the same each time it is said."""
    return f"{order_id}.cancel"


def build_cancel(order_id: str, header: Header, dialect: Dialect) -> InstantActions:
    """`cancelOrder`; 3.0 allows only NONE as blocking type, 2.x means HARD."""
    is_3 = dialect is Dialect.V3
    action = Action(
        action_type=CANCEL_ORDER,
        action_id=f"{order_id}.cancel",
        blocking_type="NONE" if is_3 else "HARD",
        # 3.0 names the order to cancel, so that a late cancel cannot hit the next one.
        action_parameters=(ActionParameter(key="orderId", value=order_id),) if is_3 else None,
    )
    return InstantActions(**_head(header), actions=(action,))


def build_state_request(action_id: str, header: Header) -> InstantActions:
    action = Action(action_type=STATE_REQUEST, action_id=action_id, blocking_type="NONE")
    return InstantActions(**_head(header), actions=(action,))


def legs_of(order: Order) -> tuple[Leg, ...]:
    """The pick-and-drop legs of any order, ours or another master control's.

    Each drop closes the earliest pick still open, of the same load where both name one.
    """
    open_picks: list[tuple[Action, Node]] = []
    legs: list[Leg] = []
    for node in sorted(order.nodes, key=lambda node: node.sequence_id):
        for action in node.actions:
            if action.action_type == PICK:
                open_picks.append((action, node))
            elif action.action_type == DROP and open_picks:
                pick, source = open_picks.pop(_matching(open_picks, action))
                load = pick.parameter("loadId") or action.parameter("loadId") or ""
                transport = TransportOrder(order.order_id, str(load), source.node_id, node.node_id)
                legs.append(Leg(transport, pick.action_id, action.action_id))
    return tuple(legs)


def _matching(picks: list[tuple[Action, Node]], drop: Action) -> int:
    wanted = drop.parameter("loadId")
    for index, (pick, _) in enumerate(picks):
        if wanted is not None and pick.parameter("loadId") == wanted:
            return index
    return 0


def _handling(kind: str, action_id: str, leg: Leg, station: str) -> Action:
    return Action(
        action_type=kind,
        action_id=action_id,
        blocking_type="HARD",
        action_parameters=(
            ActionParameter(key="stationName", value=station),
            ActionParameter(key="loadId", value=leg.order.load_id),
        ),
    )


def _head(header: Header) -> dict[str, Any]:
    return {
        "header_id": header.header_id,
        "timestamp": header.timestamp,
        "version": header.version,
        "manufacturer": header.manufacturer,
        "serial_number": header.serial_number,
    }
