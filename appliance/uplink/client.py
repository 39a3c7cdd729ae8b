"""Signed requests to the hub's device port over one kept-alive TLS connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from appliance.identity.device import DeviceIdentity
from appliance.identity.requests import sign_request
from appliance.journal.stamp import to_us
from contracts.clock import Clock
from contracts.errors import TallymanError, UnavailableError

_KEPT_S = 60.0
"""Shorter than the hub keeps a quiet connection, so that none is used as it closes one."""


class HubRefusedError(TallymanError):
    """The hub answered with a problem document; `problem` is its code, `data` its fields."""

    code = "hub_refused"

    def __init__(self, problem: str, message: str, fields: dict[str, object]) -> None:
        super().__init__(f"The hub refuses: {message}", mend=str(fields.get("mend", "")))
        self.problem = problem
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Answer:
    """`etag` is empty where the hub sent none; `body` is empty for 204 and 304."""

    status: int
    body: bytes
    etag: str = ""


@dataclass(slots=True)
class HubClient:
    """Use as an async context. A connection is made at the first request and kept."""

    hub_url: str
    identity: DeviceIdentity
    clock: Clock
    timeout_s: float = 20.0
    _skew_us: int = 0
    _http: httpx.AsyncClient = field(init=False)

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(
            base_url=self.hub_url,
            verify=self.identity.client_context(),
            timeout=self.timeout_s,
            limits=httpx.Limits(max_connections=8, keepalive_expiry=_KEPT_S),
        )
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def ask(self, method: str, path: str, *, body: bytes = b"", etag: str = "") -> Answer:
        """One request, signed. Raises UnavailableError, HubRefusedError."""
        answer = await self._once(method, path, body, etag)
        problem = _problem(answer)
        if problem.get("code") == "clock_skew" and isinstance(problem.get("now_us"), int):
            # The hub's word came over verified TLS. Only requests use it: the journal has its own
            # time, with its own uncertainty.
            self._skew_us = int(str(problem["now_us"])) - to_us(self.clock.now())
            answer = await self._once(method, path, body, etag)
            problem = _problem(answer)
        if answer.status_code in {502, 503, 504}:
            raise UnavailableError(f"The hub answers {answer.status_code}", mend="It is starting")
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise HubRefusedError(
                str(problem.get("code", answer.status_code)),
                str(problem.get("detail", f"status {answer.status_code}")),
                problem,
            )
        return Answer(answer.status_code, answer.content, answer.headers.get("etag", ""))

    async def _once(self, method: str, path: str, body: bytes, etag: str) -> httpx.Response:
        headers = sign_request(
            self.identity.sign,
            device=self.identity.device,
            method=method,
            target=path,
            body=body,
            at_us=to_us(self.clock.now()) + self._skew_us,
        )
        if etag:
            headers["if-none-match"] = etag
        try:
            return await self._http.request(
                method, path, content=body, headers=headers, extensions={"trace": _Opening()}
            )
        except httpx.TransportError as error:
            raise UnavailableError(
                f"The hub at {self.hub_url} does not answer ({type(error).__name__})",
                mend="Work goes on; what is recorded is sent when it is back",
            ) from error


class _Opening:
    """Follows how one request opens its connection, as httpx's trace extension: httpcore leaves
    the socket open when a request is cancelled in the TLS handshake, so it is closed here.
    """

    def __init__(self) -> None:
        self._close: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._close = info["return_value"].aclose
        elif event == "connection.start_tls.failed" and self._close is not None:
            await self._close()


def _problem(answer: httpx.Response) -> dict[str, object]:
    if answer.status_code < httpx.codes.BAD_REQUEST:
        return {}
    try:
        return msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
