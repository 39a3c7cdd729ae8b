"""A warm room in a real browser: from the list to the report, its files, and what goods bear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.excursions.facts import Signer, read_signed
from appliance.identity.site_ca import SiteCa
from appliance.web.app import create_app
from appliance.web.excursions.pages import excursions_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.telemetry import AlarmChange
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from erp_link.service.excursions.whereabouts import Whereabouts
from erp_link.service.goods.products import Products
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import LATER, WATER
from tests.support.pages import CSRF, FakeGate
from tests.telemetry.excursions.test_fridge_tag import EXPORT

pytestmark = pytest.mark.chromium


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Any]:
    """The pages over real books: serum stood in a cold room that got too warm."""
    clock = FixedClock(datetime(2026, 11, 20, 9, tzinfo=UTC))
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    serum = Product(WATER.gtin, "Serum", temperature=Temperature.CHILLED)
    Products(core).describe(serum, by="q")
    core.receive(WATER, 10, location="COLD-01", expiry=LATER, by="op")
    clock.at += timedelta(hours=1)
    alarm = Gateway(core, clock).alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[9 + at / 10 for at in range(90)])
    alarm.says(AlarmChange.CLEARED, 6.0)
    ca = SiteCa.open_or_create(tmp_path / "ca")
    signer = Signer(ca.head_signer.sign, ca.head_certificate_pem, ca.device_ca_pem, "Nanjing")
    app = create_app("Tallyman", clock=clock)
    gate = FakeGate(Viewer("mara", frozenset({"quality"}), CSRF))
    app.include_router(excursions_router(Excursions(core), Whereabouts(core), signer, gate))
    yield app
    core.close()


def test_from_the_list_to_a_report_that_is_kept(hub, serve, open_page, page_errors) -> None:
    page = open_page(f"{serve(hub).url}/excursions")
    page.click("a.slot >> text=COLD")
    page.wait_for_selector(".excursion-plot polyline")
    assert page.locator("tr.row-held").count() == 1
    assert "too warm: 17.9 °C" in page.inner_text("tr.row-held")
    kept = {}
    for ending in ("PDF", "CSV", "JSON"):
        with page.expect_download() as download:
            page.locator(".head-tools a", has_text=ending).click()
        kept[ending] = Path(download.value.path()).read_bytes()
    assert read_signed(kept["JSON"])["batches"][0]["lot"] == WATER.lot
    assert kept["PDF"].startswith(b"%PDF")
    sha256 = json.loads(kept["JSON"])["sha256"]
    assert sha256.encode() in kept["CSV"]
    assert sha256 in page.inner_text(".excursion-seal")
    assert page_errors == []


def test_on_a_phone_nothing_is_wider_than_the_screen(
    hub, serve, open_page, page_errors, tmp_path
) -> None:
    page = open_page(f"{serve(hub).url}/excursions", width=390, height=844, language="zh-CN")
    page.click("a.slot")
    assert "超出" in page.inner_text("tr.row-held")
    for address in ("/excursions", "/excursions/limits", "/excursions/zones"):
        page.goto(page.url.split("/excursions")[0] + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(page.url.replace("zones", "logger"))
    export = tmp_path / "tag.txt"
    export.write_text(EXPORT)
    page.set_input_files("[name=export]", str(export))
    with page.expect_navigation():
        page.click("button.button-main")
    assert "2 天中 1 天共 74 分钟" in page.inner_text(".excursion-facts")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page_errors == []
