"""The quality pages in a real browser: evidence first, filters by key, every window size."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.stock import UsageDecision

pytestmark = pytest.mark.chromium

PAGES = (
    "/station",
    "/station/cartons/C-00013",
    "/batches",
    "/batch?supplier=Nordfeld&gtin=04006381333931&lot=L2611A07",
    "/holds",
    "/tickets",
    "/tickets/T-7",
    "/receiving",
    "/receiving/RS-1",
    "/health",
)


@pytest.fixture
def house(fakes: Any) -> Any:
    return fakes.build()


@pytest.fixture
def url(house, serve) -> str:
    return serve(house.app).url


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_no_page_scrolls_sideways_or_breaks_the_policy(
    url, open_page, page_errors, language, width, height
) -> None:
    page = open_page(f"{url}/health", width=width, height=height, language=language)
    for path in PAGES:
        page.goto(url + path, wait_until="load")
        page.wait_for_selector('body[data-events=""], body[data-line="live"]')
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
    assert page_errors == []


def test_a_ticket_shows_its_evidence_before_it_asks(url, open_page, page_errors) -> None:
    page = open_page(f"{url}/tickets/T-7")
    pictures = page.locator(".evidence img")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.evidence img')].every(i => i.complete && i.naturalWidth)"
    )
    assert pictures.first.bounding_box()["y"] < page.locator(".decision").bounding_box()["y"]
    assert page.locator(".evidence .region").count() == 1
    assert page_errors == []


def test_the_heatmap_is_toggled_by_its_key(url, open_page) -> None:
    page = open_page(f"{url}/tickets/T-7")
    heat = page.locator('[data-kind="heatmap"]')
    assert not heat.is_visible()
    page.keyboard.press("h")
    heat.wait_for(state="visible")
    page.keyboard.press("h")
    heat.wait_for(state="hidden")


def test_a_ticket_is_decided_with_the_keyboard_alone(url, house, open_page) -> None:
    page = open_page(f"{url}/tickets/T-7")
    page.focus("[name=decision][value=release]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Crushed corner, product leaks")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".decided")
    assert house.records.ticket("T-7").decision is UsageDecision.SCRAP


def test_slash_filters_and_the_address_keeps_it(url, open_page, page_errors) -> None:
    page = open_page(f"{url}/batches")
    # The live sign shows when the page's script runs: keys before that are nobody's.
    page.locator("#line:not([hidden])").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("tea")
    page.wait_for_function("() => document.querySelectorAll('#list tbody tr').length === 1")
    page.wait_for_function("() => location.search === '?q=tea'")
    page.reload()
    assert page.locator("#list tbody tr").count() == 1
    assert page_errors == []


def test_theme_and_language_are_chosen_and_kept(url, open_page) -> None:
    page = open_page(f"{url}/batches?q=tea")
    page.click("details.menu summary")
    page.click('a[href*="theme=warehouse"]')
    assert page.get_attribute("html", "data-theme") == "warehouse"
    assert "q=tea" in page.url
    page.goto(f"{url}/holds")
    assert page.get_attribute("html", "data-theme") == "warehouse"


def test_values_that_nobody_refreshes_are_greyed_with_their_age(url, open_page) -> None:
    page = open_page(f"{url}/health")
    page.wait_for_selector(".health-row.stale [data-age-text]:not(:empty)")
    assert page.locator(".health-row.stale").count() == 1
