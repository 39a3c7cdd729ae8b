"""What a virtual vehicle says it is: one factsheet for all of them, valid in every version. Pure."""

from __future__ import annotations

from agv_bridge.missions.orders import CANCEL_ORDER, DROP, PICK, STATE_REQUEST
from agv_bridge.vda5050.messages import Factsheet, Header
from agv_bridge.vda5050.messages.factsheet import (
    ActionSpecification,
    Geometry,
    LoadSet,
    LoadSpecification,
    PhysicalParameters,
    ProtocolFeatures,
    ProtocolLimits,
    StringLengths,
    Timing,
    TypeSpecification,
)
from agv_bridge.vda5050.messages.parts import stamped

FACTSHEET_REQUEST, START_PAUSE, STOP_PAUSE = "factsheetRequest", "startPause", "stopPause"
_ON_NODES = (PICK, DROP)
_AT_ONCE = (CANCEL_ORDER, STATE_REQUEST, FACTSHEET_REQUEST, START_PAUSE, STOP_PAUSE)


def factsheet_of(header: Header, *, speed_m_s: float, state_every_s: float) -> Factsheet:
    """A small carrier of one carton. speed_m_s: how fast it drives at most."""
    told = Factsheet(
        type_specification=TypeSpecification(
            series_name="virtual carrier",
            series_description="A vehicle that is none, for tests and demonstrations",
            kinematics="DIFF",
            kinematic="DIFF",
            robot_class="CARRIER",
            maximum_load_mass=50.0,
            localization_types=("NATURAL",),
            navigation_types=("AUTONOMOUS",),
        ),
        physical_parameters=PhysicalParameters(
            minimum_speed=0.05,
            maximum_speed=speed_m_s,
            maximum_acceleration=1.0,
            maximum_deceleration=1.5,
            minimum_height=0.3,
            maximum_height=1.2,
            width=0.7,
            length=1.0,
        ),
        protocol_limits=ProtocolLimits(
            string_lengths=StringLengths(),
            array_lengths={},
            timing=Timing(minimum_order_interval=0.0, minimum_state_interval=state_every_s),
        ),
        protocol_features=ProtocolFeatures(
            actions=(
                *(_action(name, "NODE") for name in _ON_NODES),
                *(_action(name, "INSTANT") for name in _AT_ONCE),
            )
        ),
        geometry=Geometry(),
        load_specification=LoadSpecification(
            load_sets=(LoadSet(set_name="carton", load_type="CARTON", maximum_weight=50.0),)
        ),
    )
    return stamped(told, header)


def _action(name: str, scope: str) -> ActionSpecification:
    return ActionSpecification(
        action_type=name,
        action_scopes=(scope,),
        pause_allowed="true",
        cancel_allowed="false",
    )
