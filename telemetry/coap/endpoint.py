"""The CoAP endpoint: datagrams in, readings to the one durable path, acknowledgements out.

The acknowledgement (2.04, piggy-backed) leaves when the reading is on disk, and not before (I2).
A message that comes again meanwhile is left alone, afterwards it is acknowledged again. Datagrams
are read in groups, so that a group costs one call; while the path is full none is read, the kernel
drops what its buffer does not hold, and senders repeat it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from telemetry.coap.answers import answer_to, changed, reset, stored_answer
from telemetry.coap.blocks import Assembly, BlockRefusedError
from telemetry.coap.exchanges import Exchanges, Full, Sender
from telemetry.coap.group import Group
from telemetry.coap.message import (
    DATAGRAM_MOST,
    Code,
    Kind,
    MalformedError,
    Message,
    Option,
    decode,
    uint,
)
from telemetry.coap.networks import Network, admission
from telemetry.coap.ports import Hears, Source, Takes
from telemetry.coap.requests import (
    LINK_FORMAT,
    LINKS,
    Discovery,
    Errand,
    RefusedError,
    errand_of,
)

_log = logging.getLogger(__name__)
_GROUP: Final = 256
_ROUTES: Final = 4096
_RECEIVE_BUFFER: Final = 4 << 20
_SWEEP_S = 30.0
_RETRY_S: Final = 5


class CoapEndpoint:
    """`open` it on a running loop, `close` it there. Not for several threads."""

    def __init__(
        self,
        intake: Takes,
        *,
        networks: Sequence[Network] = (),
        most_payload: int = 64 << 10,
        exchanges: Exchanges | None = None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`networks`: who may speak to us; empty: everybody who can."""
        self._intake = intake
        self._may = admission(networks)
        self._exchanges = exchanges or Exchanges()
        self._assembly = Assembly(most_payload=most_payload)
        self._now_us = now_us
        self.pending: set[tuple[Source, int]] = set()
        self._routes: dict[bytes, str] = {}
        self._message_id = 0
        self._socket: socket.socket | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._begin = 0.0
        self.counts: Counter[str] = Counter()
        """taken, acknowledged, repeated, and what was refused as `refused.<reason>`."""
        self.observer: Hears | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened on. Raises RuntimeError when it is not open."""
        if self._socket is None:
            raise RuntimeError("the endpoint is not open")
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def open(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the address is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        loop = asyncio.get_running_loop()
        self._socket, self._begin = sock, loop.time()
        loop.add_reader(sock, self._readable)
        self._sweeper = loop.call_later(_SWEEP_S, self._sweep)

    def close(self) -> None:
        """Stop. What is on its way to the disk is not acknowledged any more: it comes again."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def send(self, data: bytes, to: Source) -> None:
        """Send one datagram; one that cannot leave now is lost, as on any network."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(data, to)
        except OSError:
            self.counts["unsent"] += 1

    def next_message_id(self) -> int:
        self._message_id = (self._message_id + 1) & 0xFFFF
        return self._message_id

    def take(self, address: str, payload: bytes, on_disk: Callable[[], None]) -> None:
        """A reading that came another way than by request (a notification)."""
        self.counts["taken"] += 1
        self._intake.take([(address, payload)], self._now_us(), on_disk)

    # -- datagrams in ------------------------------------------------------------------------------

    def _readable(self) -> None:
        sock = self._socket
        if sock is None:
            return
        if self._intake.full:
            self._pause(sock)
            return
        now_s = int(asyncio.get_running_loop().time() - self._begin)
        group = Group(self.stored, self.pending)
        receive, one = sock.recvfrom, self._one
        try:
            for _ in range(_GROUP):
                data, source = receive(DATAGRAM_MOST)
                one(data, source, now_s, group)
        except BlockingIOError:
            pass
        except OSError:
            # An ICMP error of an earlier answer: the next call reads on.
            self.counts["socket_errors"] += 1
        if group.messages:
            self.counts["taken"] += len(group.messages)
            self._intake.take(group.messages, self._now_us(), group.on_disk)

    def _pause(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock)
        self.counts["pauses"] += 1

        def again() -> None:
            if self._socket is sock:
                loop.add_reader(sock, self._readable)

        self._intake.when_room(again)

    def _one(self, data: bytes, source: Source, now_s: int, group: Group) -> None:
        """One datagram. What every sensor sends again and again is known by its options."""
        if self._may is not None and not self._may(source[0]):
            self.counts["refused.network"] += 1
            return
        # CON or NON of version 1 with a token of at most 8 bytes, POST or PUT.
        if len(data) < DATAGRAM_MOST and data[:1] in _FIRST and data[1:2] in _METHODS:
            start = 4 + (data[0] & 0x0F)
            end = data.find(b"\xff", start) + 1
            address = self._routes.get(data[start:end]) if end > start else None
            if address is not None and len(data) > end:
                self._known(data, start, end, source, address, now_s, group)
                return
        self._any(data, source, now_s, group)

    def _known(
        self,
        data: bytes,
        start: int,
        end: int,
        source: Source,
        address: str,
        now_s: int,
        group: Group,
    ) -> None:
        message_id = data[2] << 8 | data[3]
        exchanges = self._exchanges
        try:
            sender = exchanges.senders.get(source)
            if sender is None:
                sender = exchanges.sender(source, now_s)
            else:
                sender.heard_s = now_s
            if exchanges.is_repeat(sender, message_id, now_s):
                self.counts["repeated"] += 1
                if (source, message_id) not in self.pending:
                    self.send(changed(data, start, self.next_message_id), source)
                return
            exchanges.take(sender, message_id, now_s)
        except Full:
            self._any(data, source, now_s, group)
            return
        answer = changed(data, start, self.next_message_id)
        group.add(address, data[end:], (source, message_id), answer)

    def _any(self, data: bytes, source: Source, now_s: int, group: Group) -> None:
        try:
            message = decode(data)
        except MalformedError as error:
            self._malformed(data, source, error)
            return
        if message.code == Code.EMPTY:
            self._empty(message, source)
        elif 1 <= message.code < 1 << 5 and message.kind in {Kind.CON, Kind.NON}:
            self._request(message, data, source, now_s, group)
        elif self.observer is not None and message.code >> 5 in {2, 4, 5}:
            self.observer.heard(message, source)
        else:
            self.counts["refused.unexpected"] += 1
            if message.kind is Kind.CON:
                self.send(reset(message.message_id), source)

    def _request(
        self, message: Message, data: bytes, source: Source, now_s: int, group: Group
    ) -> None:
        sender: Sender | None = None
        try:
            errand = errand_of(message)
            if isinstance(errand, Discovery):
                listing = ((Option.CONTENT_FORMAT, uint(LINK_FORMAT)),)
                self._answer(message, source, Code.CONTENT, listing, LINKS)
                return
            sender = self._exchanges.sender(source, now_s)
            if self._exchanges.is_repeat(sender, message.message_id, now_s):
                self._repeat(message, source, errand)
                return
            self._exchanges.take(sender, message.message_id, now_s)
            payload = self._whole(message, source, errand, now_s)
        except (RefusedError, BlockRefusedError) as error:
            if sender is not None:
                self._exchanges.forget(sender, message.message_id)
            self._refuse(message, source, error)
        except Full:
            full = RefusedError(Code.UNAVAILABLE, "no_room", "too many senders at once")
            self._refuse(message, source, full)
        else:
            if payload is None:
                self._answer(message, source, Code.CONTINUE, errand.echo)
                return
            answer = stored_answer(message, errand, self.next_message_id)
            group.add(errand.address, payload, (source, message.message_id), answer)
            if errand.plain:
                self._learn(message, data, errand.address)

    def _whole(self, message: Message, source: Source, errand: Errand, now_s: int) -> bytes | None:
        if errand.block is None:
            return message.payload
        key = (source, message.code, errand.address)
        return self._assembly.add(key, errand.block, message.payload, now_s)

    def _learn(self, message: Message, data: bytes, address: str) -> None:
        start = 4 + len(message.token)
        end = len(data) - len(message.payload)
        # The first 0xFF behind the token must be the payload's marker, or it is not found again.
        if data.find(b"\xff", start) + 1 != end:
            return
        if len(self._routes) >= _ROUTES:
            self._routes.clear()
        self._routes[data[start:end]] = address

    # -- answers out -------------------------------------------------------------------------------

    def _repeat(self, message: Message, source: Source, errand: Errand) -> None:
        self.counts["repeated"] += 1
        if errand.block is not None and errand.block.more:
            self._answer(message, source, Code.CONTINUE, errand.echo)
        elif (source, message.message_id) not in self.pending:
            self.send(stored_answer(message, errand, self.next_message_id), source)

    def _answer(
        self,
        message: Message,
        source: Source,
        code: Code,
        options: tuple[tuple[int, bytes], ...] = (),
        payload: bytes = b"",
    ) -> None:
        answer = answer_to(message, code, self.next_message_id, options, payload)
        if answer:
            self.send(answer, source)

    def _refuse(
        self, message: Message, source: Source, error: RefusedError | BlockRefusedError
    ) -> None:
        self.counts[f"refused.{error.reason}"] += 1
        options: tuple[tuple[int, bytes], ...] = ()
        if error.code == Code.UNAVAILABLE:
            options = ((Option.MAX_AGE, uint(_RETRY_S)),)
        elif error.code == Code.TOO_LARGE:
            options = ((Option.SIZE1, uint(self._assembly.most_payload)),)
        self._answer(message, source, error.code, options, error.detail.encode())

    def _malformed(self, data: bytes, source: Source, error: MalformedError) -> None:
        self.counts[f"refused.{error.reason}"] += 1
        if error.answerable and Kind(data[0] >> 4 & 3) is Kind.CON:
            self.send(reset(int.from_bytes(data[2:4], "big")), source)

    def _empty(self, message: Message, source: Source) -> None:
        if message.kind is Kind.CON:
            # A ping (RFC 7252, 4.3).
            self.send(reset(message.message_id), source)
        elif self.observer is not None and message.kind is not Kind.NON:
            self.observer.heard(message, source)

    def stored(self, group: Group) -> None:
        """A group is on disk: every sender is told."""
        self.counts["acknowledged"] += len(group.keys)
        self.pending.difference_update(group.keys)
        for (source, _), answer in zip(group.keys, group.answers, strict=True):
            if answer:
                self.send(answer, source)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = int(loop.time() - self._begin)
        self._exchanges.sweep(now_s)
        self._assembly.sweep(now_s)
        self._sweeper = loop.call_later(_SWEEP_S, self._sweep)


_FIRST = frozenset(bytes((0x40 | kind << 4 | length,)) for kind in (0, 1) for length in range(9))
_METHODS = frozenset((bytes((Code.POST,)), bytes((Code.PUT,))))
