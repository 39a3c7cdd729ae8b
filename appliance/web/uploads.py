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

from appliance.accounts.web import COOKIE, Sessions, optional_user
from contracts.errors import BadInputError, TallymanError

FORM_BYTES: Final = 1 << 20
"""Fields that a person types, with the longest text among them."""
_AROUND: Final = 64 << 10
"""What a form adds to the file in it."""
STRANGERS_BYTES: Final = FORM_BYTES + _AROUND
"""Of a request from nobody known: signing in, enrolling a phone, a revoked phone's last words."""
KNOWN_BYTES: Final = 64 << 20
"""Of a request that is held in memory. The largest that a route takes has 32 MiB; each has its own limit."""
FILES_BYTES: Final = 20 * (30 << 20) + _AROUND
"""Of a form, whose files go to the disk as they come: a ticket takes 20 pictures of 30 MiB at once."""


class BoundedBodies:
    """ASGI middleware of an application with accounts: what is read of a body before somebody is
    known to have sent it is bounded, whatever the route.

    A route's JSON is read and decoded before its own dependencies ask who sent it. So whoever brings
    more than `STRANGERS_BYTES` is asked first; nobody known hears 413 (401 with a session or a token
    that does not count), and everybody at `KNOWN_BYTES`, with a form of files at `FILES_BYTES`. It is said where the body is read, so that the answer is the application's own:
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
            # FastAPI hands on this kind of exception alone out of the reading of a body; problems.py
            # makes it the house's own.
            if length > most == STRANGERS_BYTES:
                most = await _most(connection)
            if length > most:
                raise HTTPException(413, f"The request has more than {most >> 20} MiB")

        async def bounded() -> Message:
            nonlocal size
            await check(announced)
            message = await receive()
            size += len(message.get("body", b""))
            await check(size)
            return message

        await self._app(scope, bounded, send)


async def _most(connection: HTTPConnection) -> int:
    """Bytes that whoever asks may bring. A phone whose session ran out is told so, to open another."""
    try:
        known = await run_in_threadpool(is_known, connection)
    except TallymanError as error:
        raise HTTPException(503, error.message) from error
    if not known and _says_who(connection):
        raise HTTPException(401)
    if not known:
        return STRANGERS_BYTES
    kind = connection.headers.get("content-type", "")
    return FILES_BYTES if kind.startswith("multipart/form-data") else KNOWN_BYTES


def _says_who(connection: HTTPConnection) -> bool:
    return "authorization" in connection.headers or COOKIE in connection.cookies


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
