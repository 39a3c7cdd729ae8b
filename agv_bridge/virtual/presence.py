"""How a vehicle says that it is there: its address, and its `connection` messages. Pure.

Retained, QoS 1. The will is set up before anything is said, so it carries header id 0 and an old
time; the birth message answers a will that an earlier connection left behind.
"""

from __future__ import annotations

from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import encode
from agv_bridge.vda5050.messages import Connection, Header
from agv_bridge.vda5050.topics import DEFAULT_INTERFACE, VehicleAddress, dialect_of
from contracts.clock import Clock, SystemClock
from contracts.ports import BusMessage


def address_of(serial: str, *, version: str, manufacturer: str) -> VehicleAddress:
    dialect = dialect_of("v2", version)
    return VehicleAddress(DEFAULT_INTERFACE[dialect], dialect.value, manufacturer, serial)


def connection_message(header: Header, said: str) -> Connection:
    return Connection(
        header_id=header.header_id,
        timestamp=header.timestamp,
        version=header.version,
        manufacturer=header.manufacturer,
        serial_number=header.serial_number,
        connection_state=said,
    )


def will_of(
    serial: str,
    *,
    version: str = "2.1.0",
    manufacturer: str = "tallyman",
    clock: Clock | None = None,
) -> BusMessage:
    """The last will of a vehicle: retained, QoS 1, with header id 0 as it is set up first."""
    address = address_of(serial, version=version, manufacturer=manufacturer)
    return _retained(address, version, "CONNECTION_BROKEN", clock or SystemClock())


def birth_of(
    serial: str,
    *,
    version: str = "2.1.0",
    manufacturer: str = "tallyman",
    clock: Clock | None = None,
) -> BusMessage:
    """What a vehicle says after every connect, against a will of its last connection."""
    address = address_of(serial, version=version, manufacturer=manufacturer)
    return _retained(address, version, "ONLINE", clock or SystemClock())


def _retained(address: VehicleAddress, version: str, said: str, clock: Clock) -> BusMessage:
    header = Header(
        timestamp=clock.now(),
        version=version,
        manufacturer=address.manufacturer,
        serial_number=address.serial,
    )
    payload = encode(connection_message(header, said), address.major)
    return BusMessage(address.topic(topics.CONNECTION), payload, 1, retain=True)
