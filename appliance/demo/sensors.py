"""A cold room, a freezer, its door and a dock that exist in this process only, for pages that are not
empty: they publish once a second, by MQTT and by CoAP, as real sensors would.

They are written into the sensor book at the first start, while it has no sensor at all, and are
taken out on the page of sensors.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.fences.store import FenceStore
from appliance.gateway.credentials import SensorCredentials
from appliance.journal.stamp import to_us
from appliance.layout import Layout
from appliance.sensors.store import open_store
from appliance.services.address import write_private
from contracts.clock import SystemClock
from contracts.telemetry import AlarmEffect
from telemetry.coap.message import Code, Kind, Message, Option, encode
from telemetry.describing.book import Device
from telemetry.mqtt.encoding import encode as encode_mqtt
from telemetry.mqtt.packets import V311, Connect, Publish
from telemetry.watching.fences import Fence, Scope, ScopeKind

_AGAIN_S: Final = 2.0
_ANSWER_S: Final = 5.0
_OPENED_EVERY_S: Final = 300
_OPEN_S: Final = 40
_SENML_JSON = b"\x6e"
"""Content format 110 (RFC 8428, 12.3)."""

DEVICES: Final = (
    Device("coldroom-1", "json-temperature-humidity", name="Cold room", place="A"),
    Device("freezer-1", "json-freezer", name="Freezer", place="B"),
    Device("dock-climate-1", "senml-climate", name="Dock", place="dock-1"),
)

FENCE: Final = Fence(
    "cold-room", 1, "Cold room, 2 to 8 °C", "temperature", "Cel",
    scope=Scope(ScopeKind.ZONE, "A"), above=8.0, below=2.0, hysteresis=0.5,
    for_s=300, missing_s=900, tell_s=600, effect=AlarmEffect.EXCURSION,
)  # fmt: skip
"""A draft to try out and to drag: it watches nothing until somebody signs it."""


@dataclass(frozen=True, slots=True)
class SensorAccess:
    """How the virtual sensors sign in: `passwords` by device, in a file that only we read."""

    passwords: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> SensorAccess:
        return cls(json.loads(path.read_bytes()))


def introduce_sensors(layout: Layout, credentials: Path) -> Path | None:
    """Write the virtual sensors and a fence's draft into an empty book and let them publish; the
    file of their passwords. None where the site has sensors of its own.
    """
    clock = SystemClock()
    store = open_store(layout.sensor_book, clock)
    ours = {each.id for each in DEVICES}
    known = {each.id for each in store.book().device}
    if not known:
        store.put_devices(DEVICES, by="demo")
        _draft(layout, to_us(clock.now()))
    elif not known & ours:
        return None
    path = layout.demo / "sensors.json"
    allowed = SensorCredentials(credentials)
    if not path.exists() or not ours <= allowed.all().keys():
        path.parent.mkdir(parents=True, exist_ok=True)
        passwords = {each.id: allowed.add(each.id) for each in DEVICES}
        write_private(path, json.dumps(passwords))
    return path


def _draft(layout: Layout, now_us: int) -> None:
    fences = FenceStore(layout.sensor_book / "fences.db")
    try:
        if not fences.stories():
            fences.save(FENCE, by="demo", now_us=now_us)
    finally:
        fences.close()


async def run_sensors(access: SensorAccess, mqtt: tuple[str, int], coap: tuple[str, int]) -> None:
    """Until cancelled; a gateway that is away is tried again."""
    async with asyncio.TaskGroup() as jobs:
        for device, topic, says in (
            ("coldroom-1", "sensors/coldroom-1/climate", _cold_room),
            ("freezer-1", "sensors/freezer-1/freezer", _freezer),
        ):
            jobs.create_task(_by_mqtt(device, topic, says, access, mqtt))
        jobs.create_task(_by_coap("dock-climate-1", _dock, coap))


async def _by_mqtt(
    device: str,
    topic: str,
    says: Callable[[float], dict[str, Any]],
    access: SensorAccess,
    address: tuple[str, int],
) -> None:
    numbers = _numbers()
    while True:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*address)
            try:
                hello = Connect(
                    client_id=device,
                    version=V311,
                    username=device,
                    password=access.passwords[device].encode(),
                )
                writer.write(encode_mqtt(hello, V311))
                async with asyncio.timeout(_ANSWER_S):
                    await reader.readexactly(4)
                while True:
                    number = next(numbers)
                    packet = Publish(
                        topic=topic,
                        payload=_payload(number, says),
                        qos=1,
                        packet_id=number % 0xFFFF + 1,
                    )
                    writer.write(encode_mqtt(packet, V311))
                    async with asyncio.timeout(_ANSWER_S):
                        await reader.readexactly(4)
                    await asyncio.sleep(1)
            finally:
                writer.close()
        await asyncio.sleep(_AGAIN_S)


async def _by_coap(
    device: str, says: Callable[[float], list[dict[str, Any]]], address: tuple[str, int]
) -> None:
    loop = asyncio.get_running_loop()
    options = (
        (Option.URI_PATH, b"climate"),
        (Option.URI_PATH, device.encode()),
        (Option.CONTENT_FORMAT, _SENML_JSON),
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)
        for number in _numbers():
            body = json.dumps(says(time.time())).encode()
            message = Message(Kind.CON, Code.POST, number & 0xFFFF, b"", options, body)
            with suppress(OSError, TimeoutError):
                await loop.sock_sendall(sock, encode(message))
                async with asyncio.timeout(1):
                    await loop.sock_recv(sock, 100)
            await asyncio.sleep(1)


def _numbers() -> Iterator[int]:
    """Sequence numbers that go on from one start to the next: seconds since 2020."""
    number = int(time.time()) - 1_577_836_800
    while True:
        yield number
        number += 1


def _payload(number: int, says: Callable[[float], dict[str, Any]]) -> bytes:
    now = time.time()
    return json.dumps({"seq": number, "ts": int(now * 1000), **says(now)}).encode()


def _cold_room(now: float) -> dict[str, Any]:
    """About 4 °C, warmer for a while after the door stood open."""
    since = now % _OPENED_EVERY_S
    warmth = 3.2 * math.exp(-max(0.0, since - _OPEN_S) / 60) * min(1.0, since / _OPEN_S)
    return {
        "t": round(3.8 + warmth + _noise(0.08), 2),
        "h": round(62 + 4 * math.sin(now / 700) + _noise(0.5), 1),
        "bat": 94,
    }


def _freezer(now: float) -> dict[str, Any]:
    """Its compressor comes and goes."""
    return {
        "t": round(-19.5 + 1.1 * math.sin(now / 95) + _noise(0.1), 2),
        "door": "closed",
        "w": 140 if math.cos(now / 95) < 0 else 6,
    }


def _dock(now: float) -> list[dict[str, Any]]:
    """SenML (RFC 8428)."""
    warmth = round(17 + 2.5 * math.sin(now / 1800) + _noise(0.15), 2)
    damp = round(51 + 5 * math.sin(now / 1100) + _noise(0.8), 1)
    return [
        {"n": "temperature", "u": "Cel", "v": warmth},
        {"n": "humidity", "u": "%RH", "v": damp},
    ]


def _noise(sigma: float) -> float:
    return random.gauss(0, sigma)
