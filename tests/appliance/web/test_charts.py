"""The page of one sensor and the data below it, over ASGI."""

from __future__ import annotations

import csv
import html
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from appliance.web.charts.gateway import Gateway
from appliance.words import words
from contracts.errors import UnavailableError
from tests.support.charts import fill, hub_app, over_asgi
from tests.support.pages import FakeGate

HOUR_US = 3600 * 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("charts") / "history"
    fill(made, hours=2)
    return made


@pytest.fixture
def gateway(folder: Path) -> Iterator[Gateway]:
    with over_asgi(folder) as made:
        yield made


@pytest.fixture
async def hub(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=hub_app(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client
    await gateway.close()


def asked(**more: object) -> dict[str, object]:
    now_us = time.time_ns() // 1000
    return {
        "device": "probe-1",
        "quantity": "temperature",
        "from_us": now_us - 3 * HOUR_US,
        "to_us": now_us,
    } | more


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_sensor_has_a_chart_for_each_thing_it_measures(
    hub: httpx.AsyncClient, language: str
):
    page = await hub.get("/sensors/probe-1", params={"lang": language, "span": "24h"})
    assert page.status_code == 200
    assert page.text.count('<figure class="chart-of"') == 2
    assert 'data-quantity="humidity"' in page.text
    assert "COLD-1" in page.text
    assert "K-2026-118" not in page.text
    assert "2026-09-01" in page.text, "the calibration that is overdue is told"
    assert ("Temperature" if language == "en" else "温度") in page.text


async def test_a_chart_gets_its_range_through_the_hub(hub: httpx.AsyncClient):
    answer = await hub.get("/sensors/data/history", params=asked(points=120))
    assert answer.status_code == 200
    found = answer.json()
    assert found["unit"] == "Cel"
    assert 60 <= len(found["at_us"]) <= 130
    assert max(found["most"]) > 7
    assert sum(found["count"]) == 720


async def test_every_reading_may_be_taken_away_as_csv(hub: httpx.AsyncClient):
    answer = await hub.get("/sensors/data/export.csv", params=asked())
    assert answer.status_code == 200
    assert 'filename="probe-1-temperature.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert len(rows) == 720
    assert rows[0]["unit"] == "Cel"
    assert rows[0]["time"].endswith("Z")


async def test_a_sensor_of_the_book_that_never_spoke_has_a_page_and_an_unknown_one_has_none(
    hub: httpx.AsyncClient,
):
    silent = await hub.get("/sensors/probe-9")
    assert silent.status_code == 200
    assert "Nothing from this sensor yet" in silent.text
    assert (await hub.get("/sensors/probe-8")).status_code == 404
    unheard = await hub.get("/sensors/data/history", params=asked(device="probe-8"))
    assert unheard.status_code == 404


async def test_a_range_that_ends_before_it_begins_is_refused(hub: httpx.AsyncClient):
    answer = await hub.get("/sensors/data/history", params=asked(to_us=5))
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_input"


async def test_what_is_kept_and_for_how_long_stands_on_a_page(hub: httpx.AsyncClient):
    page = await hub.get("/sensors/history")
    assert page.status_code == 200
    assert "history.raw_days" in page.text
    assert "30 days" in page.text


async def test_without_its_gateway_the_hub_says_so(folder: Path):
    gateway = Gateway("http://127.0.0.1:9")
    transport = httpx.ASGITransport(app=hub_app(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        for address in ("/sensors/probe-1", "/sensors/history"):
            page = await client.get(address)
            assert page.status_code == 200
            assert "The gateway does not answer" in page.text
        heals = '<meta http-equiv="refresh" content="5">'
        assert heals in (await client.get("/sensors/probe-1")).text
        data = await client.get("/sensors/data/history", params=asked())
        assert data.status_code == 503
    await gateway.close()


async def test_nobody_sees_a_sensor_without_signing_in(gateway: Gateway):
    transport = httpx.ASGITransport(app=hub_app(gateway, gate=FakeGate(who=None)))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        for address in (
            "/sensors/probe-1",
            "/sensors/history",
            "/sensors/data/live?device=probe-1",
        ):
            answer = await client.get(address, follow_redirects=False)
            assert answer.status_code in (303, 401), address
        answer = await client.get("/sensors/data/export.csv", params=asked())
        assert answer.status_code in (303, 401)
    await gateway.close()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_limits_that_were_signed_for_a_sensor_stand_in_its_chart(
    hub: httpx.AsyncClient, language: str
):
    page = (await hub.get("/sensors/probe-1", params={"lang": language})).text
    temperature, humidity = page.split('<figure class="chart-of"')[1:]
    if "temperature" in humidity.split(">", 1)[0]:
        temperature, humidity = humidity, temperature
    lines = html.unescape(temperature.split('data-limits="')[1].split('"')[0])
    assert json.loads(lines) == [
        {"at": 8.0, "kind": "above", "name": "Cold room"},
        {"at": 2.0, "kind": "below", "name": "Cold room"},
    ]
    assert temperature.count("/fences/cold-room") == 2
    assert words(language)("sensor.limit.above") in temperature
    assert "data-limits" not in humidity
    assert "Freezer" not in page


async def test_the_first_picture_comes_with_the_page(hub: httpx.AsyncClient):
    page = (await hub.get("/sensors/probe-1", params={"span": "24h"})).text
    parts = page.split('<script type="application/json" data-first>')[1:]
    assert len(parts) == 2
    for part in parts:
        first = json.loads(part.split("</script>")[0])
        assert len(first["at_us"]) == len(first["mean"]) > 30
        assert "<" not in part.split("</script>")[0]
    assert 'rel="preload"' not in page


async def test_a_gateway_that_takes_its_time_holds_no_page_up(
    hub: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    really = Gateway.get

    async def slow(self: Gateway, address: str, *, within_s: float = 20.0) -> bytes:
        if "/history?" in address:
            raise UnavailableError("it takes longer")
        return await really(self, address, within_s=within_s)

    monkeypatch.setattr(Gateway, "get", slow)
    page = (await hub.get("/sensors/probe-1")).text
    assert "data-first" not in page
    assert page.count('rel="preload"') == 2
