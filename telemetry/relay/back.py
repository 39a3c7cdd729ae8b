"""The back's end: what fronts hand over goes down the durable path, and they are told when it is on disk."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, cast

import msgspec

from telemetry.mqtt.limits import EndpointCounts, Refusal
from telemetry.relay.frames import Frames, Hello, Kind, RelayError, Told, frame
from telemetry.segments.groups import (
    Message,
    Quarantined,
    decode_messages,
    decode_quarantined,
)

_log = logging.getLogger(__name__)
_told: Final = msgspec.msgpack.Decoder(Told).decode


class Path(Protocol):
    """What the back needs of `telemetry.ingest.Intake`."""

    @property
    def full(self) -> bool: ...

    def when_room(self, callback: Callable[[], None]) -> None: ...

    def take(
        self,
        messages: Sequence[Message],
        received_us: int,
        on_disk: Callable[[], None],
        encoded: bytes | None = None,
    ) -> None:
        """`encoded`: the same messages as `groups.encode_items` gives them."""
        ...

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None: ...


class Relay:
    """All fronts of a gateway, in the face of an endpoint: who is connected, what was refused."""

    def __init__(
        self, path: Path, *, now_us: Callable[[], int], papers: Mapping[str, str] | None = None
    ) -> None:
        """`papers` are told to each front that comes."""
        self.path, self.now_us = path, now_us
        self.papers = dict(papers or {})
        self.revoked: frozenset[str] = frozenset()
        self.fronts: set[Front] = set()
        self._before = Told()
        self._newest: deque[Refusal] = deque(maxlen=200)
        self._opened = asyncio.Event()

    def protocol(self) -> Front:
        """Of one connection, for `create_unix_server`."""
        return Front(self)

    @property
    def open(self) -> frozenset[int]:
        """Processes whose doors are open."""
        return frozenset(each.pid for each in self.fronts if each.pid)

    async def until_open(self, count: int) -> None:
        """Returns when so many fronts have their doors open."""
        while len(self.open) < count:
            self._opened.clear()
            await self._opened.wait()

    @property
    def connected(self) -> int:
        """Publishers signed in at present, at all fronts."""
        return sum(each.told.connected for each in self.fronts)

    @property
    def counts(self) -> EndpointCounts:
        """Since the gateway started, also of fronts that have ended."""
        every = [self._before, *(each.told for each in self.fronts)]
        refused: Counter[str] = Counter()
        for each in every:
            refused.update(each.refused)
        return EndpointCounts(
            accepted=sum(each.accepted for each in every),
            messages=sum(each.messages for each in every),
            refused=refused,
            newest=self._newest,
            pauses=sum(each.pauses for each in every),
        )

    def turn_away(self, devices: Collection[str]) -> None:
        """Nobody comes in with the certificate of one of these, at any front."""
        revoked = frozenset(devices)
        if revoked == self.revoked:
            return
        self.revoked = revoked
        for each in self.fronts:
            each.say(Kind.REVOKED, msgspec.msgpack.encode(sorted(revoked)))

    def close(self) -> None:
        for each in list(self.fronts):
            each.close()

    # What fronts call

    def came(self) -> None:
        self._opened.set()

    def note(self, refusals: Iterable[Refusal]) -> None:
        self._newest.extend(refusals)

    def left(self, front: Front) -> None:
        self.fronts.discard(front)
        before, told = self._before, front.told
        refused = Counter(before.refused)
        refused.update(told.refused)
        self._before = Told(
            accepted=before.accepted + told.accepted,
            messages=before.messages + told.messages,
            pauses=before.pauses + told.pauses,
            refused=dict(refused),
        )


class Front(asyncio.Protocol):
    """One front's connection, as the back sees it."""

    def __init__(self, relay: Relay) -> None:
        self.pid = 0
        """Set when its doors are open."""
        self.told = Told()
        self._relay = relay
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        relay = self._relay
        relay.fronts.add(self)
        hello = Hello(tuple(sorted(relay.revoked)), relay.papers)
        self.say(Kind.HELLO, msgspec.msgpack.encode(hello))

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            _log.warning("An endpoint process is lost: %s", exc)
        self._relay.left(self)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, number, body in self._frames.feed(data):
                self._hear(kind, number, body)
        except (RelayError, msgspec.MsgspecError) as error:
            # Nothing of it is acknowledged: its publishers send it again, to another process.
            _log.error("An endpoint process says what nobody understands: %s", error)
            self._transport.abort()

    def say(self, kind: Kind, body: bytes = b"", number: int = 0) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame(kind, number, body))

    def close(self) -> None:
        self._transport.close()

    def _hear(self, kind: Kind, number: int, body: bytes) -> None:
        relay = self._relay
        match kind:
            case Kind.MESSAGES:
                messages = decode_messages(body)
                on_disk = partial(self.say, Kind.ON_DISK, b"", number)
                relay.path.take(messages, relay.now_us(), on_disk, body)
                self._wait_where_due()
            case Kind.ASIDE:
                items = decode_quarantined(body)
                on_disk = partial(self.say, Kind.ON_DISK, b"", number)
                relay.path.set_aside(items, relay.now_us(), on_disk)
            case Kind.COUNTS:
                self.told = told = _told(body)
                relay.note(Refusal(*msgspec.structs.astuple(each)) for each in told.newest)
            case Kind.ENTERED:
                for other in relay.fronts - {self}:
                    other.say(Kind.ENTERED, body)
            case Kind.OPEN:
                self.pid = number
                relay.came()
            case _:
                raise RelayError(f"a front says {kind.name}")

    def _wait_where_due(self) -> None:
        path = self._relay.path
        if path.full and self._transport.is_reading():
            self._transport.pause_reading()
            path.when_room(self._go_on)

    def _go_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
