"""The page Phones: who may add one, what is said of what was filled in, and the record of them all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from appliance.accounts.web import COOKIE
from appliance.shelf.phones.api import PhoneDoor, phones_router
from appliance.shelf.phones.facts import enrol_message
from appliance.web.app import create_app
from appliance.web.gate import AccountsGate
from appliance.web.shelf.phones import phones_pages
from contracts.clock import FixedClock
from tests.support.phones import PASSWORD, SITE, Client, Site

FORM = 'action="/phones" '


@pytest.fixture
def site(tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def app(site: Site, clock: FixedClock) -> FastAPI:
    app = create_app("Dock", clock=clock)
    app.state.sessions, app.state.phones = site.accounts, site.phones
    door = PhoneDoor(
        site.phones, site.accounts, clock, timedelta(hours=36), lambda _: SITE, "Dock", tls=True
    )
    app.include_router(phones_pages(door, AccountsGate()))
    app.include_router(phones_router(door))
    return app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=SITE,
        headers={"accept": "text/html", "accept-language": "zh", "origin": SITE},
    ) as opened:
        yield opened


def sign_in(browser: httpx.AsyncClient, site: Site, person: str) -> str:
    """The session's token for forms."""
    token = site.accounts.sign_in(person, PASSWORD, address="")
    user = site.accounts.read(token)
    assert user is not None
    browser.cookies.set(COOKIE, token, domain="dock.example")
    return user.csrf


def enrolled(site: Site) -> Client:
    """Mei's phone, that quality invited."""
    phone = site.client()
    made = site.phones.invite("mei", "operator", name="the blue one", by="ops")
    proof = phone.key.sign(enrol_message(phone.public_key, made.token)).hex()
    site.phones.enrol_invited(made.token, phone.public_key, proof)
    return phone


async def test_revoking_without_a_reason_comes_back_with_what_is_missing(
    browser: httpx.AsyncClient, site: Site
) -> None:
    """As a browser does that does not check forms itself, or a script that sends one."""
    phone, csrf = enrolled(site), sign_in(browser, site, "mara")
    for reason in ({}, {"reason": "  "}):
        page = await browser.post(
            f"/phones/{phone.phone}/revoke", data={"csrf_token": csrf, **reason}
        )
        assert page.status_code == 422
        assert page.headers["content-type"].startswith("text/html")
        assert "吊销须写明原因" in page.text
        assert f'action="/phones/{phone.phone}/revoke"' in page.text, "the form stands there again"
    assert site.phones.phone(phone.phone).revoked_at is None
    gone = await browser.post(
        f"/phones/{phone.phone}/revoke", data={"csrf_token": csrf, "reason": "lost"}
    )
    assert gone.status_code == 303


async def test_a_name_or_a_role_that_cannot_be_is_said_on_the_page(
    browser: httpx.AsyncClient, site: Site
) -> None:
    phone, csrf = enrolled(site), sign_in(browser, site, "mei")
    named = await browser.post(f"/phones/{phone.phone}/name", data={"csrf_token": csrf, "name": ""})
    assert (named.status_code, "1 至 80 个字符" in named.text) == (422, True)
    invited = await browser.post("/phones", data={"csrf_token": csrf, "role": "quality"})
    assert (invited.status_code, "没有这个角色" in invited.text) == (422, True)


async def test_a_phone_is_not_offered_to_add_another(
    browser: httpx.AsyncClient, site: Site
) -> None:
    sign_in(browser, site, "mei")
    assert FORM in (await browser.get("/phones")).text
    phone = enrolled(site)
    browser.cookies.set(
        COOKIE, site.phones.session(site.phones.phone(phone.phone)), domain="dock.example"
    )
    page = (await browser.get("/phones")).text
    assert FORM not in page
    assert "请在电脑上登录后生成链接" in page
    assert phone.phone in page, "it still sees itself, and may be renamed and revoked"


async def test_the_record_says_roles_in_the_readers_language(
    browser: httpx.AsyncClient, site: Site
) -> None:
    enrolled(site)
    sign_in(browser, site, "mara")
    page = (await browser.get("/phones")).text
    assert "(operator)" not in page
    assert len(re.findall(r"mei \(作业员\)", page)) == 2, "invited and enrolled"
    english = (await browser.get("/phones", headers={"accept-language": "en"})).text
    assert "mei (Operator)" in english or "mei (operator)" in english
