"""The pages of goods over real books: a product is described, its delivery sampled and judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.goods.acceptance import acceptance_router
from appliance.web.goods.products import goods_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.domain.products import Product
from erp_link.domain.sampling import SamplingRule
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.core import Core
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.goods.products import Products
from tests.erp_link.story import LATER, WATER
from tests.support.pages import CSRF, FakeGate

FORM = {
    "csrf_token": CSRF,
    "name": "Still water",
    "base_unit": "bottle",
    "units": "case 24, pallet 960",
    "carton_unit": "",
    "temperature": "chilled",
    "rotation": "fefo",
    "mover": "fast",
    "warn_days": "40",
    "freeze_days": "20",
    "pull_days": "10",
    "least_days": "60",
    "least_percent": "",
    "total_life_days": "",
    "dated": "on",
    "aql": "2.5",
    "level": "II",
    "min_stock": "48",
    "max_stock": "",
}


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(core_url, clock=clock)
    yield made
    made.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"quality"}), CSRF))


@pytest.fixture
async def client(core: Core, gate: FakeGate) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=core.clock, zone=core.zone)
    app.include_router(acceptance_router(Acceptances(core), gate))
    app.include_router(goods_router(Products(core), gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


async def test_empty_pages_say_what_to_do(client: httpx.AsyncClient) -> None:
    assert "Nothing waits for acceptance" in (await client.get("/acceptance")).text
    assert "没有等待验收的货物" in (await client.get("/acceptance?lang=zh")).text
    assert "No product is described yet" in (await client.get("/goods?lang=en")).text


async def test_a_product_is_described_on_its_page(client: httpx.AsyncClient, core: Core) -> None:
    core.receive(BatchKey("ACME", "08809609245438", "J"), 1, location="A-01-1", by="op")
    assert "08809609245438" in (await client.get("/goods")).text
    where = f"/goods/{WATER.gtin}"
    assert "nobody has described it" in (await client.get(where)).text
    kept = await client.post(where, data=FORM)
    assert kept.headers["location"] == "/goods"
    product = Products(core).product(WATER.gtin)
    assert (product.per_carton, product.expiry.freeze_days, product.min_stock) == (24, 20, 48)
    assert "1 carton = 24 bottle" in (await client.get("/goods")).text
    page = (await client.get(where)).text
    assert "case 24, pallet 960" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": "case"}, "no unit with its number"),
        ({"units": "case 24, case 12"}, "twice"),
        ({"freeze_days": "50"}, "expiry policy"),
        ({"least_days": "-3"}, "whole number from 0 on"),
        ({"temperature": "lukewarm"}, "none of the choices"),
        ({"aql": "3"}, "AQL"),
        ({"base_unit": ""}, "no name of a unit"),
    ],
)
async def test_what_cannot_be_keeps_what_was_written(
    client: httpx.AsyncClient, core: Core, change: dict[str, str], words: str
) -> None:
    answer = await client.post(f"/goods/{WATER.gtin}", data=FORM | change)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Still water" in answer.text
    assert not Products(core).product(WATER.gtin).described


async def test_a_sample_is_entered_and_lets_the_lot_in(
    client: httpx.AsyncClient, core: Core, gate: FakeGate
) -> None:
    gate.who = Viewer("op", frozenset({"operator"}), CSRF)
    Products(core).describe(Product(WATER.gtin, sampling=SamplingRule("2.5")), by="mei")
    core.receive(WATER, 30, location="DOCK/1", by="op", expiry=LATER)
    page = (await client.get("/acceptance")).text
    assert "AQL 2.5" in page
    assert "disabled" in page, "an operator does not go past the sample"
    wrong = await client.post(
        "/acceptance/AC-1/sample", data={"csrf_token": CSRF, "inspected": "5", "bad": "6"}
    )
    assert "Give how many were looked at" in wrong.text
    done = await client.post(
        "/acceptance/AC-1/sample", data={"csrf_token": CSRF, "inspected": "5", "bad": "0"}
    )
    assert done.headers["location"] == "/acceptance"
    assert "Accepted" in (await client.get("/acceptance")).text


async def test_past_the_gate_with_quality_and_a_reason(
    client: httpx.AsyncClient, core: Core
) -> None:
    Products(core).describe(Product(WATER.gtin, life=LifeRule(3000)), by="mei")
    core.receive(WATER, 3, location="DOCK/1", by="op", expiry=LATER)
    page = (await client.get("/acceptance?lang=zh")).text
    assert "收货门槛拦下" in page
    bare = await client.post("/acceptance/AC-1/accept", data={"csrf_token": CSRF})
    assert "without a reason" in bare.text
    why = {"csrf_token": CSRF, "reason": "promotion today"}
    assert (await client.post("/acceptance/AC-1/accept", data=why)).status_code == 303
    again = await client.post("/acceptance/AC-1/refuse", data=why)
    assert "accepted already" in again.text
