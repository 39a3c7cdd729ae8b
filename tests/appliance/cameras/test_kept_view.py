"""What a camera's view is survives a restart, until somebody teaches it anew."""

import asyncio
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from appliance.cameras.camera import Camera
from appliance.cameras.kept_view import KeptView
from appliance.cameras.view_door import view_router
from appliance.cameras.watch import CameraState, Reference
from contracts.errors import TallymanError


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 -- the state polled is another task's
            await asyncio.sleep(0.01)


class Paced:
    """Frames as `picture` makes them, a tenth of a second apart on the station's own time."""

    live = True

    def __init__(self, picture) -> None:
        self.picture = picture
        self.now = 0.0

    async def frames(self):
        while True:
            self.now += 0.1
            yield self.picture()
            await asyncio.sleep(0.001)


class Start:
    """One start of the station with its label camera."""

    def __init__(self, picture, view: KeptView) -> None:
        self.source = Paced(picture)
        self.told = []
        self.camera = Camera(
            "label",
            self.source,
            kept_view=view,
            on_change=lambda _name, health: self.told.append(health),
            monotonic=lambda: self.source.now,
        )

    async def __aenter__(self):
        self.task = asyncio.create_task(self.camera.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def view(tmp_path) -> KeptView:
    return KeptView(tmp_path / "views", camera="label", address="rtsp://dock:geheim@cam/1")


async def test_a_camera_knocked_while_the_station_was_off_is_moved(belt, view, tmp_path) -> None:
    async with Start(belt.frame, view):
        await until(lambda: view.load() is not None)
    async with Start(lambda: belt.frame(shift=(60, 0)), view) as start:
        await until(lambda: start.camera.state is CameraState.MOVED)
        before = view.load()
        start.camera.learn_view()
        await until(lambda: start.camera.state is CameraState.OK)
        await until(lambda: not np.array_equal(view.load().grey, before.grey))
        assert any("learned anew" in health.detail for health in start.told)
    async with Start(lambda: belt.frame(shift=(60, 0)), view) as start:
        await until(lambda: start.source.now > 4)
        assert start.camera.state is CameraState.OK
    assert not any("geheim" in file.name for file in (tmp_path / "views").iterdir())


def test_a_kept_view_comes_back_as_it_was(view) -> None:
    rng = np.random.default_rng(1)
    arrays = [rng.uniform(0, 255, shape).astype(np.float32) for shape in ((240, 320), (6, 6))]
    view.save(Reference(grey=arrays[0], means=arrays[1], sharpness=arrays[1]))
    kept = view.load()
    assert np.array_equal(kept.grey, arrays[0])
    assert np.array_equal(kept.sharpness, arrays[1])


@pytest.mark.parametrize("spoil", [b"", b"PK\x03\x04", b"\x80\x04pickle", bytes(500)])
def test_a_torn_view_is_learned_again(view, tmp_path, spoil: bytes) -> None:
    assert view.load() is None
    blank = np.zeros((6, 6), np.float32)
    view.save(Reference(grey=np.zeros((240, 320), np.float32), means=blank, sharpness=blank))
    (file,) = (tmp_path / "views").iterdir()
    file.write_bytes(spoil)
    assert view.load() is None
    np.savez(file, grey=blank, means=blank, sharpness=blank)
    assert view.load() is None, "another size of picture"


def test_another_camera_under_the_same_name_has_its_own_view(tmp_path) -> None:
    blank = np.zeros((6, 6), np.float32)
    one, other = (KeptView(tmp_path, camera="label", address=address) for address in "01")
    one.save(Reference(grey=np.zeros((240, 320), np.float32), means=blank, sharpness=blank))
    assert one.load() is not None
    assert other.load() is None


async def test_the_door_teaches_camera_and_belt(belt, view) -> None:
    app, belts = FastAPI(), []
    start = Start(belt.frame, view)
    app.include_router(view_router({"label": start.camera}, lambda: None, learn_belt=belts.append))

    @app.exception_handler(TallymanError)
    def problem(_request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=404)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://station"
    ) as http:
        assert (await http.post("/station/cameras/label/view")).status_code == 202
        unknown = await http.post("/station/cameras/roof/view")
    assert unknown.json() == {"code": "not_found"}
    assert belts == ["label"]
    assert len(start.told) == 1
