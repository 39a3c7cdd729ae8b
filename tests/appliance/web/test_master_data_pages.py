"""The master data pages over real books: a list from the file to the products."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.care.master_data import master_data_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.service.care.master_data import MasterData
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.support.pages import CSRF, FakeGate

WATER = "06933132577789"
LIST = "gtin,name,total_life_days\n６９３３１３２５７７７８９,Still  water <b>,2 years\n"
HERE = "/master-data/1"


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
    app.include_router(master_data_router(MasterData(core), gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


async def send(client: httpx.AsyncClient, data: bytes = LIST.encode()) -> httpx.Response:
    return await client.post(
        "/master-data", data={"csrf_token": CSRF}, files={"file": ("spring.csv", data)}
    )


async def do(client: httpx.AsyncClient, what: str, **values: str) -> httpx.Response:
    return await client.post(HERE, data={"csrf_token": CSRF, "do": what, **values})


async def test_a_list_goes_from_the_file_to_the_products(
    client: httpx.AsyncClient, core: Core
) -> None:
    assert "No list was sent yet" in (await client.get("/master-data")).text
    assert (await send(client)).headers["location"] == HERE
    text = (await client.get(HERE)).text
    assert "Full-width" in text
    assert "<b>" not in re.sub(r'<b class="rung', "", text)
    for code in ("full_width", "blanks"):
        assert (await do(client, "accept_all", code=code)).status_code == 303
    assert "Apply what is ready" not in (await client.get(HERE)).text
    assert "730" in text
    await do(client, "answer", line="2", field="total_life_days", value="730")
    assert "应用就绪的行" in (await client.get(f"{HERE}?lang=zh")).text
    await do(client, "apply")
    product = Products(core).product(WATER)
    assert (product.name, product.total_life_days) == ("Still water <b>", 730)
    assert (await do(client, "apply")).status_code == 409


async def test_what_is_no_list_is_refused_and_nothing_kept(client: httpx.AsyncClient) -> None:
    wrong = await send(client, b"name\nwater\n")
    assert wrong.status_code == 422
    assert "the column gtin is missing" in wrong.text
    empty = await client.post("/master-data", data={"csrf_token": CSRF})
    assert "No file was chosen" in empty.text
    assert (await client.get(HERE)).status_code == 404
    assert (await client.get("/master-data/x")).status_code == 404
    example = (await client.get("/master-data/template.csv")).content
    assert (await send(client, example)).status_code == 303, "the example is a clean list"
    assert "Nothing is unclean" in (await client.get(HERE)).text
    assert (await do(client, "dance")).status_code == 409


async def test_only_who_keeps_master_data_changes_it(
    client: httpx.AsyncClient, core: Core, gate: FakeGate
) -> None:
    await send(client)
    core.receive(BatchKey("ACME", WATER, "<i>1</i>"), 3, location="A-01-1", by="op")
    gate.who = Viewer("vic", frozenset({"viewer"}), CSRF)
    assert (await send(client)).status_code == 403
    assert (await do(client, "apply")).status_code == 403
    assert "do" not in re.findall(r'name="(\w+)"', (await client.get(HERE)).text)
    books = (await client.get("/master-data?kind=book_expiry_missing")).text
    assert "Expiry missing" in books
    assert "&lt;i&gt;" in books
