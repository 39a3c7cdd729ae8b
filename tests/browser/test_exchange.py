"""The exchange page in a real browser: what the ERP refused, mended by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.web.app import create_app
from appliance.web.exchange import exchange_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, WATER
from tests.support.erp import House
from tests.support.odoo import Odoo
from tests.support.pages import CSRF, FakeGate

pytestmark = pytest.mark.chromium


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = FixedClock(datetime.now(UTC))
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    erp = Odoo()
    erp.product(WATER.gtin, "Still water")
    erp.product("JUICE-1", "Juice")
    erp.partner("ACME")
    made = House(core, clock, erp)
    core.receive(JUICE, 3, location="D1", by="op")
    core.receive(WATER, 5, location="D1", by="op")
    made.tells()
    yield made
    core.close()


@pytest.fixture
def url(house: House, serve: Callable[[Any], Any]) -> str:
    app = create_app("Tallyman", station="dock-1", clock=house.clock)
    viewer = Viewer("mara", frozenset({"ops"}), CSRF)
    app.include_router(exchange_router(house, FakeGate(viewer)))
    return str(serve(app).url)


def test_a_dead_message_is_mended_by_a_name_and_tried_again(
    house: House, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/exchange")
    letter = page.locator(".letter").first
    assert JUICE.gtin in letter.inner_text()
    assert "Names" in letter.inner_text()

    page.locator("select[name=kind]").select_option("product")
    page.locator("input[name=ours]").fill(JUICE.gtin)
    page.locator("input[name=theirs]").fill("JUICE-1")
    page.get_by_role("button", name="Keep the name").click()
    page.locator(".letters", has_text=f"{JUICE.gtin} → JUICE-1").wait_for()

    page.get_by_role("button", name="Try again").click()
    page.locator(".empty", has_text="Nothing was refused").wait_for()
    assert house.erp.on_hand(JUICE.lot) == 3
    assert page_errors == []


def test_what_was_done_by_hand_is_said_on_the_phone_in_chinese(
    house: House, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/exchange?lang=zh", width=390, height=844, language="zh-CN")
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    page.locator(".letter summary").click()
    page.locator("input[name=note]").fill("WH/IN/00077")
    page.get_by_role("button", name="确认已处理").click()
    page.locator(".letters li", has_text="WH/IN/00077").wait_for()
    assert house.desk.letters()[-1].note == "WH/IN/00077"
    assert page_errors == []
