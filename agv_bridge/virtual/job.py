"""The order that a virtual vehicle works on: taken or not, and how far it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from agv_bridge.vda5050.messages import (
    FAILED,
    FINISHED,
    ActionState,
    EdgeState,
    ErrorReference,
    Node,
    NodePosition,
    NodeState,
    Order,
    VehicleError,
)
from agv_bridge.virtual.floor import MAP_ID, spot_of

WAITING, RUNNING = "WAITING", "RUNNING"


class Answer(Enum):
    """What a vehicle makes of an order."""

    TAKE = "take"
    KNOWN = "known"
    BUSY = "orderUpdateError"
    REFUSE = "validationError"


@dataclass(slots=True)
class Job:
    """The order being worked on, or the last one."""

    order: Order
    statuses: dict[str, str]
    nodes_left: list[Node] = field(default_factory=list)
    cancelled: bool = False

    @classmethod
    def of(cls, order: Order) -> Job:
        """In the order of driving; what is not released (the horizon) waits for an update."""
        nodes = sorted((n for n in order.nodes if n.released), key=lambda node: node.sequence_id)
        return cls(order, {a.action_id: WAITING for n in nodes for a in n.actions}, nodes)

    @property
    def at_work(self) -> bool:
        return bool(self.nodes_left)

    def end_cancelled(self) -> None:
        """What was not finished FAILS and no way is left (VDA 5050, cancelOrder)."""
        for action_id, status in self.statuses.items():
            self.statuses[action_id] = FINISHED if status == FINISHED else FAILED
        self.nodes_left.clear()

    def action_states(self) -> tuple[ActionState, ...]:
        kinds = {a.action_id: a.action_type for node in self.order.nodes for a in node.actions}
        return tuple(
            ActionState(action_id=action_id, action_status=status, action_type=kinds[action_id])
            for action_id, status in self.statuses.items()
        )

    def node_states(self) -> tuple[NodeState, ...]:
        return tuple(
            NodeState(
                node_id=node.node_id,
                sequence_id=node.sequence_id,
                node_position=_position(node.node_id),
            )
            for node in self.nodes_left
        )

    def edge_states(self) -> tuple[EdgeState, ...]:
        """Edges that lead to a node still to be reached."""
        ahead = {node.sequence_id for node in self.nodes_left}
        return tuple(
            EdgeState(edge_id=edge.edge_id, sequence_id=edge.sequence_id)
            for edge in self.order.edges
            if edge.sequence_id + 1 in ahead
        )


def judge(job: Job | None, order: Order, *, rejecting: bool) -> Answer:
    """An order known already is no news, another one waits until this is done."""
    if job is not None and job.order.order_id == order.order_id:
        return Answer.KNOWN
    if rejecting:
        return Answer.REFUSE
    return Answer.BUSY if job is not None and job.at_work else Answer.TAKE


def refusal(answer: Answer, order: Order) -> VehicleError:
    """The error of an order not taken: it names the order (VDA 5050, errorReferences)."""
    about = ErrorReference(reference_key="orderId", reference_value=order.order_id)
    return VehicleError(error_type=answer.value, error_references=(about,))


def _position(node_id: str) -> NodePosition:
    spot = spot_of(node_id)
    return NodePosition(x=spot.x, y=spot.y, map_id=MAP_ID)
