"""Topic and payload <-> message. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agv_bridge.vda5050 import topics, wire
from agv_bridge.vda5050.messages import (
    Connection,
    Factsheet,
    InstantActions,
    Order,
    Responses,
    State,
    Visualization,
    ZoneSet,
)
from agv_bridge.vda5050.topics import VehicleAddress, edition_of, parse_topic
from contracts.errors import BadInputError

Message = (
    Connection | State | Visualization | Factsheet | Order | InstantActions | Responses | ZoneSet
)

_KINDS: dict[str, type[Message]] = {
    topics.CONNECTION: Connection,
    topics.STATE: State,
    topics.VISUALIZATION: Visualization,
    topics.FACTSHEET: Factsheet,
    topics.ORDER: Order,
    topics.INSTANT_ACTIONS: InstantActions,
    topics.RESPONSES: Responses,
    topics.ZONE_SET: ZoneSet,
}


@dataclass(frozen=True, slots=True)
class Received:
    """One message and where it came from. `version` is the vehicle's own word."""

    address: VehicleAddress
    name: str
    version: str
    message: Message


def decode(topic: str, payload: bytes) -> Received | None:
    """None for topics that are not of the standard: other machines on the same broker.

    Raises BadInputError naming the topic and what is wrong.
    """
    parsed = parse_topic(topic)
    if parsed is None or parsed[1] not in _KINDS:
        return None
    address, name = parsed
    value = wire.loads(payload, name=topic)
    version = value.get("version")
    edition = edition_of(address.major, version)
    message = wire.read_quickly(_KINDS[name], value, edition)
    if message is None:
        again = wire.loads(payload, name=topic)
        message = wire.read(_KINDS[name], again, edition, name=topic)
    return Received(address, name, version if isinstance(version, str) else "", message)


def encode(message: Message, major: str) -> bytes:
    """The payload for a topic of `major`, in the names of the message's own version.

    Raises BadInputError when the message has no version to go by.
    """
    if not message.version:
        raise BadInputError("A VDA 5050 message without a version", mend="Fill in its header")
    return wire.dumps(wire.write(message, edition_of(major, message.version)))
