"""Every write over HTTP takes an idempotency key, and a repetition does nothing a second time (I2)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from appliance import problems
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import HoldKind
from erp_link.api import router
from erp_link.api.exchange import router as exchange_router
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.erp.desk import ErpDesk
from erp_link.service.exchange.desk import Exchange, ExchangeSettings
from erp_link.webhooks.addresses import Addresses
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER

KEY = {"Idempotency-Key": "request-0001"}
KNOWN_BY_CONTENT = {
    # Nothing is written: a statement is what to sign.
    "/api/v1/tickets/{ticket_id}/statement",
    # An entry has its own id, and so has an event.
    "/api/v1/offline/logs",
    "/api/v1/epcis/capture",
    # Asked again they find what was done and tell it: a generation is opened once by its number.
    "/api/v1/judging/generations",
    "/api/v1/judging/people",
}


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock, sqlite_template: Path) -> Iterator[Core]:
    shutil.copy(sqlite_template, tmp_path / "core.db")
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield made
    made.close()


@pytest.fixture
def app(core: Core, tmp_path: Path) -> FastAPI:
    settings = ExchangeSettings(
        site=Site(), key=tmp_path / "key", addresses=Addresses.of(["127.0.0.1"])
    )
    made = FastAPI()
    problems.install(made)
    made.include_router(router(lambda: core, auth, erp=ErpDesk(core)))
    made.include_router(exchange_router(Exchange(core, settings), auth))
    return made


@pytest.fixture
def client(app: FastAPI) -> Client:
    made = Client(app)
    made.headers = {"x-roles": "quality integrator ops operator"} | KEY
    return made


def test_every_write_takes_a_key(app: FastAPI) -> None:
    without = {
        path
        for path, methods in app.openapi()["paths"].items()
        for method, route in methods.items()
        if method in ("post", "put", "patch", "delete")
        and not any(each["name"] == "Idempotency-Key" for each in route.get("parameters", ()))
    }
    assert without == KNOWN_BY_CONTENT


def test_a_webhook_sent_twice_is_made_once_and_tells_its_secret_again(client: Client) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "topics": ["held"]}
    first = client.post("/api/v1/webhooks", json=body)
    assert client.post("/api/v1/webhooks", json=body).json() == first.json()
    assert len(client.get("/api/v1/webhooks").json()) == 1
    other = client.post("/api/v1/webhooks", json=body | {"topics": ["shipped"]})
    assert other.json()["code"] == "conflict"


def test_a_secret_is_rotated_once_so_that_the_one_before_stays_valid(client: Client) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "topics": ["held"]}
    made = client.post("/api/v1/webhooks", json=body).json()
    path = f"/api/v1/webhooks/{made['webhook']['webhook_id']}/secret"
    rotate = {"Idempotency-Key": "request-0002"}
    first = client.post(path, headers=rotate).json()["secret"]
    assert first != made["secret"]
    assert client.post(path, headers=rotate).json()["secret"] == first
    third = client.post(path, headers={"Idempotency-Key": "request-0003"}).json()["secret"]
    assert third != first


def test_what_was_done_meanwhile_is_not_undone_by_a_repetition(core: Core, client: Client) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    smell = Reason("held_by_hand", {"note": "smell"})
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=smell, by="op")
    path = f"/api/v1/tickets/{hold.ticket_id}/owner"
    assert client.post(path, json={"owner": "jun"}).status_code == 200
    assert hold.ticket_id is not None
    core.assign_ticket(hold.ticket_id, "mara", by="lead")
    assert client.post(path, json={"owner": "jun"}).json()["owner"] == "mara"


def test_shipping_partly_is_another_request_than_shipping_whole(core: Core, client: Client) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    body = {"order": "SO-1", "lines": [{"gtin": WATER.gtin, "quantity": 2}]}
    client.post("/api/v1/orders", json=body)
    for number, step in enumerate(("pack", "ship"), start=2):
        client.post(
            "/api/v1/orders/SO-1/pick", json={}, headers={"Idempotency-Key": "request-pick"}
        )
        key = {"Idempotency-Key": f"request-000{number}"}
        done = client.post(f"/api/v1/orders/SO-1/{step}", json={}, headers=key)
        assert done.status_code == 200
    assert client.post("/api/v1/orders/SO-1/ship", json={}, headers=key).json() == done.json()
    partly = client.post("/api/v1/orders/SO-1/ship", json={"partly": True}, headers=key)
    assert (partly.status_code, "idempotency key" in partly.json()["detail"]) == (409, True)
