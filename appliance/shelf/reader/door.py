"""`/api/v1/shelf/read`: the WebSocket on which the appliance's reader answers pictures of codes.

Who asks: a person's or a phone's session, from our own page's origin, asked anew at every question
(a revoked phone hears so at its next one). One question at a time: the next one is not taken out of
the socket before the last was answered, so what a phone sends too much of waits with the phone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import msgspec
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from appliance.shelf.caller import READERS, ShelfCaller, refuse_revoked, socket_caller
from appliance.shelf.reader.process import ReaderProcess
from appliance.shelf.reader.words import Answer, Problem, Question, Refusal, parse_question
from contracts.errors import BadInputError, TallymanError

PATH = "/api/v1/shelf/read"
_LEAST_APART_S = 0.08
"""Twelve questions a second: ten are asked for, and networks bring them in bunches."""
_BUNCH = 4
_SOCKETS = 16
_SOCKETS_EACH = 3
# RFC 6455, 7.4.1, and its registry: policy violation, message too big, try again later.
_POLICY, _LATER = 1008, 1013
_BAD_QUESTIONS = 5
"""So many unusable messages in a row end the connection."""


class Pace:
    """A bucket of questions: `_BUNCH` at once, one more every `_LEAST_APART_S`."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._free_at = 0.0

    def wait_s(self) -> float:
        """How long the next question must wait; it counts as asked."""
        now = self._monotonic()
        self._free_at = max(self._free_at, now - _BUNCH * _LEAST_APART_S) + _LEAST_APART_S
        return max(0.0, self._free_at - now)


def reader_router(
    reader: ReaderProcess, *, monotonic: Callable[[], float] = time.monotonic
) -> APIRouter:
    """The socket's route."""
    router = APIRouter()
    open_: Counter[str] = Counter()

    @router.websocket(PATH)
    async def read(socket: WebSocket) -> None:
        try:
            caller = socket_caller(socket, *READERS)
        except TallymanError as error:
            # Before it is accepted: the browser hears HTTP 403.
            await socket.close(_POLICY, error.code)
            return
        name = caller.phone or caller.name
        if open_.total() >= _SOCKETS or open_[name] >= _SOCKETS_EACH:
            await socket.accept()
            await socket.close(_LATER, "reader_busy")
            return
        open_[name] += 1
        try:
            await socket.accept()
            await _converse(socket, caller, reader, Pace(monotonic))
        except WebSocketDisconnect:
            pass
        finally:
            open_[name] -= 1
            if not open_[name]:
                del open_[name]

    return router


async def _converse(
    socket: WebSocket, caller: ShelfCaller, reader: ReaderProcess, pace: Pace
) -> None:
    bad = 0
    while bad < _BAD_QUESTIONS:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            refuse_revoked(socket, caller.phone)
            socket_caller(socket, *READERS)
        except TallymanError as error:
            await socket.close(_POLICY, error.code)
            return
        await asyncio.sleep(pace.wait_s())
        question: Question | None = None
        try:
            question, jpeg = parse_question(message.get("bytes") or b"")
            said: Answer | Refusal = await reader.ask(question, jpeg)
            bad = 0
        except TallymanError as error:
            bad = bad + 1 if isinstance(error, BadInputError) else bad
            said = Refusal(question.id if question else 0, _problem(error))
        if socket.application_state is not WebSocketState.CONNECTED:
            return
        await socket.send_text(msgspec.json.encode(said).decode())
    await socket.close(_POLICY, "bad_input")


def _problem(error: TallymanError) -> Problem:
    retry = error.data.get("retry_ms", 0)
    return Problem(error.code, error.message, error.mend, retry if isinstance(retry, int) else 0)
