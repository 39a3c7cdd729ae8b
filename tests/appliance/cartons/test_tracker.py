"""From a photo-eye's message or a picture to a carton, over a real loop and a bus."""

import asyncio
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

from appliance.cartons.presence import PresencePolicy, PresenceWatch
from appliance.cartons.tracker import CartonTracker
from appliance.cartons.trigger import TriggerCounts, follow_photo_eye, trigger_router
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock, SystemClock
from contracts.errors import NotSignedInError, TallymanError

CAMERAS = ("label", "inspect")


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 -- the state polled is another task's
            await asyncio.sleep(0.01)


async def test_a_photo_eye_on_the_bus_opens_and_closes_a_carton(shift) -> None:
    clock = SystemClock()
    tracker = CartonTracker("dock-1", CAMERAS, clock=clock)
    counts = TriggerCounts()
    topic = "site/dock-1/eye"
    broker = MemoryBroker()
    async with MemoryBus(broker) as eye, MemoryBus(broker) as bus:
        follow = asyncio.create_task(follow_photo_eye(bus, topic, tracker, counts=counts))
        await until(lambda: bool(broker._subscriptions))
        await eye.publish(topic, b'{"state": 1, "at": "2026-11-21T08:00:00Z"}', qos=1)
        await eye.publish(topic, b"covered?", qos=1)
        await until(lambda: counts.taken == 1)
        frame = shift.frame(0)
        object.__setattr__(frame, "at", clock.now())
        tracker.offer(frame)
        await asyncio.sleep(0.06)
        await eye.publish(topic, b"0", qos=1)
        carton = await asyncio.wait_for(anext(tracker.cartons()), 20)
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
    assert carton.frames["label"] == (frame,)
    assert carton.opened_by == "trigger"
    assert (counts.taken, counts.refused) == (2, 1)


def token(authorization: str = Header("")) -> None:
    if authorization != "Bearer eye-1":
        raise NotSignedInError("this device's token is not known")


class Eye:
    def __init__(self) -> None:
        self.states = []

    def trigger(self, *, high: bool) -> None:
        self.states.append(high)


@pytest.mark.parametrize(
    ("body", "key", "code"),
    [
        (b'{"state": true}', "Bearer eye-1", 202),
        (b"false", "Bearer eye-1", 202),
        (b"maybe", "Bearer eye-1", 400),
        (b"x" * 9000, "Bearer eye-1", 400),
        (b"1", "Bearer other", 400),
    ],
)
async def test_a_trigger_by_http_needs_a_token_and_a_plain_answer(body, key, code) -> None:
    eye, counts, app = Eye(), TriggerCounts(), FastAPI()
    app.include_router(trigger_router(eye, token, counts=counts))

    @app.exception_handler(TallymanError)
    def problem(_request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=400)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://station"
    ) as http:
        answer = await http.post("/station/trigger", content=body, headers={"authorization": key})
    assert answer.status_code == code
    assert len(eye.states) == counts.taken == (1 if code == 202 else 0)


