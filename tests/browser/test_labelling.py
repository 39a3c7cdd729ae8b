"""The queue of doubtful lines in a real browser: keys only, undo, a phone, both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import NOW
from tests.support.settled import Queue, a_queue, carton

pytestmark = pytest.mark.chromium


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path, next_run=NOW + timedelta(days=2)) as queue:
        queue.take_in(*(carton(n, read=f"B1O{n:02d}", sure=0.6) for n in range(1, 31)))
        queue.desk.look(100)
        yield queue


@pytest.fixture
def url(queue: Queue, serve: Any) -> str:
    return f"{serve(queue.app).url}/labelling"


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.closest('.crop')?.dataset.line ?? ''"))


def said(queue: Queue) -> dict[str, int]:
    return dict(queue.desk.counts().answered)


def settled(page: Any, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('.crop[data-said]:not([data-said=\"\"])').length === n",
        arg=count,
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_no_page_scrolls_sideways_or_breaks_the_policy(
    url: str, open_page: Any, page_errors: list[str], language: str, width: int, height: int
) -> None:
    page = open_page(url, width=width, height=height, language=language)
    page.wait_for_selector(".crop img")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.goto(f"{url}?show=answered", wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page_errors == []


def test_a_screen_is_answered_from_the_keyboard_alone(
    url: str, open_page: Any, page_errors: list[str], queue: Queue
) -> None:
    page = open_page(url, width=1440, height=900)
    page.wait_for_selector(".crop:focus")
    shown = page.locator(".crop").count()
    assert shown == 24
    first = focused(page)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.activeElement.dataset.line !== '{first}'")
    page.keyboard.press("x")
    settled(page, 2)
    assert said(queue) == {"right": 1, "unreadable": 1}
    page.keyboard.press("e")
    page.keyboard.type("B 99")
    page.keyboard.press("Enter")
    settled(page, 3)
    assert said(queue) == {"right": 1, "text": 1, "unreadable": 1}
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")
    settled(page, shown)
    assert said(queue)["right"] == shown - 2
    assert page.evaluate("document.activeElement.hasAttribute('data-next')")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.crop').length === 6")
    assert page_errors == []


def test_undo_takes_back_the_last_deed_and_then_the_one_before(
    url: str, open_page: Any, queue: Queue
) -> None:
    page = open_page(url, width=1440, height=900)
    page.wait_for_selector(".crop:focus")
    first = focused(page)
    page.keyboard.press("x")
    page.keyboard.press("Shift+Enter")
    settled(page, 24)
    page.keyboard.press("z")
    settled(page, 1)
    assert said(queue) == {"unreadable": 1}
    page.keyboard.press("z")
    settled(page, 0)
    assert focused(page) == first, "the line is in hand again"
    page.keyboard.press("z")
    page.wait_for_selector("[data-trouble]:not([hidden])")
    assert said(queue) == {}


def test_what_was_not_kept_says_so_and_is_answered_again(
    queue: Queue, serve: Any, open_page: Any
) -> None:
    served = serve(queue.app)
    page = open_page(f"{served.url}/labelling", width=1440, height=900)
    page.wait_for_selector(".crop:focus")
    first = focused(page)
    served.stop()
    page.keyboard.press("Enter")
    page.wait_for_selector(".crop[data-failed]")
    assert page.locator("[data-trouble]").is_visible()
    served.start()
    page.locator(f"[data-line='{first}']").focus()
    page.keyboard.press("Enter")
    settled(page, 1)
    assert not page.locator("[data-trouble]").is_visible()
    assert said(queue) == {"right": 1}


def test_a_thumb_answers_on_a_phone(url: str, open_page: Any, queue: Queue) -> None:
    page = open_page(url, width=390, height=844)
    card = page.locator(".crop").first
    assert card.locator(".crop-do").is_visible()
    box = card.locator("button[value=right]").bounding_box()
    assert box["height"] >= 44
    card.locator("input[name=text]").fill("B77")
    card.locator("button[value=text]").click()
    settled(page, 1)
    assert said(queue) == {"text": 1}
