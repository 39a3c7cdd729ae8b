"""Charts of a sensor in a real browser: drawn, zoomed, live, without a gateway, on a phone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from appliance.live.readings import ReadingsFeed, ReadingsLine
from appliance.services.valkey import EmbeddedValkey
from appliance.web.charts.gateway import PREFIX, Gateway
from contracts.telemetry import SeriesKey
from telemetry.history.buffer import Columns
from tests.support.charts import fill, gateway_app, hub_app

pytestmark = pytest.mark.chromium
NAMES = {
    1: (SeriesKey("probe-1", "temperature"), "Cel"),
    2: (SeriesKey("probe-1", "humidity"), "%RH"),
}


class Valkey:
    """A Valkey and a tailer's feed, in a thread of their own: Playwright's loop runs in ours."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = self._wait(self._start(folder))

    async def _start(self, folder: Path) -> str:
        self.server = EmbeddedValkey(folder)
        url = await self.server.start()
        self.feed = ReadingsFeed(url, NAMES.__getitem__)
        self._running = asyncio.create_task(self.feed.run())
        return url

    def say(self, value: float) -> None:
        at = np.array([time.time_ns() // 1000], np.int64)
        columns = Columns(np.array([1], np.int32), at, at, np.array([value]))
        self._loop.call_soon_threadsafe(self.feed.put, columns)

    def end(self) -> None:
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.feed.close()
        await self.server.stop()

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sensor") / "history"
    fill(made, hours=3)
    return made


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    made = Valkey(tmp_path_factory.mktemp("sensor-valkey"))
    yield made
    made.end()


@pytest.fixture
def gateway(folder: Path, serve: Any) -> Any:
    app, _ = gateway_app(folder)
    served = serve(app)
    # The first question of all loads the engine, which on a busy machine takes longer than a page
    # waits for.
    for question in ("series", "store"):
        httpx.get(f"{served.url}{PREFIX}/{question}", timeout=60).raise_for_status()
    return served


@pytest.fixture
def url(gateway: Any, valkey: Valkey, serve: Any) -> Iterator[str]:
    asking, line = Gateway(gateway.url), ReadingsLine(valkey.url)
    app = hub_app(asking, line)

    @app.get("/test/close")
    async def close() -> None:
        """Clients are closed in the loop that they belong to."""
        await asking.close()
        await line.close()

    served = serve(app)
    yield str(served.url)
    httpx.get(f"{served.url}/test/close")


PATIENCE_MS = 60_000


def drawn(page: Any) -> None:
    page.wait_for_selector("figure[data-state=drawn]")
    page.wait_for_selector("figure:not([data-state=drawn])", state="detached")


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_charts_are_drawn_and_no_page_scrolls_sideways(
    url: str, open_page: Any, page_errors: list[str], language: str, width: int, height: int
) -> None:
    page = open_page(
        f"{url}/sensors/probe-1?span=24h", width=width, height=height, language=language
    )
    drawn(page)
    inked = page.evaluate(
        """() => [...document.querySelectorAll('figure canvas')].every((canvas) => {
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return data.some((value, n) => n % 4 === 3 && value > 0);
        })"""
    )
    assert inked
    # Both limits of the cold room, none of the freezer.
    expect(page.locator("figure[data-quantity=temperature]")).to_have_attribute(
        "data-fences", "2", timeout=PATIENCE_MS
    )
    for path in ("/sensors/probe-1?span=24h", "/sensors/history"):
        page.goto(url + path, wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
    assert page_errors == []


def test_a_range_is_zoomed_by_dragging_kept_in_the_address_and_left_again(
    url: str, open_page: Any, page_errors: list[str]
) -> None:
    page = open_page(f"{url}/sensors/probe-1?span=24h")
    drawn(page)
    count = page.locator("[data-sum=count]").first
    expect(count).not_to_have_text("–", timeout=PATIENCE_MS)
    whole = count.inner_text()
    assert number(whole) >= 1000
    over = page.locator(".u-over").first.bounding_box()
    middle = over["y"] + over["height"] / 2
    page.mouse.move(over["x"] + over["width"] * 0.97, middle)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.99, middle, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=**")
    expect(count).not_to_have_text(whole, timeout=PATIENCE_MS)
    part = count.inner_text()
    assert 0 < number(part) < number(whole)
    page.reload()
    drawn(page)
    expect(count).to_have_text(part, timeout=PATIENCE_MS)
    page.locator(".u-over").first.dblclick()
    expect(count).not_to_have_text(part, timeout=PATIENCE_MS)
    page.click("[data-span='86400']")
    page.wait_for_url("**span=24h")
    expect(count).to_have_text(whole, timeout=PATIENCE_MS)
    assert page_errors == []


def test_a_reading_is_in_the_chart_as_soon_as_it_is_said(
    url: str, open_page: Any, valkey: Valkey, page_errors: list[str]
) -> None:
    page = open_page(f"{url}/sensors/probe-1?span=15m")
    drawn(page)
    page.wait_for_selector("body[data-line=live]")
    valkey.say(11.5)
    expect(page.locator("[data-now]").first).to_have_text("11.5", timeout=PATIENCE_MS)
    expect(page.locator("[data-sum=most]").first).to_have_text("11.5 °C", timeout=PATIENCE_MS)
    valkey.say(2.25)
    expect(page.locator("[data-now]").first).to_have_text("2.25", timeout=PATIENCE_MS)
    assert page_errors == []


def test_a_page_whose_gateway_went_away_says_so_and_heals(
    url: str, gateway: Any, open_page: Any
) -> None:
    page = open_page(f"{url}/sensors/probe-1?span=1h")
    drawn(page)
    gateway.stop()
    page.click("[data-span='86400']")
    page.wait_for_selector("figure[data-state=stale]")
    assert "does not answer" in page.locator("[data-wait]").first.inner_text()
    gateway.start()
    page.click("[data-span='86400']")
    drawn(page)


def test_the_range_is_chosen_by_keyboard(url: str, open_page: Any) -> None:
    page = open_page(f"{url}/sensors/probe-1")
    drawn(page)
    tab = page.locator("[data-span='604800']")
    tab.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-span='604800'][aria-current=true]")
    drawn(page)
