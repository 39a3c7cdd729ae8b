"""The stock health page over real books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.care.health import stock_health_router
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.service.care.health import StockHealth
from erp_link.service.core import Core
from tests.support.pages import FakeGate

WATER = BatchKey("ACME", "06933132577789", "<b>1</b>")


@pytest.fixture
async def client(core_url: str, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    core = Core(core_url, clock=clock)
    app = create_app("Tallyman", clock=clock, zone=core.zone)
    app.include_router(stock_health_router(StockHealth(core), FakeGate()))
    app.state.core = core
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        opened.core = core
        yield opened
    core.close()


async def test_an_empty_house_says_what_to_do(client: httpx.AsyncClient) -> None:
    assert "No stock yet" in (await client.get("/stock-health")).text
    assert len((await client.get("/stock-health.csv")).text.splitlines()) == 1


async def test_what_expires_is_one_click_away(client: httpx.AsyncClient, clock: FixedClock) -> None:
    soon = clock.at.date() + timedelta(days=5)
    client.core.receive(WATER, 9, location="A-01-1", expiry=soon, by="op")
    text = (await client.get("/stock-health")).text
    assert "Off the shelf" in text
    rung = (await client.get("/stock-health?rung=pull")).text
    assert "&lt;b&gt;1&lt;/b&gt;" in rung
    assert "5 days" in rung
    assert "效期阶梯" in (await client.get("/stock-health?lang=zh&show=dead&sort=slow")).text
    rows = (await client.get("/stock-health/batches.csv")).text.splitlines()
    assert rows[1].split(",")[4:8] == [soon.isoformat(), "5", "pull", "9"]
    assert "Nothing went out" in (await client.get("/stock-health?show=nonsense&lang=en")).text
