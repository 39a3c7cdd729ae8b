"""Enrolling in a real browser: pictures by key and by file, a bar that moves, both languages, a phone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.clock import SystemClock
from tests.support.enrolling import GTIN, Shop, Station, cup, jpeg, real_inspector

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(400)]

PRODUCT = f"/station/products/{GTIN}"


class WithLearning:
    """The app; the job that learns cracks runs on its loop from the first request on."""

    def __init__(self, app: ASGIApp, station: Station) -> None:
        self._app = app
        self._station = station
        self._job: asyncio.Task[None] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ready = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._job is None:
            self.loop = asyncio.get_running_loop()
            self._job = asyncio.create_task(self._station.enrolling.cracks.run())
            self.ready.set()
        await self._app(scope, receive, send)

    def finish_learning(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._station.learner.go.set)


@pytest.fixture(scope="module")
def inspector() -> Any:
    return real_inspector()


@pytest.fixture
def shop(tmp_path: Path, inspector: Any) -> Iterator[Shop]:
    station = Station(tmp_path, inspector, SystemClock())
    yield Shop.open(station)
    station.journal.close()


@pytest.mark.parametrize(("language", "width", "height"), [("en", 1440, 900), ("zh-CN", 390, 844)])
def test_from_the_first_picture_to_learned_cracks(
    shop: Shop,
    serve: Callable[[Any], Any],
    open_page: Callable[..., Any],
    page_errors: list[str],
    tmp_path: Path,
    language: str,
    width: int,
    height: int,
) -> None:
    station = shop.station
    app = WithLearning(shop.house.app, station)
    served = serve(app)
    page = open_page(
        f"{served.url}/station/products", width=width, height=height, language=language
    )
    page.set_default_timeout(120_000)
    page.fill("[name=gtin]", "4006381333931")
    page.fill("[name=name]", "Cup 0.3 l")
    page.click("form.stack button")
    page.wait_for_selector("body[data-keys] #product")

    station.shown = jpeg(cup(1))
    page.keyboard.press("1")
    page.wait_for_selector(".good .shot")
    (tmp_path / "two.jpg").write_bytes(jpeg(cup(2)))
    (tmp_path / "list.jpg").write_bytes(b"gtin,batch,expiry")
    page.click("#from-files > summary")
    page.set_input_files(
        "#from-files [type=file]", [str(tmp_path / "two.jpg"), str(tmp_path / "list.jpg")]
    )
    page.click("#from-files button")
    page.wait_for_selector("#report .report-refused")
    assert "list.jpg" in page.inner_text("#report")
    page.wait_for_function("() => document.querySelectorAll('.good .shot').length === 2")

    page.keyboard.press("e")
    page.wait_for_selector(".product-side .cracks-bar progress[value='0.5']")
    page.reload()
    assert page.get_attribute(".product-side .cracks-bar progress", "value") == "0.5"
    app.finish_learning()
    page.wait_for_selector(".product-side .decided")
    assert page.locator(".cracks-bar").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page_errors == []
