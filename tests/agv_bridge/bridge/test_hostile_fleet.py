"""Vehicles that say too much, under too many names, what no database keeps; and a core that stumbles.
Nobody else waits for that, nothing is forgotten, nothing needs a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agv_bridge.bridge import bridge as bridging
from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.missions.board import MOST_SPOKEN_OF
from contracts.clock import FixedClock
from contracts.errors import UnavailableError
from contracts.ports import BusMessage
from contracts.stock import TransportProgress
from contracts.stock import TransportState as T
from tests.agv_bridge.core_in_memory import CoreInMemory

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


@dataclass
class Said:
    """contracts.ports.MessageBus that keeps what was published."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        self.sent.append((topic, json.loads(payload)))

    @contextlib.asynccontextmanager
    async def subscribe(
        self, *filters: str, qos: int = 0
    ) -> AsyncIterator[AsyncIterator[BusMessage]]:
        raise AssertionError("messages are handed over here")
        yield


@dataclass
class Curious(CoreInMemory):
    """Counts what it is asked."""

    asked: list[str] = field(default_factory=list)

    async def find_transport(self, order_id: str) -> Any:
        self.asked.append(order_id)
        return await super().find_transport(order_id)


@dataclass
class Stumbling(CoreInMemory):
    """Cannot book one step, until somebody mends it."""

    over: T | None = None

    async def transport_progress(self, progress: TransportProgress) -> None:
        if progress.state is self.over:
            raise ArithmeticError("a row that this core cannot work out")
        await super().transport_progress(progress)


@dataclass
class AnswerLost(CoreInMemory):
    """Books the first SENT, and the answer is lost on its way."""

    lost: bool = False

    async def transport_progress(self, progress: TransportProgress) -> None:
        await super().transport_progress(progress)
        if not self.lost and progress.state is T.SENT:
            self.lost = True
            raise UnavailableError("the connection broke")


@dataclass
class Floor:
    core: CoreInMemory
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    bus: Said = field(default_factory=Said)
    numbers: int = 0

    def __post_init__(self) -> None:
        self.bridge = AgvBridge(self.bus, self.core, clock=self.clock)

    async def says(self, serial: str, **more: object) -> None:
        self.numbers += 1
        self.clock.at += timedelta(milliseconds=10)
        state = {
            "headerId": self.numbers,
            "timestamp": self.clock.at.isoformat(),
            "version": "2.1.0",
            "manufacturer": "m",
            "serialNumber": serial,
            "operatingMode": "AUTOMATIC",
            "orderId": "",
            "nodeStates": [],
            "actionStates": [],
            "loads": [],
        }
        topic = f"uagv/v2/m/{serial}/state"
        await self.bridge.hear(BusMessage(topic, json.dumps(state | more).encode()))

    async def works(self, serial: str, order: str, pick: str, drop: str, *loads: str) -> None:
        await self.says(
            serial,
            orderId=order,
            nodeStates=[]
            if drop == "FINISHED"
            else [{"nodeId": "slot-1", "sequenceId": 2, "released": True}],
            actionStates=[
                {"actionId": f"{order}.pick", "actionStatus": pick},
                {"actionId": f"{order}.drop", "actionStatus": drop},
            ],
            loads=[{"loadId": load} for load in loads],
        )


