"""A stranger's first look: the link on the terminal, the station, a review settled, the ticket.

Real processes behind a real browser. With SCREENSHOTS=FOLDER it also takes the pictures of
the guide.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(400)]

PASSWORD = "correct horse battery staple"  # noqa: S105 -- of a throw-away account


def picture(page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.wait_for_timeout(700)  # pictures and morphs settle; only where pictures are taken
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_from_the_one_time_link_to_a_settled_review_and_a_ticket(
    up, open_page, page_errors
) -> None:
    up.start()
    up.until(lambda: "┏" in up.output(), "the table of verdicts")
    link = re.search(r"http://\S+/first-sign-in/\S+", up.output())
    assert link

    page = open_page(link[0])
    page.fill("input[name=name]", "li.wei")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=password_again]", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/station")

    # The last carton of the delivery was sound.
    page.locator("#verdict[data-verdict=accept]").wait_for()
    page.locator("#bench").wait_for()
    page.locator("#line:not([hidden])").wait_for()
    picture(page, "station-en")

    # Two reviews wait; the first is set aside, the second is keyed in by hand.
    first = page.locator("#bench").get_attribute("data-carton")
    page.keyboard.press("9")
    page.wait_for_function(
        "first => document.querySelector('#bench')?.dataset.carton !== first", arg=first
    )

    page.goto(up.pages + "/tickets")
    page.locator("main a[href*='/tickets/']").first.wait_for()
    picture(page, "tickets-en")
    hrefs = page.locator("main a[href*='/tickets/']").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    frozen = None
    for href in hrefs:
        page.goto(up.pages + href)
        if page.locator("img[src*='/evidence/']").count() and "L5310-C1" in page.content():
            frozen = href
            break
    assert frozen, "the frozen batch has a ticket with its evidence"
    shown = page.locator("img[src*='/evidence/']").first
    assert shown.evaluate("image => image.naturalWidth") > 0, "the evidence picture is there"
    picture(page, "ticket-en")

    for path, name in (("/batches", "batches"), ("/health", "health"), ("/receiving", "receiving")):
        page.goto(up.pages + path)
        page.locator("main").wait_for()
        picture(page, f"{name}-en")

    cookies = page.context.storage_state()
    phone = open_page(
        up.pages + "/station?lang=zh", width=390, height=844, language="zh-CN",
        storage_state=cookies,
    )  # fmt: skip
    phone.locator("#verdict").wait_for()
    picture(phone, "station-zh-phone")
    wide = open_page(up.pages + "/station?lang=zh", language="zh-CN", storage_state=cookies)
    wide.locator("#verdict").wait_for()
    picture(wide, "station-zh")
    wide.goto(up.pages + frozen)
    picture(wide, "ticket-zh")
    overflow = phone.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not overflow, "a phone does not scroll sideways"
    assert page_errors == []
