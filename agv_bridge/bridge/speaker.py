"""What the bridge says: orders and instant actions, each in the vehicle's own version.

A broker that is away is no error here: `False` comes back and the next round tries again.

Some vehicles of 2.0 (vda-5050-lib 1.4) kept 1.1's name `instantActions` for the list that 2.0 calls
`actions`, and refuse ours. They say so in an error, and from then on hear the old name.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec
import structlog

from agv_bridge.missions.orders import Leg, build_cancel, build_order, build_state_request
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.codec import Message, encode
from agv_bridge.vda5050.delivery import DELIVERIES
from agv_bridge.vda5050.messages import Header
from agv_bridge.vda5050.topics import INSTANT_ACTIONS, ORDER, dialect_of
from contracts.clock import Clock
from contracts.errors import BadInputError, UnavailableError
from contracts.ports import MessageBus

_log = structlog.get_logger(__name__)
_NEWEST = {"v2": "2.1.0", "v3": "3.0.0"}


class Speaker:
    """Publishes to vehicles as the standard's table says, and numbers the headers by topic."""

    def __init__(self, bus: MessageBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._headers: defaultdict[str, int] = defaultdict(int)
        self._old_names: set[str] = set()
        """Vehicles that want the list of instant actions under 1.1's name."""

    def heed(self, vehicle: Vehicle) -> bool:
        """Learn from a vehicle's errors how it wants to be spoken to. True when that is news, so
        that what it refused may be said again at once.
        """
        errors = vehicle.state.errors if vehicle.state is not None else ()
        if vehicle.version.startswith("2.0") and any(
            error.is_about("topic", INSTANT_ACTIONS) for error in errors
        ):
            known = vehicle.name in self._old_names
            self._old_names.add(vehicle.name)
            return not known
        return False

    def forget(self, vehicle: Vehicle) -> None:
        """It is not spoken to any more; should it come back, its headers begin anew."""
        self._old_names.discard(vehicle.name)
        for name in (ORDER, INSTANT_ACTIONS):
            self._headers.pop(vehicle.address.topic(name), None)

    async def send_order(self, vehicle: Vehicle, leg: Leg) -> bool:
        state = vehicle.state
        order = build_order(
            leg,
            self._header(vehicle, ORDER),
            start=state.last_node_id if state is not None else "",
            at=state.position if state is not None else None,
        )
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
            payload = encode(message, vehicle.address.major)
            if name == INSTANT_ACTIONS and vehicle.name in self._old_names:
                payload = _under_old_name(payload)
            way = DELIVERIES[name]
            await self._bus.publish(topic, payload, qos=way.qos, retain=way.retain)
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


def _under_old_name(payload: bytes) -> bytes:
    message = msgspec.json.decode(payload)
    message["instantActions"] = message.pop("actions")
    return msgspec.json.encode(message)
