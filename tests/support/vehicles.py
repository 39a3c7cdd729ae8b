"""A real broker with two vehicles and a station of the site, and ways to sign in there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import aiomqtt

from appliance.services.nats import EmbeddedNats
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry

WAIT_S = 60.0
A, B, QC = "maker/A", "maker/B", "module/v1/maker/QC-1"


@dataclass(slots=True)
class Site:
    broker: EmbeddedNats
    registry: VehicleRegistry
    office: VehicleOffice
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        address = self.office.address()
        assert address is not None
        return address.port

    def client(self, who: str, *, password: str = "", **more) -> aiomqtt.Client:
        known = self.passwords.get(who) or (self.broker.password(who) if "/" not in who else "")
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=who,
            password=password or known,
            identifier=more.pop("identifier", who),
            **more,
        )

    async def enrol(self, name: str) -> str:
        kind = "vehicle" if name.count("/") == 1 else "station"
        made = await self.office.enrol(kind, name, by="ida")
        assert made.in_force
        self.passwords[name] = made.password
        return made.password


async def heard_until(client: aiomqtt.Client, last: bytes) -> list[tuple[str, bytes]]:
    """Everything a client hears up to the message `last`: what came before it, came."""
    heard = []
    async with asyncio.timeout(WAIT_S):
        async for message in client.messages:
            heard.append((str(message.topic), bytes(message.payload)))
            if message.payload == last:
                return heard
    raise AssertionError("the stream ended")


async def is_thrown_out(client: aiomqtt.Client) -> bool:
    """True once the broker ends the connection."""
    try:
        async with asyncio.timeout(WAIT_S):
            async for _ in client.messages:
                pass
    except aiomqtt.MqttError:
        return True
    return False


async def is_refused(client: aiomqtt.Client) -> bool:
    try:
        async with client:
            return False
    except aiomqtt.MqttError:
        return True
