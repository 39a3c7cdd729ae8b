"""Pictures sent by HTTP are kept as they came, or refused with a reason."""

import hashlib
from datetime import UTC, datetime

import cv2
import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

from appliance.cameras.upload import UploadSource, upload_router
from contracts.clock import FixedClock
from contracts.errors import NotSignedInError, TallymanError, UnavailableError


def token(authorization: str = Header("")) -> None:
    if authorization != "Bearer gate-3":
        raise NotSignedInError("this device's token is not known")


@pytest.fixture
def source(clock: FixedClock) -> UploadSource:
    return UploadSource(camera="label", clock=clock, waiting=2)


@pytest.fixture
async def client(source: UploadSource):
    app = FastAPI()
    app.include_router(upload_router({"label": source}, token, max_bytes=200_000))

    @app.exception_handler(TallymanError)
    def problem(_request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code, "detail": str(error)}, status_code=400)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://station",
        headers={"authorization": "Bearer gate-3"},
    ) as http:
        yield http


async def test_an_upload_becomes_a_frame_with_its_own_bytes(client, source, belt, jpeg) -> None:
    data = jpeg(belt.picture())
    answer = await client.post("/station/cameras/label/frames?name=c-1.label.jpg", content=data)
    assert answer.status_code == 202
    frame = await anext(source.frames())
    assert frame.jpeg == data
    assert frame.sha256 == hashlib.sha256(data).hexdigest() == answer.json()["sha256"]
    assert frame.name == "c-1.label.jpg"
    assert frame.at == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def sixteen_bits() -> bytes:
    return cv2.imencode(".png", np.zeros((64, 64), np.uint16))[1].tobytes()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"GIF89a" + bytes(100), b"<html>", sixteen_bits(), bytes(200_001)],
    ids=["empty", "torn", "gif", "html", "16 bit", "too large"],
)
async def test_what_is_no_picture_is_refused(client, source, data: bytes) -> None:
    answer = await client.post("/station/cameras/label/frames", content=data)
    assert answer.json()["code"] == "bad_frame"


async def test_a_torn_picture_is_refused(client, belt, jpeg) -> None:
    data = jpeg(belt.picture())
    answer = await client.post("/station/cameras/label/frames", content=data[: len(data) // 2])
    assert answer.json()["code"] == "bad_frame"


async def test_a_wrong_token_is_refused(client, belt, jpeg) -> None:
    answer = await client.post(
        "/station/cameras/label/frames",
        content=jpeg(belt.picture()),
        headers={"authorization": "Bearer guess"},
    )
    assert answer.json()["code"] == "not_signed_in"


async def test_an_unknown_camera_is_named(client) -> None:
    answer = await client.post("/station/cameras/roof/frames", content=b"x")
    assert answer.json()["code"] == "not_found"
    assert "label" in answer.json()["detail"]


async def test_a_busy_station_refuses_and_drops_nothing(source, belt, jpeg) -> None:
    for number in range(2):
        await source.push(jpeg(belt.picture()), name=f"c-{number}")
    with pytest.raises(UnavailableError, match="2 pictures waiting"):
        await source.push(jpeg(belt.picture()))
    frames = source.frames()
    assert [(await anext(frames)).name for _ in range(2)] == ["c-0", "c-1"]


@pytest.mark.data
async def test_a_real_label_photo_is_taken(source, data_dir) -> None:
    photo = min((data_dir / "labels" / "shipping_ups").rglob("*.JPG"))
    await source.push(photo.read_bytes(), name=photo.name)
    assert (await anext(source.frames())).height_px > 100
