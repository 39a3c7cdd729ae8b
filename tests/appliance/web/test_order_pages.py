"""The order pages over real books: an order entered, explained, stopped by a hold, and shipped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.orders.holds import holding_router
from appliance.web.orders.pages import orders_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.orders.desk import Orders
from tests.support.pages import CSRF, FakeGate

GTIN = "06933132577789"
EARLY, LATE = BatchKey("ACME", GTIN, "E/1"), BatchKey("ACME", GTIN, "L/2")
FORM = {
    "csrf_token": CSRF,
    "order": "WH/OUT/7",
    "customer": "Corner shop",
    "due_on": "2026-12-01",
    "gtin_1": GTIN,
    "quantity_1": "4",
    "days_1": "",
}


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    made = Core(core_url, clock=clock)
    made.receive(EARLY, 3, location="A-01-1", expiry=date(2027, 3, 31), by="op")
    made.receive(LATE, 9, location="A-01-2", expiry=date(2027, 6, 30), by="op")
    yield made
    made.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"operator"}), CSRF))


@pytest.fixture
async def client(core: Core, gate: FakeGate) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=core.clock, zone=core.zone)
    app.include_router(orders_router(Orders(core), gate))
    app.include_router(holding_router(core, gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def step(name: str, **more: str) -> dict[str, str]:
    return {"csrf_token": CSRF, "order": "WH/OUT/7", "step": name, **more}


async def test_the_form_knows_what_is_in_the_house(client: httpx.AsyncClient, core: Core) -> None:
    Products(core).describe(Product(GTIN, name="Still water 24 x 0.5 l"), by="lead")
    page = (await client.get("/orders")).text
    assert f'<option value="{GTIN}">Still water 24 x 0.5 l</option>' in page


async def test_an_empty_book_says_what_to_do(client: httpx.AsyncClient) -> None:
    assert "No orders yet" in (await client.get("/orders")).text
    assert "暂无订单" in (await client.get("/orders?lang=zh")).text


async def test_an_order_is_entered_explained_and_shipped(client: httpx.AsyncClient) -> None:
    kept = await client.post("/orders", data=FORM)
    assert kept.status_code == 303
    page = kept.headers["location"]
    assert page == "/orders/one?order=WH%2FOUT%2F7"
    text = (await client.get(page)).text
    assert "first to expire: 2027-03-31" in text
    assert "added because the goods before it do not suffice" in text
    assert "先到期先出" in (await client.get(page + "&lang=zh")).text
    await client.get(page + "&lang=en")
    for name in ("pick", "pack", "ship"):
        assert f'value="{name}"' in (await client.get(page)).text
        assert (await client.post("/orders/step", data=step(name))).status_code == 303
    assert "step-form" not in (await client.get(page)).text, "nothing is left to do"
    assert "WH/OUT/7" in (await client.get("/orders?state=shipped")).text
    assert "WH/OUT/7" not in (await client.get("/orders?state=packed")).text


async def test_a_hold_shows_on_the_order_and_stops_the_step_in_place(
    client: httpx.AsyncClient, core: Core
) -> None:
    await client.post("/orders", data=FORM)
    for name in ("pick", "pack"):
        await client.post("/orders/step", data=step(name))
    core.add_hold(HoldKind.BATCH, batch=EARLY, reason=Reason("defect_seen"), by="q")
    page = (await client.get("/orders/one?order=WH/OUT/7")).text
    assert "A hold came after the pick: 3 of this order may not leave" in page
    assert "fetch goods back" in (await client.get("/orders")).text
    refused = await client.post("/orders/step", data=step("ship"))
    assert refused.status_code == 409
    assert "may not leave" in refused.text
    assert "Nothing was done" in refused.text
    # What may not leave goes back before anything else is offered, and nothing else goes with it.
    assert page.index('value="return_stopped"') < page.index('value="ship')
    assert (await client.post("/orders/step", data=step("return_stopped"))).status_code == 303
    assert (await client.post("/orders/step", data=step("return_stopped"))).status_code == 409
    orders = Orders(core)
    (stays,) = [g for g in orders.order("WH/OUT/7").goods if g.state == "packed"]
    assert stays.batch == LATE
    orders.tidy()
    text = (await client.get("/orders/one?order=WH/OUT/7")).text
    assert "planned again: 3 set aside on other goods" in text
    assert "under hold" in text


async def test_what_was_typed_wrongly_is_told(
    client: httpx.AsyncClient, gate: FakeGate, core: Core, clock: FixedClock
) -> None:
    for wrong in ({"quantity_1": "four"}, {"gtin_1": "123"}, {"due_on": "soon"}, {"order": " "}):
        answer = await client.post("/orders", data=FORM | wrong)
        assert answer.status_code == 422
        assert "Nothing of this order was kept" in answer.text
        assert f'value="{FORM["customer"]}"' in answer.text, "what was typed is not typed again"
    assert (await client.get("/orders/one?order=none")).status_code == 404
    await client.post("/orders", data=FORM)
    assert (await client.post("/orders/step", data=step("dance"))).status_code == 409
    odd = await client.post("/orders/step", data=step("pick", reservation="²"))
    assert "Write a whole number" in odd.text
    assert (await client.post("/orders/step", data=step("cancel", reason=""))).status_code == 409
    Orders(core).grant_quota("phone-1", LATE, 2, clock.at + timedelta(hours=8), by="ops")
    assert "phone-1" in (await client.get("/orders")).text
    gate.who = Viewer("vic", frozenset({"viewer"}), CSRF)
    assert (await client.post("/orders/step", data=step("pick"))).status_code == 403
    assert "step-form" not in (await client.get("/orders/one?order=WH/OUT/7")).text


async def test_a_hold_is_raised_by_hand(client: httpx.AsyncClient, core: Core) -> None:
    form = {
        "csrf_token": CSRF, "kind": "quantity", "supplier": "ACME", "gtin": GTIN[1:], "lot": "L/2",
        "quantity": "2", "location": "", "note": "wet",
    }  # fmt: skip
    answer = await client.post("/holds", data=form)
    (hold,) = core.holds()
    assert answer.headers["location"] == f"/holds?q={hold.hold_id}"
    assert (hold.kind, hold.quantity, hold.batch) == (HoldKind.QUANTITY, 2, LATE)
    await client.post("/holds", data=form | {"kind": "location", "location": "A-01-1"})
    await client.post("/holds", data=form | {"kind": "supplier"})
    await client.post("/holds", data=form | {"kind": "batch"})
    assert len(core.holds()) == 4
    for wrong in ({"note": ""}, {"quantity": "many"}, {"kind": "house"}, {"kind": "cartons"}):
        assert (await client.post("/holds", data=form | wrong)).status_code == 422
    assert (await client.post("/holds", data=form | {"lot": "none"})).status_code == 404
    assert len(core.holds()) == 4
