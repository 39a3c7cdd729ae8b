"""A phone at the shelf as a person holds it: real Chromium whose camera sees the film."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import TimeoutError  # noqa: A004 -- Playwright's own

from appliance.bench.shelf.chromium import Chromium
from appliance.bench.shelf.house import PASSWORD, PLACE

_PATIENCE_MS = 120_000
SIZE = {"width": 390, "height": 844}
_WRITTEN = "async () => (await globalThis.tallymanShelf.keep.store.head()).seq"
_UNSENT = """async () => {
  const { keep } = globalThis.tallymanShelf;
  return (await keep.store.head()).seq + 1 - keep.contact.expected;
}"""
_TAG = """(name) => {
  const { scene, page } = globalThis.tallymanShelf;
  const seen = scene.sightings.find((each) => page.stock.product(each.known?.gtin ?? "")?.name === name);
  if (!seen) return null;
  const canvas = document.getElementById("canvas"), box = canvas.getBoundingClientRect();
  // As the picture fills its element: the same factor both ways, its middle in the middle.
  const scale = Math.max(box.width / canvas.width, box.height / canvas.height);
  const x = seen.quad.reduce((sum, each) => sum + each.x, 0) / 4 - canvas.width / 2;
  const y = seen.quad.reduce((sum, each) => sum + each.y, 0) / 4 - canvas.height / 2;
  return { x: box.x + box.width / 2 + x * scale, y: box.y + box.height / 2 + y * scale };
}"""


@dataclass
class Phone:
    """`url` is the hub's. What goes wrong in the page stands in `errors`."""

    playwright: Any
    chromium: Chromium
    url: str
    errors: list[str] = field(default_factory=list)
    page: Any = None

    def start(self) -> Any:
        """Take it out of the pocket: the browser with what its disk holds, and an empty page."""
        browser = self.playwright.chromium.connect_over_cdp(self.chromium.start())
        self.page = browser.contexts[0].new_page()
        self.page.set_default_timeout(_PATIENCE_MS)
        self.page.set_viewport_size(SIZE)
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("console", self._hear)
        return self.page

    def fall(self) -> None:
        """Battery out: kill -9 of all the browser's processes."""
        self.chromium.kill()

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.url}/sign-in?next=/shelf")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main form button")
        self.page.wait_for_url("**/shelf*")

    def enrol(self) -> None:
        """As this person's phone, and wait until the page would open without the network."""
        self.do("enrol")
        self.page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        self.open()

    def open(self) -> None:
        self.page.wait_for_selector("body[data-state=open]", state="attached")

    def do(self, name: str) -> None:
        """Press the button of that name, in the uppermost sheet where one is open."""
        self.page.locator(f"[data-do={name}]:visible").last.click()

    def writes(self) -> int:
        """How many entries its log has had."""
        return int(self.page.evaluate(_WRITTEN))

    def unsent(self) -> int:
        """How many of them the hub has not acknowledged."""
        return int(self.page.evaluate(_UNSENT))

    def wrote(self, before: int) -> None:
        """Wait until more than `before` entries are on the disk."""
        self.until(lambda: self.writes() > before, "an entry on the disk")

    def sent(self, before: int) -> None:
        """Wait until something was written since, and the hub has all of it."""
        self.wrote(before)
        self.until(lambda: self.unsent() == 0, "all entries at the hub")

    def until(self, what: Callable[[], bool], why: str) -> None:
        """Wait while the page goes on."""
        deadline = time.monotonic() + _PATIENCE_MS / 1000
        while not what():
            assert time.monotonic() < deadline, f"{why}: not in time; {self.errors}"
            self.page.wait_for_timeout(50)

    def enter(self, mode: str) -> None:
        self.page.click(f"[data-mode={mode}]")

    def stand_at(self, place: str = PLACE) -> None:
        self.do("place-chip")
        self.page.click(f"[data-place='{place}']")

    def seen(self, *words: str) -> Any:
        """The entry of what is seen, for people who do not see the camera, that says all `words`."""
        found = self.page.locator("#seen button")
        for word in words:
            found = found.filter(has_text=word)
        try:
            found.first.wait_for(state="attached")
        except TimeoutError as error:
            all_seen = self.page.locator("#seen button").all_inner_texts()
            raise AssertionError(f"nobody said {words}, but {all_seen}; {self.errors}") from error
        return found.first

    def tap(self, name: str) -> None:
        """Touch the code of a product where the camera shows it."""
        self.seen(name)
        self.page.wait_for_function(f"(name) => ({_TAG})(name) !== null", arg=name)
        spot = self.page.evaluate(_TAG, name)
        self.page.mouse.click(spot["x"], spot["y"])

    def sheet(self, name: str) -> Any:
        found = self.page.locator(f"dialog[data-sheet={name}]")
        found.wait_for()
        return found

    def picture(self, name: str) -> None:
        """For the guides, with SCREENSHOTS=FOLDER."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.page.wait_for_timeout(1500)  # tags settle; only where pictures are taken
            language = self.chromium.language
            self.page.screenshot(path=Path(folder) / f"shelf-{name}-{language}.png")

    def _hear(self, message: Any) -> None:
        # A hub that is not there is part of the story, and so is a session that fell with the
        # battery: the phone's key lets it in again. Everything else is not.
        expected = ("net::ERR_", "401 (Unauthorized)")
        if message.type == "error" and not any(each in message.text for each in expected):
            self.errors.append(f"console: {message.text} ({message.location['url']})")
