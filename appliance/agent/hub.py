"""The hub's device port as the agent uses it: signed requests over one kept-alive TLS connection.

Every call ends within its own deadline, however slowly bytes come, and takes no more bytes than were
asked for, however many come (ota.agent.ports.Hub). The agent's thread calls; the connection lives in
the loop that made it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import httpx
import msgspec

from appliance.identity.device import DeviceIdentity
from appliance.identity.requests import sign_request
from appliance.journal.stamp import to_us
from contracts.clock import Clock
from contracts.errors import ForbiddenError, NotFoundError, UnavailableError
from contracts.ota import BoxReport
from ota.agent.ports import Polled

PATH = "/device/v1/ota"
_DEADLINE_S, _GAP_S = 30.0, 10.0
_MOST_ANSWER = 1 << 20
_KEPT_S = 60.0
"""Shorter than the hub keeps a quiet connection, so that none is used as it closes one."""
_OUT = frozenset({401, 403})
T = TypeVar("T")


class HubProblemError(ForbiddenError):
    """The hub does not let this device in; `problem` is its code."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(f"The hub refuses: {message}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` holds what came before the deadline; `whole` says that it was all."""

    status: int
    body: bytes
    etag: str = ""
    whole: bool = True


class DeviceHub:
    """Use as an async context; `poll`, `report` and `get` are for another thread than its loop's."""

    def __init__(
        self,
        hub_url: str,
        identity: DeviceIdentity,
        clock: Clock,
        *,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._url, self._identity, self._clock = hub_url, identity, clock
        self._deadline_s = deadline_s
        self._skew_us = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._going_on: Future[Any] | None = None
        self._http = httpx.AsyncClient(
            base_url=hub_url,
            verify=identity.client_context(),
            timeout=_GAP_S,
            limits=httpx.Limits(max_connections=2, keepalive_expiry=_KEPT_S),
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def poll(self, etag: str) -> Polled:
        answer = self._wait(self.ask("GET", f"{PATH}/assignment", etag=etag))
        if answer.status in {httpx.codes.NOT_MODIFIED, httpx.codes.NO_CONTENT}:
            return Polled(None, answer.etag or etag)
        return Polled(_all(answer), answer.etag)

    def report(self, report: BoxReport) -> None:
        self._wait(self.ask("POST", f"{PATH}/report", body=msgspec.json.encode(report)))

    def get(self, path: str, *, offset: int = 0, most: int) -> bytes:
        part = f"bytes={offset}-{offset + most - 1}"
        answer = self._wait(self.ask("GET", f"{PATH}/{path}", part=part, most=offset + most))
        if answer.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""
        if answer.status == httpx.codes.PARTIAL_CONTENT:
            return answer.body[:most]
        return answer.body[offset : offset + most]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        etag: str = "",
        part: str = "",
        most: int = _MOST_ANSWER,
    ) -> Answer:
        """One signed request. Raises UnavailableError, NotFoundError, HubProblemError."""
        headers = {
            name: value for name, value in (("if-none-match", etag), ("range", part)) if value
        }
        answer = await self._once(method, path, body, headers, most)
        problem = _problem(answer)
        now_us = problem.get("now_us")
        if problem.get("code") == "clock_skew" and isinstance(now_us, int):
            # The hub's word over verified TLS, for requests only: floors of time are the agent's.
            self._skew_us = now_us - to_us(self._clock.now())
            answer = await self._once(method, path, body, headers, most)
            problem = _problem(answer)
        code = str(problem.get("code", answer.status))
        said = str(problem.get("detail", f"status {answer.status}"))
        if answer.status in _OUT:
            raise HubProblemError(code, said)
        if answer.status == httpx.codes.NOT_FOUND:
            raise NotFoundError(f"The hub has no {path}")
        refused = answer.status >= httpx.codes.BAD_REQUEST
        if refused and answer.status != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise UnavailableError(f"The hub answers {code}: {said}", mend="It is tried again")
        return answer

    async def _once(
        self, method: str, path: str, body: bytes, headers: dict[str, str], most: int
    ) -> Answer:
        signed = sign_request(
            self._identity.sign,
            device=self._identity.device,
            method=method,
            target=path,
            body=body,
            at_us=to_us(self._clock.now()) + self._skew_us,
        )
        received = bytearray()
        status, etag, whole = 0, "", False
        try:
            with contextlib.suppress(TimeoutError):
                async with (
                    asyncio.timeout(self._deadline_s),
                    self._http.stream(
                        method, path, content=body, headers={**headers, **signed}
                    ) as answer,
                ):
                    status, etag = answer.status_code, answer.headers.get("etag", "")
                    whole = await _receive(answer.aiter_raw(), received, most)
        except httpx.TransportError as error:
            if not received:
                raise UnavailableError(
                    f"The hub at {self._url} does not answer ({type(error).__name__})",
                    mend="What runs goes on; it is asked again",
                ) from error
        if not status:
            raise UnavailableError(
                f"The hub at {self._url} said nothing within {self._deadline_s:.0f} s",
                mend="What runs goes on; it is asked again",
            )
        return Answer(status, bytes(received[:most]), etag, whole)

    def stop(self) -> None:
        """End the call that is going on, and let none begin."""
        self._loop = None
        if self._going_on is not None:
            self._going_on.cancel()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise UnavailableError("The connection to the hub is not open")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._going_on = future
        try:
            return future.result()
        except CancelledError as error:
            raise UnavailableError("The connection to the hub is closed") from error


async def _receive(pieces: AsyncIterator[bytes], received: bytearray, most: int) -> bool:
    """Whether all came; more than `most` bytes are not taken."""
    async for piece in pieces:
        received += piece
        if len(received) > most:
            return False
    return True


def _all(answer: Answer) -> bytes:
    if not answer.whole:
        raise UnavailableError("The hub's answer came in part only", mend="It is asked again")
    return answer.body


def _problem(answer: Answer) -> dict[str, object]:
    if answer.status < httpx.codes.BAD_REQUEST:
        return {}
    try:
        return msgspec.json.decode(answer.body, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
