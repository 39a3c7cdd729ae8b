"""A subscriber to any MQTT broker, for ever: connects, subscribes, comes back with its session.

MQTT 5 is tried first: shared subscriptions let several gateways divide the readings, and Receive
Maximum says how many may be on their way to our disk. A broker that speaks 3.1.1 alone (NATS) gets
a plain subscription. Either way the session is persistent: what is published while we are away
waits at the broker, as far as the broker keeps it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from contracts.errors import TallymanError
from telemetry.ports import DurablePath
from telemetry.subscriber import packets
from telemetry.subscriber.packets import BadPacketError, Welcome
from telemetry.subscriber.session import Session

_log = logging.getLogger(__name__)
_FIRST_S: Final = 0.1
_LONGEST_S: Final = 5.0
_ANSWER_S: Final = 10.0
_PACKET_ID: Final = 1


class BrokerRefusedError(TallymanError):
    """The broker does not let us in, or does not give us the topics; data has `code`."""

    code = "broker_refused"


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """Where the broker is and what we want of it. `group` names the shared subscription."""

    host: str
    port: int
    client_id: str
    topics: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    group: str = "tallyman"
    keep_alive_s: int = 30
    receive_maximum: int = 16_384
    most_bytes: int = 1 << 20
    """Longest packet that is taken; a longer one is counted and let go by."""


_T = TypeVar("_T")


class Subscriber:
    """`run()` until cancelled; the rest may be read at any time."""

    def __init__(
        self,
        intake: DurablePath,
        link: BrokerLink,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._intake = intake
        self._link = link
        self._now_us = now_us
        self._version = packets.V5
        self._topics: dict[bytes, str] = {}
        self.counts: Counter[str] = Counter()
        """taken, acknowledged, unacknowledged, retained, connections, `refused.<reason>`."""
        self.connected = False
        self.protocol = ""
        """`5` or `3.1.1`, and whether the subscription is shared, once connected."""
        self.trouble = ""
        """Why there is no connection, in words; empty while there is one."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when a connection stands, and when one is lost or refused."""

    async def run(self) -> None:
        """Connect, take, connect again, for ever."""
        wait_s = _FIRST_S
        while True:
            try:
                await self._once()
            except (OSError, TallymanError, TimeoutError) as error:
                self.trouble = str(error) or type(error).__name__
            if self.connected:
                wait_s = _FIRST_S
                _log.warning("sensor_broker_away", extra={"why": self.trouble})
            self.connected = False
            self.on_change()
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads reconnects, guards nothing
            wait_s = min(_LONGEST_S, wait_s * 2)

    async def _once(self) -> None:
        session = await self._connect()
        watch = asyncio.create_task(self._keep_alive(session))
        try:
            await self._ask_in(session)
            self.connected, self.trouble = True, ""
            self.counts["connections"] += 1
            self.on_change()
            await session.closed
            self.trouble = "the broker closed the connection"
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            session.close()
            if session.closed.done() and not session.closed.cancelled():
                session.closed.exception()

    async def _connect(self) -> Session:
        link = self._link
        hello = packets.connect(
            self._version,
            link.client_id,
            keep_alive_s=link.keep_alive_s,
            receive_maximum=link.receive_maximum,
            most_bytes=link.most_bytes,
            username=link.username,
            password=link.password,
        )
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_ANSWER_S):
            _, session = await loop.create_connection(
                lambda: Session(
                    self._intake,
                    hello,
                    version=self._version,
                    most_bytes=link.most_bytes,
                    counts=self.counts,
                    topics=self._topics,
                    now_us=self._now_us,
                ),
                link.host,
                link.port,
                ssl=link.tls,
            )
        return session

    async def _ask_in(self, session: Session) -> None:
        welcome = await _answer(session, session.welcomed)
        if welcome is None or welcome.code:
            self._refused(welcome)
        assert welcome is not None  # noqa: S101 -- _refused raises
        filters = self._filters(welcome)
        session.send(packets.subscribe(self._version, _PACKET_ID, filters))
        codes = await _answer(session, session.granted)
        if codes is None:
            raise BrokerRefusedError("the broker closed the connection at our subscription")
        refused = [
            each for each, code in zip(filters, codes, strict=False) if code >= packets.REFUSED_FROM
        ]
        if refused:
            raise BrokerRefusedError(
                f"the broker does not let us subscribe to {', '.join(refused)}",
                mend="Give the gateway's user the right to read these topics",
            )

    def _filters(self, welcome: Welcome) -> Sequence[str]:
        shared = self._version == packets.V5 and welcome.shared and bool(self._link.group)
        self.protocol = ("5" if self._version == packets.V5 else "3.1.1") + (
            ", shared" if shared else ""
        )
        prefix = f"$share/{self._link.group}/" if shared else ""
        return [prefix + topic for topic in self._link.topics]

    def _refused(self, welcome: Welcome | None) -> None:
        if self._version == packets.V5 and (
            welcome is None or welcome.code in packets.WRONG_VERSION
        ):
            self._version = packets.V311
            raise BrokerRefusedError("the broker does not speak MQTT 5; 3.1.1 is tried next")
        if welcome is None:
            self._version = packets.V5
            raise BrokerRefusedError("the broker closed the connection before it answered")
        raise BrokerRefusedError(
            f"the broker refuses us with code {welcome.code:#x} {welcome.reason}".rstrip(),
            mend="Check user and password of the broker's address",
            reply=welcome.code,
        )

    async def _keep_alive(self, session: Session) -> None:
        keep_s = self._link.keep_alive_s
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(keep_s / 2)
            if loop.time() - session.heard_at > 1.5 * keep_s:
                session.fail(BadPacketError(f"the broker was silent for {1.5 * keep_s:.0f} s"))
                return
            session.send(packets.PINGREQ)


async def _answer(session: Session, answer: asyncio.Future[_T]) -> _T | None:
    """None where the broker closed the connection instead. Raises TimeoutError, BadPacketError."""
    either: set[asyncio.Future[Any]] = {answer, session.closed}
    async with asyncio.timeout(_ANSWER_S):
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    error = session.closed.exception()
    if isinstance(error, BadPacketError):
        raise error
    return None
