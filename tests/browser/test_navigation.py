"""The navigation in a real browser: one group open at a time, by pointer and by keys, on a phone."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.chromium


def test_groups_open_one_at_a_time_and_lead_to_their_pages(
    fakes, serve, open_page, page_errors
) -> None:
    url = serve(fakes.build().app).url
    page = open_page(f"{url}/batches")
    page.wait_for_selector("body[data-keys]")
    assert page.locator(".group-body:visible").count() == 0
    page.locator(".group summary", has_text="Quality").click()
    page.locator(".group summary", has_text="System").click()
    assert page.locator(".group-body:visible").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".group-body:visible").count() == 0
    assert page.evaluate("document.activeElement.textContent").strip().startswith("System")
    page.locator(".group summary", has_text="Quality").click()
    page.locator("main").click(position={"x": 300, "y": 300})
    assert page.locator(".group-body:visible").count() == 0
    page.locator(".group summary", has_text="Quality").click()
    page.locator(".group-body a", has_text="Tickets").click()
    page.wait_for_url(f"{url}/tickets")
    assert page.locator(".group summary[aria-current]").inner_text().split() == [
        "Quality",
        "Tickets",
    ]
    assert page_errors == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_on_a_phone_every_page_is_two_taps_away(
    fakes, serve, open_page, page_errors, language
) -> None:
    url = serve(fakes.build().app).url
    page = open_page(f"{url}/holds", width=390, height=844, language=language)
    page.wait_for_selector("body[data-keys]")
    groups = page.locator(".group summary")
    for at in range(groups.count()):
        groups.nth(at).click()
        for link in page.locator(".group-body:visible a").all():
            box = link.bounding_box()
            assert box["height"] >= 44
            assert 0 <= box["y"] <= box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page_errors == []
