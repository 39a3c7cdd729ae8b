"""The event stream: it resumes, says that it is alive, and outlives its server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from appliance.live.memory import MemoryLiveView
from appliance.web.live import frame, stream
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from contracts.ports import LiveEvent


async def _until(events: AsyncIterator[str], wanted: str) -> str:
    async with asyncio.timeout(10):
        async for text in events:
            if f"event: {wanted}\n" in text:
                return text
    raise AssertionError(f"the stream ended without {wanted}")


def _open(live, *topics: str, after: str | None = None) -> AsyncIterator[str]:
    return stream(live, topics, after=after, beat_s=0.02, clock=SystemClock())


async def test_a_quiet_stream_still_beats() -> None:
    events = _open(MemoryLiveView(), "carton")
    assert "event: beat" in await anext(events)
    assert "event: beat" in await anext(events)
    await events.aclose()


async def test_a_page_that_was_away_gets_what_it_missed_and_nothing_twice() -> None:
    live = MemoryLiveView()
    events = _open(live, "carton")
    await anext(events)
    await anext(events)  # the second beat: it listens by now
    await live.publish("carton", {"carton": "C-1"})
    first = await _until(events, "carton")
    await events.aclose()
    seen = first.splitlines()[0].removeprefix("id: ")
    await live.publish("hold", {"hold": "H-1"})
    await live.publish("carton", {"carton": "C-2"})
    again = _open(live, "carton", after=seen)
    assert '{"carton": "C-2"}' in await _until(again, "carton")
    await again.aclose()


class _AwayOnce:
    """A live view whose server is away at first; then a page resumes where it was."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    async def publish(self, topic: str, data: Mapping[str, object]) -> None: ...

    async def set_last(self, key: str, value: Mapping[str, object]) -> None: ...

    async def last(self, key: str) -> Mapping[str, object] | None: ...

    async def events(
        self,
        topics: Sequence[str],
        *,
        after: str | None = None,
    ) -> AsyncIterator[LiveEvent]:
        self.asked.append(after)
        if len(self.asked) == 1:
            yield LiveEvent("5-0", "carton", {})
            raise UnavailableError("Valkey does not answer")
        yield LiveEvent("6-0", "carton", {"back": True})
        await asyncio.Event().wait()


async def test_a_live_view_that_goes_away_is_said_and_asked_again() -> None:
    live = _AwayOnce()
    events = _open(live, "carton")
    await _until(events, "away")
    assert "6-0" in await _until(events, "carton")
    assert live.asked == [None, "5-0"]
    await events.aclose()


@given(st.dictionaries(st.text(), st.text()))
def test_no_value_can_break_out_of_its_event(data: dict[str, str]) -> None:
    text = frame("carton", data, event_id="1-0")
    head, event, body, *rest = text.split("\n")
    assert (head, event, rest) == ("id: 1-0", "event: carton", ["", ""])
    assert json.loads(body.removeprefix("data: ")) == data
