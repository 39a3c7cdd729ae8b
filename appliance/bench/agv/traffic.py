"""A thousand vehicles on a few connections, and some that work: what the bridge has to follow.

    python -m appliance.bench.agv.traffic mqtt://127.0.0.1:1883 < COMMANDS

Those on the road send one state a second each, 1.9 kB, on an order of another master control (three
nodes, five actions, a load, a warning), every one with its time; one packet is built for each vehicle
and only its digits change. Those that work are our virtual vehicles, each with connections of its
own. One line of JSON on standard input says what is wanted, one answers each (see `serve`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from agv_bridge.vda5050.codec import encode
from agv_bridge.vda5050.messages import (
    ActionState,
    EdgeState,
    ErrorReference,
    Load,
    NodeState,
    Position,
    Power,
    Safety,
    State,
    VehicleError,
)
from agv_bridge.virtual.presence import address_of, birth_of, will_of
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.bench.agv.lines import commands, log_elsewhere, say
from appliance.services.mqtt import BrokerAddress, MqttBus

CONNECTIONS: Final = 4
_FIRST_HEADER: Final = 1_000_000
_ZERO_TIME: Final = "2000-01-01T00:00:00.000Z"
_TICK_S: Final = 0.01
_MAKER: Final = "road"


def road_state(number: int, version: str) -> State:
    """A state as a vehicle on its way sends it; about 1.9 kB on the wire."""
    order = f"other-{number:04d}-0815"
    words = (("pick", "FINISHED"), ("beep", "FINISHED"), ("drop", "RUNNING"), ("beep", "WAITING"))
    return State(
        header_id=_FIRST_HEADER,
        timestamp=datetime(2000, 1, 1, tzinfo=UTC),
        version=version,
        manufacturer=_MAKER,
        serial_number=f"r{number:04d}",
        order_id=order,
        last_node_id=f"N-{number:04d}-03",
        last_node_sequence_id=6,
        driving=True,
        node_states=tuple(
            NodeState(node_id=f"N-{number:04d}-{at:02d}", sequence_id=2 * at) for at in (4, 5, 6)
        ),
        edge_states=tuple(
            EdgeState(edge_id=f"E-{number:04d}-{at:02d}", sequence_id=2 * at - 1)
            for at in (4, 5, 6)
        ),
        action_states=tuple(
            ActionState(action_id=f"{order}-{at}", action_type=kind, action_status=status)
            for at, (kind, status) in enumerate((*words, ("charge", "WAITING")))
        ),
        loads=(Load(load_id=f"pallet-{number:04d}", load_type="EPAL"),),
        position=Position(x=12.25, y=float(number % 250) / 10, theta=0.5, map_id="floor"),
        power=Power(charge_percent=73.5, charging=False),
        errors=(
            VehicleError(
                error_type="scannerDirty",
                error_description="The front scanner sees less than it should; clean its window",
                error_references=(
                    ErrorReference(reference_key="nodeId", reference_value=f"N-{number:04d}-03"),
                ),
            ),
        ),
        safety=Safety(),
    )


@dataclass(slots=True)
class Road:
    """The packets of all vehicles on the road, sent in turn."""

    vehicles: int
    version: str
    packets: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    """Before the header id, between it and the time, after the time."""
    sent: int = 0
    bytes_each: int = 0

    def __post_init__(self) -> None:
        for number in range(self.vehicles):
            serial = f"r{number:04d}"
            address = address_of(serial, version=self.version, manufacturer=_MAKER)
            payload = encode(road_state(number, self.version), address.major)
            packet = publish_packet(address.topic("state"), payload)
            before, _, rest = packet.partition(str(_FIRST_HEADER).encode())
            between, _, after = rest.partition(_ZERO_TIME.encode())
            self.packets.append((before, between, after))
            self.bytes_each = len(payload)

    def due(self, count: int) -> list[bytes]:
        """The next `count` packets, with the time that it is now."""
        now = datetime.now(UTC)
        at = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z".encode()
        out = []
        for _ in range(count):
            turn, number = divmod(self.sent, self.vehicles)
            before, between, after = self.packets[number]
            header = str(_FIRST_HEADER + turn).encode()
            out.append(b"".join((before, header, between, at, after)))
            self.sent += 1
        return out


async def drive(road: Road, url: str, rate: float, stop: asyncio.Event) -> None:
    """Send `rate` states a second over CONNECTIONS connections, evenly, until `stop`."""
    writers = [await connect(url, f"road-{number}") for number in range(CONNECTIONS)]
    began, first = time.monotonic(), road.sent
    try:
        while not stop.is_set():
            await asyncio.sleep(_TICK_S)
            owed = int((time.monotonic() - began) * rate) - (road.sent - first)
            packets = road.due(max(0, owed))
            for number, writer in enumerate(writers):
                # A vehicle stays on its connection, so that its states stay in order.
                offset = (number - (road.sent - len(packets))) % CONNECTIONS
                writer.write(b"".join(packets[offset::CONNECTIONS]))
            await asyncio.gather(*(writer.drain() for writer in writers))
    finally:
        for writer in writers:
            writer.close()


async def connect(url: str, client_id: str) -> asyncio.StreamWriter:
    """A plain MQTT 3.1.1 connection to publish on at QoS 0. Raises OSError, EOFError."""
    address = BrokerAddress.parse(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    user = address.username or ""
    flags = 0x02 | (0xC0 if user else 0)
    body = _text("MQTT") + bytes([4, flags]) + (0).to_bytes(2, "big") + _text(client_id)
    body += _text(user) + _text(address.password or "") if user else b""
    writer.write(b"\x10" + _length(len(body)) + body)
    answer = await reader.readexactly(4)
    if answer[3]:
        raise ConnectionError(f"the broker refused {client_id}: {answer[3]}")
    return writer


def publish_packet(topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 0, MQTT 3.1.1."""
    head = _text(topic)
    return b"\x30" + _length(len(head) + len(payload)) + head + payload


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


