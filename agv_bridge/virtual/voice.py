"""How a virtual vehicle publishes: its header ids and clock, each message as its topic travels.

A broker that is away stops nobody: a vehicle goes on with its order and says ONLINE again later.
"""

from __future__ import annotations

from datetime import timedelta

from agv_bridge.vda5050 import topics
from agv_bridge.vda5050.codec import Message, encode
from agv_bridge.vda5050.delivery import DELIVERIES
from agv_bridge.vda5050.messages import Header
from agv_bridge.vda5050.topics import VehicleAddress
from agv_bridge.virtual.faults import Faults, Noise
from agv_bridge.virtual.presence import connection_message
from contracts.clock import Clock
from contracts.errors import UnavailableError
from contracts.ports import MessageBus


class Voice:
    """What one vehicle says, on a bus of its own."""

    def __init__(
        self, bus: MessageBus, address: VehicleAddress, version: str, clock: Clock
    ) -> None:
        self._bus = bus
        self._address = address
        self._version = version
        self._clock = clock
        self._noise = Noise(address.serial)
        self._headers: dict[str, int] = {}
        self._unheard = False

    def header(self, name: str, faults: Faults) -> Header:
        """The next one of a topic, by the vehicle's own clock."""
        self._headers[name] = self.last_id(name) + 1
        return Header(
            header_id=self._headers[name],
            timestamp=self._clock.now() + timedelta(seconds=faults.clock_off_s),
            version=self._version,
            manufacturer=self._address.manufacturer,
            serial_number=self._address.serial,
        )

    def last_id(self, name: str) -> int:
        """The header id of what was last said on a topic; 0 for nothing yet."""
        return self._headers.get(name, 0)

    def reboot(self) -> None:
        """Header ids begin again."""
        self._headers.clear()

    async def say(self, name: str, message: Message, faults: Faults) -> None:
        """Publish; states go through the noise that was asked for, connection and factsheet never."""
        payload = encode(message, self._address.major)
        noisy = name in {topics.STATE, topics.VISUALIZATION}
        for one in self._noise.through(payload, faults) if noisy else [payload]:
            await self._publish(name, one)
        if name == topics.STATE and self._unheard:
            self._unheard = False
            await self.say_connection("ONLINE", faults)

    async def say_connection(self, said: str, faults: Faults) -> None:
        message = connection_message(self.header(topics.CONNECTION, faults), said)
        await self.say(topics.CONNECTION, message, faults)

    async def _publish(self, name: str, payload: bytes) -> None:
        way = DELIVERIES[name]
        topic = self._address.topic(name)
        try:
            await self._bus.publish(topic, payload, qos=way.qos, retain=way.retain)
        except UnavailableError:
            self._unheard = True
