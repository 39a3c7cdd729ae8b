"""What a virtual vehicle is made of besides its order: where it stands, what it carries, its battery.

And what it says of all that. Pure: values in, messages out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agv_bridge.missions.orders import DROP, PICK
from agv_bridge.vda5050.messages import (
    FAILED,
    FINISHED,
    Action,
    ActionState,
    Header,
    Load,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
    Velocity,
    Visualization,
    stamped,
)
from agv_bridge.vda5050.wire import Dialect
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.floor import MAP_ID, Spot, spot_of
from agv_bridge.virtual.job import Job

_PERCENT_A_METRE = 0.01
_LOWEST_PERCENT = 40.0
"""A vehicle of ours never runs flat by driving; the fault `charge_percent` plays that."""


@dataclass(slots=True)
class Body:
    """One vehicle's own state; its owner changes it as it drives."""

    place: str
    """The last node it reached."""
    spot: Spot
    sequence_id: int = 0
    driving: bool = False
    paused: bool = False
    loads: list[str] = field(default_factory=list)
    charge_percent: float = 100.0
    executed: list[str] = field(default_factory=list)
    """Ids of the actions done, in order: what really happened to the goods."""

    @classmethod
    def at(cls, place: str) -> Body:
        return cls(place, spot_of(place))

    def drove(self, metres: float) -> None:
        self.charge_percent = max(_LOWEST_PERCENT, self.charge_percent - metres * _PERCENT_A_METRE)

    def handle(self, action: Action, faults: Faults) -> str:
        """Do one action and say how it ended."""
        if faults.fail_action == action.action_type:
            return FAILED
        self.executed.append(action.action_id)
        if action.action_type == PICK:
            named = str(action.parameter("loadId") or "load")
            self.loads.append(faults.load_alias or named)
        elif action.action_type == DROP and self.loads:
            self.loads.pop()
        return FINISHED


def state_of(
    body: Body,
    job: Job | None,
    header: Header,
    *,
    faults: Faults,
    dialect: Dialect,
    instant: tuple[ActionState, ...] = (),
    errors: tuple[VehicleError, ...] = (),
) -> State:
    """Everything that a master control may know. 2.x keeps instant actions among the others."""
    actions = job.action_states() if job is not None else ()
    shown = body.charge_percent if faults.charge_percent is None else faults.charge_percent
    told = State(
        order_id=job.order.order_id if job else "",
        order_update_id=job.order.order_update_id if job else 0,
        last_node_id=body.place,
        last_node_sequence_id=body.sequence_id,
        driving=body.driving,
        paused=body.paused or None,
        node_states=job.node_states() if job else (),
        edge_states=job.edge_states() if job else (),
        position=position_of(body),
        loads=None if faults.loads_unknown else tuple(Load(load_id=one) for one in body.loads),
        action_states=actions if dialect is Dialect.V3 else actions + instant,
        instant_action_states=instant,
        power=Power(charge_percent=round(shown, 2)),
        errors=errors,
        safety=Safety(emergency_stop=faults.emergency_stop or "NONE"),
    )
    return stamped(told, header)


def visualization_of(
    body: Body, header: Header, *, state_id: int, speed_m_s: float
) -> Visualization:
    """Where it is. state_id: header id of its last state. speed_m_s: while it drives."""
    told = Visualization(
        reference_state_header_id=state_id,
        position=position_of(body),
        velocity=Velocity(vx=speed_m_s if body.driving else 0.0, vy=0.0, omega=0.0),
    )
    return stamped(told, header)


def position_of(body: Body) -> Position:
    spot = body.spot
    return Position(
        x=round(spot.x, 3),
        y=round(spot.y, 3),
        theta=max(-3.1415, min(3.1415, round(spot.theta, 4))),
        map_id=MAP_ID,
    )
