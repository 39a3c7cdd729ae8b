"""Module stations beside the vehicles: their messages are told to the core by the site's dialects."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agv_bridge.bridge.modules import ModuleStations
from agv_bridge.dialects.compiled import load_dialect, read_dialect
from contracts.clock import FixedClock
from contracts.errors import ConflictError, UnavailableError
from contracts.modules import ModuleEvent, ModuleWord

TOPIC = "factory/v1/hall1/CHECK-1/state"


@dataclass
class ResultsInMemory:
    """contracts.modules.ModuleResults: keeps what it was told, once each."""

    booked: dict[tuple[str, str, ModuleWord], ModuleEvent] = field(default_factory=dict)
    error: Exception | None = None

    async def module_event(self, event: ModuleEvent) -> None:
        if self.error is not None:
            raise self.error
        self.booked.setdefault((event.station, event.event_id, event.what), event)


@pytest.fixture
def results() -> ResultsInMemory:
    return ResultsInMemory()


@pytest.fixture
def stations(results: ResultsInMemory) -> ModuleStations:
    return ModuleStations(results, [load_dialect(Path("module-factory"))])


def checked(verdict: str, *, number: str = "c-1", tag: str = "carton-1", stamp: int = 0) -> bytes:
    task = {"id": number, "verb": "CHECK", "phase": "DONE", "verdict": verdict, "note": "torn"}
    value = {"stamp": 1795680000000 + stamp, "job": "J", "task": task, "loads": [{"tag": tag}]}
    return json.dumps(value).encode()


async def test_a_failed_check_is_told_with_the_message(
    stations: ModuleStations, results: ResultsInMemory, clock: FixedClock
):
    assert stations.filters == ("factory/v1/+/+/state",)
    await stations.hear(TOPIC, checked("NOT_OK"), at=clock.now())
    (event,) = results.booked.values()
    assert (event.station, event.what, event.load_id) == (
        "CHECK-1",
        ModuleWord.CHECK_FAILED,
        "carton-1",
    )
    assert event.detail == "torn"
    assert "NOT_OK" in event.message
    (seen,) = stations.stations()
    assert (seen.failed, seen.passed, seen.last_load) == (1, 0, "carton-1")


async def test_a_state_told_again_and_again_is_one_event(
    stations: ModuleStations, results: ResultsInMemory, clock: FixedClock
):
    for stamp in range(5):
        await stations.hear(TOPIC, checked("NOT_OK", stamp=stamp), at=clock.now())
    assert len(results.booked) == 1


async def test_a_number_used_again_for_another_load_hides_nothing(
    stations: ModuleStations, results: ResultsInMemory, clock: FixedClock
):
    """A station that counts from 1 again after a restart."""
    await stations.hear(TOPIC, checked("NOT_OK"), at=clock.now())
    await stations.hear(TOPIC, checked("NOT_OK", tag="carton-2"), at=clock.now())
    assert [event.load_id for event in results.booked.values()] == ["carton-1", "carton-2"]


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        (TOPIC, b"{", "agv_line_not_json"),
        (TOPIC, b"\xff", "agv_line_not_json"),
        (TOPIC, b"[" * 5000, "agv_line_not_json"),
        (TOPIC, checked("MAYBE"), "agv_no_event"),
        (TOPIC, checked("NOT_OK", tag=""), "agv_field_missing"),
        (TOPIC, checked("NOT_OK", tag="x" * 201), "agv_name_too_long"),
        (TOPIC, b" " * (2**20 + 1), "agv_line_too_long"),
        ("elsewhere", checked("OK"), "agv_topic_unknown"),
    ],
)
async def test_what_cannot_be_used_is_counted_with_its_reason(
    stations: ModuleStations,
    results: ResultsInMemory,
    clock: FixedClock,
    topic: str,
    payload: bytes,
    code: str,
):
    await stations.hear(topic, payload, at=clock.now())
    assert results.booked == {}
    assert stations.refused == {code: 1}
    assert stations.last_refused is not None
    assert stations.last_refused.topic == topic


async def test_a_core_that_is_away_is_said_so_that_the_message_comes_again(
    stations: ModuleStations, results: ResultsInMemory, clock: FixedClock
):
    results.error = UnavailableError("the database is away")
    with pytest.raises(UnavailableError):
        await stations.hear(TOPIC, checked("NOT_OK"), at=clock.now())
    assert not stations.refused


@pytest.mark.parametrize("error", [ConflictError("no"), ZeroDivisionError("a fault of ours")])
async def test_what_the_core_cannot_book_stands_in_nobodys_way(
    stations: ModuleStations, results: ResultsInMemory, clock: FixedClock, error: Exception
):
    results.error = error
    await stations.hear(TOPIC, checked("NOT_OK"), at=clock.now())
    assert stations.refused == {"module_not_booked": 1}


async def test_vehicles_of_a_dialect_move_nothing_live(results: ResultsInMemory, clock: FixedClock):
    """A log's word is for replays: live, only orders that we issued move stock."""
    dialect = read_dialect(
        """
        name = "both"
        format = "mqtt"
        [[event]]
        topic = "hall/{who}"
        when = { did = "moved" }
        what = "moved"
        vehicle = "{who}"
        load = "{load}"
        from = "{a}"
        to = "{b}"
        [[event]]
        topic = "hall/{who}"
        when = { did = "checked" }
        what = "check_passed"
        station = "{who}"
        load = "{load}"
        """
    )
    stations = ModuleStations(results, [dialect])
    for did in ("moved", "checked"):
        said = {"did": did, "load": "C1", "a": "x", "b": "y"}
        await stations.hear("hall/1", json.dumps(said).encode(), at=clock.now())
    assert [event.what for event in results.booked.values()] == [ModuleWord.CHECK_PASSED]


@settings(max_examples=60, deadline=None)
@given(
    told=st.lists(
        st.tuples(st.sampled_from(["OK", "NOT_OK"]), st.integers(1, 4), st.integers(1, 3)),
        max_size=8,
        unique=True,
    ),
    data=st.data(),
)
def test_doubled_and_reordered_messages_book_the_same_events(told, data):
    """What a broker may do to QoS 1, and a station that tells its state again and again."""
    messages = [checked(v, number=f"c-{n}", tag=f"carton-{t}") for v, n, t in told]
    again = data.draw(st.lists(st.sampled_from(messages), max_size=8)) if messages else []
    shuffled = data.draw(st.permutations([*messages, *again]))
    at = datetime(2026, 11, 24, 8, tzinfo=UTC)

    async def books(arrived: list[bytes]) -> set[tuple[str, str, str]]:
        results = ResultsInMemory()
        stations = ModuleStations(results, [load_dialect(Path("module-factory"))])
        for message in arrived:
            await stations.hear(TOPIC, message, at=at)
        return {(e.event_id, e.what.value, e.load_id) for e in results.booked.values()}

    assert asyncio.run(books(shuffled)) == asyncio.run(books(messages))
