"""However the network cuts a stream, and whatever stands in it, the same readings are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from telemetry.mqtt.connection import Connection, State
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.limits import EndpointLimits
from telemetry.mqtt.packets import V5, V311, Connect, Disconnect, PingReq, Publish
from tests.support.sensors import Gate

LIMITS = EndpointLimits(packet_bytes=2_000, half_packets_bytes=100_000, receive_maximum=1_000)


class Wire(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = False

    def write(self, data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Kept:
    """A durable path without a disk."""

    full = False

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.aside: list[str] = []

    def take(
        self, messages: Sequence[tuple[str, bytes]], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        self.taken += messages
        on_disk()

    def set_aside(
        self, items: Sequence[object], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        self.aside += map(str, items)
        on_disk()


async def heard(pieces: Sequence[bytes], version: int) -> tuple[list, list, dict[str, int]]:
    path = Kept()
    endpoint = Endpoint(path, Gate(), limits=LIMITS, now_us=lambda: 1)
    connection = Connection(endpoint)
    connection.connection_made(Wire())
    hello = Connect("a", version, username="a", password=b"open")
    connection.data_received(encode(hello, version))
    assert connection._checking is not None
    await connection._checking
    assert connection.state is State.OPEN
    for piece in pieces:
        connection.data_received(piece)
    connection.connection_lost(None)
    assert endpoint.half_packets.held == 0
    assert endpoint.connected == 0
    return path.taken, path.aside, dict(endpoint.counts.refused)


TOPICS = st.sampled_from(["plant/a", "plant/a/x", "plant/b", "kitchen"])
READINGS = st.builds(
    Publish, TOPICS, st.binary(max_size=200), st.just(1), st.integers(1, 60_000), st.booleans()
)
STREAM = st.lists(
    READINGS | st.just(PingReq()) | st.just(Disconnect()) | st.binary(max_size=12), max_size=12
)


@given(STREAM, st.sampled_from([V311, V5]), st.lists(st.integers(1, 90), max_size=60))
def test_a_stream_says_the_same_in_any_pieces(
    packets: list[object], version: int, sizes: list[int]
) -> None:
    data = b"".join(part if isinstance(part, bytes) else encode(part, version) for part in packets)
    pieces, rest = [], data
    for size in sizes:
        if rest:
            pieces.append(rest[:size])
            rest = rest[size:]
    pieces += [rest] if rest else []

    whole = asyncio.run(heard([data] if data else [], version))
    assert asyncio.run(heard(pieces, version)) == whole
