"""The JSON API: a delivery and a hold told over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from erp_link.api import router
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth

CSV = "gtin,batch,expiry,quantity,supplier\n06933132577789,8842-740,2030-01-11,4,ACME\n"
WATER = {"supplier": "ACME", "gtin": "06933132577789", "lot": "8842-740"}


class Site:
    """One API for all tests, since making its routes takes longer than asking them; each test has
    a core of its own behind it.
    """

    def __init__(self) -> None:
        self.core: Core | None = None
        self.app = FastAPI()
        self.app.include_router(router(self._open, auth, policy=DecisionPolicy(signed=False)))

        @self.app.exception_handler(TallymanError)
        def problem(request: Request, error: TallymanError) -> JSONResponse:
            return JSONResponse({"code": error.code, "detail": str(error)}, status_code=400)

    def _open(self) -> Core:
        assert self.core
        return self.core


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


@pytest.fixture
def client(site: Site, tmp_path: Path, clock: FixedClock) -> Iterator[Client]:
    site.core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield Client(site.app)
    site.core.close()


def test_a_delivery_over_http(client: Client) -> None:
    made = client.post("/api/v1/asns", params={"name": "D-1.csv"}, content=CSV)
    assert made.json() == {"number": "D-1", "supplier": "ACME", "lines": 1}
    session = client.post("/api/v1/sessions", json={"asn": "D-1", "dock": "dock-1"}).json()
    assert (session["announced"], session["short"]) == (4, 4)
    assert client.get("/api/v1/expectations").json()["session"] == session["session"]
    assert client.get("/api/v1/asns").json()[0]["session"] == session["session"]
    closed = client.post(f"/api/v1/sessions/{session['session']}/close").json()
    assert closed["closed_at"]
    assert client.get("/api/v1/sessions").json() == [closed]


def test_a_wrong_list_is_a_problem_with_its_line(client: Client) -> None:
    wrong = client.post(
        "/api/v1/asns", params={"name": "D.csv"}, content=CSV.replace("-01-", "-13-")
    )
    assert wrong.json()["code"] == "bad_asn"
    assert "line 2" in wrong.json()["detail"]
    assert client.get("/api/v1/asns").json() == []


def test_stock_hold_and_decision_over_http(client: Client) -> None:
    client.post(
        "/api/v1/stock/receipts", json={"batch": WATER, "quantity": 5, "location": "A-01-1"}
    )
    order = {"order": "SO-1", "batch": WATER, "quantity": 2}
    keyed = {"Idempotency-Key": "order-0001"}
    first = client.post("/api/v1/reservations", json=order, headers=keyed).json()
    assert client.post("/api/v1/reservations", json=order, headers=keyed).json() == first
    clash = client.post("/api/v1/reservations", json={**order, "quantity": 3}, headers=keyed)
    assert clash.json()["code"] == "conflict"
    number = first[0]["reservation_id"]
    assert client.post(f"/api/v1/reservations/{number}/pick").json()["state"] == "picked"
    hold = client.post("/api/v1/holds", json={"kind": "batch", "batch": WATER, "note": "smell"})
    assert hold.json()["at_risk"] == [{"what": "picked", "reference": "SO-1", "quantity": 2}]
    assert client.post(f"/api/v1/reservations/{number}/ship").json()["code"] == "held"
    (batch,) = client.get("/api/v1/batches").json()
    assert (batch["may_leave"], batch["blocked"]) == (False, 3)
    ticket = next(x for x in client.get("/api/v1/tickets").json() if x["hold_ids"])
    decided = client.post(
        f"/api/v1/tickets/{ticket['ticket_id']}/decision",
        json={"decision": "release", "reason": "tasted"},
    )
    assert decided.json()["state"] == "decided"
    assert client.post(f"/api/v1/reservations/{number}/ship").json()["state"] == "shipped"
    story = client.get("/api/v1/batches/story", params=WATER).json()
    assert [e["what"] for e in story if e["what"] in ("held", "released", "shipped")] == [
        "held",
        "released",
        "shipped",
    ]
    moved = client.post(
        "/api/v1/stock/moves",
        json={"batch": WATER, "quantity": 1, "source": "A-01-1", "target": "A-01-2"},
    )
    assert moved.status_code == 204
    assert [line["location"] for line in client.get("/api/v1/stock").json()] == ["A-01-1", "A-01-2"]


def test_a_mistyped_date_is_corrected_by_quality(client: Client) -> None:
    goods = {"batch": WATER, "quantity": 2, "location": "A-01-1", "expiry": "2021-03-31"}
    assert client.post("/api/v1/stock/receipts", json=goods).json() == {"status": "blocked"}
    right = {"batch": WATER, "expiry": "2031-03-31", "reason": "read again"}
    assert client.post("/api/v1/batches/expiry", json=right).status_code == 204
    (batch,) = client.get("/api/v1/batches").json()
    assert (batch["expiry"], batch["unrestricted"]) == ("2031-03-31", 2)
    client.headers["x-roles"] = "operator"
    assert client.post("/api/v1/batches/expiry", json=right).json()["code"] == "forbidden"


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": -5},
        {"quantity": 10**20},
        {"expiry": "1970-01-01"},
        {"batch": {**WATER, "gtin": "06933132577788"}},
        {"batch": {**WATER, "gtin": "123"}},
        {"batch": {**WATER, "lot": ""}},
        {"location": "A-O1-1"},
        {"location": "@customer"},
    ],
)
def test_goods_that_cannot_be_are_not_booked_in(client: Client, wrong: dict[str, object]) -> None:
    goods = {"batch": WATER, "quantity": 2, "location": "A-01-1", "expiry": "2027-03-31", **wrong}
    refused = client.post("/api/v1/stock/receipts", json=goods)
    assert refused.json()["code"] == "bad_input"
    assert client.get("/api/v1/batches").json() == []


def test_a_gtin_of_13_digits_is_the_same_goods(client: Client) -> None:
    for gtin in (WATER["gtin"], WATER["gtin"].removeprefix("0")):
        goods = {"batch": {**WATER, "gtin": gtin}, "quantity": 2, "location": "A-01-1"}
        assert client.post("/api/v1/stock/receipts", json=goods).status_code == 201
    (batch,) = client.get("/api/v1/batches").json()
    assert batch["on_hand"] == 4


def test_roles_are_asked_for(client: Client) -> None:
    client.headers["x-roles"] = "viewer"
    assert client.get("/api/v1/holds").json() == []
    body = {"kind": "batch", "batch": WATER, "note": "x"}
    assert client.post("/api/v1/holds", json=body).json()["code"] == "forbidden"
    client.headers["x-roles"] = "operator"
    decision = {"decision": "release", "reason": "x"}
    assert client.post("/api/v1/tickets/T/decision", json=decision).json()["code"] == "forbidden"
    client.headers["x-roles"] = ""
    assert client.get("/api/v1/batches").json()["code"] == "forbidden"


def test_the_api_describes_itself(client: Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/v1/asns", "/api/v1/holds", "/api/v1/transport/open"} <= set(paths)
    upload = paths["/api/v1/asns"]["post"]
    assert "text/csv" in upload["requestBody"]["content"]
