"""A real hub over real books, and phones whose camera looks at its shelf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.bench.shelf.chromium import Chromium
from appliance.bench.shelf.house import PASSWORD, House, film, open_house
from tests.support.shelf_phone import Phone


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The film of the shelf, which goes round and round."""
    path = tmp_path_factory.mktemp("camera") / "shelf.y4m"
    film(path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path / "hub")
    yield opened
    opened.close()


@pytest.fixture
def phone(tmp_path: Path, playwright: Any, camera: Path) -> Iterator[Callable[..., Phone]]:
    """`phone(url, "mei", language="en")`: signed in, at the shelf."""
    held: list[Phone] = []

    def given(url: str, name: str = "mei", *, language: str = "en") -> Phone:
        profile = tmp_path / f"phone-{len(held)}"
        chromium = Chromium(profile, camera, language, size=(390, 844))
        taken = Phone(playwright, chromium, url)
        held.append(taken)
        taken.start()
        taken.sign_in(name)
        return taken

    yield given
    for each in held:
        each.fall()


@pytest.fixture
def hand(hub: House, serve: Any, open_page: Any) -> Callable[..., Any]:
    """`hand("mei", language="zh")`: the page of an enrolled phone that has no camera, 390 by 844."""
    url = serve(hub.app).url

    def enrolled(name: str = "mei", *, language: str = "en") -> Any:
        page = open_page(f"{url}/sign-in?next=/shelf", width=390, height=844, language=language)
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("main form button")
        page.click('[data-do="enrol"]')
        page.wait_for_selector('body[data-state="open"]')
        page.wait_for_selector(".no-camera")
        return page

    return enrolled
