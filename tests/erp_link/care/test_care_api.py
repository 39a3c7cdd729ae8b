"""The care for stock over HTTP."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from appliance import problems
from erp_link import api
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import LATER, WATER


class Planner(Client):
    """Also changes things in place."""

    def put(self, path: str, **more) -> httpx.Response:
        return asyncio.run(self._ask("PUT", path, **more))

    def delete(self, path: str) -> httpx.Response:
        return asyncio.run(self._ask("DELETE", path))


@pytest.fixture
def client(core: Core) -> Planner:
    app = FastAPI()
    problems.install(app)
    app.include_router(api.router(lambda: core, auth))
    made = Planner(app)
    made.headers = {"x-roles": "ops"}
    return made


def test_programs_read_suggestions_and_say_how_a_product_is_replenished(
    core: Core, client: Planner
) -> None:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    path = f"/api/v1/reorder/{WATER.gtin}"
    listed = client.get("/api/v1/reorder").json()
    assert [each["gtin"] for each in listed] == [WATER.gtin]
    assert listed[0]["reasons"][0]["code"] == "reorder_short_history"
    assert client.get(f"{path}/hint").json()["urgency"] == "unknown"

    policy = {"lead_days": 2, "late_days": 1, "pack": 24}
    assert client.put(f"{path}/policy", json=policy).status_code == 204
    assert client.get(path).json()["policy"]["pack"] == 24
    assert client.delete(f"{path}/policy").status_code == 204
    assert client.get(path).json()["policy"]["pack"] == 1
    assert client.put(f"{path}/policy", json={"lead_days": -1}).status_code == 422
    viewer = {"x-roles": "viewer"}
    assert client.put(f"{path}/policy", json=policy, headers=viewer).status_code == 403
    assert client.get("/api/v1/reorder/4006381333931", headers=viewer).status_code == 404


def test_programs_read_how_healthy_the_stock_is(core: Core, client: Planner) -> None:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    (product,) = client.get("/api/v1/stock-health/products").json()
    assert (product["on_hand"], product["ages"], product["expiry"]) == (
        10,
        [10, 0, 0, 0, 0],
        {"fresh": 10},
    )
    (batch,) = client.get("/api/v1/stock-health/batches?limit=1").json()
    assert (batch["key"]["lot"], batch["rung"]) == (WATER.lot, "fresh")


def test_a_list_is_sent_answered_and_applied_by_a_program(core: Core, client: Planner) -> None:
    data = "gtin,name,least_days\n６９３３１３２５７７７８９,Water,9\n4006381333931,Pens,many\n"
    sent = client.post("/api/v1/master-data/lists?name=a.csv", content=data.encode())
    assert sent.status_code == 201
    assert (sent.json()["unclean"], sent.json()["mends"]) == (2, {"full_width": 1})
    path = "/api/v1/master-data/lists/1"
    rows = client.get(f"{path}/rows").json()
    assert rows[1]["findings"][0]["reason"]["code"] == "dirt_no_number"
    assert client.post(f"{path}/accept", json={"code": "full_width"}).json() == {"count": 1}
    said = {"row": 3, "values": {"least_days": "30"}}
    assert client.post(f"{path}/answers", json=said).status_code == 204
    assert client.get(path).json()["ready"] == 2
    viewer = {"x-roles": "viewer"}
    assert client.post(f"{path}/apply", headers=viewer).status_code == 403
    assert client.post(f"{path}/apply").json() == {"count": 2}
    assert [each["state"] for each in client.get("/api/v1/master-data/lists").json()] == ["ended"]
    assert client.post(f"{path}/discard").status_code == 409
    core.receive(WATER, 1, location="A-01-1", by="op")
    (found,) = client.get("/api/v1/master-data/books").json()
    assert (found["code"], found["batch"]["lot"]) == ("book_expiry_missing", WATER.lot)
