"""The fleet's map and list in a real browser: live, by mouse and keys, on a phone, for a thousand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agv_bridge.vda5050.messages import NodeState, Power, State, VehicleError
from appliance.fleet.desk import JourneyDesk
from appliance.live.memory import MemoryLiveView
from appliance.web.app import create_app
from appliance.web.fleet import fleet_router
from appliance.web.live import live_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock, SystemClock
from erp_link.service.core import Core
from erp_link.service.missions.desk import Missions
from tests.erp_link.story import Station
from tests.support.fleet import Fleet, small_fleet, where
from tests.support.pages import CSRF, FakeGate

pytestmark = pytest.mark.chromium
FULL = Power(charge_percent=82)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, SystemClock())


@pytest.fixture
def core(tmp_path: Path) -> Any:
    opened = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def url(fleet: Fleet, core: Core, serve: Callable[[Any], Any]) -> str:
    clock = SystemClock()
    app = create_app("Tallyman", clock=clock)
    gate = FakeGate(Viewer("mara", frozenset({"operator"}), CSRF))
    desk = JourneyDesk(core, fleet.notebook)
    app.include_router(
        fleet_router(fleet.watch, desk, Missions(core), gate, wake=lambda: None, clock=clock)
    )
    app.include_router(live_router(MemoryLiveView(), gate, clock=clock))
    return str(serve(app).url)


def drawn(page: Any) -> None:
    page.locator("body[data-fleet=drawn]").wait_for()


def ink(page: Any) -> int:
    """How many points of the map are not empty."""
    return int(
        page.evaluate(
            """() => { const c = document.querySelector("#map canvas");
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }"""
        )
    )


def test_the_map_is_drawn_and_the_list_follows_the_vehicles(
    fleet: Fleet, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    small_fleet(fleet)
    page = open_page(f"{url}/fleet")
    drawn(page)
    assert ink(page) > 1000
    assert page.locator("#map-of option").all_inner_texts() == ["Map hall", "Map upper floor"]
    page.locator("[data-vehicle='acme/101']", has_text="Free").wait_for()
    # A vehicle stops: the list says so without being asked.
    blocked = VehicleError(error_type="bumperPressed", error_level="FATAL")
    fleet.says("acme/101", State(position=where(2, 2), power=FULL, errors=(blocked,)))
    row = page.locator("[data-vehicle='acme/101']", has_text="bumperPressed")
    row.wait_for()
    assert "Stopped" in row.inner_text()
    assert page_errors == []


def test_a_vehicle_is_looked_at_by_key_and_by_mouse(
    fleet: Fleet, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    fleet.says("acme/1", State(position=where(0, 0), power=FULL))
    fleet.says("acme/2", State(position=where(10, 0), power=Power(charge_percent=9)))
    page = open_page(f"{url}/fleet")
    drawn(page)
    page.locator("[data-vehicle='acme/1']").focus()
    card = page.locator("#picked")
    card.locator("text=acme/1").wait_for()
    assert "82 %" in card.inner_text()
    assert page.locator("[data-vehicle='acme/1']").get_attribute("aria-current") == "true"
    # The list is asked for again when a vehicle's battery falls; what is looked at stays marked.
    fleet.says("acme/1", State(position=where(0, 0), power=Power(charge_percent=61)))
    page.locator("[data-vehicle='acme/1'][aria-current]", has_text="61 %").wait_for()
    # The second stands right of the first: both ends of the fitted map, 48 pixels from the edge.
    box = page.locator("#map canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 48, box["y"] + box["height"] / 2)
    card.locator("text=acme/2").wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    # By keys the map is moved and zoomed, and 0 shows all again.
    page.locator("#map canvas").focus()
    before = ink(page)
    for key in ("+", "+", "+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("0")
    page.locator(".fleet-layers input[value=names]").uncheck()
    assert before > 0
    page.locator("[data-filter]").fill("battery")
    page.keyboard.press("/")
    page.locator("[data-filter]").fill("acme/2")
    page.locator("[data-vehicle='acme/1']").wait_for(state="detached")
    assert "q=acme%2F2" in page.url
    page.locator("[data-vehicle='acme/2']").click()
    page.wait_for_url("**/fleet/vehicles/acme/2")
    drawn(page)
    assert "Battery low" in page.locator("#list").inner_text()
    assert page_errors == []


def test_a_phone_shows_everything_in_both_languages(
    fleet: Fleet, core: Core, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    small_fleet(fleet)
    station = Station(core, FixedClock(SystemClock().now()))
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    addresses = (
        "/fleet", "/fleet?view=missions", "/fleet/vehicles/acme/103", "/fleet/journeys",
        f"/fleet/journeys/{order.order_id}", "/fleet/ask",
    )  # fmt: skip
    page = open_page(f"{url}/fleet", width=390, height=844)
    for language, word in (("en", "Fleet"), ("zh", "车队")):
        for address in addresses:
            page.goto(f"{url}{address}{'&' if '?' in address else '?'}lang={language}")
            assert word in page.locator(".page-head").inner_text()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert page_errors == []


def test_an_order_is_called_off_on_its_page(
    core: Core, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    station = Station(core, FixedClock(SystemClock().now()))
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    page = open_page(f"{url}/fleet/journeys/{order.order_id}")
    page.locator("#call-off summary").click()
    page.locator("#call-off input[name=reason]").fill("wrong door")
    page.locator("#call-off button").click()
    page.locator(".head-end", has_text="cancelled").wait_for()
    assert core.pending_transport() == []
    assert page_errors == []


def test_a_thousand_vehicles_stay_usable(
    fleet: Fleet, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    going = (NodeState(node_id="A"),)
    for n in range(1000):
        spot = where(n % 40 * 4.0, n // 40 * 4.0, 1.0)
        fleet.says(f"acme/{n:04}", State(position=spot, power=FULL, node_states=going))
    page = open_page(f"{url}/fleet")
    drawn(page)
    assert ink(page) > 20_000
    assert "1000 vehicles" in page.locator("#list .count").inner_text()
    page.keyboard.press("/")
    page.locator("[data-filter]").fill("acme/0777")
    page.locator("[data-vehicle='acme/0001']").wait_for(state="detached")
    page.locator("[data-vehicle='acme/0777']").focus()
    page.locator("#picked", has_text="acme/0777").wait_for()
    assert page_errors == []
