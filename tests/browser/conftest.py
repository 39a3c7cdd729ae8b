"""A real browser for page tests: Debian's Chromium through Playwright, and a server on loopback.

`serve(app)` starts uvicorn in a thread on a free port and gives its address; `open_page(...)` gives
a page that collects every console error and policy violation in `page_errors`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from tests.support import pages
from tests.support.ports import free_port

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    """The appliance in memory, tests/support/pages.py."""
    return pages


@dataclass
class Served:
    """A running server; `stop` and `start` cut and restore its line, on the same port."""

    app: Any
    port: int
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + _PATIENCE_S
        while not self._server.started:
            assert time.monotonic() < until, "the page server did not start"
            self._thread.join(0.02)

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(_PATIENCE_S)
            self._server = self._thread = None


@pytest.fixture
def serve() -> Iterator[Callable[[Any], Served]]:
    """Start an ASGI application: `served = serve(app)`; it ends with the test."""
    running: list[Served] = []

    def start(app: Any) -> Served:
        served = Served(app, free_port())
        served.start()
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a file of tests: while Playwright is up, its event loop runs in this thread,
    and the asynchronous tests of other files could not.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page_errors() -> list[str]:
    """What went wrong in the pages of this test: script errors, console errors, CSP violations."""
    return []


@pytest.fixture
def open_page(chromium: Any, page_errors: list[str]) -> Iterator[Callable[..., Any]]:
    """A page of its own context: `open_page(url, width=1440, height=900, language="en")`."""
    contexts: list[Any] = []

    def opened(
        url: str, *, width: int = 1440, height: int = 900, language: str = "en", **more: Any
    ) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=language, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_S * 1000)
        page.on("pageerror", lambda error: page_errors.append(f"script: {error}"))
        page.on(
            "console",
            lambda message: (
                page_errors.append(f"console: {message.text}") if message.type == "error" else None
            ),
        )
        page.goto(url, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
