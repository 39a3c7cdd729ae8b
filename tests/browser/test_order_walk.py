"""The walks of a day in a real browser, over real books: an order that a hold meets on its way is
shipped all the same, two counts that disagree are counted again, and a second person agrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.live.memory import MemoryLiveView
from appliance.web.app import create_app
from appliance.web.conflicts import conflicts_router
from appliance.web.core_records import CoreRecords
from appliance.web.live import live_router
from appliance.web.orders.pages import orders_router
from appliance.web.ports import Viewer
from appliance.web.quality import quality_router
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.orders import NewLine, NewOrder
from erp_link.service.core import Core
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.orders.desk import Orders
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import WATER
from tests.support.pages import CSRF, FakeGate

pytestmark = pytest.mark.chromium

EARLY, LATE = (BatchKey("ACME", WATER.gtin, lot) for lot in ("EARLY", "LATE"))
_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=FixedClock(datetime.now(UTC)))
    year = made.clock.now().year + 1
    made.receive(EARLY, 3, location="A-01-1", expiry=date(year, 6, 30), by="op")
    made.receive(LATE, 9, location="A-01-2", expiry=date(year, 9, 30), by="op")
    yield made
    made.close()


@pytest.fixture
def url(core: Core, serve: Callable[[Any], Any]) -> str:
    app = create_app("Tallyman", station="dock-1", clock=core.clock)
    gate = FakeGate(Viewer("mara", frozenset({"operator", "quality"}), CSRF))
    app.include_router(orders_router(Orders(core), gate))
    app.include_router(conflicts_router(OfflineLogs(core), gate))
    app.include_router(quality_router(CoreRecords(core), gate))
    app.include_router(live_router(MemoryLiveView(), gate, clock=core.clock))
    return str(serve(app).url)


def press(page: Any, name: str) -> None:
    """A button of the next step, and the page that it leads to."""
    with page.expect_navigation():
        page.locator(".order-steps").get_by_role("button", name=name, exact=True).click()


def test_an_order_that_a_hold_meets_on_its_way_is_shipped(
    core: Core, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/orders")
    page.locator("input[name=order]").fill("WH/OUT/7")
    page.locator("input[name=customer]").fill("Corner shop")
    page.locator("input[name=gtin_1]").fill(WATER.gtin)
    page.locator("input[name=quantity_1]").fill("5")
    with page.expect_navigation():
        page.get_by_role("button", name="Place the order").click()
    press(page, "Pick everything")
    core.add_hold(HoldKind.BATCH, batch=EARLY, reason=Reason("defect_seen"), by="jun")
    page.reload()
    first = page.locator(".order-steps button").first
    assert first.inner_text() == "Return what may not leave"
    press(page, "Return what may not leave")
    Orders(core).tidy()
    page.reload()
    press(page, "Pick everything")
    press(page, "Pack into a parcel")
    press(page, "Ship")
    page.locator(".head-end", has_text="shipped").wait_for()
    shipped = [good for good in Orders(core).order("WH/OUT/7").goods if good.state == "shipped"]
    assert {(good.batch, good.quantity) for good in shipped} == {(LATE, 2), (LATE, 3)}
    assert page_errors == []


def test_the_order_on_a_phone_in_chinese(
    core: Core, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    orders = Orders(core)
    orders.place(NewOrder("WH/OUT/7", (NewLine(WATER.gtin, 5),), "Corner shop"), by="erp")
    orders.pick("WH/OUT/7", by="op")
    core.add_hold(HoldKind.BATCH, batch=EARLY, reason=Reason("defect_seen"), by="jun")
    for path in ("/orders", "/orders/one?order=WH%2FOUT%2F7", "/tickets", "/holds", "/batches"):
        page = open_page(f"{url}{path}", width=390, height=844, language="zh-CN")
        assert not page.evaluate(_WIDE), path
    assert page_errors == []


def test_two_counts_that_disagree_are_counted_again(
    core: Core, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    desk = OfflineLogs(core)
    for name, by, counted in (("phone-1", "Mei", 8), ("phone-2", "Li", 7)):
        phone = Phone(name, by=by)
        desk.enrol(name, phone.public_key, roles=["operator"], by=by)
        phone.counts(LATE, counted, of=9, location="A-01-2")
        desk.upload(phone.entries, by=by)
    page = open_page(f"{url}/tickets/conflicts")
    sides = page.locator(".dispute .sides").inner_text()
    assert "Mei" in sides
    assert "Li" in sides
    page.locator("input[name=counted]").fill("8")
    with page.expect_navigation():
        page.get_by_role("button", name="Book the recount").click()
    page.locator(".empty", has_text="No conflicts").wait_for()
    assert not desk.disputes()
    narrow = open_page(f"{url}/tickets/conflicts", width=390, height=844, language="zh-CN")
    assert not narrow.evaluate(_WIDE)
    assert page_errors == []
