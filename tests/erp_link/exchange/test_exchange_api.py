"""EPCIS and webhooks over HTTP, by role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import ForbiddenError, NotFoundError, TallymanError
from erp_link.api.exchange import router
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.desk import Exchange, ExchangeSettings
from erp_link.webhooks.addresses import Addresses
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER

EPCIS = "/api/v1/epcis"


@pytest.fixture
def exchange(tmp_path: Path, clock: FixedClock) -> Iterator[Exchange]:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    for quantity in (5, 6, 7):
        core.receive(WATER, quantity, location="A-01-1", by="op")
    settings = ExchangeSettings(
        site=Site(), key=tmp_path / "key", addresses=Addresses.of(["127.0.0.1"])
    )
    made = Exchange(core, settings)
    made.epcis.project()
    yield made
    core.close()


@pytest.fixture
def client(exchange: Exchange) -> Client:
    app = FastAPI()
    app.include_router(router(exchange, auth))
    codes = {ForbiddenError: 403, NotFoundError: 404}

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        status = codes.get(type(error), 400)
        return JSONResponse({"code": error.code, "detail": str(error)}, status_code=status)

    made = Client(app)
    made.headers = {"x-roles": "integrator"}
    return made


def test_events_page_by_page(client: Client) -> None:
    first = client.get(f"{EPCIS}/events", params={"EQ_bizStep": "receiving", "perPage": "2"})
    assert first.headers["content-type"].startswith("application/ld+json")
    assert first.headers["GS1-EPCIS-Version"] == "2.0.0"
    results = first.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [e["quantityList"][0]["quantity"] for e in results] == [7, 6]
    link = first.headers["link"]
    assert link.endswith('; rel="next"')
    rest = client.get(link[1 : link.index(">")]).json()
    last = rest["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [e["quantityList"][0]["quantity"] for e in last] == [5]
    one = client.get(f"{EPCIS}/events/{quote(last[0]['eventID'], safe='')}").json()
    assert one["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == last
    assert client.get(f"{EPCIS}/events/urn:x").status_code == 404


def test_a_question_that_cannot_be_answered_is_no_empty_answer(client: Client) -> None:
    wrong = client.get(f"{EPCIS}/events", params={"EQ_bizstep": "receiving"})
    assert wrong.status_code == 400
    assert "EQ_bizstep" in wrong.json()["detail"]


def test_a_partner_sends_events(client: Client) -> None:
    event = {
        "type": "ObjectEvent",
        "eventTime": "2026-11-20T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": ["urn:epc:id:sscc:0614141.1234567890"],
    }
    taken = client.post(f"{EPCIS}/capture", json=event)
    assert taken.status_code == 202
    assert (taken.json()["new"], taken.json()["known"]) == (1, 0)
    assert client.post(f"{EPCIS}/capture", json=event).json()["known"] == 1
    wrong = client.post(f"{EPCIS}/capture", json={**event, "disposition": "frozen"})
    assert wrong.status_code == 400
    assert "disposition" in wrong.json()["detail"]
    assert client.post(f"{EPCIS}/capture", content=b"<xml/>").status_code == 400
    viewer = {"x-roles": "viewer"}
    assert client.post(f"{EPCIS}/capture", json=event, headers=viewer).status_code == 403


def test_a_webhook_over_http(client: Client) -> None:
    made = client.post(
        "/api/v1/webhooks", json={"url": "http://127.0.0.1:9/hook", "topics": ["held"]}
    )
    assert made.status_code == 201
    number = made.json()["webhook"]["webhook_id"]
    assert made.json()["secret"].startswith("whsec_")
    assert "secret" not in client.get(f"/api/v1/webhooks/{number}").json()
    changed = client.post(f"/api/v1/webhooks/{number}/secret")
    assert changed.json()["secret"] != made.json()["secret"]
    paused = client.post(f"/api/v1/webhooks/{number}/state", json={"state": "paused"})
    assert paused.json()["state"] == "paused"
    again = client.post(f"/api/v1/webhooks/{number}/replay", json={"after": ""})
    assert again.json()["position"] == ""
    assert client.get(f"/api/v1/webhooks/{number}/messages").json() == []
    refused = client.post(
        "/api/v1/webhooks", json={"url": "https://user:pw@example.com/", "topics": ["*"]}
    )
    assert refused.status_code == 400
    assert client.get("/api/v1/webhooks", headers={"x-roles": "operator"}).status_code == 403
