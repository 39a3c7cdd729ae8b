"""The page at the shelf in a real browser before a real hub, in a hand and without a camera: what can
be typed, counted, frozen and read, in both languages. What a camera sees is told in tests/browser/shelf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bench.shelf.house import GOODS, NAMES, PASSWORD, PLACE, STOCK, House, open_house
from appliance.bench.shelf.house import batch_of as batch
from appliance.web.core_records import CoreRecords

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

TEA, RICE = 1, 3
SEEN = """([texts, across]) => {
  const { page, scene, eye } = window.tallymanShelf;
  const canvas = eye.canvas, context = canvas.getContext("2d");
  canvas.width = 720;
  canvas.height = 1280;
  const down = Math.ceil(texts.length / across);
  const sightings = texts.map((text, at) => {
    const x = 30 + (at % across) * (660 / across), y = 60 + Math.floor(at / across) * (1120 / down);
    const known = page.stock.lookup(text, "EAN13");
    const quad = [{ x, y }, { x: x + 150, y }, { x: x + 150, y: y + 46 }, { x, y: y + 46 }];
    return { id: at + 1, state: known ? "confirmed" : "off_list", text, format: "EAN13", known, quad, age_ms: 0, reader: "phone" };
  });
  window.number = 0;
  window.show = () => {
    context.fillStyle = "#777";
    context.fillRect(0, 0, 720, 1280);
    scene.draw(context, sightings, { width: 720, height: 1280, at_ms: performance.now(), number: ++window.number });
  };
  window.clearInterval(window.showing);
  window.showing = window.setInterval(window.show, 50);
}"""
"""Codes as an eye would see them: texts, so many in a row."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path / "hub")
    yield opened
    opened.close()


@pytest.fixture
def phone(hub: House, serve: Any, open_page: Any) -> Callable[..., Any]:
    """`phone("mei", "zh")`: a phone of 390 by 844, enrolled for Mei."""
    url = serve(hub.app).url

    def enrolled(name: str = "mei", language: str = "en") -> Any:
        page = open_page(f"{url}/sign-in?next=/shelf", width=390, height=844, language=language)
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("main form button")
        page.click('[data-do="enrol"]')
        page.wait_for_selector('body[data-state="open"]')
        page.wait_for_selector(".no-camera")
        return page

    return enrolled


def type_code(page: Any, text: str) -> None:
    page.click(".beside [data-do=keys]")
    page.fill(".code-field", text)
    page.click('[data-sheet="entry"] [data-do="go"]')


