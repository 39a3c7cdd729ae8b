"""Alarms and excursions for programs."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.telemetry import AlarmChange, AlarmEffect
from erp_link.api import router
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from tests.erp_link.excursions.cold_room import Gateway, sqlite_only
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import LATER, WATER


def client_of(core: Core) -> Client:
    app = FastAPI()
    app.include_router(router(lambda: core, auth, policy=DecisionPolicy(signed=False)))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code}, 404 if error.code == "not_found" else 422)

    return Client(app)


@sqlite_only
def test_a_program_reads_alarms_and_excursions_and_says_what_goods_bear(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    core.receive(WATER, 10, location="COLD-01", by="op", expiry=LATER)
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[16.0] * 20)
    door = gateway.alarm(clock.at, alarm_id="door", effect=AlarmEffect.NONE, place="DOCK-1")
    door.says(AlarmChange.RAISED, 9.0)
    client = client_of(core)
    assert len(client.get("/api/v1/alarms").json()) == 2
    seen = client.post("/api/v1/alarms/door/acknowledge", json={"note": "shut it"})
    assert seen.json()["note"] == "shut it"
    assert client.get("/api/v1/alarms/door").json()["changes"][0]["change"] == "raised"
    assert client.get("/api/v1/alarms/nothing").status_code == 404
    (line,) = client.get("/api/v1/excursions", params={"state": "open"}).json()
    report = client.get(f"/api/v1/excursions/{line['alarm']['excursion_id']}").json()
    assert [each["reason"]["code"] for each in report["batches"]] == ["excursion_too_high"]
    limits = "/api/v1/excursions/limits"
    assert client.put(f"{limits}/{WATER.gtin}", json={"high": 25}).status_code == 204
    assert client.get(limits).json()[WATER.gtin]["high"] == 25
    assert client.put(f"{limits}/{WATER.gtin}", json={}).status_code == 422
    assert client.delete(f"{limits}/{WATER.gtin}").status_code == 204
    assert client.put("/api/v1/zones/ROOM", json={"places": ["COLD-01"]}).status_code == 204
    assert client.get("/api/v1/zones").json()["COLD-01"] == "ROOM"
    door.says(AlarmChange.CLEARED, 5.0)
    alarm.says(AlarmChange.CLEARED, 5.0)
    first = client.get("/api/v1/alarms/history", params={"limit": 1})
    second = client.get(first.links["next"]["url"])
    assert {first.json()[0]["alarm_id"], second.json()[0]["alarm_id"]} == {"door", "alarm-1"}
