"""Who is asking, for FastAPI routes: signed in, in which role, and really from our own page.

The application's `state.sessions` judges tokens: the hub's Accounts, or an edge's
SessionVerifier. `state.allowed_origins` may name further origins whose pages may post here.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection

from appliance.accounts.session import ApiToken
from appliance.accounts.user import Role, User
from contracts.errors import ForbiddenError, NotSignedInError

COOKIE = "tallyman_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Sessions(Protocol):
    def read(self, token: str) -> User | None:
        """The signed-in person, or None."""
        ...

    def api_token(self, secret: str) -> ApiToken | None:
        """The program that holds `secret`, or None."""
        ...


def optional_user(request: HTTPConnection) -> User | None:
    """The signed-in person, or None. A WebSocket is such a connection too."""
    token = request.cookies.get(COOKIE)
    sessions: Sessions = request.app.state.sessions
    return sessions.read(token) if token else None


def current_user(request: Request) -> User:
    """The signed-in person. Raises NotSignedInError."""
    user = optional_user(request)
    if user is None:
        raise NotSignedInError("Nobody is signed in", mend="Sign in and try again")
    return user


def require(*roles: Role) -> Callable[[Request], User]:
    """A dependency: a signed-in person with one of `roles`.

    It raises NotSignedInError, ForbiddenError.
    """

    def dependency(request: Request) -> User:
        user = current_user(request)
        if not user.may(*roles):
            raise ForbiddenError(
                f"{user.name} may not do this: it is for {', '.join(roles)}",
                mend="Ask somebody with that role, or an administrator for the role",
            )
        return user

    return dependency


async def csrf_protect(request: Request) -> None:
    """Refuse a write that another site's page may have sent. Raises ForbiddenError.

    The token stands in the signed session itself, so an edge box checks it offline too.
    """
    check_origin(request)
    user = optional_user(request)
    if user is None:
        raise NotSignedInError("Nobody is signed in", mend="Sign in and try again")
    sent = request.headers.get(CSRF_HEADER) or await _form_token(request)
    if not secrets.compare_digest(sent.encode(), user.csrf.encode()):
        raise ForbiddenError(
            "This form was not made for your session", mend="Load the page again and repeat"
        )


def require_scope(scope: str, *roles: Role) -> Callable[[Request], Awaitable[str]]:
    """A dependency: a program with an API token for `scope`, or a person in one of `roles`.

    Gives the name of who asks. It raises NotSignedInError, ForbiddenError.
    """

    async def dependency(request: Request) -> str:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            user = require(*roles)(request)
            if request.method not in {"GET", "HEAD"}:
                await csrf_protect(request)
            return user.name
        sessions: Sessions = request.app.state.sessions
        token = sessions.api_token(secret.strip())
        if token is None:
            raise NotSignedInError("The API token is not known", mend="Make a new one at the hub")
        if scope not in token.scopes:
            raise ForbiddenError(
                f"API token {token.name!r} is not for {scope}", mend=f"Make one with {scope}"
            )
        return token.name

    return dependency


def check_origin(request: Request) -> None:
    """Raises ForbiddenError when the browser says that another site's page sent this."""
    origin = request.headers.get("origin")
    if origin is None:
        foreign = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    else:
        foreign = not is_own_origin(request, origin)
    if foreign:
        raise ForbiddenError(
            "This was sent from a page of another site", mend="Use the pages of this one"
        )


def is_own_origin(request: HTTPConnection, origin: str) -> bool:
    """True when `origin` (scheme://host:port) is this server's or an allowed one."""
    allowed: frozenset[str] = getattr(request.app.state, "allowed_origins", frozenset())
    return origin in allowed or urlsplit(origin).netloc == request.headers.get("host", "")


async def _form_token(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    value = (await request.form()).get(CSRF_FIELD)
    return value if isinstance(value, str) else ""
