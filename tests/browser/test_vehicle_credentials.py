"""The page of vehicles' credentials in a real browser: enrol, take the password, revoke; on a phone too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agv_bridge.bridge.hearing import TurnedAway
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry
from appliance.web.app import create_app
from appliance.web.ports import Viewer
from appliance.web.vehicles import Access, vehicles_router
from appliance.web.vehicles.ports import Seen
from contracts.clock import FixedClock
from contracts.reason import Reason
from tests.support.pages import CSRF, FakeGate

pytestmark = pytest.mark.chromium
NOW = datetime.now(UTC)


@pytest.fixture
def registry(tmp_path: Path) -> VehicleRegistry:
    made = VehicleRegistry(tmp_path / "vehicles.json", clock=FixedClock(NOW))
    made.enrol_vehicle("maker/agv-1", by="ida", note="hall 7")
    made.enrol_station("module/v1/a-maker-with-a-long-name/quality-check-station-1", by="ida")
    return made


@pytest.fixture
def url(registry: VehicleRegistry, tmp_path: Path, serve: Callable[[Any], Any]) -> str:
    app = create_app("Tallyman", station="dock-1", clock=FixedClock(NOW))
    forged = Reason("agv_other_name", {"vehicle": "maker/agv-1", "named": "maker/agv-2"})
    access = Access(
        VehicleOffice(registry, tmp_path / "broker"),
        seen=lambda: [Seen("maker/agv-1", online=True, at=NOW)],
        turned_away=lambda: [TurnedAway("maker/agv-1", forged, 4, NOW)],
        authority_pem="-----BEGIN CERTIFICATE-----\n",
        listen="0.0.0.0:8883",
        names=("localhost", "dock.example", "127.0.0.1"),
    )
    app.include_router(vehicles_router(access, FakeGate(Viewer("mara", frozenset({"ops"}), CSRF))))
    return f"{serve(app).url}/fleet/vehicles"


def test_a_vehicle_is_enrolled_and_revoked_by_hand(
    registry: VehicleRegistry, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(url)
    assert page.get_by_text("mqtts://dock.example:8883").is_visible()
    form = page.locator("aside form")
    form.locator("input[name=name]").fill("maker/agv-7")
    form.locator("input[name=note]").fill("new")
    form.get_by_role("button").click()
    password = page.locator(".secret").inner_text()
    assert registry.knows("maker/agv-7", password)
    card = page.locator("article", has_text="maker/agv-7")
    card.get_by_text("Revoke …").click()
    card.locator("input[name=why]").fill("stolen")
    card.get_by_role("button", name="Revoke").click()
    page.get_by_text("Revoked by mara").wait_for()
    assert page.locator(".secret").count() == 0
    assert not registry.knows("maker/agv-7", password)
    assert page_errors == []


def test_the_list_is_filtered_from_the_keyboard(
    url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(url)
    page.locator("body[data-keys=heard]").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("hall 7")
    page.locator("article", has_text="quality-check").wait_for(state="detached")
    assert page.locator("article").count() == 1
    assert "q=hall" in page.url
    assert page_errors == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phone_shows_all_of_it(
    url: str, open_page: Callable[..., Any], page_errors: list[str], language: str
) -> None:
    page = open_page(url, width=390, height=844, language=language)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".to-form").click()
    assert page.locator("aside input[name=name]").is_visible()
    assert page_errors == []
