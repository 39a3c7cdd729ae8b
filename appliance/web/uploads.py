"""How much a request may bring: a form, known before a byte of it is read; a body that a route takes
as it comes; and anything at all from somebody whom nobody knows.

The server reads no more of a request than it announced, so its announcement is what to look at first.
"""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.accounts.web import Sessions, optional_user
from contracts.errors import BadInputError

FORM_BYTES: Final = 1 << 20
"""Fields that a person types, with the longest text among them."""
_AROUND: Final = 64 << 10
"""What a form adds to the file in it."""
STRANGERS_BYTES: Final = FORM_BYTES + _AROUND
"""Of a request from nobody known: signing in, enrolling a phone, a revoked phone's last words."""
KNOWN_BYTES: Final = 64 << 20
"""Of any request. The largest file that a route takes has 32 MiB, and each route has its own limit."""


class BoundedBodies:
    """ASGI middleware of an application with accounts: what is read of a body before somebody is
    known to have sent it is bounded, whatever the route.

    A route's JSON is read and decoded before its own dependencies ask who sent it. So whoever brings
    more than `STRANGERS_BYTES` is asked first; nobody known hears 413, and everybody at
    `KNOWN_BYTES`. It is said where the body is read, so that the answer is the application's own:
    a page or a problem document, with its headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        announced, size, most = _announced(connection), 0, STRANGERS_BYTES

        async def check(length: int) -> None:
            nonlocal most
            if length > most and await run_in_threadpool(is_known, connection):
                most = KNOWN_BYTES
            if length > most:
                # FastAPI hands on this kind alone out of the reading of a body; problems.py makes it
                # the house's own.
                raise HTTPException(413, f"The request has more than {most >> 20} MiB")

        async def bounded() -> Message:
            nonlocal size
            await check(announced)
            message = await receive()
            size += len(message.get("body", b""))
            await check(size)
            return message

        await self._app(scope, bounded, send)


def is_known(connection: HTTPConnection) -> bool:
    """Whether a signed-in person, a phone or a program with a token of ours asks. Blocks."""
    kind, _, secret = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        sessions: Sessions = connection.app.state.sessions
        return sessions.api_token(secret.strip()) is not None
    return optional_user(connection) is not None


async def read_body(request: Request, most_bytes: int, *, what: str, mend: str) -> bytes:
    """A body that a route takes as it comes. Raises BadInputError as soon as more than `most_bytes`
    are announced or came: `what` is the sentence's beginning ("A photo of more than 4 MiB").
    """
    refusal = BadInputError(f"{what} is not taken", mend=mend)
    if _announced(request) > most_bytes:
        raise refusal
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most_bytes:
            raise refusal
    return bytes(data)


def _announced(connection: HTTPConnection) -> int:
    """Bytes; 0 where it is not said. What is no number the server itself refuses."""
    text = connection.headers.get("content-length", "")
    # Nobody sends a number of more digits; Python refuses to read one of thousands.
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def check_length(request: Request, most_bytes: int = FORM_BYTES) -> None:
    """Call it before anything looks into the form. Raises BadInputError: more than `most_bytes` are
    announced beside the form's own, or it is not said how many come.
    """
    announced = request.headers.get("content-length", "")
    if not announced.isascii() or not announced.isdigit():
        raise BadInputError(
            "The request does not say how long it is", mend="Send it with a Content-Length"
        )
    if len(announced) > 18 or int(announced) > most_bytes + _AROUND:  # noqa: PLR2004 -- 64 bits
        raise BadInputError(
            f"{announced[:18]} bytes are more than are taken here",
            mend=f"At most {max(most_bytes >> 20, 1)} MB at once: send it in parts",
        )
