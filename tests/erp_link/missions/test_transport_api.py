"""Vehicles are asked, and called off, over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from appliance import problems
from contracts.clock import FixedClock
from contracts.stock import TransportProgress, TransportState
from erp_link.api import router
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER, Station

BATCH = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock, sqlite_template: Path) -> Iterator[Core]:
    shutil.copy(sqlite_template, tmp_path / "core.db")
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield made
    made.close()


@pytest.fixture(scope="module")
def site() -> tuple[FastAPI, list[Core]]:
    """One set of routes for both stories, since making it takes longer than asking it."""
    behind: list[Core] = []
    app = FastAPI()
    problems.install(app)
    app.include_router(router(lambda: behind[-1], auth))
    return app, behind


@pytest.fixture
def client(site: tuple[FastAPI, list[Core]], core: Core) -> Client:
    app, behind = site
    behind.append(core)
    made = Client(app)
    made.headers = {"x-roles": "operator"}
    return made


def drive(core: Core, order: str, clock: FixedClock) -> None:
    for state in (TransportState.SENT, TransportState.PICKED, TransportState.DROPPED):
        core.transport_progress(TransportProgress(order, state, "agv-1", clock.now()))


def test_a_day_of_asking(core: Core, client: Client, clock: FixedClock) -> None:
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    (order,) = client.get("/api/v1/transport/pending").json()
    assert (order["kind"], order["on_board"]) == ("put_away", "")
    path = f"/api/v1/transport/orders/{order['order_id']}/cancel"
    assert client.post(path, json={"reason": ""}).json()["code"] == "bad_input"
    assert client.post(path, json={"reason": "wet floor"}).json()["state"] == "cancelled"
    asked = client.post("/api/v1/transport/cartons/C1")
    assert asked.status_code == 201
    drive(core, asked.json()["order"]["order_id"], clock)
    wanted = {"gtin": WATER.gtin, "target": "B-01-1", "cartons": 1}
    made = client.post("/api/v1/transport/replenishments", json=wanted)
    assert made.status_code == 201
    (moved,) = made.json()["orders"]
    drive(core, moved, clock)
    assert client.post("/api/v1/transport/recalls", json={"batch": BATCH}).json() == {"orders": []}
    hold = {"kind": "batch", "batch": BATCH, "note": "smells"}
    assert client.post("/api/v1/holds", json=hold).status_code < 300
    (fetched,) = client.post("/api/v1/transport/recalls", json={"batch": BATCH}).json()["orders"]
    (order,) = client.get("/api/v1/transport/pending").json()
    assert (order["order_id"], order["kind"]) == (fetched, "recall")


def test_a_viewer_only_looks(client: Client) -> None:
    client.headers = {"x-roles": "viewer"}
    assert client.get("/api/v1/transport/open").json() == []
    assert client.post("/api/v1/transport/cartons/C1").status_code == 403
