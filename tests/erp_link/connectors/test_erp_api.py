"""The ERP's outbox over HTTP: for programs that watch, mend and give names."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from appliance import problems
from contracts.clock import FixedClock
from erp_link import api
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import JUICE, WATER
from tests.support.erp import House
from tests.support.odoo import Odoo


@pytest.fixture
def house(core: Core, clock: FixedClock) -> House:
    made = House(core, clock, Odoo())
    made.erp.product(WATER.gtin, "Still water")
    made.erp.partner("ACME")
    for batch, units in ((JUICE, 3), (WATER, 5), (JUICE, 1)):
        core.receive(batch, units, location="D1", by="op")
    made.tells()
    return made


@pytest.fixture
def client(house: House, tmp_path: Path) -> Client:
    app = FastAPI()
    problems.install(app)
    app.include_router(api.router(lambda: house.core, auth, erp=house.desk))
    made = Client(app)
    made.headers = {"x-roles": "integrator"}
    return made


def test_a_program_sees_mends_and_repeats(house: House, client: Client) -> None:
    seen = client.get("/api/v1/erp").json()
    assert (seen["system"], seen["counts"]["dead"], seen["counts"]["done"]) == ("Odoo", 1, 1)
    dead = client.get("/api/v1/erp/messages", params={"state": "dead"}).json()
    assert [each["trouble"]["code"] for each in dead] == ["erp_refused"]
    number = dead[0]["letter"]

    named = {"kind": "product", "ours": JUICE.gtin, "theirs": "JUICE-1"}
    assert client.put("/api/v1/erp/names", json=named).status_code == 204
    assert client.get("/api/v1/erp/names").json()[0]["theirs"] == "JUICE-1"
    house.erp.product("JUICE-1", "Juice")
    key = {"Idempotency-Key": "retry-0001"}
    for _ in range(2):
        answer = client.post(f"/api/v1/erp/messages/{number}/retry", headers=client.headers | key)
        assert answer.status_code == 200
    house.tells()
    assert house.erp.on_hand(JUICE.lot) == 4
    again = client.post(f"/api/v1/erp/messages/{number}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert client.get("/api/v1/erp/messages/999").status_code == 404


def test_messages_come_a_page_at_a_time(client: Client) -> None:
    first = client.get("/api/v1/erp/messages", params={"limit": 2})
    assert len(first.json()) == 2
    following = first.headers["link"].split(">")[0].removeprefix("<")
    second = client.get(following)
    assert [each["letter"] for each in first.json() + second.json()] == [3, 2, 1]


def test_a_note_says_what_was_done_by_hand(house: House, client: Client) -> None:
    number = client.get("/api/v1/erp/messages", params={"state": "dead"}).json()[0]["letter"]
    path = f"/api/v1/erp/messages/{number}/skip"
    assert client.post(path, json={"note": " "}).status_code == 422
    done = client.post(path, json={"note": "WH/IN/00077"}).json()
    assert (done["state"], done["ended_by"]) == ("skipped", "ann")


def test_who_only_looks_mends_nothing(client: Client) -> None:
    client.headers = {"x-roles": "viewer"}
    assert client.get("/api/v1/erp").status_code == 200
    assert client.post("/api/v1/erp/messages/1/retry").status_code == 403
    named = {"kind": "product", "ours": "1", "theirs": "2"}
    assert client.put("/api/v1/erp/names", json=named).status_code == 403
