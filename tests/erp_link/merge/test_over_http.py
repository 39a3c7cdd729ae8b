"""A phone's day over HTTP: enrolled, told, offline, back again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from erp_link.api import router
from erp_link.service.core import Core
from tests.erp_link.merge.conftest import SHELF, stocked
from tests.erp_link.merge.logs import Phone
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER

BATCH = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}


@pytest.fixture
def client(tmp_path: Path, clock: FixedClock) -> Iterator[Client]:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    stocked(core)
    app = FastAPI()
    app.include_router(router(lambda: core, auth))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code, "detail": str(error)}, status_code=400)

    yield Client(app)
    core.close()


def enrolled(client: Client, name: str) -> Phone:
    phone = Phone(name)
    made = client.post(
        "/api/v1/offline/devices", json={"device": name, "public_key": phone.public_key}
    )
    assert made.json()["roles"] == ["operator", "quality"]
    return phone


def sent(client: Client, phone: Phone) -> dict[str, object]:
    answer = client.post(
        "/api/v1/offline/logs", json={"entries": [asdict(each) for each in phone.entries]}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_a_day_offline(client: Client) -> None:
    mei, li = enrolled(client, "phone-1"), enrolled(client, "phone-2")
    told = client.get(
        "/api/v1/offline/carry", params={"device": "phone-1", "location": SHELF}
    ).json()
    water = next(cell for cell in told["cells"] if cell["batch"] == BATCH)
    assert (water["quantity"], told["next_seq"]) == (10, 1)
    mei.is_told(told["seen"], told["version"])
    mei.counts(WATER, 8, of=water["quantity"])
    li.counts(WATER, 9, of=10)
    assert sent(client, mei)["new"] == 2
    assert sent(client, mei) == sent(client, mei)
    sent(client, li)
    (conflict,) = client.get("/api/v1/offline/conflicts").json()
    assert (conflict["kind"], len(conflict["sides"])) == ("counts_differ", 2)
    recount = {"batch": BATCH, "location": SHELF, "counted": 9}
    assert client.post("/api/v1/offline/recounts", json=recount).status_code == 204
    assert client.get("/api/v1/offline/conflicts").json() == []
    assert client.get("/api/v1/offline/unconfirmed").json()[0]["quantity"] == 1
    where = {"batch": BATCH, "location": SHELF}
    assert client.post("/api/v1/offline/confirmations", json=where).json() == {"quantity": 1}
    assert client.get("/api/v1/offline/logs/phone-1").json()["expected"] == 3
    assert [each["device"] for each in client.get("/api/v1/offline/devices").json()] == [
        "phone-1",
        "phone-2",
    ]


def test_what_is_wrong_is_told_with_its_code(client: Client) -> None:
    stranger = Phone("phone-9")
    stranger.adjusts(WATER, -1)
    refused = sent(client, stranger)["refused"]
    assert isinstance(refused, list)
    assert refused[0]["code"] == "unknown_device"
    other = {"device": "phone-1", "public_key": stranger.public_key}
    enrolled(client, "phone-1")
    assert client.post("/api/v1/offline/devices", json=other).json()["code"] == "other_key"
    nobody = client.get("/api/v1/offline/carry", params={"device": "phone-7"})
    assert nobody.json()["code"] == "not_found"
    readmit = client.post("/api/v1/offline/devices/phone-9/readmit", json={"reason": "seen"})
    assert readmit.json()["code"] == "conflict"
