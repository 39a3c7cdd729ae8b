"""Orders and quotas over HTTP: roles, cursors, keys, errors that say what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.stock import BatchKey
from erp_link.api import router
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth

GTIN = "06933132577789"
WATER = BatchKey("ACME", GTIN, "EARLY")
KEY = {"Idempotency-Key": "request-0001"}


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock, sqlite_template: Path) -> Iterator[Core]:
    shutil.copy(sqlite_template, tmp_path / "core.db")
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    made.receive(WATER, 20, location="A-01-1", expiry=date(2027, 3, 31), by="op")
    yield made
    made.close()


@pytest.fixture
def client(core: Core) -> Client:
    app = FastAPI()
    app.include_router(router(lambda: core, auth))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code, "mend": error.mend}, status_code=400)

    return Client(app)


def order(name: str, quantity: int = 3) -> dict[str, object]:
    return {"order": name, "lines": [{"gtin": GTIN, "quantity": quantity}], "customer": "shop"}


def test_an_order_goes_through_the_house_over_http(client: Client) -> None:
    made = client.post("/api/v1/orders", json=order("WH/OUT/1"), headers=KEY)
    assert made.status_code == 201
    assert client.post("/api/v1/orders", json=order("WH/OUT/1"), headers=KEY).json() == made.json()
    assert client.post("/api/v1/orders", json=order("X"), headers=KEY).json()["code"] == "conflict"
    (line,) = made.json()["lines"]
    (choice,) = line["plans"][0]["result"]["choices"]
    assert (choice["taken"], choice["reasons"][0]["code"]) == (3, "taken_fefo")
    assert client.post("/api/v1/orders/WH/OUT/1/ship", json={}).json()["code"] == "conflict"
    for step in ("pick", "pack", "ship"):
        answer = client.post(f"/api/v1/orders/WH/OUT/1/{step}", json={})
        assert answer.status_code == 200, answer.text
    assert answer.json()["summary"]["state"] == "shipped"
    assert client.get("/api/v1/orders/WH/OUT/1").json() == answer.json()


def test_orders_are_listed_a_page_at_a_time(client: Client) -> None:
    for number in range(3):
        client.post("/api/v1/orders", json=order(f"SO-{number}", 1))
    first = client.get("/api/v1/orders?limit=2")
    assert [row["order"] for row in first.json()] == ["SO-2", "SO-1"]
    following = first.headers["link"].split(";")[0].strip("<>")
    assert [row["order"] for row in client.get(following).json()] == ["SO-0"]
    client.post("/api/v1/orders/SO-2/cancel", json={"reason": "rang"})
    open_ones = client.get("/api/v1/orders?open_only=true").json()
    assert [row["order"] for row in open_ones] == ["SO-1", "SO-0"]
    assert client.get("/api/v1/orders?after=WyJ4Il0").json()["code"] == "bad_input"


def test_quotas_and_holds_by_quantity_over_http(client: Client, clock: FixedClock) -> None:
    body = {
        "device": "phone-1",
        "batch": {"supplier": "ACME", "gtin": GTIN, "lot": "EARLY"},
        "quantity": 4,
        "expires_at": "2026-11-21T18:00:00Z",
    }
    client.headers = {"x-roles": "ops"}
    made = client.post("/api/v1/quotas", json=body)
    assert (made.status_code, made.json()["left"]) == (201, 4)
    wrong = client.post("/api/v1/quotas", json=body | {"expires_at": "2026-11-21T18:00:00"})
    assert wrong.json()["code"] == "bad_input"
    hold = client.post(
        "/api/v1/holds",
        json={"kind": "quantity", "note": "wet", "batch": body["batch"], "quantity": 5},
    )
    assert (hold.json()["kind"], hold.json()["quantity"]) == ("quantity", 5)
    quota = made.json()["quota_id"]
    ended = client.post(f"/api/v1/quotas/{quota}/end", json={})
    assert ended.json() == {"quota_id": quota, "returned": 4}
    assert client.get("/api/v1/quotas").json() == []
    assert len(client.get("/api/v1/quotas?open_only=false").json()) == 1
