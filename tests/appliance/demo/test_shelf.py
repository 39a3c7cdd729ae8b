"""A fresh installation has something on its shelves: known, placed, priced, and some of it old."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from appliance import problems
from appliance.config import Config
from appliance.demo.shelf import GOODS, first_day, lists, place_of, stock_shelves
from appliance.evidence import EvidenceStore
from appliance.shelf.stock.api import router as shelf_router
from appliance.shelf.stock.opening import OpenStock, open_stock
from contracts.clock import FixedClock
from contracts.gs1 import has_valid_check_digit
from erp_link.api import router
from erp_link.domain.shelf.lists import ListKind
from erp_link.domain.shelf.reading import read_list
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from tests.erp_link.over_http import auth

DAY = date(2026, 11, 21)


class Hub:
    """The hub's API in this process, asked as the demo's program asks it."""

    def __init__(self, core: Core, opened: OpenStock) -> None:
        app = FastAPI()
        problems.install(app)
        app.include_router(router(lambda: core, auth))
        app.include_router(shelf_router(opened.stock, auth))
        self.app = app

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"x-roles": "integrator viewer"} | arguments.pop("headers", {})
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            answer = await client.request(method, path, headers=headers, **arguments)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[tuple[Hub, OpenStock]]:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    stock = open_stock(Config(), core, Reorder(core), EvidenceStore(tmp_path / "p"), clock)
    yield Hub(core, stock), stock
    core.close()


async def test_the_shelves_are_stocked_once(opened: tuple[Hub, OpenStock]) -> None:
    hub, stock = opened
    await stock_shelves(hub, DAY)
    first = stock.stock.book.snapshot()
    await stock_shelves(hub, DAY)
    again = stock.stock.book.snapshot()
    assert again.products == first.products
    known = {each.gtin: each for each in again.products}
    for at, goods in enumerate(GOODS):
        product = known[goods.gtin]
        assert (product.name, product.unit) == (goods.name, goods.unit)
        assert product.price is not None
        assert product.places == (place_of(at),)
        assert [code.units for code in product.codes] == [1, goods.per_carton]
        assert {batch.expiry for batch in product.batches} == {
            (DAY + timedelta(days=days)).isoformat() for days, _ in goods.batches
        }
    assert all(each.phone for each in again.suppliers)
    assert set(again.words) == {"A", "B"}


async def test_goods_are_counted_in_words_of_the_sites_language(
    opened: tuple[Hub, OpenStock],
) -> None:
    hub, stock = opened
    await stock_shelves(hub, DAY, language="zh")
    units = {each.unit for each in stock.stock.book.snapshot().products}
    assert units == {"瓶", "袋", "罐", "包", "块", "听", "盒"}
    described = await hub.call("GET", f"/api/v1/products/{GOODS[0].gtin}")
    assert described["is_described_as"]["units"] == {"箱": GOODS[0].per_carton}
    await stock_shelves(hub, DAY, language="en")
    again = {each.unit for each in stock.stock.book.snapshot().products}
    assert again == units, "what is here stays counted as it was"


def test_the_demos_lists_can_be_read_and_its_codes_are_codes() -> None:
    for kind, rows in lists(DAY).items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        read = read_list(ListKind(kind), text.getvalue().encode(), name=kind)
        assert len(read) == len(rows) - 1
    codes = [code for goods in GOODS for code in (goods.gtin, goods.carton)]
    assert all(has_valid_check_digit(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_goods_grow_older_from_the_first_day_on(tmp_path: Path) -> None:
    assert first_day(tmp_path, DAY) == DAY
    assert first_day(tmp_path, DAY + timedelta(days=9)) == DAY
