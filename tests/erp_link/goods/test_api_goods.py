"""The routes of goods: a product is described, its delivery sampled and accepted, over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from erp_link.api import router
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import LATER, WATER

GOODS = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}
PRODUCT = f"/api/v1/products/{WATER.gtin}"
BOTTLES = {"name": "Water", "base_unit": "bottle", "units": {"case": 24}, "aql": "2.5"}


@pytest.fixture
def client(sqlite_template: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Client]:
    shutil.copy(sqlite_template, tmp_path / "core.db")
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    app = FastAPI()
    app.include_router(router(lambda: core, auth))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code, "detail": str(error)}, status_code=400)

    yield Client(app)
    core.close()


def by(client: Client, roles: str) -> Client:
    client.headers = {"x-roles": roles}
    return client


def receipt(quantity: int) -> dict[str, object]:
    return {
        "batch": GOODS, "quantity": quantity, "location": "DOCK/1", "expiry": LATER.isoformat()
    }  # fmt: skip


def test_a_product_is_described_by_those_who_plan(client: Client) -> None:
    default = client.get(PRODUCT).json()
    assert (default["described"], default["per_carton"]) == (False, 1)
    assert by(client, "operator").put(PRODUCT, json=BOTTLES).json()["code"] == "forbidden"
    made = by(client, "ops").put(PRODUCT, json=BOTTLES).json()
    assert (made["described"], made["per_carton"]) == (True, 24)
    assert client.get("/api/v1/products").json() == [made]
    wrong = client.put(PRODUCT, json=BOTTLES | {"units": {"case": -1}})
    assert wrong.json()["code"] == "bad_input"
    assert client.put(PRODUCT[:-1], json=BOTTLES).json()["code"] == "bad_input"
    rule = {"customer": "Hospital", "least_days": 90}
    assert client.put("/api/v1/life-rules", json=rule).status_code == 204
    assert client.get("/api/v1/life-rules").json()[0]["rule"]["least_days"] == 90


def test_a_delivery_is_sampled_and_accepted(client: Client) -> None:
    by(client, "ops").put(PRODUCT, json=BOTTLES)
    by(client, "operator").post("/api/v1/stock/receipts", json=receipt(48))
    (waiting,) = client.get("/api/v1/acceptances").json()
    assert waiting["reasons"][0]["code"] == "acceptance_by_sample"
    where = f"/api/v1/acceptances/{waiting['acceptance_id']}"
    refused = client.post(f"{where}/decision", json={"accept": True})
    assert refused.json()["code"] == "forbidden"
    looked = {"inspected": waiting["sample"]["sample"], "bad": 0}
    keyed = {"Idempotency-Key": "sample-0001"}
    done = client.post(f"{where}/samples", json=looked, headers=keyed).json()
    assert (done["state"], done["sample"]["outcome"]) == ("accepted", "accepted")
    assert client.post(f"{where}/samples", json=looked, headers=keyed).json() == done
    assert client.get("/api/v1/acceptances").json() == []
    (ladder,) = client.get("/api/v1/expiry-ladder").json()
    assert (ladder["colour"], ladder["on_shelf"]) == ("green", 48)


def test_slots_are_planned_and_suggested(client: Client) -> None:
    by(client, "operator").post("/api/v1/stock/receipts", json=receipt(1))
    slot = {"capacity": 4, "temperature": "frozen"}
    assert client.put("/api/v1/places/FR-1", json=slot).json()["code"] == "forbidden"
    assert by(client, "ops").put("/api/v1/places/FR-1", json=slot).status_code == 204
    pages = client.get("/api/v1/places", params={"limit": 500}).json()
    assert [row["temperature"] for row in pages if row["code"] == "FR-1"] == ["frozen"]
    asked = {"gtin": WATER.gtin, "lot": WATER.lot, "supplier": WATER.supplier}
    found = client.get("/api/v1/slotting", params=asked).json()
    assert (found["slot"], found["reason"]["code"]) == ("A-01-1", "slot_next")