async def test_ever_new_names_do_not_fill_the_memory_and_push_nobody_out_who_has_an_order(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(bridging, "MOST_VEHICLES", 20)
    floor = Floor(CoreInMemory())
    floor.core.request("T1")
    await floor.says("honest")
    await floor.bridge.round()
    assert [topic for topic, _ in floor.bus.sent] == ["uagv/v2/m/honest/order"]
    for number in range(200):
        await floor.says(f"stranger-{number}")
    known = {one.serial for one in floor.bridge.vehicles()}
    assert len(known) == 20
    assert {"honest", "stranger-199"} <= known
    await floor.says("late", loads=None)
    assert "late" in {one.serial for one in floor.bridge.vehicles()}


async def test_a_state_full_of_order_numbers_is_no_flood_of_questions_to_the_core():
    core = Curious()
    floor = Floor(core)
    flood = [{"actionId": f"X{number}.drop", "actionStatus": "FINISHED"} for number in range(5_000)]
    await floor.says("a1", actionStates=flood)
    assert len(core.asked) <= MOST_SPOKEN_OF


@pytest.mark.parametrize("number", ["X\x00", "X" * 100_000, "X\n1"])
async def test_a_number_that_no_order_can_have_is_not_asked_about(number: str):
    core = Curious()
    floor = Floor(core)
    await floor.says("a1", orderId=number)
    assert core.asked == []


async def test_what_a_reader_on_a_vehicle_reads_is_fit_for_the_books():
    core = CoreInMemory()
    floor = Floor(core)
    core.request("T1")
    await floor.says("a1")
    await floor.bridge.round()
    await floor.works("a1", "T1", "FINISHED", "WAITING", "tag\x00\x1b" + "9" * 10_000)
    seen = core.mismatches[-1][1]
    assert seen.startswith("tag??9")
    assert seen.isprintable()
    assert len(seen) == 200


@pytest.mark.parametrize("over", [T.PICKED, T.DROPPED])
async def test_a_step_that_the_core_could_not_book_is_offered_again_without_a_restart(over: T):
    core = Stumbling()
    floor = Floor(core)
    core.request("T1")
    await floor.says("a1")
    await floor.bridge.round()
    core.over = over
    await floor.works("a1", "T1", "FINISHED", "WAITING", "sscc-T1")
    if over is T.DROPPED:
        await floor.works("a1", "T1", "FINISHED", "FINISHED")
    assert floor.bridge.refused == 1
    await floor.bridge.round()
    assert floor.bridge.refused == 1
    core.over = None
    # It has moved on: its states speak of that order no more.
    if over is T.DROPPED:
        await floor.says("a1")
    floor.clock.at += timedelta(seconds=31)
    await floor.bridge.round()
    assert core.state("T1") is over
    assert len(core.put_aways) == (over is T.DROPPED)


async def test_a_task_that_the_core_could_not_open_is_offered_again():
    core = Stumbling(over=T.FAILED)
    floor = Floor(core)
    core.request("T1")
    await floor.says("a1")
    await floor.bridge.round()
    await floor.works("a1", "T1", "FAILED", "WAITING")
    assert floor.bridge.refused == 1
    await floor.bridge.round()
    core.over = None
    floor.clock.at += timedelta(seconds=31)
    await asyncio.wait_for(floor.bridge.round(), 5)
    assert core.state("T1") is T.FAILED
    told = len(core.told)
    floor.clock.at += timedelta(seconds=62)
    await floor.bridge.round()
    assert len(core.told) == told


async def test_an_order_that_its_only_vehicle_ended_unfinished_becomes_a_task():
    """It was away for a while, and somebody ended the order at the vehicle: under that number it
    would take it for a repetition for ever.
    """
    core = CoreInMemory()
    floor = Floor(core)
    core.request("T1")
    await floor.says("a1")
    await floor.bridge.round()
    await floor.works("a1", "T1", "WAITING", "WAITING")
    broken = {"version": "2.1.0", "connectionState": "CONNECTIONBROKEN"}
    will = BusMessage("uagv/v2/m/a1/connection", json.dumps(broken).encode())
    await floor.bridge.hear(will)
    floor.clock.at += timedelta(seconds=31)
    await floor.bridge.round()
    assert core.state("T1") is T.REQUESTED
    await floor.bridge.round()
    assert core.state("T1") is T.REQUESTED
    ended = [{"actionId": f"T1.{kind}", "actionStatus": "FAILED"} for kind in ("pick", "drop")]
    await floor.says("a1", orderId="T1", actionStates=ended)
    await floor.bridge.round()
    assert (core.state("T1"), core.lines["T1"].reason) == (T.FAILED, "agv_refused_by_all")
    assert core.told[-1].vehicle == "m/a1"


async def test_who_claimed_an_order_too_early_is_believed_once_it_has_it():
    """The bridge learned that it never had it; then it was sent, and the answer was lost."""
    core = AnswerLost()
    floor = Floor(core)
    core.request("T1")
    await floor.bridge.round()
    await floor.works("a1", "T1", "FINISHED", "FINISHED")
    assert core.strangers == [("T1", "m/a1")]
    await floor.says("a1")
    await floor.bridge.round()
    assert floor.bus.sent == []
    await floor.bridge.round()
    core.lines["T1"].state = T.CANCELLED
    await floor.bridge.round()
    await floor.works("a1", "T1", "FINISHED", "FINISHED")
    assert core.put_aways == [("sscc-T1", "slot-1")]
