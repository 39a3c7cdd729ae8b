"""Signing in and out, and the first person's one-time link. How pages look is the caller's."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from appliance.accounts.session import LIFETIME
from appliance.accounts.store import (
    Accounts,
    LinkSpentError,
    TooManyTriesError,
    WrongPasswordError,
)
from appliance.accounts.user import MIN_PASSWORD, BadNameError, PasswordTooShortError
from appliance.accounts.web import COOKIE, check_origin, csrf_protect, is_own_origin
from contracts.errors import BadInputError, ForbiddenError, TallymanError

_FORM_COOKIE = "tallyman_form"
_FORM_S = 3600
_WORDS: dict[type[TallymanError], str] = {
    WrongPasswordError: "accounts.wrong",
    TooManyTriesError: "accounts.too_many",
    LinkSpentError: "accounts.link_used",
    PasswordTooShortError: "accounts.too_short",
    BadNameError: "accounts.bad_name",
    BadInputError: "accounts.bad_name",
}
_STATUS: dict[type[TallymanError], int] = {
    WrongPasswordError: 401,
    TooManyTriesError: 429,
    LinkSpentError: 410,
}


class Render(Protocol):
    def __call__(
        self, request: Request, template_name: str, *, status_code: int = 200, **context: object
    ) -> Response: ...


def router(accounts: Accounts, render: Render, *, tls: bool = False) -> APIRouter:
    """GET/POST /sign-in, POST /sign-out, GET/POST /first-sign-in/{token}.

    `render` draws sign_in.html (csrf_token, next, name, error) and first_sign_in.html
    (csrf_token, action, name, error, min_length); error is None or a key of the catalogue.
    """
    routes = APIRouter(include_in_schema=False)
    pages = _Pages(render, tls=tls)
    _add_sign_in(routes, accounts, pages)
    _add_first_sign_in(routes, accounts, pages)
    return routes


class _Pages:
    def __init__(self, render: Render, *, tls: bool) -> None:
        self._render = render
        self._tls = tls

    def form(
        self, request: Request, template: str, *, status_code: int = 200, **context: object
    ) -> Response:
        """A form for somebody not signed in, tied to a cookie that only our page can set."""
        token = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(32)
        page = self._render(request, template, status_code=status_code, csrf_token=token, **context)
        page.set_cookie(
            _FORM_COOKIE, token, max_age=_FORM_S, httponly=True, secure=self._tls, samesite="strict"
        )
        return page

    def first(
        self, request: Request, *, name: str = "", error: str | None = None, status_code: int = 200
    ) -> Response:
        return self.form(
            request,
            "first_sign_in.html",
            status_code=status_code,
            action=request.url.path,
            name=name,
            error=error,
            min_length=MIN_PASSWORD,
        )

    def signed_in(self, session: str, target: str) -> Response:
        answer = RedirectResponse(target, status_code=303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            secure=self._tls,
            samesite="lax",
        )
        answer.delete_cookie(_FORM_COOKIE)
        return answer


def _add_sign_in(routes: APIRouter, accounts: Accounts, pages: _Pages) -> None:
    @routes.get("/sign-in")
    async def sign_in_page(
        request: Request,
        next: str = "/",  # noqa: A002 -- the field's usual name
    ) -> Response:
        target = _local(request, next)
        return pages.form(request, "sign_in.html", next=target, name="", error=None)

    @routes.post("/sign-in")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",  # noqa: A002 -- the field's usual name
        csrf_token: Annotated[str, Form()] = "",
    ) -> Response:
        target = _local(request, next)
        address = request.client.host if request.client else ""
        try:
            _check_form(request, csrf_token)
            session = await asyncio.to_thread(accounts.sign_in, name, password, address=address)
        except (ForbiddenError, BadInputError) as error:
            return pages.form(
                request,
                "sign_in.html",
                status_code=_status(error),
                next=target,
                name=name,
                error=_word(error),
            )
        return pages.signed_in(session, target)

    @routes.post("/sign-out", dependencies=[Depends(csrf_protect)])
    async def sign_out(request: Request) -> Response:
        await asyncio.to_thread(accounts.sign_out, request.cookies[COOKIE])
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer


def _add_first_sign_in(routes: APIRouter, accounts: Accounts, pages: _Pages) -> None:
    @routes.get("/first-sign-in/{token}")
    async def first_page(request: Request, token: str) -> Response:
        if await asyncio.to_thread(accounts.first_link_is_good, token):
            return pages.first(request)
        return pages.first(request, error="accounts.link_used", status_code=410)

    @routes.post("/first-sign-in/{token}")
    async def first_sign_in(
        request: Request,
        token: str,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        password_again: Annotated[str, Form()] = "",
        csrf_token: Annotated[str, Form()] = "",
    ) -> Response:
        try:
            _check_form(request, csrf_token)
            if password != password_again:
                return pages.first(request, name=name, error="accounts.differ", status_code=422)
            session = await asyncio.to_thread(accounts.first_sign_in, token, name, password)
        except (ForbiddenError, BadInputError) as error:
            return pages.first(request, name=name, error=_word(error), status_code=_status(error))
        return pages.signed_in(session, "/")


def _word(error: TallymanError) -> str:
    return _WORDS.get(type(error), "accounts.expired")


def _status(error: TallymanError) -> int:
    return _STATUS.get(type(error), 403 if isinstance(error, ForbiddenError) else 422)


def _check_form(request: Request, token: str) -> None:
    """Nobody is signed in yet, so the form is tied to a cookie that only our page could set."""
    check_origin(request)
    cookie = request.cookies.get(_FORM_COOKIE, "")
    if not cookie or not secrets.compare_digest(cookie.encode(), token.encode()):
        raise ForbiddenError("The form is too old", mend="Load the page again and repeat")


def _local(request: Request, target: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.netloc and not is_own_origin(request, f"{parts.scheme}://{parts.netloc}"):
        return "/"
    path = parts.path
    if not path.startswith("/") or path.startswith("//") or "\\" in target:
        return "/"
    return f"{path}?{parts.query}" if parts.query else path
