"""Push to talk in a real browser: a fake microphone, the real worklet and the hub's real route."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import HTMLResponse, JSONResponse, Response

from appliance import problems
from appliance.shelf.settings import ShelfConfig
from appliance.shelf.voice.api import Voice, router
from appliance.shelf.voice.ports import Vocabulary
from appliance.web.security import SecurityHeaders
from appliance.web.static_files import KeptFiles
from appliance.words import read_catalogue
from tests.browser.conftest import _FLAGS, Served

pytestmark = pytest.mark.chromium

_EARS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_PAGE = """<!doctype html><html lang="en"><title>Talk</title><link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/tokens.css"><link rel="stylesheet" href="/static/shelf/shelf.css">
<link rel="stylesheet" href="/static/shelf/voice/talk.css">
<body class="shelf" data-hand="right" data-state="open"><header class="strip"></header>
<main class="view"><div class="beside"><div id="talk"></div></div></main><section class="panel"></section>
<script type="module" src="/shelf/talk.js"></script>"""
_SCRIPT = """
import { Words } from "/static/shelf/faces/words.js";
import { loadGrammar } from "/static/shelf/voice/grammar.js";
import { Parser } from "/static/shelf/voice/parser.js";
import { recogniserFor, voiceSetting } from "/static/shelf/voice/recogniser.js";
import { Talk } from "/static/shelf/voice/talk.js";
import { Hub } from "/static/shelf/keep/line/hub.js";
const words = new Words("en", await (await fetch("/shelf/said.json")).json()), hub = new Hub();
const context = { places: ["A-01-1"], words: {}, products: [{ gtin: "1", name: "Whole Milk" }], selected: "1", asking: false };
const done = [], bar = document.getElementById("talk");
const recogniser = recogniserFor(await voiceSetting(hub, localStorage), hub);
const listen = recogniser.listen.bind(recogniser);
recogniser.listen = async (...asked) => {
  const listening = await listen(...asked);
  window.opened = performance.now();
  return listening;
};
const talk = new Talk({ bar, words, recogniser, parser: new Parser(await loadGrammar()), context: () => context,
  onintent: (intent) => (done.push(intent.name), "") });
Object.assign(window, { talk, done });
"""


class Ear:
    """Implements ports.Engine: hears one text after the other, and notes how much sound came."""

    languages = ("en",)

    def __init__(self) -> None:
        self.says: list[str] = []
        self.sound: list[bytes] = []

    async def hear(self, samples: bytes, language: str, vocabulary: Vocabulary) -> list[str]:
        del language, vocabulary
        self.sound.append(samples)
        return [self.says.pop(0)]

    async def close(self) -> None:
        """Nothing runs."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """As the other pages' browser, with a microphone that beeps."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_FLAGS, *_EARS]
        )
        yield browser
        browser.close()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def page(ear: Ear, serve: Callable[[Any], Served], open_page: Callable[..., Any]) -> Any:
    def anybody(*_: str) -> Callable[[], None]:
        return lambda: None

    app = FastAPI()
    problems.install(app)
    shelf = ShelfConfig(voice="hub")
    app.include_router(router(Voice(shelf, ear, Vocabulary), anybody))
    app.mount("/static", KeptFiles(Path(str(files("appliance.web"))) / "static"))
    app.add_api_route("/shelf/talk", lambda: HTMLResponse(_PAGE))
    app.add_api_route("/shelf/talk.js", lambda: Response(_SCRIPT, media_type="text/javascript"))
    app.add_api_route("/shelf/said.json", lambda: JSONResponse(dict(read_catalogue("en"))))
    served = serve(SecurityHeaders(app))
    opened = open_page(
        f"{served.url}/shelf/talk", width=390, height=844, permissions=["microphone"]
    )
    opened.wait_for_function("() => window.done")
    return opened


def long_enough(page: Any) -> None:
    """Until the microphone was open for a word: a shorter press is a tap, or no sound."""
    page.wait_for_function("() => window.talk.listening && performance.now() - window.opened > 700")


def say(page: Any, ear: Ear, text: str) -> None:
    """Hold the button by the keyboard until the microphone has heard something, then let go."""
    ear.says.append(text)
    heard = len(ear.sound)
    page.get_by_role("button", name="Hold to talk").focus()
    page.keyboard.down("Space")
    long_enough(page)
    page.keyboard.up("Space")
    page.wait_for_function("() => !window.talk.listening")
    page.wait_for_function("() => document.querySelector('.talk').dataset.talk === 'rest'")
    assert len(ear.sound) == heard + 1


def test_a_freeze_is_spoken_asked_and_answered_by_keyboard_alone(
    page: Any, ear: Ear, page_errors: list[str]
) -> None:
    say(page, ear, "freeze this batch")
    assert page.evaluate("() => window.done") == []
    asked = page.get_by_role("status").first
    assert asked.inner_text() == "Freeze Whole Milk? Say yes, or tap it."
    say(page, ear, "yes")
    assert page.evaluate("() => window.done") == ["freeze"]
    assert asked.inner_text() == ""
    # What came is sound at 16 kHz, not silence.
    assert all(len(sound) >= 8_000 and any(sound) for sound in ear.sound)
    assert page_errors == []


def test_a_no_by_tap_leaves_everything_and_the_keyboard_where_talking_goes_on(
    page: Any, ear: Ear, page_errors: list[str]
) -> None:
    say(page, ear, "count twelve")
    page.get_by_role("button", name="No").click()
    assert page.evaluate("() => window.done") == []
    assert page.evaluate("() => document.activeElement.className") == "talk-button"
    assert page_errors == []


def test_a_screen_readers_click_opens_the_microphone_and_another_closes_it(
    page: Any, ear: Ear, page_errors: list[str]
) -> None:
    ear.says.append("next")
    button = page.get_by_role("button", name="Hold to talk")
    button.dispatch_event("click")
    long_enough(page)
    assert button.get_attribute("aria-pressed") == "true"
    button.dispatch_event("click")
    page.wait_for_function("() => window.done.length === 1")
    assert button.get_attribute("aria-pressed") == "false"
    assert page_errors == []
