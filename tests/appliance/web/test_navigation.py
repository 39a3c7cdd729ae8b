"""The navigation: every page has its group, its word, its icon, and knows when it is shown."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

import appliance.web
from appliance.web.navigation import GROUPS, navigation
from appliance.web.ports import Viewer
from appliance.words import LANGUAGES, read_catalogue

MARA = Viewer("mara", frozenset({"operator", "quality"}))
NAMES = [group.name for group in GROUPS] + [page.name for group in GROUPS for page in group.pages]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/station", "station"),
        ("/station/products", "products"),
        ("/station/products/04006381333931", "products"),
        ("/batches", "batches"),
        ("/batch", "batches"),
        ("/tickets/T-7", "tickets"),
        ("/read-rates/cartons", "read_rates"),
        ("/stock-health", "stock_health"),
    ],
)
def test_one_entry_is_marked_for_the_page_that_is_shown(path: str, name: str) -> None:
    marked = [(g.name, p.name) for g in navigation(MARA, path) for p in g.pages if p.here]
    assert [page for _, page in marked] == [name]
    assert [g.name for g in navigation(MARA, path) if g.here] == [marked[0][0]]


def test_a_page_of_nobody_marks_nothing() -> None:
    assert not any(group.here for group in navigation(MARA, "/stationery"))


def test_only_who_may_see_a_page_is_led_to_it() -> None:
    seen = {p.name for g in navigation(Viewer("vic", frozenset({"viewer"})), "/") for p in g.pages}
    assert "read_rates" not in seen
    assert "holds" in seen
    assert navigation(None, "/station") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_has_a_word_and_an_icon(language: str) -> None:
    words = read_catalogue(language)
    sprite = (Path(appliance.web.__file__).parent / "static/icons.svg").read_text("utf-8")
    assert [name for name in NAMES if f"nav.{name}" not in words] == []
    assert [name for name in NAMES if f'id="nav-{name}"' not in sprite] == []


async def test_the_page_tells_where_one_is(client: httpx.AsyncClient) -> None:
    text = (await client.get("/tickets/T-7")).text
    assert re.findall(r'<a href="([^"]*)" aria-current="page"', text) == ["/tickets"]
    assert len(re.findall(r"<details[^>]*data-here", text)) == 1
