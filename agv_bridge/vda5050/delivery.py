"""How each message travels: who says it, QoS, retain, last will, and since which major.

The one table that bridge, virtual fleet and the broker's topic rules go by. Sources: VDA 5050 2.0
and 2.1, sections 6.2 to 6.4 and those of the topics; 3.0, sections 4.1 (QoS), 4.3 (topics), 6.5
(connection: retained, with a last will) and 6.10 (factsheet: retained).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.naming import Dialect


class Speaker(Enum):
    VEHICLE = "vehicle"
    MASTER_CONTROL = "master_control"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The way of one topic."""

    name: str
    """The topic's last level."""
    speaker: Speaker
    qos: int = 0
    retain: bool = False
    is_last_will: bool = False
    """Whether the speaker leaves one with the broker, for when its connection breaks."""
    majors: tuple[Dialect, ...] = tuple(Dialect)


_ALL = (
    Delivery(topics.CONNECTION, Speaker.VEHICLE, qos=1, retain=True, is_last_will=True),
    Delivery(topics.STATE, Speaker.VEHICLE),
    Delivery(topics.VISUALIZATION, Speaker.VEHICLE),
    Delivery(topics.FACTSHEET, Speaker.VEHICLE, retain=True),
    Delivery(topics.ORDER, Speaker.MASTER_CONTROL),
    Delivery(topics.INSTANT_ACTIONS, Speaker.MASTER_CONTROL),
    Delivery(topics.RESPONSES, Speaker.MASTER_CONTROL, majors=(Dialect.V3,)),
    Delivery(topics.ZONE_SET, Speaker.MASTER_CONTROL, majors=(Dialect.V3,)),
)
DELIVERIES = {delivery.name: delivery for delivery in _ALL}


def said_by(speaker: Speaker, major: str) -> tuple[str, ...]:
    """Topic names that `speaker` publishes in a major (`v2`, `v3`); the other one hears them.

    So a vehicle may publish `said_by(Speaker.VEHICLE, "v2")` under its own address, and subscribe
    to `said_by(Speaker.MASTER_CONTROL, "v2")` there, and nothing else.
    """
    return tuple(
        delivery.name
        for delivery in _ALL
        if delivery.speaker is speaker and Dialect(major) in delivery.majors
    )