def belt_picture(rng, *, covered: bool, light: float = 1.0) -> np.ndarray:
    picture = np.full((240, 320, 3), 60.0)
    if covered:
        picture[40:200, 60:260] = 150
    return np.clip(picture * light + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


async def test_presence_in_the_picture_opens_and_closes_cartons(shift) -> None:
    clock = FixedClock(shift.at(0))
    tracker = CartonTracker(
        "dock-1", ("label",), clock=clock, presence=PresenceWatch(PresencePolicy())
    )
    rng = np.random.default_rng(3)
    covered_frames = []
    for number in range(40):
        covered = 10 <= number < 16 or 20 <= number < 28
        frame = shift.frame(number * 100, image=belt_picture(rng, covered=covered))
        if covered:
            covered_frames.append(frame)
        clock.at = frame.at
        tracker.offer(frame)
    cartons = tracker.cartons()
    first, second = await anext(cartons), await anext(cartons)
    assert first.opened_by == "presence"
    assert (first.opened_at, first.closed_at) == (shift.at(1000), shift.at(1600))
    assert (second.opened_at, second.closed_at) == (shift.at(2000), shift.at(2800))
    assert set(first.frames["label"]) <= set(covered_frames[:6])
    assert set(second.frames["label"]) <= set(covered_frames[6:])


class Dock:
    """A belt under one camera, ten pictures a second, without a photo-eye."""

    def __init__(self, shift, **policy) -> None:
        self._shift = shift
        self._clock = FixedClock(shift.at(0))
        self._rng = np.random.default_rng(3)
        self._number = 0
        self.tracker = CartonTracker(
            "dock-1",
            ("label",),
            clock=self._clock,
            presence=PresenceWatch(PresencePolicy(**policy)),
        )
        self.cartons = []

    def runs(self, *, covered: bool, seconds: float) -> list:
        """Time passes; the cartons that were completed meanwhile."""
        out = []
        for _ in range(round(seconds * 10)):
            self._number += 1
            image = belt_picture(self._rng, covered=covered)
            frame = self._shift.frame(self._number * 100, image=image)
            self._clock.at = frame.at
            self.tracker.offer(frame)
            out += self.tracker.ledger.advance(self._clock.now())
        return out


def faults(cartons) -> list[list[str]]:
    return [[fault.code for fault in carton.faults] for carton in cartons]


def test_a_carton_on_the_belt_at_the_start_does_not_blind_the_station(shift) -> None:
    dock = Dock(shift)
    assert dock.runs(covered=True, seconds=2) == []
    # It leaves: the bare belt looks like a carton until the station gives up waiting.
    assert faults(dock.runs(covered=False, seconds=12)) == [["carton_never_left"]]
    assert dock.tracker.relearned == 1
    for _ in range(3):
        seen = dock.runs(covered=True, seconds=1) + dock.runs(covered=False, seconds=1)
        assert faults(seen) == [[]]


def test_a_carton_that_stood_on_a_halted_belt_opens_no_other_when_it_leaves(shift) -> None:
    dock = Dock(shift)
    dock.runs(covered=False, seconds=1)
    assert faults(dock.runs(covered=True, seconds=1) + dock.runs(covered=False, seconds=1)) == [[]]
    assert faults(dock.runs(covered=True, seconds=15)) == [["carton_never_left"]]
    assert dock.runs(covered=False, seconds=2) == [], "the bare belt is known from before"
    seen = dock.runs(covered=True, seconds=1) + dock.runs(covered=False, seconds=1)
    assert faults(seen) == [[]]


def test_somebody_who_sees_an_empty_belt_can_say_so(shift) -> None:
    dock = Dock(shift)
    dock.runs(covered=True, seconds=1)
    dock.runs(covered=False, seconds=1)
    dock.tracker.learn_belt("label")
    assert faults(dock.runs(covered=False, seconds=1)) == [["carton_never_left"]]
    seen = dock.runs(covered=True, seconds=1) + dock.runs(covered=False, seconds=1)
    assert faults(seen) == [[]]


def test_a_view_given_up_early_is_told_on_its_carton(shift) -> None:
    dock = Dock(shift, longest_ms=3000)
    dock.runs(covered=False, seconds=1)
    (carton,) = dock.runs(covered=True, seconds=5)
    assert [(f.code, f.params) for f in carton.faults] == [("carton_never_left", {"seconds": 3})]


def test_daylight_that_grows_slowly_is_no_carton(shift) -> None:
    watch = PresenceWatch(PresencePolicy())
    rng = np.random.default_rng(4)
    for number in range(120):
        picture = belt_picture(rng, covered=False, light=1 + number / 240)
        assert watch.see(picture, at=shift.at(number * 100)) is None
    assert not watch.covered


async def test_a_failing_lamp_opens_no_carton(shift) -> None:
    clock = FixedClock(shift.at(0))
    presence = PresenceWatch(PresencePolicy())
    tracker = CartonTracker("dock-1", ("label",), clock=clock, presence=presence)
    rng = np.random.default_rng(3)
    for number in range(30):
        dark = number >= 10
        image = belt_picture(rng, covered=False, light=0.1 if dark else 1.0)
        clock.at = shift.at(number * 100)
        tracker.offer(shift.frame(number * 100, image=image), state="dark" if dark else "ok")
    assert tracker.ledger.advance(shift.at(60_000)) == []
