"""The listening connection against a broker that we play: any cut of the stream, and bad manners."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.services import mqtt_ear
from appliance.services.mqtt_ear import Line, ListeningError, listen
from contracts.ports import BusMessage
from telemetry.subscriber.packets import packet

_WELCOME, _GRANTED = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01"
messages = st.builds(
    BusMessage,
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9),
    payload=st.binary(max_size=300),
    qos=st.integers(0, 1),
    retain=st.booleans(),
)


def publish(message: BusMessage, number: int) -> bytes:
    raw = message.topic.encode()
    head = 0x30 | message.qos << 1 | message.retain
    body = len(raw).to_bytes(2, "big") + raw + (number.to_bytes(2, "big") if message.qos else b"")
    return packet(head, body + message.payload)


async def heard_from(
    *pieces: bytes, welcome: bytes = _WELCOME, granted: bytes = _GRANTED
) -> tuple[list[BusMessage], bytes, Exception]:
    """What a listener hears of a broker that sends these pieces, answers, and why it ended."""
    said = bytearray()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(welcome)
        await reader.read(1024)
        writer.write(granted)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            said.extend(await reader.read())
        writer.close()

    return await _talk(broker, said)


async def _talk(
    broker: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    said: bytearray,
) -> tuple[list[BusMessage], bytes, Exception]:
    heard: list[BusMessage] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await broker(reader, writer)
        finally:
            over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        line = Line("127.0.0.1", server.sockets[0].getsockname()[1], "ear", timeout_s=20)
        with pytest.raises((ListeningError, OSError)) as ended:
            await listen(line, ["#"], qos=1, put=heard.append, live=lambda: None)
        await asyncio.wait_for(over.wait(), 20)
    return heard, bytes(said), ended.value


@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 60), max_size=12))
def test_however_the_stream_is_cut_every_message_is_heard_once_and_acknowledged(sent, cuts):
    stream = b"".join(publish(message, number) for number, message in enumerate(sent, 1))
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    heard, said, _ = asyncio.run(heard_from(*pieces, stream[at:]))
    assert heard == sent
    numbers = [number for number, message in enumerate(sent, 1) if message.qos]
    acknowledged = b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in numbers)
    assert said.startswith(acknowledged)


async def test_a_message_that_is_too_long_goes_by_and_the_next_is_heard(monkeypatch):
    monkeypatch.setattr(mqtt_ear, "MOST_BYTES", 1000)
    long = publish(BusMessage("a", b"x" * 5000, 1), 7)
    short = publish(BusMessage("b", b"y"), 0)
    for cut in (3, 8, 900, len(long)):
        heard, said, _ = await heard_from(long[:cut], long[cut:] + short)
        assert heard == [BusMessage("b", b"y")]
        assert said.startswith(b"\x40\x02\x00\x07")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"welcome": b"\x20\x02\x00\x05"}, "refused the connection with code 5"),
        ({"granted": b"\x90\x03\x00\x01\x80"}, "subscription to # refused"),
        ({"welcome": b"\x20\x01\x00"}, "CONNACK is cut"),
    ],
)
async def test_a_broker_that_refuses_is_heard_out(more, why):
    _, _, ended = await heard_from(**more)
    assert why in str(ended)


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        (b"\x34\x05\x00\x01a\x00\x01", "QoS 2"),
        (b"\x30\x02\x00\x09", "is cut"),
        (b"\x30\x05\x00\x02\xff\xff1", "not UTF-8"),
        (b"\xf0\x00", "kind 15"),
        (b"\x30\xff\xff\xff\xff\xff", "does not end"),
        (b"", "closed the connection"),
    ],
)
async def test_what_is_no_mqtt_ends_the_connection(piece, why):
    heard, _, ended = await heard_from(piece)
    assert (heard, why in str(ended)) == ([], True), str(ended)
