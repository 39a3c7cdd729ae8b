"""One message to one address over HTTP. Redirects are not followed, proxies are not asked."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self

import httpx

from erp_link.webhooks.addresses import Target
from erp_link.webhooks.schedule import Answer

_TIMEOUT_S = 15.0
_WHOLE_S = 30.0
_SHOWN = 300
_MOST_READ = 16 * 1024


class Sender:
    """Sends; an async context. `certificates` is a PEM file of authorities beside the usual."""

    def __init__(self, *, certificates: str = "") -> None:
        trusted = ssl.create_default_context()
        if certificates:
            trusted.load_verify_locations(certificates)
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            verify=trusted,
            timeout=_TIMEOUT_S,
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        """Send to the address that was looked at, by the name that the URL has. Never raises for
        what the other side does.
        """
        url = httpx.URL(target.url)
        request = self._client.build_request(
            "POST",
            url.copy_with(host=target.address),
            content=body,
            headers={
                **headers,
                "host": url.netloc.decode(),
                "content-type": "application/json",
                "user-agent": "tallyman-webhooks",
            },
            # The certificate must be the name's, although the connection goes to an address.
            extensions={"sni_hostname": target.host},
        )
        try:
            # Each read has its own limit; the whole needs one too, or a drip holds us for ever.
            async with asyncio.timeout(_WHOLE_S):
                response = await self._client.send(request, stream=True)
                try:
                    return Answer(response.status_code, await _words(response))
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:_SHOWN])


async def _words(response: httpx.Response) -> str:
    """What a refusal says, as far as a person wants to read it."""
    if response.is_success:
        return ""
    if response.is_redirect:
        return f"redirect to {response.headers.get('location', '?')[:_SHOWN]} not followed"
    read = bytearray()
    try:
        async for part in response.aiter_raw():
            read += part
            if len(read) > _MOST_READ:
                break
    except httpx.HTTPError:
        return "the answer broke off"
    return read[:_SHOWN].decode(errors="replace")
