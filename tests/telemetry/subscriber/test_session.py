"""Deliveries however the network cuts them; what is not on disk is not acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.subscriber import packets
from telemetry.subscriber.packets import V5, V311
from telemetry.subscriber.session import Session
from tests.telemetry.disk import Disk


class Line:
    """The transport: keeps what was sent."""

    def __init__(self) -> None:
        self.sent = b""
        self.reading = True
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def session_on(disk: Disk, line: Line, version: int = V311) -> Session:
    session = Session(
        disk,
        b"",
        version=version,
        most_bytes=1000,
        counts=Counter(),
        topics={},
        now_us=lambda: 0,
    )
    session._transport = cast("asyncio.Transport", line)
    return session


def delivery(topic: str, payload: bytes, number: int = 0, *, version: int = V311) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name
    if number:
        body += number.to_bytes(2, "big")
    if version == V5:
        body += b"\x00"
    return packets.packet(packets.PUBLISH | (2 if number else 0), body + payload)


readings = st.lists(
    st.tuples(st.text("abc/", min_size=1, max_size=20), st.binary(max_size=300)), max_size=12
)


@given(readings, st.sampled_from((V311, V5)), st.data())
def test_deliveries_are_taken_whole_however_they_are_cut(
    said: list[tuple[str, bytes]], version: int, data: st.DataObject
) -> None:
    stream = b"".join(
        delivery(topic, payload, number, version=version)
        for number, (topic, payload) in enumerate(said)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))

    async def story() -> tuple[Disk, Line]:
        disk, line = Disk(), Line()
        session = session_on(disk, line, version)
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            session.data_received(stream[begin:end])
        await asyncio.sleep(0)
        return disk, line

    disk, line = asyncio.run(story())
    assert disk.taken == said
    # The first one is QoS 0 and wants none.
    assert line.sent == b"".join(
        b"\x40\x02" + number.to_bytes(2, "big") for number in range(1, len(said))
    )


@given(st.binary(max_size=60))
def test_garbage_ends_the_connection_and_nothing_else(garbage: bytes) -> None:
    async def story() -> None:
        session = session_on(Disk(), Line())
        session.data_received(garbage)
        if session.closed.done():
            assert isinstance(session.closed.exception(), packets.BadPacketError)

    asyncio.run(story())


async def test_a_topic_without_end_is_taken_and_not_remembered() -> None:
    disk, line = Disk(), Line()
    session = session_on(disk, line)
    long = "a/" + "x" * 60_000
    session.data_received(delivery(long, b"1", 7) + delivery("a", b"2", 8))
    assert disk.taken == [(long, b"1"), ("a", b"2")]
    assert set(session._topics) == {b"a"}


async def test_no_puback_before_the_disk_and_none_on_another_connection() -> None:
    disk, line = Disk(at_once=False), Line()
    session = session_on(disk, line)
    session.data_received(delivery("a", b"1", 7) + delivery("a", b"2", 8))
    assert line.sent == b""
    disk.waiting[0]()
    await asyncio.sleep(0)
    assert line.sent == b"\x40\x02\x00\x07\x40\x02\x00\x08"
    session.data_received(delivery("a", b"3", 9))
    session.connection_lost(None)
    disk.waiting[1]()
    await asyncio.sleep(0)
    assert line.sent.count(b"\x40") == 2


async def test_a_packet_of_256_megabytes_goes_by_and_is_counted() -> None:
    disk, line = Disk(), Line()
    session = session_on(disk, line)
    size = 256_000_000
    head = bytes((0x32,)) + packets.varint(size)
    session.data_received(head)
    session.data_received(b"\x00\x01a\x00\x05" + bytes(100))
    for _ in range(4):
        session.data_received(bytes(1 << 16))
    session._skip -= size - 105 - 4 * (1 << 16) - 10
    session.data_received(bytes(10) + delivery("a", b"next", 6))
    await asyncio.sleep(0)
    assert disk.taken == [("a", b"next")]
    assert session._counts["refused.too_large"] == 1
    assert [(each.address, each.code) for each in disk.aside] == [("a", "too_large")]
    assert line.sent == b"\x40\x02\x00\x05\x40\x02\x00\x06"


async def test_what_was_retained_is_not_a_reading_of_now() -> None:
    disk, line = Disk(), Line()
    session = session_on(disk, line)
    raw = bytearray(delivery("a", b"1", 7))
    raw[0] |= 1
    session.data_received(bytes(raw))
    assert disk.taken == []
    assert line.sent == b"\x40\x02\x00\x07"
    assert session._counts["retained"] == 1


async def test_a_full_path_stops_the_reading_and_room_starts_it() -> None:
    disk, line = Disk(at_once=False), Line()
    session = session_on(disk, line)
    disk.full = True
    session.data_received(delivery("a", b"1", 7))
    assert not line.reading
    disk.full = False
    disk.room.pop()()
    assert line.reading


@pytest.mark.parametrize("raw", [b"\xe0\x01\x8e", b"\x10\x00", b"\xf0\x00", b"\x34\x03\x00\x01a"])
async def test_what_a_broker_must_not_say_ends_the_connection(raw: bytes) -> None:
    line = Line()
    session = session_on(Disk(), line, V5)
    session.data_received(raw)
    assert line.aborted
    with pytest.raises(packets.BadPacketError):
        await session.closed
