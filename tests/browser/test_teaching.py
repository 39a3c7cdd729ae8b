"""Teaching in a real browser: two clicks with a glove or two keys, undone, and signed at the hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.chromium

WORDS = "four good words here"
PHONE = {"width": 390, "height": 844}
TOUCH_PX = 44


@pytest.fixture
def served(fakes: Any, serve: Callable[[Any], Any]) -> tuple[Any, str]:
    house = fakes.build()
    return house, serve(house.app).url


def _sideways(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_two_clicks_teach_and_one_takes_it_back(served, open_page, page_errors) -> None:
    house, url = served
    page = open_page(f"{url}/station")
    ask = page.locator('[data-teach="miss"]')
    box = ask.bounding_box()
    assert box["y"] + box["height"] <= 900, "in view without scrolling"
    ask.click()
    page.wait_for_selector("#teach-dialog[open]")
    page.click('#teach-dialog [data-teach-key="2"]')
    page.wait_for_selector("text=Learned: Dent")
    assert not page.locator("#teach-dialog[open]").count()
    assert [body.defect for body in house.teaching.told] == ["dent"]
    page.click(".notice button:has-text('Take it back')")
    page.wait_for_selector("text=The lesson is taken back")
    assert len(house.teaching.told) == 2
    assert page_errors == []


def test_keys_do_what_they_show(served, open_page, page_errors) -> None:
    house, url = served
    page = open_page(f"{url}/station")
    page.wait_for_selector('#line[data-state="live"]')
    page.keyboard.press("g")
    page.wait_for_selector("#teach-dialog[open] >> text=Is it really good?")
    page.keyboard.press("Escape")
    page.wait_for_selector("#teach-dialog", state="hidden")
    assert house.teaching.told == []
    page.keyboard.press("d")
    page.wait_for_selector("#teach-dialog[open] >> text=What is wrong with it?")
    page.keyboard.press("1")
    page.wait_for_selector("text=Learned: Crack")
    assert house.desk.answers == [], "the bench behind the dialog heard nothing"
    assert page_errors == []


def test_the_lead_signs_what_was_taught(served, open_page, page_errors) -> None:
    house, url = served
    page = open_page(f"{url}/station/cartons/C-00005")
    page.click('#teach [data-teach-key="6"]')
    page.wait_for_selector("text=Broken seal")
    page.goto(f"{url}/lessons")
    page.fill("input[name=new_passphrase]", WORDS)
    page.fill("input[name=again]", WORDS)
    page.click(".key-card button")
    page.fill(".sign input[name=reason]", "the seal was open")
    page.fill(".sign input[name=passphrase]", WORDS)
    page.click(".sign button")
    page.wait_for_selector("text=Signed under number 1")
    (signature,) = house.book.signatures()
    assert (signature.reason, signature.station) == ("the seal was open", "dock-1")
    assert page_errors == []


def test_on_a_phone_in_chinese(served, open_page, page_errors) -> None:
    _, url = served
    page = open_page(f"{url}/station", **PHONE, language="zh-CN")
    page.click('[data-teach="miss"]')
    page.wait_for_selector("#teach-dialog[open] >> text=是什么缺陷")
    for place in page.locator("#teach-dialog button").all():
        assert place.bounding_box()["height"] >= TOUCH_PX
    box = page.locator("#teach-dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    page.click("#teach-dialog button:has-text('裂纹')")
    page.wait_for_selector("text=已学会")
    for address in ("/station/lessons", "/lessons"):
        page.goto(url + address)
        assert _sideways(page) <= 0, address
    assert page_errors == []
