"""The replenishment pages over real books."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import insert

from appliance.web.app import create_app
from appliance.web.care.reorder import reorder_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.adapters.care_tables import stock_day
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.work import Work, find_batch
from tests.support.pages import CSRF, FakeGate

WATER = BatchKey("=ACME", "06933132577789", "8842-740")
DAYS = 40


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    """Water sells four a day; ten are left."""
    made = Core(core_url, clock=clock)
    made.receive(WATER, 10, location="A-01-1", expiry=date(2027, 6, 30), by="op")

    def past(work: Work) -> None:
        batch_id = find_batch(work.connection, WATER).id
        for ago in range(1, DAYS):
            day = (clock.at.date() - timedelta(days=ago)).toordinal()
            values = {"shipped": 4, "received": 4, "net": 0, "net_free": 0}
            work.connection.execute(insert(stock_day).values(batch_id=batch_id, day=day, **values))

    made.write(past, by="stock care")
    yield made
    made.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"ops"}), CSRF))


@pytest.fixture
async def client(core: Core, gate: FakeGate) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=core.clock, zone=core.zone)
    app.include_router(reorder_router(Reorder(core), gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


async def test_the_list_says_what_to_order_and_why(client: httpx.AsyncClient) -> None:
    text = (await client.get("/reorder")).text
    assert "Order now" in text
    assert "not more than the reorder point" in text
    assert "立即订货" in (await client.get("/reorder?lang=zh")).text
    assert WATER.gtin not in (await client.get("/reorder?urgency=enough")).text
    assert WATER.gtin not in (await client.get("/reorder?q=juice")).text


async def test_the_file_is_no_formula(client: httpx.AsyncClient) -> None:
    answer = await client.get("/reorder.csv")
    header, row = answer.content.decode("utf-8-sig").splitlines()
    assert header.startswith("gtin,name,suppliers,urgency,order")
    assert "'=ACME" in row
    assert ",now," in row


async def test_a_product_tells_its_past_and_is_set_by_who_plans(
    client: httpx.AsyncClient, gate: FakeGate
) -> None:
    page = (await client.get(f"/reorder/{WATER.gtin}")).text
    assert "Goods issues, day by day" in page
    form = {
        "csrf_token": CSRF, "lead_days": "1", "late_days": "0", "review_days": "1",
        "cycle_days": "2", "service_percent": "90", "pack": "6", "least": "0",
    }  # fmt: skip
    wrong = await client.post(f"/reorder/{WATER.gtin}", data=form | {"pack": "six"})
    assert wrong.status_code == 422
    assert "pack is &#39;six&#39;" in wrong.text
    assert 'value="six"' in wrong.text
    kept = await client.post(f"/reorder/{WATER.gtin}", data=form)
    assert kept.status_code == 303
    assert 'value="90"' in (await client.get(f"/reorder/{WATER.gtin}")).text
    await client.post(f"/reorder/{WATER.gtin}", data=form | {"default": "1"})
    assert 'value="95"' in (await client.get(f"/reorder/{WATER.gtin}")).text

    gate.who = Viewer("vic", frozenset({"viewer"}), CSRF)
    assert (await client.post(f"/reorder/{WATER.gtin}", data=form)).status_code == 403
    assert "lead_days" not in (await client.get(f"/reorder/{WATER.gtin}")).text


async def test_a_product_that_nobody_knows_is_said(client: httpx.AsyncClient) -> None:
    assert (await client.get("/reorder/04006381333931")).status_code == 404
    assert (await client.get("/reorder/water")).status_code == 422
