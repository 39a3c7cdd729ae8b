"""A real hub over real books, and phones that lose the network and fall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bench.shelf.chromium import Chromium
from appliance.bench.shelf.house import House, open_house
from tests.browser.conftest import Served
from tests.support.ports import free_port
from tests.support.shelf_keeping import KeepingPhone as Phone


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """For phones that nobody drops: each has a context of its own."""
    chromium = Chromium(tmp_path_factory.mktemp("browser") / "profile")
    yield playwright.chromium.connect_over_cdp(chromium.start())
    chromium.kill()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(tmp_path_factory.mktemp("hub"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def hub(house: House) -> Iterator[Served]:
    served = Served(house.app, free_port())
    served.start()
    yield served
    served.stop()


@pytest.fixture
def phone(browser: Any, hub: Served) -> Iterator[Callable[[], Phone]]:
    contexts: list[Any] = []

    def taken() -> Phone:
        context = browser.new_context()
        contexts.append(context)
        return Phone(context.new_page(), hub.url)

    yield taken
    for context in contexts:
        context.close()


@pytest.fixture
def falling(playwright: Any, tmp_path: Path, hub: Served) -> Iterator[Callable[[], Phone]]:
    """`falling()` starts the browser over what its disk holds; the one before is killed by kill -9."""
    chromium = Chromium(tmp_path / "pocket")

    def started() -> Phone:
        chromium.kill()
        browser = playwright.chromium.connect_over_cdp(chromium.start())
        return Phone(browser.contexts[0].new_page(), hub.url)

    yield started
    chromium.kill()
