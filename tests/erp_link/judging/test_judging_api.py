"""Who judged a batch, what waits and what ran where, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.errors import TallymanError
from contracts.events import ModelSetsActivated, ShadowJudged
from contracts.ota import Tally
from contracts.reason import Reason
from erp_link.api import router
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from tests.erp_link.judging.conftest import NEW, OLD, Box
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER

KEY = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}


class Site:
    """Routes are made once: that takes longer than asking them."""

    def __init__(self) -> None:
        self.core: Core | None = None
        self.app = FastAPI()
        self.app.include_router(router(self._open, auth))

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
def client(site: Site, core: Core) -> Client:
    site.core = core
    return Client(site.app)


def activates(box: Box, parts: dict[str, str], before: dict[str, str], why: str) -> None:
    box.sends(
        ModelSetsActivated(
            station=box.name,
            before=before,
            after=parts,
            variant={"inspect": "onnxruntime-cpu"},
            why=why,
            epoch=1,
            sequence=7,
            rollout="RO-1",
            notes=(Reason("pinned_set_gone", {"use": "inspect", "set": "abc"}),),
        )
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_batchs_judges_and_what_waits(client: Client, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2")
    told = client.get("/api/v1/judging/batch", params=KEY).json()
    assert [(pin["generation"], pin["parts"]) for pin in told["pins"]] == [(1, OLD)]
    assert [(s["carton_id"], s["standing"]) for s in told["said"]] == [
        ("C1", "counts"),
        ("C2", "other_judge"),
    ]
    (waits,) = client.get("/api/v1/judging/waiting").json()
    assert (waits["batch"], waits["cartons"], waits["asked"]) == (KEY, 1, 1)
    body = {"batch": KEY, "parts": NEW, "after": 1, "why": "recalibrated"}
    assert client.post("/api/v1/judging/generations", json=body).json()["generation"] == 2
    assert client.post("/api/v1/judging/generations", json=body).json()["generation"] == 2
    assert client.get("/api/v1/judging/waiting").json()[0]["cartons"] == 2
    assert client.post("/api/v1/judging/people", json={"batch": KEY}).json() == {"cartons": 2}
    for wrong in ({**body, "why": " "}, {**body, "after": 9}, {**body, "parts": {}}):
        assert client.post("/api/v1/judging/generations", json=wrong).status_code == 400


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_ran_where_and_when(client: Client, core: Core, box: Box, other: Box) -> None:
    activates(box, OLD, {}, "start")
    noon = box.clock.now()
    activates(other, NEW, OLD, "assignment")
    box.clock.at += timedelta(hours=1)
    activates(box, NEW, OLD, "assignment")
    newest, *_ = client.get("/api/v1/judging/boxes", params={"device": "edge-1"}).json()
    assert (newest["after"], newest["why"], newest["rollout"]) == (NEW, "assignment", "RO-1")
    assert newest["notes"] == [
        {"code": "pinned_set_gone", "params": {"use": "inspect", "set": "abc"}}
    ]
    at = client.get("/api/v1/judging/boxes/at", params={"at": noon.isoformat()}).json()
    assert {device: ran["after"] for device, ran in at.items()} == {"edge-1": OLD}
    judging = Judging(core)
    assert {d: ran.after for d, ran in judging.ran_at(box.clock.now()).items()} == {
        "edge-1": NEW,
        "edge-2": NEW,
    }
    assert len(judging.ran(since=noon + timedelta(minutes=30))) == 1
    naive = {"since": "2026-11-22T12:00:00"}
    assert client.get("/api/v1/judging/boxes", params=naive).status_code == 400
    assert core.devices()[0].model_sets == NEW


def shadowed(box: Box, number: int, *, harmful: bool = False, error: str = "") -> None:
    box.sends(
        ShadowJudged(
            station=box.name,
            carton_id=f"C{number}",
            rollout="RO-1",
            lane="inspect",
            model_set=NEW["inspect"],
            running=OLD["inspect"],
            said="" if error else "pass",
            stood="defect",
            harmful=harmful,
            late=number % 2 == 0,
            error=error,
            elapsed_ms=12.5,
        )
    )


def test_each_shadow_result_counts_once_for_its_gate(core: Core, box: Box, other: Box) -> None:
    for number in range(4):
        shadowed(box, number, harmful=number == 0)
    shadowed(other, 9, error="out of memory")
    entry, body = box.log[-1]
    assert core.apply(entry, body).duplicate
    first, second = Judging(core).shadow_tallies("RO-1")
    assert (first.device, first.last_seq, first.model_set) == ("edge-1", entry.seq, NEW["inspect"])
    assert first.signals == {"harm": Tally(4, 1), "latency": Tally(4, 2), "error": Tally(4, 0)}
    assert second.signals["error"] == Tally(1, 1)
    assert Judging(core).shadow_tallies("RO-2") == []
