"""The read-rate pages in a real browser: both languages, a phone, and a number clicked through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.reads import Dock, a_dock

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dock]:
    with a_dock(tmp_path_factory.mktemp("reads")) as made:
        made.works(120, days=3)
        yield made


@pytest.fixture
def url(dock: Dock, serve: Any) -> str:
    return str(serve(dock.app).url)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_no_page_scrolls_sideways_or_breaks_the_policy(
    url: str, open_page: Any, page_errors: list[str], language: str, width: int, height: int
) -> None:
    page = open_page(f"{url}/read-rates", width=width, height=height, language=language)
    for path in ("/read-rates", "/read-rates?days=1", "/read-rates/cartons", "/read-rates?days=90"):
        page.goto(url + path, wait_until="load")
        page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
    assert page_errors == []


def test_a_number_leads_to_its_cartons_and_they_to_their_picture(
    url: str, open_page: Any, page_errors: list[str]
) -> None:
    page = open_page(f"{url}/read-rates?days=7")
    reviews = int(page.locator(".rates-causes tbody td:nth-child(2)").first.inner_text())
    page.locator(".rates-causes tbody a").first.click()
    page.wait_for_selector(".read-carton")
    assert page.locator("[role=status].count").inner_text().split()[-2] == str(reviews)
    assert page_errors == []
    with page.expect_response("**/evidence/*") as answer:
        page.locator(".read-picture").first.click()
    assert answer.value.ok
    page.wait_for_url("**/evidence/*")


def test_a_bar_of_the_chart_is_a_link_that_a_keyboard_reaches(url: str, open_page: Any) -> None:
    page = open_page(f"{url}/read-rates?days=2")
    bar = page.locator(".chart a").first
    bar.focus()
    assert bar.evaluate("each => each === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_selector(".read-carton")


def test_a_filter_is_kept_in_the_address(url: str, open_page: Any) -> None:
    page = open_page(f"{url}/read-rates?days=7")
    page.select_option("select[name=camera]", label="dock-2 label")
    page.click(".asked .button-main")
    page.wait_for_selector(".same")
    assert "camera=dock-2" in page.url
    assert "dock-2 label" in page.locator(".same").inner_text()
    page.reload()
    assert page.locator("select[name=camera]").input_value() == "dock-2 label"
