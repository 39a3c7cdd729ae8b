"""The live view's contract, on memory and on a real Valkey; and a Valkey that is killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.live.memory import MemoryLiveView
from appliance.live.valkey import Pause, ValkeyLiveView
from appliance.services.process import ChildState
from appliance.services.valkey import EmbeddedValkey
from contracts.ports import LiveEvent, LiveView

DEADLINE_S = 120.0
View = MemoryLiveView | ValkeyLiveView


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "valkey")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(params=["memory", "valkey"])
async def view(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[View]:
    if request.param == "memory":
        yield MemoryLiveView(kept=200)
        return
    server = EmbeddedValkey(tmp_path / "valkey")
    live = ValkeyLiveView(await server.start(), kept=200)
    yield live
    await live.close()
    await server.stop()


class Page:
    """A page that listens: what it saw so far, from before its first event on."""

    def __init__(self, view: LiveView, *topics: str, after: str | None = None) -> None:
        self.seen: list[LiveEvent] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._listen(view.events(topics, after=after)))

    async def _listen(self, events: AsyncIterator[LiveEvent]) -> None:
        async for event in events:
            async with self._news:
                self.seen.append(event)
                self._news.notify_all()

    async def saw(self, topic: str, **data: object) -> None:
        def has_come() -> bool:
            if self._task.done():
                self._task.result()
            return any(e.topic == topic and data.items() <= e.data.items() for e in self.seen)

        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(has_come)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def listening(view: LiveView, *topics: str) -> Page:
    """A page that is known to listen: it has heard a knock."""
    page = Page(view, *topics, "knock")
    async with asyncio.timeout(DEADLINE_S):
        while not page.seen:
            await view.publish("knock", {})
            await asyncio.sleep(0)
    return page


def numbers(page: Page, topic: str) -> list[object]:
    return [event.data["n"] for event in page.seen if event.topic == topic]


async def test_a_page_sees_verdicts_in_their_order(view: View):
    page = await listening(view, "verdict")
    for n in range(50):
        await view.publish("verdict", {"n": n})
    await page.saw("verdict", n=49)
    assert numbers(page, "verdict") == list(range(50))
    await page.close()


async def test_a_page_sees_only_the_topics_it_asked_for(view: View):
    page = await listening(view, "hold")
    await view.publish("verdict", {"n": 1})
    await view.publish("hold", {"n": 2})
    await page.saw("hold", n=2)
    assert {event.topic for event in page.seen} == {"knock", "hold"}
    await page.close()


async def test_no_topics_means_all(view: View):
    everything = Page(view, after="0-0")
    await view.publish("verdict", {"n": 1})
    await view.publish("hold", {"n": 2})
    await everything.saw("verdict")
    await everything.saw("hold")
    await everything.close()


async def test_two_pages_each_see_everything(view: View):
    pages = [await listening(view, "verdict") for _ in range(2)]
    await view.publish("verdict", {"n": 7})
    for page in pages:
        await page.saw("verdict", n=7)
        await page.close()


async def test_a_page_resumes_after_the_last_event_it_saw(view: View):
    page = await listening(view, "verdict")
    await view.publish("verdict", {"n": 1})
    await page.saw("verdict", n=1)
    await page.close()
    await view.publish("verdict", {"n": 2})
    await view.publish("verdict", {"n": 3})
    again = Page(view, "verdict", after=page.seen[-1].id)
    await again.saw("verdict", n=3)
    assert numbers(again, "verdict") == [2, 3]
    await again.close()


@pytest.mark.parametrize("after", ["99999999999999-0", "nonsense", ""])
async def test_an_id_of_another_life_reads_what_there_is(view: View, after: str):
    await view.publish("verdict", {"n": 1})
    page = Page(view, "verdict", after=after)
    await page.saw("verdict", n=1)
    await page.close()


async def test_only_the_newest_events_are_kept(view: View):
    for n in range(600):
        await view.publish("verdict", {"n": n})
    page = Page(view, "verdict", after="0-0")
    await page.saw("verdict", n=599)
    assert 200 <= len(page.seen) < 600
    await page.close()


async def test_last_values_are_those_set_last(view: View):
    assert await view.last("station/dock-1") is None
    await view.set_last("station/dock-1", {"state": "ok"})
    await view.set_last("station/dock-1", {"state": "dark", "batch": "批次-7"})
    assert await view.last("station/dock-1") == {"state": "dark", "batch": "批次-7"}


async def test_values_come_back_as_json_values_from_both(view: View):
    await view.set_last("k", {"at": datetime(2026, 11, 21, tzinfo=UTC), "box": (1, 2), "x": None})
    assert await view.last("k") == {"at": "2026-11-21T00:00:00Z", "box": [1, 2], "x": None}


async def kill(server: EmbeddedValkey) -> None:
    assert server.child is not None
    assert server.child.pid is not None
    os.kill(server.child.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        await server.child.wait_for(ChildState.WAITING)


async def back(server: EmbeddedValkey) -> None:
    assert server.child is not None
    async with asyncio.timeout(DEADLINE_S):
        await server.child.wait_for(ChildState.READY)


async def test_a_page_carries_on_through_a_killed_valkey(valkey: EmbeddedValkey):
    view = ValkeyLiveView(valkey.url, pause=Pause(0.01, 0.05))
    page = await listening(view, "verdict")
    await view.publish("verdict", {"n": 1})
    await page.saw("verdict", n=1)
    await kill(valkey)
    await back(valkey)
    async with asyncio.timeout(DEADLINE_S):
        while 2 not in numbers(page, "verdict"):
            await view.publish("verdict", {"n": 2})
            await asyncio.sleep(0.01)
    assert view.health().ok
    await page.close()
    await view.close()


async def test_an_outage_never_reaches_the_station_and_is_counted(valkey: EmbeddedValkey):
    view = ValkeyLiveView(valkey.url, pause=Pause(0.01, 0.05))
    await view.set_last("station/dock-1", {"state": "ok"})
    await valkey.stop()
    for n in range(20):
        await view.publish("verdict", {"n": n})
    await view.set_last("station/dock-1", {"state": "dark"})
    health = view.health()
    assert not health.ok
    assert health.lost == 21
    assert "Error" in health.detail
    assert await view.last("station/dock-1") == {"state": "dark"}
    assert await view.last("station/dock-2") is None
    await view.close()


async def test_a_valkey_that_hangs_is_left_alone_for_a_while(valkey: EmbeddedValkey):
    view = ValkeyLiveView(valkey.url, pause=Pause(60.0, 60.0))
    assert valkey.child is not None
    pid = valkey.child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(DEADLINE_S):
            for n in range(1000):
                await view.publish("verdict", {"n": n})
    finally:
        os.kill(pid, signal.SIGCONT)
    assert view.health().lost == 1000
    await view.close()


async def test_last_values_are_set_again_after_a_restart(valkey: EmbeddedValkey):
    view, reader = (ValkeyLiveView(valkey.url, pause=Pause(0.01, 0.05)) for _ in range(2))
    await view.set_last("station/dock-1", {"state": "ok"})
    await kill(valkey)
    await back(valkey)
    async with asyncio.timeout(DEADLINE_S):
        while await reader.last("station/dock-1") is None:
            await view.publish("tick", {})
            await asyncio.sleep(0.01)
    assert await reader.last("station/dock-1") == {"state": "ok"}
    await view.close()
    await reader.close()


async def test_a_view_may_start_before_its_server(tmp_path: Path):
    server = EmbeddedValkey(tmp_path)
    url = await server.start()
    await server.stop()
    view = ValkeyLiveView(url, pause=Pause(0.01, 0.05))
    page = Page(view, "verdict")
    await view.publish("verdict", {"n": 0})
    assert not view.health().ok
    await server.start()
    async with asyncio.timeout(DEADLINE_S):
        while not page.seen:
            await view.publish("verdict", {"n": 1})
            await asyncio.sleep(0.01)
    await page.close()
    await view.close()
    await server.stop()


def test_pauses_double_up_to_the_longest():
    assert [Pause().after(n) for n in (1, 2, 3, 9, 999)] == [0.1, 0.2, 0.4, 2.0, 2.0]
