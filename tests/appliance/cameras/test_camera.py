"""A camera is opened again and again, and an old picture never stands for the belt."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cameras.camera import BackOff, Camera
from appliance.cameras.upload import UploadSource
from appliance.cameras.video import VideoSource
from appliance.cameras.watch import CameraState
from contracts.clock import FixedClock, SystemClock
from contracts.errors import BadFrameError, UnavailableError

SOON = BackOff(first_s=0.01, most_s=0.05)


async def until(what: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 -- the state polled is another thread's or task's
            await asyncio.sleep(0.01)


class Script:
    """A source that plays steps: a frame, silence, or going away."""

    live = True

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.opened = 0

    async def frames(self):
        self.opened += 1
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, Exception):
                raise step
            await asyncio.sleep(0)
            yield step
        await asyncio.Event().wait()


class Watched:
    """A camera at work, with what it told."""

    def __init__(self, source, **how) -> None:
        self.seen, self.told = [], []
        self.camera = Camera(
            "label",
            source,
            back_off=SOON,
            on_frame=self.seen.append,
            on_change=lambda _name, health: self.told.append(health.state),
            **how,
        )

    async def __aenter__(self):
        self.task = asyncio.create_task(self.camera.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@given(st.integers(0, 1000), st.floats(0, 1))
def test_pauses_between_tries_stay_in_bounds(failures: int, draw: float) -> None:
    assert 0.1 <= BackOff().pause(failures, draw) <= 5.0


async def test_a_camera_that_goes_away_is_opened_again(belt) -> None:
    away = UnavailableError("camera label stopped sending")
    script = Script(belt.frame(), away, away, belt.frame())
    async with Watched(script) as watched:
        await until(lambda: len(watched.seen) == 2)
    assert script.opened == 3
    assert watched.camera.failures == 0


async def test_a_silent_camera_is_stalled_and_shows_no_old_picture(belt) -> None:
    now = 100.0
    async with Watched(Script(belt.frame()), monotonic=lambda: now) as watched:
        camera = watched.camera
        await until(lambda: bool(watched.seen))
        assert camera.latest() is watched.seen[0]
        now += 1.9
        await until(lambda: camera.state is CameraState.STALLED)
        assert camera.latest() is None
        assert camera.age_s == pytest.approx(1.9)
    assert watched.told == [CameraState.STALLED]


async def test_a_camera_is_not_silent_before_it_was_opened(belt) -> None:
    now = 100.0
    watched = Watched(Script(), monotonic=lambda: now)
    now += 30.0  # the engines are loaded meanwhile
    async with watched:
        await asyncio.sleep(0.5)
        assert watched.told == []
        now += 1.9
        await until(lambda: watched.told == [CameraState.STALLED])


async def test_a_repeated_picture_is_not_handed_on(belt) -> None:
    same = belt.frame()
    script = Script(belt.frame(), same, same, same, belt.frame())
    async with Watched(script) as watched:
        await until(lambda: not script.steps and len(watched.seen) == 3)
    assert watched.seen.count(same) == 1


async def test_a_pushed_picture_does_not_age_and_a_torn_one_is_refused(belt, jpeg) -> None:
    source = UploadSource(camera="label", clock=SystemClock())
    now = 0.0
    async with Watched(source, monotonic=lambda: now) as watched:
        camera = watched.camera
        frame = await source.push(jpeg(belt.picture()), name="c-0")
        with pytest.raises(BadFrameError):
            await source.push(b"torn")
        await until(lambda: watched.seen == [frame])
        now = 3600.0
        assert camera.latest() is frame
        assert camera.state is CameraState.OK


class PacedFile:
    """A real cv2.VideoCapture on a real file, at a camera's pace."""

    def __init__(self, path: Path, pace_s: float = 0.02) -> None:
        self.capture = cv2.VideoCapture(str(path))
        self.pace_s = pace_s

    def isOpened(self) -> bool:  # noqa: N802 -- OpenCV's name
        return self.capture.isOpened()

    def read(self):
        time.sleep(self.pace_s)
        return self.capture.read()

    def release(self) -> None:
        self.capture.release()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Sixty frames whose brightness counts them."""
    path = tmp_path / "belt.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (160, 120))
    for number in range(60):
        writer.write(np.full((120, 160, 3), 20 + 3 * number, np.uint8))
    writer.release()
    return path


async def test_a_video_camera_drops_to_the_newest_picture(video: Path, clock: FixedClock) -> None:
    source = VideoSource(
        "belt", camera="label", clock=clock, max_fps=1000, opener=lambda: PacedFile(video)
    )
    stream = source.frames()
    first = await anext(stream)
    await asyncio.sleep(0.4)
    second = await anext(stream)
    gap = (int(second.image.mean()) - int(first.image.mean())) / 3
    assert gap > 5, "the pictures taken meanwhile were handed out from a buffer"
    assert (first.number, second.number) == (1, 2)
    stored = cv2.imdecode(np.frombuffer(second.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert (stored == second.image).all(), "judged is what the stored bytes decode to"
    await stream.aclose()


async def test_a_video_that_ends_is_a_camera_gone(video: Path, clock: FixedClock) -> None:
    source = VideoSource(str(video), camera="label", clock=clock, max_fps=1000)
    with pytest.raises(UnavailableError, match="stopped sending"):
        async for _ in source.frames():
            pass


async def test_an_address_where_nothing_is_says_so(tmp_path: Path, clock: FixedClock) -> None:
    source = VideoSource(str(tmp_path / "none.avi"), camera="label", clock=clock)
    with pytest.raises(UnavailableError, match="camera label could not be opened"):
        await anext(source.frames())


async def test_a_driver_that_hangs_is_left_behind(clock: FixedClock) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging:
        def isOpened(self) -> bool:  # noqa: N802 -- OpenCV's name
            return True

        def read(self):
            time.sleep(0.5)
            return True, np.zeros((32, 32, 3), np.uint8)

        def release(self) -> None:
            loop.call_soon_threadsafe(released.set)

    source = VideoSource(
        "hangs",
        camera="label",
        clock=clock,
        open_timeout_s=0.05,
        read_timeout_s=0.05,
        opener=Hanging,
    )
    with pytest.raises(UnavailableError, match="sent no picture"):
        await anext(source.frames())
    await asyncio.wait_for(released.wait(), 20)


async def test_a_dead_stream_stalls_the_camera_and_is_retried(clock: FixedClock, free_port) -> None:
    source = VideoSource(
        f"rtsp://127.0.0.1:{free_port}/belt",
        camera="label",
        clock=clock,
        open_timeout_s=0.5,
        read_timeout_s=0.5,
    )
    async with Watched(source) as watched:
        await until(lambda: watched.camera.failures >= 2)
        await until(lambda: watched.camera.state is CameraState.STALLED)
        assert watched.camera.latest() is None