@dataclass(slots=True)
class Heard:
    """When an order for a load went by, seconds since 1970; the first time counts."""

    at: dict[str, float] = field(default_factory=dict)

    async def listen(self, url: str) -> None:
        async with (
            MqttBus(url, client_id="order-ear") as bus,
            bus.subscribe("+/+/+/+/order") as messages,
        ):
            async for message in messages:
                now = time.time()
                for load in _loads_in(msgspec.json.decode(message.payload)):
                    self.at.setdefault(load, now)


def _loads_in(order: Mapping[str, Any]) -> Iterator[str]:
    for node in order["nodes"]:
        for action in node["actions"]:
            for parameter in action.get("actionParameters", ()):
                if parameter["key"] == "loadId":
                    yield parameter["value"]


async def serve(url: str) -> None:
    """Commands: {"work": VEHICLES, "step_s": S, "name": PREFIX, "witness": FILE}, {"road": VEHICLES, "rate": HZ, "version": V},
    {"stop": true}, {"report": true}, and the end of the input.
    """
    heard, stop = Heard(), asyncio.Event()
    tasks = [asyncio.create_task(heard.listen(url))]
    road: Road | None = None
    async with AsyncExitStack() as stack:
        say({"ready": True})
        async for command in commands():
            if "work" in command:
                tasks += await _work(stack, url, command)
            elif "road" in command:
                road, stop = Road(int(command["road"]), str(command["version"])), asyncio.Event()
                tasks.append(asyncio.create_task(drive(road, url, float(command["rate"]), stop)))
            elif "stop" in command:
                stop.set()
            say(
                {
                    "sent": road.sent if road else 0,
                    "bytes": road.bytes_each if road else 0,
                    "orders": heard.at if "report" in command else len(heard.at),
                }
            )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Witness(list[str]):
    """What a vehicle really did, a line each in a file that outlives the vehicle."""

    def __init__(self, file: Path, vehicle: str) -> None:
        super().__init__()
        self._file = file
        self._vehicle = vehicle

    def append(self, action_id: str) -> None:
        super().append(action_id)
        with self._file.open("a", encoding="utf-8") as out:
            out.write(f"{self._vehicle} {action_id}\n")


async def _work(
    stack: AsyncExitStack, url: str, command: Mapping[str, Any]
) -> list[asyncio.Task[None]]:
    tasks = []
    for number in range(int(command["work"])):
        serial = f"{command.get('name', 'w')}{number:03d}"
        version = ("2.1.0", "3.0.0")[number % 2]
        bus = await stack.enter_async_context(
            MqttBus(
                url,
                client_id=serial,
                will=will_of(serial, version=version),
                birth=partial(birth_of, serial, version=version),
            )
        )
        agv = VirtualAgv(
            bus,
            serial,
            version=version,
            step_s=float(command["step_s"]),
            heartbeat_s=float(command.get("heartbeat_s", 1.0)),
        )
        if "witness" in command:
            agv.body.executed = Witness(Path(command["witness"]), agv.address.vehicle)
        tasks.append(asyncio.create_task(agv.run()))
    return tasks


if __name__ == "__main__":
    log_elsewhere()
    asyncio.run(serve(sys.argv[1]))
