"""Signing in with a browser, and what a page of another site cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request

from appliance.accounts.routes import router
from appliance.accounts.store import Accounts
from appliance.accounts.user import Role, User
from appliance.accounts.web import csrf_protect, current_user, require, require_scope
from contracts.clock import FixedClock
from contracts.errors import ForbiddenError, NotSignedInError

HUB = "http://127.0.0.1:8080"
PASSWORD = "four words in a row"  # noqa: S105 -- a story's password


def render(request: Request, template_name: str, *, status_code: int = 200, **context: object):
    return JSONResponse({"template": template_name, **context}, status_code=status_code)


@pytest.fixture
def accounts(tmp_path: Path, clock: FixedClock) -> Iterator[Accounts]:
    key = Ed25519PrivateKey.generate()
    opened = Accounts.open(
        tmp_path / "accounts.db",
        clock=clock,
        session_key=key,
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    yield opened
    opened.close()


@pytest.fixture
def app(accounts: Accounts) -> FastAPI:
    app = FastAPI()
    app.state.sessions = accounts
    app.include_router(router(accounts, render))

    @app.exception_handler(NotSignedInError)
    async def not_signed_in(request: Request, error: Exception):
        return JSONResponse({}, status_code=401)

    @app.exception_handler(ForbiddenError)
    async def forbidden(request: Request, error: Exception):
        return JSONResponse({"why": str(error)}, status_code=403)

    @app.get("/me")
    def me(user: Annotated[User, Depends(current_user)]):
        return {"name": user.name, "csrf": user.csrf}

    @app.post("/release", dependencies=[Depends(csrf_protect)])
    def release(user: Annotated[User, Depends(require(Role.QUALITY))]):
        return {"by": user.name}

    @app.post("/rollout", dependencies=[Depends(csrf_protect)])
    def rollout(user: Annotated[User, Depends(require(Role.INTEGRATOR))]):
        return {"by": user.name}

    @app.post("/trigger")
    def trigger(by: Annotated[str, Depends(require_scope("trigger", Role.OPERATOR))]):
        return {"by": by}

    return app


@pytest.fixture
async def browser(app: FastAPI):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=HUB, headers={"origin": HUB}
    ) as client:
        yield client


async def come_in(browser: httpx.AsyncClient, accounts: Accounts) -> str:
    """Mei's first visit; gives the CSRF token of her session."""
    path = f"/first-sign-in/{accounts.first_sign_in_token()}"
    page = (await browser.get(path)).json()
    assert (page["template"], page["action"]) == ("first_sign_in.html", path)
    answer = await browser.post(
        path,
        data={
            "csrf_token": page["csrf_token"],
            "name": "Mei",
            "password": PASSWORD,
            "password_again": PASSWORD,
        },
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return (await browser.get("/me")).json()["csrf"]


async def test_the_first_person_sets_a_password_signs_out_and_in_again(browser, accounts):
    csrf = await come_in(browser, accounts)
    assert (await browser.post("/sign-out")).status_code == 403
    assert (await browser.post("/sign-out", data={"csrf_token": csrf})).status_code == 303
    assert (await browser.get("/me")).status_code == 401
    page = (await browser.get("/sign-in", params={"next": "/batches?held=1"})).json()
    answer = await browser.post(
        "/sign-in",
        data={"name": "mei", "password": PASSWORD, **{k: page[k] for k in ("csrf_token", "next")}},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/batches?held=1")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "tallyman_session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_wrong_passwords_are_told_and_then_slowed(browser, accounts):
    csrf = await come_in(browser, accounts)
    await browser.post("/sign-out", headers={"x-csrf-token": csrf})
    token = (await browser.get("/sign-in")).json()["csrf_token"]
    form = {"name": "mei", "password": "guess", "csrf_token": token}
    answers = [await browser.post("/sign-in", data=form) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["error"] == "accounts.wrong"
    assert answers[5].json()["error"] == "accounts.too_many"


async def test_the_first_form_says_what_is_wrong(browser, accounts):
    path = f"/first-sign-in/{accounts.first_sign_in_token()}"
    form = {"csrf_token": (await browser.get(path)).json()["csrf_token"], "name": "mei"}
    short = await browser.post(path, data={**form, "password": "a", "password_again": "a"})
    assert (short.status_code, short.json()["error"]) == (422, "accounts.too_short")
    differ = await browser.post(path, data={**form, "password": "a", "password_again": "b"})
    assert differ.json()["error"] == "accounts.differ"
    twice = {"password": PASSWORD, "password_again": PASSWORD}
    bad = await browser.post(path, data={**form, **twice, "name": "<b>"})
    assert bad.json()["error"] == "accounts.bad_name"
    stale = await browser.post(path, data={**form, **twice, "csrf_token": "x"})
    assert (stale.status_code, stale.json()["error"]) == (403, "accounts.expired")
    spent = await browser.get("/first-sign-in/guess")
    assert (spent.status_code, spent.json()["error"]) == (410, "accounts.link_used")


async def test_another_sites_page_cannot_sign_anybody_in_or_act(browser, accounts):
    csrf = await come_in(browser, accounts)
    token = (await browser.get("/sign-in")).json()["csrf_token"]
    form = {"name": "mei", "password": PASSWORD, "csrf_token": token}
    evil = {"origin": "https://evil.example"}
    assert (await browser.post("/sign-in", data=form, headers=evil)).status_code == 403
    assert (await browser.post("/release", data={"csrf_token": csrf})).json() == {"by": "mei"}
    for headers in (evil, {"origin": "null"}):
        answer = await browser.post("/release", data={"csrf_token": csrf}, headers=headers)
        assert answer.status_code == 403
    assert (await browser.post("/release")).status_code == 403
    assert (await browser.post("/release", headers={"x-csrf-token": "guess"})).status_code == 403
    assert (await browser.post("/release", headers={"x-csrf-token": csrf})).status_code == 200


async def test_without_an_origin_the_browsers_own_word_counts(app, accounts, browser):
    csrf = await come_in(browser, accounts)
    del browser.headers["origin"]
    cross = {"x-csrf-token": csrf, "sec-fetch-site": "cross-site"}
    assert (await browser.post("/release", headers=cross)).status_code == 403
    same = {"x-csrf-token": csrf, "sec-fetch-site": "same-origin"}
    assert (await browser.post("/release", headers=same)).status_code == 200


async def test_a_hub_that_passes_requests_on_may_be_allowed(app, accounts, browser):
    csrf = await come_in(browser, accounts)
    front = {"origin": "https://dock.example", "x-csrf-token": csrf}
    assert (await browser.post("/release", headers=front)).status_code == 403
    app.state.allowed_origins = frozenset({"https://dock.example"})
    assert (await browser.post("/release", headers=front)).status_code == 200


async def test_roles_decide(browser, accounts):
    csrf = await come_in(browser, accounts)
    answer = await browser.post("/rollout", headers={"x-csrf-token": csrf})
    assert answer.status_code == 403
    assert "it is for integrator" in answer.json()["why"]


async def test_a_photo_eye_has_a_token_for_its_one_purpose(app, accounts, browser):
    secret = accounts.new_token("photo eye", ["trigger"])
    camera = accounts.new_token("phone", ["camera"])
    for authorization, status in (
        (f"Bearer {secret}", 200),
        (f"Bearer {camera}", 403),
        ("Bearer guess", 401),
        ("", 401),
    ):
        answer = await browser.post("/trigger", headers={"authorization": authorization})
        assert answer.status_code == status
    csrf = await come_in(browser, accounts)
    assert (await browser.post("/trigger")).status_code == 403
    by_hand = await browser.post("/trigger", headers={"x-csrf-token": csrf})
    assert by_hand.json() == {"by": "mei"}


@pytest.mark.parametrize(
    ("target", "to"),
    [
        ("https://evil.example/", "/"),
        ("//evil.example/x", "/"),
        ("////evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http://[", "/"),
        ("", "/"),
        (f"{HUB}/tickets?page=2", "/tickets?page=2"),
        ("/station", "/station"),
    ],
)
async def test_signing_in_leads_to_our_own_pages_only(browser, target: str, to: str):
    assert (await browser.get("/sign-in", params={"next": target})).json()["next"] == to
