"""A real stream over a real socket, read by the real VideoCapture: it plays, hangs, comes back."""

import asyncio
from collections.abc import Callable

import pytest

from appliance.cameras.camera import BackOff, Camera
from appliance.cameras.video import VideoSource
from appliance.cameras.watch import CameraState
from contracts.clock import SystemClock


class NetworkCamera:
    """Serves multipart JPEG as network cameras do; `playing` cleared, it holds its tongue."""

    def __init__(self, picture: Callable[[], bytes]) -> None:
        self.picture = picture
        self.playing = asyncio.Event()
        self.playing.set()
        self.visits = self.watching = 0
        self.stopped = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        self.watching += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\n"
                b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
            )
            while not self.stopped:
                await self.playing.wait()
                jpeg = self.picture()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                writer.write(head.encode() + jpeg + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0.04)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self.watching -= 1
            writer.close()


async def until(what: Callable[[], bool], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 -- the state polled is another task's
            await asyncio.sleep(0.02)


@pytest.mark.timeout(170)
async def test_a_network_camera_that_hangs_is_told_and_taken_up_again(belt, jpeg) -> None:
    network = NetworkCamera(lambda: jpeg(belt.picture()))
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = VideoSource(
        f"http://127.0.0.1:{port}/belt.mjpg",
        camera="label",
        clock=SystemClock(),
        open_timeout_s=10,
        read_timeout_s=1.5,
    )
    seen, told = [], []
    camera = Camera(
        "label",
        source,
        back_off=BackOff(first_s=0.05, most_s=0.2),
        on_frame=seen.append,
        on_change=lambda _name, health: told.append(health.state),
    )
    task = asyncio.create_task(camera.run())
    try:
        await until(lambda: len(seen) >= 3)
        await until(lambda: camera.state is CameraState.OK)
        visits = network.visits
        network.playing.clear()
        await until(lambda: camera.state is CameraState.STALLED)
        assert camera.latest() is None
        before = len(seen)
        network.playing.set()
        await until(lambda: camera.state is CameraState.OK and len(seen) > before)
        assert network.visits > visits, "the stream was opened again"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        network.stopped = True
        network.playing.set()
        await until(lambda: network.watching == 0)
    assert CameraState.STALLED in told
