"""The sensor book in a real browser: an unknown sensor is described, a template tried and kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from appliance.sensors.store import SensorStore, open_store
from appliance.web.app import create_app
from appliance.web.charts.gateway import Gateway
from appliance.web.ports import Viewer
from appliance.web.sensors import sensors_router
from contracts.clock import SystemClock
from tests.support.pages import CSRF, FakeGate

pytestmark = pytest.mark.chromium

SAID = b'{"seq":1,"ts":1763800000000,"t":21.5,"h":44}'


@pytest.fixture
def store(tmp_path: Path) -> SensorStore:
    return open_store(tmp_path / "sensors", SystemClock())


@pytest.fixture
def url(store: SensorStore, serve: Callable[[Any], Any]) -> str:
    told = FastAPI()
    now_us = int(time.time() * 1_000_000)

    @told.get("/sensors/data/series")
    def series() -> list[dict[str, Any]]:
        known = store.book().find("hall-7")
        base = {"device": "hall-7", "channel": "", "at_us": now_us}
        first = base | {"quantity": "temperature", "unit": "Cel", "value": 21.5}
        return [first] if known else []

    @told.get("/sensors/data/unknown")
    def unknown() -> list[dict[str, Any]]:
        if store.book().find("hall-7"):
            return []
        aside = {"address": "sensors/hall-7/climate", "code": "unknown_address", "detail": ""}
        newest = aside | {"at_us": now_us, "size": len(SAID), "hex": SAID.hex(" "), "text": ""}
        return [{"address": aside["address"], "code": aside["code"], "count": 3, "newest": newest}]

    gateway = Gateway("http://gateway.test")
    gateway.client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=told), base_url="http://gateway.test"
    )
    app = create_app("Tallyman", clock=SystemClock())
    viewer = Viewer("mara", frozenset({"ops"}), CSRF)
    app.include_router(sensors_router(store, gateway, FakeGate(viewer), lambda: ["HALL", "COLD-1"]))
    return str(serve(app).url)


def test_an_unknown_sensor_is_described_and_then_has_values(
    store: SensorStore, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/sensors")
    page.get_by_role("link", name="Describe it").click()
    assert page.locator("input[name=id]").input_value() == "hall-7"
    assert page.locator("input[name=template]").input_value() == "json-temperature-humidity"
    assert "Temperature 21.5 °C" in page.locator(".sensor-suggested").inner_text()
    page.locator("input[name=place]").fill("HALL")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_url("**/sensors/hall-7")
    assert store.book().find("hall-7").place == "HALL"

    page = open_page(f"{url}/sensors", width=390, height=844, language="zh")
    page.locator(".sensor-row", has_text="21.5 °C").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # The page of its charts belongs to another router: that it is not found here is expected.
    assert [error for error in page_errors if "404" not in error] == []


def test_a_template_is_tried_mended_and_kept(
    store: SensorStore, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/sensors/try")
    page.locator("textarea[name=payload]").fill('{"temp": 33}')
    page.locator("select[name=form]").select_option("text")
    page.get_by_role("button", name="Try", exact=True).click()
    page.locator(".sensor-refused", has_text="outside its range").wait_for()
    text = page.locator("textarea[name=text]").input_value()
    page.locator("textarea[name=text]").fill(text.replace("30]", "40]"))
    page.get_by_role("button", name="Try", exact=True).click()
    page.locator("#tried", has_text="33 °C").wait_for()
    page.get_by_role("button", name="Keep as this site's template").click()
    page.wait_for_url("**/sensors/templates/our-fridge")
    assert store.is_own("our-fridge")
    assert page_errors == []
