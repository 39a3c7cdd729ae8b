"""The document of the page at the shelf: it says nothing about anybody, and may compile its reader."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from fastapi import FastAPI

from appliance.web.app import create_app
from appliance.web.shelf import shelf_page_router
from appliance.web.shelf.page import FAMILIES, MODES
from appliance.words import LANGUAGES


@pytest.fixture
def app() -> FastAPI:
    made = create_app("Depot")
    made.include_router(shelf_page_router())
    return made


@pytest.fixture
def stranger(app: FastAPI) -> httpx.AsyncClient:
    """Nobody who is signed in: the shell is for all, since it says nothing."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://depot")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_shell_speaks_the_readers_language_and_names_nobody(
    stranger: httpx.AsyncClient, language: str
) -> None:
    answer = await stranger.get("/shelf", headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'data-lang="{language}"' in answer.text
    assert re.findall(r'data-mode="(\w+)"', answer.text) == list(MODES)
    assert "csrf" not in answer.text


async def test_its_words_are_the_part_of_the_catalogue_that_it_uses(
    stranger: httpx.AsyncClient,
) -> None:
    told = {
        name: (await stranger.get(f"/shelf/words/{name}.json")).json() for name in sorted(LANGUAGES)
    }
    assert {frozenset(words) for words in told.values()} == {frozenset(told["en"])}
    assert {key.split(".", 1)[0] for key in told["en"]} <= FAMILIES
    assert told["zh"]["shelf.mode_count"] == "盘点"
    assert (await stranger.get("/shelf/words/xx.json")).status_code == 404


async def test_it_may_compile_webassembly_and_no_other_page_may(
    stranger: httpx.AsyncClient,
) -> None:
    for path in ("/shelf", "/static/shelf/app.js"):
        headers = (await stranger.get(path)).headers
        assert "script-src 'self' 'wasm-unsafe-eval';" in headers["content-security-policy"]
        assert "microphone=(self)" in headers["permissions-policy"]
        assert "'unsafe-inline'" not in headers["content-security-policy"]
    other = (await stranger.get("/static/tokens.css")).headers
    assert "wasm" not in other["content-security-policy"]
    assert "microphone=()" in other["permissions-policy"]


async def test_it_can_stand_on_a_home_screen(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/shelf/manifest.webmanifest", headers={"accept-language": "zh"})
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = json.loads(answer.text)
    assert (manifest["start_url"], manifest["display"], manifest["lang"]) == (
        "/shelf",
        "standalone",
        "zh",
    )


async def test_no_style_and_no_script_stands_in_the_document(stranger: httpx.AsyncClient) -> None:
    html = (await stranger.get("/shelf")).text
    assert "style=" not in html
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r'\son\w+="', html) == []
