"""What the bridge says: orders and instant actions, each in the vehicle's own version.

A broker that is away is no error here: `False` comes back and the next round tries again.
"""

from __future__ import annotations

from collections import defaultdict

import structlog

from agv_bridge.missions.orders import Leg, build_cancel, build_order, build_state_request
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.codec import Message, encode
from agv_bridge.vda5050.messages import Header
from agv_bridge.vda5050.topics import INSTANT_ACTIONS, ORDER, dialect_of
from contracts.clock import Clock
from contracts.errors import BadInputError, UnavailableError
from contracts.ports import MessageBus

_log = structlog.get_logger(__name__)
_NEWEST = {"v2": "2.1.0", "v3": "3.0.0"}


class Speaker:
    """Publishes to vehicles at QoS 0, as the standard says, and numbers the headers by topic."""

    def __init__(self, bus: MessageBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._headers: defaultdict[str, int] = defaultdict(int)

    async def send_order(self, vehicle: Vehicle, leg: Leg) -> bool:
        order = build_order(leg, self._header(vehicle, ORDER))
        return await self._publish(vehicle, ORDER, order)

    async def cancel(self, vehicle: Vehicle, order_id: str) -> bool:
        dialect = dialect_of(vehicle.address.major, vehicle.version)
        cancel = build_cancel(order_id, self._header(vehicle, INSTANT_ACTIONS), dialect)
        return await self._publish(vehicle, INSTANT_ACTIONS, cancel)

    async def ask_for_state(self, vehicle: Vehicle) -> bool:
        """So that a bridge that just came need not wait for the next 30 s state."""
        header = self._header(vehicle, INSTANT_ACTIONS)
        action_id = f"state.{self._clock.now():%Y%m%d%H%M%S%f}.{header.header_id}"
        return await self._publish(vehicle, INSTANT_ACTIONS, build_state_request(action_id, header))

    async def _publish(self, vehicle: Vehicle, name: str, message: Message) -> bool:
        topic = vehicle.address.topic(name)
        try:
            await self._bus.publish(topic, encode(message, vehicle.address.major))
        except UnavailableError as error:
            _log.info("agv_broker_unavailable", topic=topic, error=str(error))
            return False
        except BadInputError as error:
            _log.warning("agv_topic_refused", topic=topic, error=str(error))
            return False
        return True

    def _header(self, vehicle: Vehicle, name: str) -> Header:
        address = vehicle.address
        topic = address.topic(name)
        self._headers[topic] += 1
        readable = vehicle.version.startswith(("2.", "3."))
        dialect = dialect_of(address.major, vehicle.version)
        return Header(
            header_id=self._headers[topic],
            timestamp=self._clock.now(),
            version=vehicle.version if readable else _NEWEST[dialect.value],
            manufacturer=address.manufacturer,
            serial_number=address.serial,
        )
