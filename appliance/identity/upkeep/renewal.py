"""Certificates of a device are renewed in the last third of their life, and asked for anew where the
device was away for longer (I6): work at the device goes on either way.

Edge, gateway and agent use one `Renewal` each: `keep` after each contact with the hub, `after` when
the hub refused. Of two processes with one identity the second takes over what the first renewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
import structlog

from appliance.identity.admission.records import AwaitingApprovalError
from appliance.identity.device import DeviceIdentity, trusting
from appliance.identity.enrol import away, check_answer, checked_trust
from appliance.identity.facts import Machine
from appliance.identity.requests import CertificateExpiredError, sign_request
from appliance.journal.stamp import to_us
from contracts.clock import Clock
from contracts.errors import TallymanError, UnavailableError

RENEW_PATH = "/device/v1/renew"
RECOVER_PATH = "/device/v1/recover"
_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class Answered(Protocol):
    @property
    def body(self) -> bytes: ...


class AsksHub(Protocol):
    """Signed requests to the device port, as appliance.uplink.client.HubClient sends them."""

    async def ask(
        self, method: str, path: str, *, body: bytes = b"", etag: str = ""
    ) -> Answered: ...


class Renewal:
    """`on_renewed` gets the new certificate in PEM (a journal keeps it, for whoever verifies)."""

    def __init__(
        self,
        identity: DeviceIdentity,
        hub_url: str,
        clock: Clock,
        *,
        on_renewed: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._identity = identity
        self._hub_url = hub_url
        self._clock = clock
        self._on_renewed = on_renewed
        self.waits = ""
        """Why this device is not let in, in words for its page; empty while it is."""

    async def keep(self, hub: AsksHub, *, head_certificate_pem: str = "") -> bool:
        """Renew where it is due, or where the hub has another head certificate than ours.

        True where there is a new certificate. Raises what `hub.ask` raises, and ForbiddenError
        where the answer does not hold against the site's CA; the old certificate then stays.
        """
        identity = self._identity
        self.waits = ""
        if await asyncio.to_thread(identity.refresh):
            await self._tell()
        other_head = head_certificate_pem not in {"", identity.head_certificate_pem}
        if not (identity.renewal_is_due(self._clock.now()) or other_head):
            return False
        answer = await hub.ask("POST", RENEW_PATH, body=self._machine())
        await self._take(answer.body)
        return True

    async def after(self, error: Exception) -> bool:
        """Where the hub refused for the certificate's sake, ask to be let in again: signed with the
        key that it knows, with the machine's serial, for a person to approve.

        True where there is a new certificate. Never raises for the hub's answer: `waits` says it.
        """
        if not self._is_shut_out(error):
            return False
        try:
            if await asyncio.to_thread(self._identity.refresh):
                await self._tell()
                return True
            await self._recover()
        except UnavailableError:
            # The hub is away, as it may be for days: nothing to say about the certificate.
            return False
        except TallymanError as refused:
            if self.waits != str(refused):
                log.warning("not_let_in", why=str(refused), key=self._identity.key_id)
            self.waits = str(refused)
            return False
        self.waits = ""
        return True

    def _is_shut_out(self, error: Exception) -> bool:
        problem = getattr(error, "problem", "")
        if problem in {CertificateExpiredError.code, AwaitingApprovalError.code}:
            return True
        # A hub that asks for certificates by TLS ends the connection without a word.
        expires = self._identity.expires_at
        ran_out = expires is not None and self._clock.now() >= expires
        return ran_out and isinstance(error, UnavailableError)

    async def _recover(self) -> None:
        identity = self._identity
        url = door_url(self._hub_url, await asyncio.to_thread(lambda: identity.door_port))
        async with httpx.AsyncClient(
            base_url=url, verify=trusting(identity.ca_pem or ""), timeout=_TIMEOUT_S
        ) as http:
            answer = await self._ask_recovery(http, url, 0)
            if (now_us := _told_time(answer)) is not None:
                # A box that was off for weeks may have lost the time with its battery.
                skew_us = now_us - to_us(self._clock.now())
                answer = await self._ask_recovery(http, url, skew_us)
        check_answer(answer, identity, url)
        await self._take(answer.content)

    async def _ask_recovery(
        self, http: httpx.AsyncClient, url: str, skew_us: int
    ) -> httpx.Response:
        body = self._machine()
        headers = sign_request(
            self._identity.sign,
            device=self._identity.device,
            method="POST",
            target=RECOVER_PATH,
            body=body,
            at_us=to_us(self._clock.now()) + skew_us,
        )
        try:
            return await http.post(RECOVER_PATH, content=body, headers=headers)
        except httpx.TransportError as error:
            raise away(url, error) from error

    async def _take(self, raw: bytes) -> None:
        identity = self._identity
        trust = checked_trust(identity, raw, identity.ca_pem or "")
        await asyncio.to_thread(identity.keep, trust)
        await self._tell()

    async def _tell(self) -> None:
        pem = self._identity.certificate_pem
        if self._on_renewed is not None and pem:
            await self._on_renewed(pem)

    def _machine(self) -> bytes:
        return msgspec.json.encode(Machine(self._identity.serial))


def door_url(hub_url: str, port: int) -> str:
    """Where the hub receives devices without a valid certificate; `port` 0: its device port."""
    if not port:
        return hub_url
    parts = urlsplit(hub_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _told_time(answer: httpx.Response) -> int | None:
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        return None
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.MsgspecError:
        return None
    now_us = problem.get("now_us")
    return now_us if problem.get("code") == "clock_skew" and isinstance(now_us, int) else None
