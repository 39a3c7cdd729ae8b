"""The fleet's pages over ASGI: map and lists, one vehicle, journeys, asking and calling off."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from agv_bridge.fleet.condition import Condition
from agv_bridge.vda5050.messages import Load, NodeState, Power, State, VehicleError
from appliance import web
from appliance.fleet.desk import JourneyDesk
from appliance.web.app import create_app
from appliance.web.fleet import fleet_router
from appliance.web.fleet.words import BADGES, STEP_BADGES
from appliance.web.ports import Viewer
from appliance.words import read_catalogue
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportKind, TransportProgress, TransportState
from erp_link.service.core import Core
from erp_link.service.missions.desk import Missions
from tests.erp_link.story import WATER, Station
from tests.support.fleet import Fleet, small_fleet, where
from tests.support.pages import CSRF, NOW, FakeGate

S = TransportState


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def fleet(tmp_path, clock) -> Fleet:
    return Fleet(tmp_path, clock)


@pytest.fixture
def core(tmp_path, clock):
    opened = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def station(core, clock) -> Station:
    return Station(core, clock)


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"operator"}), CSRF))


@pytest.fixture
def woken() -> list[str]:
    return []


def opened(app) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub.test",
        headers={"accept": "text/html"},
    )


@pytest.fixture
async def client(fleet, core, gate, clock, woken):
    app = create_app("Tallyman", clock=clock)
    app.include_router(
        fleet_router(
            fleet.watch, JourneyDesk(core, fleet.notebook), Missions(core), gate,
            wake=lambda: woken.append("woken"), clock=clock,
        )
    )  # fmt: skip
    async with opened(app) as asking:
        yield asking


def tell(fleet: Fleet, core: Core, order: str, *steps: TransportProgress) -> None:
    for step in steps:
        core.transport_progress(step)
    fleet.notebook.keep((), steps)


async def test_an_empty_fleet_says_what_to_do_in_both_languages(client) -> None:
    assert "No vehicle has said anything yet" in (await client.get("/fleet?lang=en")).text
    assert "还没有车辆发来消息" in (await client.get("/fleet?lang=zh")).text
    empty = (await client.get("/fleet?lang=en&view=missions")).text
    assert "Nothing waits to be brought anywhere" in empty
    assert "Nothing was brought anywhere yet" in (await client.get("/fleet/journeys?lang=en")).text


async def test_a_hub_without_a_broker_says_so(core, gate, fleet, clock) -> None:
    app = create_app("Tallyman", clock=clock)
    app.include_router(
        fleet_router(
            None, JourneyDesk(core, fleet.notebook), Missions(core), gate,
            wake=lambda: None, clock=clock,
        )
    )  # fmt: skip
    async with opened(app) as asking:
        assert "has no broker" in (await asking.get("/fleet?lang=en")).text
        assert (await asking.get("/fleet/now")).status_code == 503


async def test_what_needs_a_look_stands_first_and_has_word_sign_and_trouble(client, fleet) -> None:
    small_fleet(fleet)
    page = (await client.get("/fleet?lang=en")).text
    names = [part.split('"')[0] for part in page.split('data-vehicle="')[1:]]
    assert names[:5] == ["acme/103", "nord/10", "nord/8", "nord/7", "acme/104"]
    for word in ("Stopped", "Offline", "Warns", "Battery low", "Working", "Charging", "Free"):
        assert f"<span>{word}</span>" in page
    assert "laserScannerBlocked: Pallet in the way" in page
    assert "icons.svg#agv-stopped" in page


def test_every_condition_and_kind_has_its_sign_its_badge_and_its_words() -> None:
    sprite = (Path(web.__file__).parent / "static/icons.svg").read_text("utf-8")
    for condition in Condition:
        assert f'id="agv-{condition.value}"' in sprite
        assert condition in BADGES
    assert set(STEP_BADGES) == set(TransportState)
    for language in ("en", "zh"):
        catalogue = read_catalogue(language)
        wanted = {f"fleet.condition.{each.value}" for each in Condition}
        wanted |= {f"transport_kind.{each.value}" for each in TransportKind}
        assert wanted <= catalogue.keys()


async def test_the_list_is_filtered_by_word_and_by_what_vehicles_do(client, fleet) -> None:
    small_fleet(fleet)
    found = (await client.get("/fleet?lang=en&q=c-00007")).text
    assert found.count("data-vehicle=") == 1
    assert 'data-vehicle="acme/102"' in found
    looked = (await client.get("/fleet?lang=en&show=look")).text
    assert looked.count("data-vehicle=") == 5
    none = (await client.get("/fleet?lang=en&show=working&q=nord")).text
    assert none.count("data-vehicle=") == 0
    assert "Nothing matches" in none or "nord" in none


async def test_a_thousand_vehicles_come_a_hundred_at_a_time(client, fleet) -> None:
    for n in range(230):
        fleet.says(f"acme/{n:04}", State(power=Power(charge_percent=50)))
    first = (await client.get("/fleet?lang=en")).text
    assert first.count("data-vehicle=") == 100
    assert "230 vehicles" in first
    assert 'href="/fleet?page=2' in first
    assert (await client.get("/fleet?lang=en&page=3")).text.count("data-vehicle=") == 30


async def test_missions_say_load_way_vehicle_and_what_keeps_them(client, fleet) -> None:
    small_fleet(fleet)
    page = (await client.get("/fleet?lang=en&view=missions")).text
    assert page.count('href="/fleet/journeys/TO-') == 3
    assert "Vehicle nord/8 was lost with the load" in page
    assert "picked up" in page


async def test_the_map_is_told_everything_once(client, fleet) -> None:
    small_fleet(fleet)
    told = json.loads((await client.get("/fleet/now")).content)
    assert told["whole"]
    assert len(told["rows"]) == 9
    assert ["hall", "A-03-1"] in [place[:2] for place in told["places"]]
    (row,) = [row for row in told["rows"] if row[0] == "acme/102"]
    assert row[8] == ["C-00007"]
    assert row[12] == [[14.0, 6.99], [28.0, 12.0]]


async def test_a_vehicles_page_tells_all_that_it_says_of_itself(client, fleet) -> None:
    small_fleet(fleet)
    page = (await client.get("/fleet/vehicles/acme/103?lang=en")).text
    for word in ("laserScannerBlocked", "Pallet in the way", "Clear the aisle", "82 %", "2.1.0"):
        assert word in page
    busy = (await client.get("/fleet/vehicles/acme/102?lang=en")).text
    assert 'href="/fleet/journeys/TO-C-00007-1"' in busy
    assert "A-07-1" in busy
    unknown = await client.get("/fleet/vehicles/acme/nobody?lang=en")
    assert unknown.status_code == 404


async def test_what_a_vehicle_says_is_shown_as_text(client, fleet) -> None:
    nasty = "<script>alert(1)</script>"
    error = VehicleError(error_type=nasty, error_description=nasty, error_hint=nasty)
    state = State(
        errors=(error,), loads=(Load(load_id=nasty),), last_node_id=nasty, order_id=nasty,
        node_states=(NodeState(node_id=nasty),), position=where(1, 1, map_id=nasty),
    )  # fmt: skip
    fleet.says(f"acme/{nasty.replace('/', '')}", state)
    for address in (
        "/fleet",
        "/fleet?view=missions",
        "/fleet/vehicles/acme/%3Cscript%3Ealert(1)%3Cscript%3E",
    ):
        page = await client.get(address)
        assert page.status_code == 200
        assert nasty not in page.text


async def test_a_journey_tells_its_stages_its_trouble_and_what_concerns_its_goods(
    client, fleet, core, station, clock
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    name = order.order_id

    def at(seconds: int, state: S, vehicle: str, **more: str) -> TransportProgress:
        return TransportProgress(name, state, vehicle, NOW + timedelta(seconds=seconds), **more)

    tell(
        fleet, core, name,
        at(1, S.SENT, "acme/1"),
        at(2, S.REQUESTED, "acme/1", reason="agv_rejected"),
        at(3, S.SENT, "acme/2"),
        at(20, S.ACCEPTED, "acme/2"),
        at(30, S.PICKED, "acme/2", load_id="RFID-9", reason="agv_load_mismatch"),
        at(90, S.FAILED, "acme/2", reason="agv_drop_failed"),
    )  # fmt: skip
    core.add_hold(HoldKind.BATCH, reason=Reason("manual", {"note": "-"}), by="mara", batch=WATER)
    page = (await client.get(f"/fleet/journeys/{name}?lang=en")).text
    for said in (
        "Vehicle acme/1 rejected transport order",
        "Vehicle acme/2 could not set down the load",
        "Ordered was load C1, the vehicle read RFID-9.",
        f"QC-{name}-failed",
        "+ 17 s",
        "Its batch went through no excursion.",
    ):
        assert said in page
    assert 'aria-current="step"' in page
    assert "Held" in page
    assert "Call off" not in page
    listed = (await client.get("/fleet/journeys?lang=en&show=failed&q=acme")).text
    assert f'href="/fleet/journeys/{name}"' in listed
    lately = (await client.get("/fleet/vehicles/acme/1?lang=en")).text
    assert f'href="/fleet/journeys/{name}"' in lately
    assert (await client.get("/fleet/journeys/TO-none?lang=en")).status_code == 404


async def test_an_order_is_called_off_with_a_reason(client, core, station, woken) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    form = {"csrf_token": CSRF, "order": order.order_id, "reason": ""}
    refused = await client.post("/fleet/call-off?lang=en", data=form)
    assert refused.status_code == 409
    assert "with a reason" in refused.text
    done = await client.post("/fleet/call-off", data=form | {"reason": "wrong door"})
    assert done.headers["location"] == f"/fleet/journeys/{order.order_id}"
    assert woken == ["woken"]
    assert core.pending_transport() == []
    late = await client.post("/fleet/call-off?lang=en", data=form | {"reason": "again"})
    assert late.status_code == 409
    assert "nothing to call off" in late.text


async def test_vehicles_are_asked_for_and_what_may_not_be_is_said(
    client, core, station, woken
) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    await client.post(
        "/fleet/call-off", data={"csrf_token": CSRF, "order": order.order_id, "reason": "later"}
    )
    form = {"csrf_token": CSRF, "carton": "C1"}
    asked = await client.post("/fleet/ask/carton", data=form)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/fleet/journeys/TO-C1-")
    assert len(core.pending_transport()) == 1
    twice = await client.post("/fleet/ask/carton?lang=en", data=form)
    assert twice.status_code == 422
    assert "Nothing was asked for and nothing changed." in twice.text
    wish = {"csrf_token": CSRF, "gtin": WATER.gtin, "target": "A-01-2", "cartons": "lots"}
    for typed, says in (
        (wish, "no number of cartons"),
        (wish | {"cartons": "2"}, "Only 0 free cartons of one batch"),
        (wish | {"cartons": "1", "target": "NOWHERE"}, "There is no slot"),
    ):
        refused = await client.post("/fleet/ask/replenishment?lang=en", data=typed)
        assert refused.status_code == 422
        assert says in refused.text
        assert f'value="{typed["target"]}"' in refused.text
    chinese = await client.post("/fleet/ask/replenishment?lang=zh", data=wish)
    assert "lots 不是箱数" in chinese.text
    batch = {"csrf_token": CSRF, "supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}
    free = await client.post("/fleet/ask/recall?lang=en", data=batch)
    assert "No carton of" in free.text
    assert len(woken) == 2


async def test_who_has_no_such_role_may_look_and_not_ask(client, gate, core, station) -> None:
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    gate.who = Viewer("vera", frozenset({"viewer"}), CSRF)
    assert "Ask for a vehicle" not in (await client.get("/fleet?lang=en")).text
    journey = (await client.get(f"/fleet/journeys/{order.order_id}?lang=en")).text
    assert "Call off" not in journey
    assert "may ask for a vehicle" in (await client.get("/fleet/ask?lang=en")).text
    form = {"csrf_token": CSRF, "order": order.order_id, "reason": "x", "carton": "C1"}
    assert (await client.post("/fleet/call-off", data=form)).status_code == 403
    assert (await client.post("/fleet/ask/carton", data=form)).status_code == 403
    gate.who = Viewer("mara", frozenset({"operator"}), CSRF)
    forged = await client.post("/fleet/call-off", data=form | {"csrf_token": "stolen"})
    assert forged.status_code == 403
    gate.who = None
    for address in ("/fleet", "/fleet/now", "/fleet/stream", "/fleet/journeys", "/fleet/ask"):
        assert (await client.get(address)).status_code in {303, 401}
    assert len(core.pending_transport()) == 1