def go_to(page: Any, place: str = PLACE) -> None:
    page.click('[data-do="place-chip"]')
    page.click(f'[data-place="{place}"]')


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_camera_a_typed_code_opens_its_card(
    phone: Any, page_errors: list[str], language: str
) -> None:
    page = phone(language=language)
    assert page.locator(".no-camera p").inner_text().strip()
    type_code(page, GOODS[TEA].text)
    card = page.locator('[data-sheet="card"]')
    assert card.locator("h2").inner_text() == NAMES[TEA]
    assert batch(TEA).lot in card.inner_text()
    assert "shelf." not in page.locator("body").inner_text(), "a word is missing"
    assert too_small(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page_errors == []


def too_small(page: Any) -> list[str]:
    """What is pressed and is smaller than 48 pixels."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, a.button, input, textarea")]
            .map((each) => [each, each.closest("label.row")?.getBoundingClientRect() ?? each.getBoundingClientRect()])
            .filter(([each, box]) => box.width && (box.height < 47.9 || box.width < 47.9))
            .map(([each, box]) => `${each.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
    )
    return found


def test_a_count_stands_in_the_books_and_can_be_taken_back(
    hub: House, phone: Any, page_errors: list[str]
) -> None:
    page = phone()
    go_to(page)
    page.click('[data-mode="count"]')
    type_code(page, GOODS[RICE].text)
    page.click('.key:text-is("2")')
    page.click('.key:text-is("1")')
    assert page.locator('[data-sheet="number"] .badge').inner_text() == "differs by −3"
    assert too_small(page) == []
    page.click('[data-do="take"]')
    page.click('[data-do="review"]')
    assert "21 of 24" in page.locator('[data-sheet="count"]').inner_text()
    page.click('[data-do="book"]')
    page.wait_for_selector("#toast [data-do=undo]")
    sent(page)
    assert hub.units(batch(RICE)) == STOCK - 3
    page.click("#toast [data-do=undo]")
    page.wait_for_selector("#toast[data-tone=info]")
    sent(page)
    assert hub.units(batch(RICE)) == STOCK
    assert page_errors == []


def test_a_freeze_needs_a_reason_acts_at_once_and_no_operator_lifts_it(
    hub: House, phone: Any, page_errors: list[str]
) -> None:
    mei = phone()
    go_to(mei)
    mei.click('[data-mode="freeze"]')
    type_code(mei, GOODS[RICE].text)
    yes = mei.locator('[data-sheet="freeze"] [data-do="yes"]')
    assert yes.is_disabled(), "no freeze without a reason"
    mei.click('[data-sheet="freeze"] [data-do="damaged"]')
    yes.click()
    mei.wait_for_selector("#toast[data-tone=hold]")
    sent(mei)
    assert [hold.is_open for hold in CoreRecords(hub.core).holds_on(batch(RICE))] == [True]
    assert mei.locator("#toast [data-do=undo]").count() == 0, "an operator lifts no hold"
    assert page_errors == []


@pytest.mark.parametrize("across", [2, 3])
def test_tags_cover_no_code_and_no_other_tag_and_a_tap_opens_the_card(
    phone: Any, page_errors: list[str], across: int
) -> None:
    page = phone()
    page.evaluate("() => document.querySelector('.no-camera').remove()")
    page.evaluate(SEEN, [[each.text for each in GOODS], across])
    page.wait_for_function("() => window.number > 12")
    boxes = page.evaluate(
        "() => [...window.tallymanShelf.scene.laid.placed.values()].map(({ box }) => box)"
    )
    codes = page.evaluate(
        """() => window.tallymanShelf.scene.sightings.map(({ quad }) =>
            ({ x: quad[0].x, y: quad[0].y, width: 150, height: 46 }))"""
    )
    assert len(boxes) >= len(GOODS) // 2
    for at, box in enumerate(boxes):
        assert not [code for code in codes if overlap(box, code)]
        assert not [other for other in boxes[at + 1 :] if overlap(box, other)]
    page.wait_for_function(
        "(n) => document.querySelectorAll('#seen button').length >= n", arg=len(GOODS) // 2
    )
    assert NAMES[TEA] in page.locator("#seen").inner_text()
    page.evaluate("() => window.clearInterval(window.showing)")
    x, y = page.evaluate(
        """() => {
            const { canvas } = window.tallymanShelf.eye, box = canvas.getBoundingClientRect();
            const scale = Math.min(canvas.width / box.width, canvas.height / box.height);
            const { quad } = window.tallymanShelf.scene.sightings[4];
            return [box.left + (quad[0].x + 75 - (720 - box.width * scale) / 2) / scale,
                    box.top + (quad[0].y + 23 - (1280 - box.height * scale) / 2) / scale];
        }"""
    )
    page.mouse.click(x, y)
    assert page.locator('[data-sheet="card"] h2').inner_text() == NAMES[4]
    assert page_errors == []


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def test_the_label_of_a_place_says_where_one_stands_and_others_step_back_in_find(
    phone: Any, page_errors: list[str]
) -> None:
    page = phone()
    page.evaluate(SEEN, [[GOODS[TEA].text, GOODS[RICE].text, PLACE], 1])
    page.wait_for_selector(f'.place:has-text("{PLACE}")')
    page.click('[data-mode="find"]')
    page.click('[data-do="choose"]')
    page.fill('[data-sheet="find"] input', NAMES[TEA])
    page.click('[data-sheet="find"] .row-tap')
    page.click('[data-do="these"]')
    page.wait_for_function("() => window.tallymanShelf.scene.marks.get(1)?.tone === 'info'")
    assert page.evaluate("() => window.tallymanShelf.scene.marks.get(2).dim")
    assert page_errors == []


def test_wishes_are_kept_and_large_letters_still_fit(phone: Any, page_errors: list[str]) -> None:
    page = phone()
    page.click('[data-do="more"]')
    for wish in ("warehouse", "text-3", "left", "zh"):
        page.click(f'[data-sheet="more"] [data-do="{wish}"]')
        page.wait_for_selector(f'[data-sheet="more"] [data-do="{wish}"][aria-pressed="true"]')
    page.click('[data-sheet="more"] [data-do="close"]')
    page.reload()
    page.wait_for_selector('body[data-state="open"][data-hand="left"]')
    assert page.locator("html").get_attribute("data-theme") == "warehouse"
    assert page.locator('[data-mode="count"]').inner_text() == "盘点"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert (
        page.evaluate("() => document.querySelector('.beside').getBoundingClientRect().left") < 60
    )
    assert page_errors == []


def sent(page: Any) -> None:
    """Until the hub has all that was written."""
    page.wait_for_function("() => window.tallymanShelf.keep.state.unsent === 0")
