"""The station page in a real browser: a verdict arrives, a review is settled, the line heals."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.reason import Reason
from contracts.verdict import Decision

pytestmark = pytest.mark.chromium

TWO_METRES_PX = 120


class Tapped:
    """The app, with its event loop kept at hand, so that a test can publish into it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.loop: asyncio.AbstractEventLoop | None = None
        self.seen = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        self.seen.set()
        await self._app(scope, receive, send)

    def publish(self, house: Any, topic: str) -> None:
        assert self.seen.wait(10)
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(house.live.publish(topic, {}), self.loop).result(10)


@pytest.fixture
def station(fakes: Any, serve: Callable[[Any], Any]) -> tuple[Any, Any, Tapped]:
    house = fakes.build()
    tapped = Tapped(house.app)
    return house, serve(tapped), tapped


def _live(page: Any) -> None:
    page.wait_for_selector('#line[data-state="live"]')


def test_a_verdict_arrives_and_can_be_read_from_two_metres(
    station, fakes, open_page, page_errors
) -> None:
    house, served, tapped = station
    page = open_page(f"{served.url}/station")
    _live(page)
    assert page.get_attribute("#verdict", "data-verdict") == "hold"
    house.desk.judge(fakes.card(14, Decision.ACCEPT, house.pictures))
    tapped.publish(house, "carton")
    page.wait_for_selector('#verdict[data-verdict="accept"][data-carton="C-00014"]')
    word = page.locator(".verdict-word text")
    assert word.text_content() == "ACCEPT"
    assert word.bounding_box()["height"] >= TWO_METRES_PX
    assert page.locator(".strip li").count() == 12
    assert page_errors == []


@pytest.mark.parametrize(
    ("key", "batch"), [("1", "L2611A07"), ("2", "L2611A01"), ("3", "HS-0925/B")]
)
def test_a_review_is_settled_by_one_key(station, open_page, page_errors, key, batch) -> None:
    house, served, _ = station
    page = open_page(f"{served.url}/station")
    _live(page)
    page.keyboard.press(key)
    page.wait_for_selector("#bench", state="detached")
    ((answer, operator),) = house.desk.answers
    assert (answer.how, answer.batch, operator) == ("candidate", batch, "mara")
    assert page_errors == []


def test_a_second_press_does_not_answer_for_the_next_carton(station, fakes, open_page) -> None:
    house, served, _ = station
    house.desk.judge(fakes.card(17, Decision.REVIEW, house.pictures))
    page = open_page(f"{served.url}/station")
    _live(page)
    page.evaluate(
        """() => {
          const press = () => {
            const bench = document.querySelector("#bench");
            if (bench?.dataset.carton !== "C-00017") return;
            watch.disconnect();
            bench.querySelector('[data-key="1"]').click();
            document.title = "pressed";
          };
          const watch = new MutationObserver(press);
          watch.observe(document.body, { attributes: true, childList: true, subtree: true });
        }"""
    )
    page.keyboard.press("1")
    page.wait_for_function("() => document.title === 'pressed'")
    page.reload()
    assert page.get_attribute("#bench", "data-carton") == "C-00017"
    assert [answer.carton_id for answer, _ in house.desk.answers] == ["C-00012"]


def test_none_of_these_is_keyed_and_mended_on_the_way(station, open_page, page_errors) -> None:
    house, served, _ = station
    page = open_page(f"{served.url}/station")
    _live(page)
    page.keyboard.press("0")
    page.wait_for_selector("#key-dialog[open]")
    page.fill("[name=gtin]", "4006381333932")
    assert "others want 1" in page.text_content('[data-mend-for="gtin"]')
    page.fill("[name=batch]", "L2611A09")
    page.fill("[name=expiry]", "2027-04-30")
    page.click("#key-form [type=submit]")
    page.wait_for_selector('#key-mends [data-mend="gtin"]')
    assert house.desk.answers == []
    page.fill("[name=gtin]", "4006381333931")
    page.click("#key-form [type=submit]")
    page.wait_for_selector("#key-dialog:not([open])", state="attached")
    ((answer, _),) = house.desk.answers
    assert (answer.how, answer.batch, answer.expiry) == ("keyed", "L2611A09", "2027-04-30")
    assert [error for error in page_errors if "422" not in error] == []


def test_typing_a_number_into_a_field_settles_nothing(station, open_page) -> None:
    house, served, _ = station
    page = open_page(f"{served.url}/station")
    _live(page)
    page.keyboard.press("0")
    page.wait_for_selector("#key-dialog[open]")
    page.locator("[name=gtin]").press_sequentially("123")
    assert house.desk.answers == []


def test_a_broken_line_is_shown_and_heals_by_itself(station, fakes, open_page) -> None:
    house, served, _ = station
    page = open_page(f"{served.url}/station")
    _live(page)
    served.stop()
    page.wait_for_selector('#line[data-state="broken"]')
    house.desk.judge(fakes.card(15, Decision.ACCEPT, house.pictures))
    served.start()
    _live(page)
    page.wait_for_selector('#verdict[data-carton="C-00015"]')


def test_the_live_pictures_go_on_moving(station, open_page) -> None:
    _, served, _ = station
    page = open_page(f"{served.url}/station")
    page.wait_for_selector('img[data-live][src*="?t="]')


def test_the_station_speaks_chinese_and_is_as_large(station, open_page, page_errors) -> None:
    _, served, _ = station
    page = open_page(f"{served.url}/station", language="zh-CN")
    _live(page)
    word = page.locator(".verdict-word text")
    assert word.text_content() == "冻结"
    assert word.bounding_box()["height"] >= TWO_METRES_PX
    assert page.text_content("[data-line-word]") == "实时"
    assert page_errors == []


def test_a_name_that_tries_to_be_markup_stays_a_name(
    station, fakes, open_page, page_errors
) -> None:
    house, served, tapped = station
    page = open_page(f"{served.url}/station")
    _live(page)
    evil = Reason("batch_held", {"lot": "<img src=x onerror=document.title='owned'>"})
    house.desk.judge(fakes.card(16, Decision.HOLD, house.pictures, reasons=(evil,)))
    tapped.publish(house, "carton")
    page.wait_for_selector('#verdict[data-carton="C-00016"]')
    assert page.locator(".reasons img").count() == 0
    assert page.title() != "owned"
    assert page_errors == []
