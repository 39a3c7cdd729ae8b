"""The load generator: real packets, none of them twice, and all of them on disk when it says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from appliance.bench.ingest.load import deal
from appliance.bench.ingest.load_packets import Packets
from appliance.bench.ingest.load_worker import Done, Load, run
from appliance.bench.ingest.site import catalogue, fence
from contracts.errors import UnavailableError
from telemetry.ingest import Intake
from telemetry.mqtt.decoding import decode, split
from telemetry.mqtt.endpoint import Endpoint
from telemetry.mqtt.packets import V5, V311, Publish
from telemetry.now import system_us
from telemetry.segments import read_groups
from telemetry.watching.engine import Engine
from tests.support.sensors import Gate, Journal


def unpacked(data: bytes, version: int) -> list[Publish]:
    packets = []
    at = 0
    while at < len(data):
        span = split(data, at, len(data), 1 << 20)
        assert span is not None
        packet = decode(span.first, data[span.start : span.end], version)
        assert isinstance(packet, Publish)
        packets.append(packet)
        at = span.end
    return packets


@pytest.mark.parametrize("version", [V311, V5])
def test_packets_are_readings_of_their_sensors_with_sequences_that_go_on(version: int) -> None:
    packets = Packets((7, 8, 9), 6, version, first_sequence=1_009_999_999)
    first, second = (unpacked(packets.batch(1_795_000_000_123), version) for _ in range(2))
    said = [msgspec.json.decode(packet.payload) for packet in first + second]

    assert [packet.packet_id for packet in first] == list(range(1, 7))
    assert [packet.topic for packet in first[:3]] == [
        f"sensors/cold-000{n}/reading" for n in (7, 8, 9)
    ]
    assert {one["time"] for one in said} == {1_795_000_000_123}
    assert [one["seq"] for one in said[::3]] == [1_009_999_999 + n for n in range(4)]
    assert len({(one["device"], one["seq"]) for one in said}) == 12


def test_a_batch_that_cannot_be_dealt_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        Packets((1, 2), 5, V5)


def test_sensors_are_dealt_so_that_batches_hold_them_evenly() -> None:
    dealt = deal(1_000, 4, 500)
    assert [len(each) for each in dealt] == [250] * 4
    assert len({one for each in dealt for one in each}) == 1_000
    assert deal(10, 100, 20)[99] == (99,)


async def loaded(folder: Path, load: Load) -> tuple[Done, int, set[tuple[str, int]]]:
    """What the generator says, what was counted, and (device, sequence) of what is on disk."""
    known = catalogue()
    engine = Engine((fence(),), book=known.series, now_us=system_us())
    intake = Intake(folder, catalogue=known, engine=engine, sink=Journal())
    await intake.start()
    endpoint = Endpoint(intake, Gate())
    port = await endpoint.listen("127.0.0.1", 0)
    try:
        done = await asyncio.to_thread(run, replace(load, port=port))
    finally:
        await endpoint.stop()
        await intake.stop()
    groups = read_groups(folder / "readings")
    said = [msgspec.json.decode(payload) for group in groups for _, payload in group.messages]
    assert len(said) == intake.counts.accepted
    return done, intake.counts.accepted, {(one["device"], one["seq"]) for one in said}


async def test_what_the_generator_counts_is_on_disk(tmp_path: Path) -> None:
    for version in (V311, V5):
        load = Load(
            "127.0.0.1", 0, ((1, 2), (3, 4)), rows=20, window=60, seconds=0.2, rate=20_000,
            version=version, username="tester", password="open",  # noqa: S106 -- of the test's plant
        )  # fmt: skip
        done, accepted, kept = await loaded(tmp_path / str(version), load)
        assert done.acked == done.sent == accepted == len(kept) > 0
        assert done.slowest_ms >= done.median_ms > 0


async def test_a_stranger_is_told_that_it_may_not_come_in(tmp_path: Path) -> None:
    load = Load("127.0.0.1", 0, ((1,),), rows=1, window=1, seconds=0.1)
    with pytest.raises(UnavailableError, match="Give a user it knows"):
        await loaded(tmp_path, load)
