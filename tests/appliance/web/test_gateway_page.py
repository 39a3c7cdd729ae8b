"""The page of the gateway: what comes in, what was set aside and why, in both languages."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from appliance.gateway.aside import Aside
from appliance.web.app import create_app
from appliance.web.charts.gateway import PREFIX, Gateway
from appliance.web.gateway.cards import (
    AlarmsCard,
    BrokerCard,
    CoapCard,
    DoorsCard,
    GatewayCard,
    HistoryCard,
    HubCard,
    IntakeCard,
    MqttCard,
    RefusalCard,
    SensorsCard,
)
from appliance.web.gateway.pages import gateway_router
from appliance.words import words
from contracts.reason import Reason
from tests.support.pages import FakeGate

AT = 1_795_347_000_000_000
CARD = GatewayCard(
    device="gateway-01",
    version="0.1.0",
    at_us=AT,
    started_us=AT - 60_000_000,
    memory_bytes=126_000_000,
    free_bytes=60_000_000_000,
    intake=IntakeCard(
        accepted=1_234_567,
        duplicates=3,
        quarantined={"not_json": 2, "a_code_of_tomorrow": 1},
        rate_per_s=251_003.2,
    ),
    doors=DoorsCard(
        mqtt=MqttCard(
            "127.0.0.1:1884",
            connected=2,
            refused={"not_signed_in": 4},
            newest=(RefusalCard(AT, "not_signed_in", "who?", "10.0.0.9:1", "probe-9"),),
        ),
        coap=CoapCard("127.0.0.1:5683", {"refused.path": 5}, {"coap/10.0.0.7/t": "silent"}),
        broker=BrokerCard("127.0.0.1:1883", connected=True, protocol="5, shared"),
    ),
    sensors=SensorsCard(devices=3, series=8, wrong_clocks={"probe-1970": 41}),
    alarms=AlarmsCard(open=1, fences=2),
    hub=HubCard(online=True),
    history=HistoryCard(AT, late={"probe-slow": 28_800_000_000}),
)
ASIDE = (
    Aside(AT, "sensors/<b>", "not_json", "it ends", 5, "7b 22", '{"t":'),
    Aside(AT, "sensors/x", "a_code_of_tomorrow", "", 2, "ff 00", ""),
)


def gateway_app(card: object, asked: list[str]) -> FastAPI:
    app = FastAPI()

    @app.get(f"{PREFIX}/status")
    async def status() -> Response:
        return Response(msgspec.json.encode(card), media_type="application/json")

    @app.get(f"{PREFIX}/quarantine")
    async def quarantine(code: str = "") -> Response:
        asked.append(code)
        return Response(msgspec.json.encode(ASIDE), media_type="application/json")

    return app


async def shown(card: object = CARD, *, path: str = "/sensors/gateway", lang: str = "en") -> str:
    asked: list[str] = []
    gateway = Gateway("http://gateway")
    if card is not None:
        await gateway.close()
        transport = httpx.ASGITransport(app=gateway_app(card, asked))
        gateway.client = httpx.AsyncClient(transport=transport, base_url="http://gateway")
    app = create_app("Dock")
    app.include_router(gateway_router(gateway, FakeGate()))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answer = await client.get(httpx.URL(path).copy_add_param("lang", lang))
    await gateway.close()
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_everything_that_came_in_stands_there(lang: str):
    page, say = await shown(lang=lang), words(lang)
    assert say("gateway.state.accept") in page
    for figure in ("1\u202f234\u202f567", "251\u202f003", "126 MB"):
        assert figure in page
    assert say.count("sensors_on", 2) in page
    assert say("refused.not_signed_in") in page
    assert say("gateway.observed.silent") in page
    assert "MQTT 5, shared" in page
    assert say("gateway.late_by", hours="8.0") in page
    assert "/sensors/probe-slow" in page
    assert (
        '<a class="id" href="/sensors/probe-1970">probe-1970</a> <span class="num soft">41' in page
    )
    # A reason of a later version is shown by its code.
    assert "a_code_of_tomorrow" in page
    assert "sensors/&lt;b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_full_disk_comes_first(lang: str):
    card = GatewayCard(
        "gateway-01",
        "0.1.0",
        AT,
        AT,
        intake=IntakeCard(trouble=Reason("store_full", {"problem": "x"})),
    )
    page, say = await shown(card, lang=lang), words(lang)
    assert say("reason.store_full", problem="x") in page
    assert say("gateway.state.hold") in page
    assert say("gateway.store_do") in unescape(page)


async def test_a_broker_that_is_away_is_said_with_its_reason():
    away = DoorsCard(broker=BrokerCard("b:1", trouble="the broker refuses us with code 0x5"))
    page = await shown(GatewayCard("gateway-01", "0.1.0", AT, AT, doors=away))
    assert "the broker refuses us with code 0x5" in page
    assert words("en")("gateway.state.review") in page


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_gateway_that_does_not_answer_leaves_a_page_that_keeps_asking(lang: str):
    page, say = await shown(None, lang=lang), words(lang)
    assert say("gateway.silent") in page
    assert 'hx-get="/sensors/gateway/board"' in page


async def test_an_answer_of_another_kind_is_no_broken_page():
    assert words("en")("gateway.silent") in await shown([1, 2])


async def test_one_reason_alone_can_be_looked_at():
    page = await shown(path="/sensors/gateway?code=not_json")
    assert 'aria-current="true"' in page
    assert 'hx-get="/sensors/gateway/board?code=not_json"' in page


async def test_the_part_that_refreshes_is_no_whole_page():
    part = await shown(path="/sensors/gateway/board")
    assert "<html" not in part
    assert words("en")("gateway.aside") in part


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_swapped_sensors_and_alarms_that_no_journal_took_are_told_at_the_top(lang: str):
    say = words(lang)
    quiet = await shown(lang=lang)
    told = replace(
        CARD,
        intake=replace(CARD.intake, quarantined={"other_device": 7}),
        alarms=AlarmsCard(open=1, fences=2, unwritten=3),
    )
    page = await shown(told, lang=lang)
    assert told.state == "review"
    for key, n in (("gateway.swapped", 7), ("gateway.unwritten", 3)):
        assert say(key, n=n) in page
        assert say(key, n=n) not in quiet
    assert "/sensors/gateway?code=other_device#aside" in page
