"""Who asks from the shelf: a person's session, a phone's session, or a program's token.

Every route of the shelf takes `shelf_caller(...)` as its dependency; a WebSocket asks
`socket_caller` at its beginning and `refuse_revoked` before each answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection, Request

from appliance.accounts.user import Role
from appliance.accounts.web import is_own_origin, optional_user, require_scope
from appliance.shelf.phones.facts import PHONE_HEADER
from contracts.errors import ForbiddenError, NotSignedInError

READERS = ("viewer", "operator", "quality", "ops", "integrator")
WORKERS = ("operator", "quality", "ops", "integrator")


@dataclass(frozen=True, slots=True)
class ShelfCaller:
    """Implements erp_link.ports.Actor. `phone` is empty for a person's own session or a program."""

    name: str
    roles: frozenset[str]
    phone: str = ""


class RevokedPhones(Protocol):
    """What routes need of appliance.shelf.phones.desk.Phones; it stands in `app.state.phones`."""

    def refuse_revoked(self, phone: str) -> None:
        """Raises PhoneRevokedError (410) for a revoked phone; any other name passes."""
        ...


def refuse_revoked(connection: HTTPConnection, phone: str = "") -> None:
    """Raises PhoneRevokedError where the request's own header or session names a revoked phone."""
    phones: RevokedPhones | None = getattr(connection.app.state, "phones", None)
    if phones is None:
        return
    for named in {phone, connection.headers.get(PHONE_HEADER, "")} - {""}:
        phones.refuse_revoked(named)


def shelf_caller(*roles: str) -> Callable[[Request], Awaitable[ShelfCaller]]:
    """A dependency: a phone, a person with one of `roles`, or an API token with such a scope.

    It raises PhoneRevokedError (410), NotSignedInError (401), ForbiddenError (403).
    """
    checks = {role: require_scope(role, *(Role(each) for each in roles)) for role in roles}

    async def dependency(request: Request) -> ShelfCaller:
        refuse_revoked(request)
        refusal: ForbiddenError | None = None
        for role, check in checks.items():
            try:
                name = await check(request)
            except ForbiddenError as error:
                refusal = error
                continue
            user = optional_user(request)
            if user is None:
                return ShelfCaller(name, frozenset({role}))
            return ShelfCaller(user.name, frozenset(map(str, user.roles)), user.phone)
        assert refusal is not None  # noqa: S101 -- a route names at least one role
        raise refusal

    return dependency


def socket_caller(connection: HTTPConnection, *roles: str) -> ShelfCaller:
    """As `shelf_caller` for a WebSocket, before it is accepted: the session's cookie and our own
    page as the origin. Raises PhoneRevokedError, NotSignedInError, ForbiddenError.
    """
    refuse_revoked(connection)
    origin = connection.headers.get("origin", "")
    if not is_own_origin(connection, origin):
        raise ForbiddenError(
            "This was sent from a page of another site", mend="Use the pages of this one"
        )
    user = optional_user(connection)
    if user is None:
        raise NotSignedInError("Nobody is signed in", mend="Sign in and try again")
    if not user.may(*(Role(role) for role in roles)):
        raise ForbiddenError(
            f"{user.name} may not do this: it is for {', '.join(roles)}",
            mend="Ask somebody with that role",
        )
    return ShelfCaller(user.name, frozenset(map(str, user.roles)), user.phone)
