"""What every connector's HTTP does alike: one client with limits, and failures told apart.

What may go away by itself (no answer, too busy, an inner error of the server) is UnavailableError
and tried again for as long as it takes; what the ERP says no to is ErpRefusedError, for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from contracts.errors import BadInputError, UnavailableError
from erp_link.connectors.port import ErpRefusedError

TIMEOUT_S = 20.0
"""For one answer. A call that is cut off may have been done all the same: it is looked for first
when the message is tried again.
"""
_BUSY = frozenset({408, 409, 423, 425, 429})
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_SHOWN = 300


class Wire:
    """An ERP's address. Redirects are not followed: credentials go nowhere else."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise BadInputError(f"{url!r} is no address", mend="Mend [erp] url") from error
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise BadInputError(
                f"{url!r} is no address of an ERP", mend="Write [erp] url as https://host:port"
            )
        self.url = str(parsed).rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            headers=dict(headers or {}),
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s)),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        self._client.close()

    def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Raises UnavailableError where nobody answers in time."""
        return self.send("POST", path, body=body, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Raises UnavailableError where nobody answers in time."""
        if self._client.is_closed:
            raise UnavailableError(
                "The talk with the ERP has ended", mend="It goes on at the next start"
            )
        try:
            return self._client.request(
                method,
                path,
                json=body,
                params=dict(params) if params else None,
                headers=dict(headers or {}),
            )
        except httpx.TransportError as error:
            raise UnavailableError(
                f"The ERP at {self.url} does not answer ({type(error).__name__})",
                mend="It is tried again by itself; look at the ERP and at [erp] url",
            ) from error


def said(answer: httpx.Response, what: str) -> None:
    """Raise what a status says: UnavailableError (again later) or ErpRefusedError (a person)."""
    if answer.is_success:
        return
    text = answer.text[:_SHOWN].strip()
    if answer.status_code in _BUSY or answer.status_code >= _SERVER_ERROR:
        raise UnavailableError(
            f"The ERP answers {what} with {answer.status_code}: {text}",
            mend="It is tried again by itself",
        )
    if answer.status_code < _CLIENT_ERROR:
        raise ErpRefusedError(
            f"The ERP sends {what} elsewhere ({answer.status_code})",
            mend="Write the ERP's own address into [erp] url",
        )
    raise ErpRefusedError(
        f"The ERP refuses {what} with {answer.status_code}: {text}",
        mend="Mend it in the ERP, or mend [erp], then try again",
    )
