"""The page at the shelf without a camera: what stands over it, how it fits, and what is typed into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.bench.shelf.house import GOODS, NAMES

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

TEA = 1
_LOCK = """async () => {
  const { keep } = window.tallymanShelf, { clock } = keep;
  keep.sync.stop();
  keep.sync.now = async () => {};
  keep.clock = () => clock() + 37 * 3600e6;
  await keep.tick();
}"""
"""Thirty-seven hours without the hub."""
_OUTSIDE = """() => {
  const reached = [];
  for (let x = 5; x < innerWidth; x += 20) for (let y = 5; y < innerHeight; y += 20) {
    const met = document.elementFromPoint(x, y);
    if (met && !met.closest("#gate") && met.closest("button, a, input, canvas, dialog")) reached.push(met.outerHTML.slice(0, 80));
  }
  return reached;
}"""


def test_a_locked_phone_shows_its_gate_over_everything_and_nothing_beneath_can_be_used(
    hand: Callable[..., Any], page_errors: list[str]
) -> None:
    page = hand()
    page.evaluate("(gtin) => void window.tallymanShelf.page.open(gtin)", GOODS[TEA].gtin)
    page.wait_for_selector('[data-sheet="card"]')
    page.evaluate(_LOCK)
    page.wait_for_selector('#gate [data-gate="locked"]')
    assert page.locator("dialog").count() == 0
    assert page.evaluate(_OUTSIDE) == []
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body || document.activeElement.closest('#gate') !== null"
        )
    # What was on its way opens nothing over the gate either.
    assert page.evaluate("() => window.tallymanShelf.page.host.ask('line')") is None
    page.evaluate("() => document.querySelector('#strip button').click()")
    assert page.locator("dialog").count() == 0
    assert page_errors == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_that_the_strip_may_say_at_once_fits_a_phone(
    hand: Callable[..., Any], page_errors: list[str], language: str
) -> None:
    page = hand(language=language)
    page.evaluate(
        """() => {
          const { keep } = window.tallymanShelf, trouble = { code: "keep_full", params: {}, at_us: 0, seq: 0, seen: false };
          keep.sync.stop();
          keep.contact = { ...keep.contact, expected: -1200 };
          keep.tell({ line: "offline", update: true, refused: 1, troubles: [{ ...trouble, id: "a" }, { ...trouble, id: "b" }] });
        }"""
    )
    page.wait_for_selector("#strip .badge.tone-info")
    outside = page.evaluate(
        """() => [...document.querySelectorAll("#strip *")].filter((each) => each.getBoundingClientRect().right > 390 || each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
            .map((each) => each.outerHTML.slice(0, 60))"""
    )
    assert outside == []
    page.click('[data-do="line-state"]')
    assert page.locator('[data-sheet="line"] [data-do="photos-again"]').is_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page_errors == []


@pytest.mark.parametrize(
    ("opens", "sheet"),
    [([".beside [data-do=keys]"], "entry"), (["[data-mode=find]", "[data-do=choose]"], "find")],
)
def test_what_an_input_method_composes_is_not_searched_for_and_its_enter_takes_nothing(
    hand: Callable[..., Any], page_errors: list[str], opens: list[str], sheet: str
) -> None:
    page = hand(language="zh")
    for each in opens:
        page.click(each)
    shown = page.locator(f'[data-sheet="{sheet}"]')
    shown.locator("input").focus()
    keys = page.context.new_cdp_session(page)
    text = NAMES[TEA][:4]
    keys.send("Input.imeSetComposition", {"text": text, "selectionStart": 4, "selectionEnd": 4})
    keys.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    assert shown.locator("input").input_value() == text
    assert shown.locator(".row-tap", has_text=NAMES[TEA]).count() == 0, "nothing is written yet"
    assert shown.locator(".wrong").count() == 0, "nothing was taken"
    keys.send("Input.insertText", {"text": text})
    shown.locator(".row-tap", has_text=NAMES[TEA]).wait_for()
    assert shown.locator("input").evaluate("(field) => field === document.activeElement")
    assert page_errors == []


def test_damage_to_one_of_several_batches_asks_which_and_a_person_may_not_know(
    hand: Callable[..., Any], page_errors: list[str]
) -> None:
    page = hand()
    page.evaluate(
        """([gtin]) => {
          const { page } = window.tallymanShelf, product = page.stock.product(gtin);
          const other = { ...product.batches[0], lot: "OTHER" };
          page.stock.product = () => ({ ...product, batches: [...product.batches, other] });
          window.asked = page.host.ask("photo", { jpeg: new Blob([]), gtin, lot: "", place: "" });
        }""",
        [GOODS[TEA].gtin],
    )
    sheet = page.locator('[data-sheet="photo"]')
    send = sheet.locator('[data-do="send"]')
    sheet.locator('[data-do="misplaced"]').click()
    assert send.is_enabled()
    sheet.locator('[data-do="damaged"]').click()
    assert send.is_disabled(), "quality wants to know the batch"
    sheet.locator('[data-do="no-batch"]').click()
    send.click()
    told = page.evaluate("() => window.asked")
    assert (told["batch"], told["name"]) == (None, NAMES[TEA])
    assert page_errors == []
