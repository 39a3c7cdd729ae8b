"""MQTT 3.1.1: contracts.ports.MessageBus on Mosquitto, EMQX and NATS.

The bus opens one connection to publish (aiomqtt; it carries the will) and one for each subscription
(mqtt_ear), since brokers differ in what a client with overlapping filters gets: once, twice,
retained again or not.
Every connection comes back by itself, with jittered back-off, and subscribes again. Sessions are
clean: what was published while a subscriber was away is gone unless retained, so consumers
reconcile snapshots and do not count on every message.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import aiomqtt
import structlog

from appliance.services.bus import MessageStream, check_filter, check_topic
from appliance.services.mqtt_ear import Line, ListeningError, listen
from contracts.errors import BadInputError, UnavailableError
from contracts.ports import BusMessage

_log = structlog.get_logger(__name__)

_BACKOFF_FIRST_S = 0.1
_BACKOFF_LONGEST_S = 5.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """`mqtt://[user[:password]@]host[:port]`, or `mqtts://` for TLS."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Raises BadInputError; it shows nothing of the address, which may hold a password."""
        refused = BadInputError(
            "The broker's address is not an MQTT URL",
            mend="Write it as mqtt://host:1883 or mqtts://host:8883, "
            "with : / ? # and @ of a password as %3A %2F %3F %23 %40",
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # Python's own words quote what it took for the port: perhaps part of a password.
            raise refused from None
        # An @ after the host: a sign in the password cut the address in the wrong place.
        misread = "@" in parts.path + parts.query + parts.fragment
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or misread:
            raise refused
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            port or (8883 if tls else 1883),
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


def broker_trust(authority: str) -> ssl.SSLContext | None:
    """For a broker whose certificate is vouched for by the PEM file `authority`; empty: None, by
    those that this machine trusts. Raises BadInputError.
    """
    if not authority:
        return None
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise BadInputError(
            f"{authority} holds no certificate that could vouch for the broker: {error}",
            mend="Name a PEM file in broker.authority",
        ) from error


def signed_in(url: str, username: str, password: str) -> str:
    """The broker of `url` with this name and password, whoever it named before.

    Raises BadInputError.
    """
    address = BrokerAddress.parse(url)
    host = f"[{address.host}]" if ":" in address.host else address.host
    scheme = "mqtts" if address.tls else "mqtt"
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{host}:{address.port}"


class MqttBus:
    """An MQTT broker by URL; an async context manager.

    Entering never waits for the broker, so that the order of starting does not matter.

    url: see BrokerAddress. client_id: unique on the broker. will: published by the broker when
    this client vanishes without goodbye. birth: asked for and published after every connect, the
    will's counterpart. wait_s: the longest `publish` waits for a connection and
    an acknowledgement, and `subscribe` for its first one. keepalive_s: a silent broker is given up
    after one and a half of these. max_queued: messages a slow reader may have waiting; beyond it
    the oldest go and `dropped` counts them.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        will: BusMessage | None = None,
        birth: Callable[[], BusMessage] | None = None,
        wait_s: float = 3.0,
        keepalive_s: int = 15,
        max_queued: int = 100_000,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._address = BrokerAddress.parse(url)
        self._client_id = client_id
        self._will = will
        self._birth = birth
        self._wait_s = wait_s
        self._keepalive_s = keepalive_s
        self._max_queued = max_queued
        self._tls = tls_context or (ssl.create_default_context() if self._address.tls else None)
        self._online = asyncio.Event()
        self._lost = asyncio.Event()
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscriptions = 0
        self._streams: list[MessageStream] = []
        self._dropped = 0
        self.last_error = ""
        """Why the last attempt to connect failed; empty while all is well."""

    @property
    def connected(self) -> bool:
        return self._online.is_set()

    @property
    def dropped(self) -> int:
        """Messages that no reader took in time."""
        return self._dropped + sum(stream.dropped for stream in self._streams)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._again(self._client_id, self._keep_publisher))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            await _end(self._task)
            self._task = None

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """See contracts.ports.MessageBus. QoS 1 is tried again on a new connection within the
        wait, so a message may arrive twice.

        Raises UnavailableError after `wait_s`, BadInputError (topic).
        """
        check_topic(topic)
        deadline = asyncio.get_running_loop().time() + self._wait_s
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    await self._online.wait()
                    if await self._publish_once(topic, payload, qos=qos, retain=retain):
                        return
                    # The session that failed ends in its own task; give it the turn to do so.
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise UnavailableError(
                f"The MQTT broker {self._address.host}:{self._address.port} does not answer",
                mend="Start the broker or correct its address; work goes on meanwhile",
                last_error=self.last_error,
            ) from error

    @asynccontextmanager
    async def subscribe(
        self, *filters: str, qos: int = 0
    ) -> AsyncIterator[AsyncIterator[BusMessage]]:
        """See contracts.ports.MessageBus. Entered once the broker acknowledged, or after `wait_s`
        without it: then the subscription comes when the broker does.

        Raises BadInputError (filter).
        """
        for wanted in filters:
            check_filter(wanted)
        self._subscriptions += 1
        name = f"{self._client_id}-{self._subscriptions}"
        live = asyncio.Event()
        stream = MessageStream(self._max_queued)
        self._streams.append(stream)

        async def hear() -> None:
            line = Line(
                self._address.host,
                self._address.port,
                name,
                self._address.username,
                self._address.password,
                tls=self._tls,
                keepalive_s=self._keepalive_s,
                timeout_s=max(self._wait_s, 1.0),
            )
            await listen(line, filters, qos=qos, put=stream.put, live=live.set)

        task = asyncio.create_task(self._again(name, hear))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s):
                    await live.wait()
            yield stream
        finally:
            await _end(task)
            self._streams.remove(stream)
            self._dropped += stream.dropped

    async def _publish_once(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """False when the connection went away first."""
        if self._client is None:
            return False
        lost = asyncio.create_task(self._lost.wait())
        sent = asyncio.create_task(
            self._client.publish(topic, payload, qos=qos, retain=retain, timeout=self._wait_s)
        )
        try:
            await asyncio.wait({lost, sent}, return_when=asyncio.FIRST_COMPLETED)
            if not sent.done():
                return False
            try:
                sent.result()
            except aiomqtt.MqttError as error:
                self.last_error = str(error)
                return False
            return True
        finally:
            await _end(lost)
            await _end(sent)

    async def _hold_publisher(self, client: aiomqtt.Client) -> None:
        if self._birth is not None:
            born = self._birth()
            await client.publish(born.topic, born.payload, qos=born.qos, retain=born.retain)
        self._client = client
        self._lost.clear()
        self._online.set()
        try:
            async for _ in client.messages:
                pass
        finally:
            self._online.clear()
            self._lost.set()
            self._client = None

    async def _keep_publisher(self) -> None:
        async with _session(self._new_client()) as client:
            self.last_error = ""
            await self._hold_publisher(client)

    async def _again(self, name: str, connect: Callable[[], Awaitable[None]]) -> None:
        """Connect and hold, and again after every loss, until cancelled."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await connect()
            except (aiomqtt.MqttError, ListeningError, OSError) as error:
                held_s = asyncio.get_running_loop().time() - began
                failures = 1 if held_s > _BACKOFF_LONGEST_S else failures + 1
                self.last_error = str(error)
                _log.info("mqtt_connection_lost", client=name, error=str(error))
            await asyncio.sleep(_backoff_s(failures))

    def _new_client(self) -> aiomqtt.Client:
        will = self._will
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            identifier=self._client_id,
            username=self._address.username,
            password=self._address.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            clean_session=True,
            keepalive=self._keepalive_s,
            timeout=max(self._wait_s, 1.0),
            tls_context=self._tls,
        )


@asynccontextmanager
async def _session(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """A connection whose end leaves no socket behind: aiomqtt connects in a thread that a
    cancellation cannot stop, so a cancelled start is waited for and then says goodbye.
    """
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(aiomqtt.MqttError):
            await entering
            await client.__aexit__(None, None, None)
        raise
    try:
        yield client
    finally:
        # A goodbye that fails must not hide a cancellation that is under way.
        with suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)


def _backoff_s(failures: int) -> float:
    longest = min(_BACKOFF_LONGEST_S, _BACKOFF_FIRST_S * 2 ** min(failures, 10))
    return random.uniform(_BACKOFF_FIRST_S / 2, longest)  # noqa: S311 -- jitter, not a secret


async def _end(task: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and not isinstance(error, aiomqtt.MqttError):
        raise error
