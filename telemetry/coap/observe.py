"""Sensors that are CoAP servers: we observe them, they notify us (RFC 7641).

A registration is a GET with Observe 0. A notification is acknowledged when its reading is on disk
(I2); one that is older than what we have is not taken again as news (3.4); when none came for as long
as the last one is fresh (Max-Age), or the sensor forgot us, we register anew, with growing pauses
while it is silent. A payload of several blocks is fetched to its end before it is taken (RFC 7959).
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from contracts.errors import BadInputError
from telemetry.coap.blocks import Block, BlockRefusedError, block_of
from telemetry.coap.message import Code, Kind, Message, Option, encode
from telemetry.coap.ports import Source

_log = logging.getLogger(__name__)
PORT: Final = 5683
_ACK_TIMEOUT_S: Final = 2.0
_TRIES: Final = 4
_MAX_AGE_S: Final = 60
_FRESH_S: Final = 128.0
"""RFC 7641, 3.4: after so long a number may have begun anew."""
_HALF: Final = 1 << 23
_LONGEST_PAUSE_S: Final = 60.0
_MOST_BYTES: Final = 64 << 10
_NOBODY: Final = (OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Observed:
    """One resource of one sensor, and the address that its readings get."""

    host: str
    port: int
    path: tuple[str, ...]

    @property
    def address(self) -> str:
        return "/".join(("coap", self.host, *self.path))


def read_url(url: str) -> Observed:
    """`coap://HOST[:PORT]/PATH`. Raises BadInputError."""
    refused = BadInputError(
        f"{url!r} is no CoAP address", mend="Write coap://10.20.0.7/temperature"
    )
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError as error:
        raise refused from error
    path = tuple(unquote(part) for part in parts.path.split("/") if part)
    if parts.scheme != "coap" or not parts.hostname or not path or parts.query or parts.fragment:
        raise refused
    return Observed(parts.hostname, port, path)


class Line(Protocol):
    """The endpoint that sends for us (telemetry.coap.endpoint.CoapEndpoint)."""

    def send(self, data: bytes, to: Source) -> None: ...
    def next_message_id(self) -> int: ...
    def take(self, address: str, payload: bytes, on_disk: Callable[[], None]) -> None: ...


class Observer:
    """Everything that is observed. Set it as the endpoint's `observer`, then `run()`."""

    def __init__(self, line: Line, observed: Sequence[Observed]) -> None:
        self._line = line
        self._watches = [Watch(line, each) for each in observed]
        self._by_token = {token: each for each in self._watches for token in each.tokens}

    @property
    def watches(self) -> Sequence[Watch]:
        return self._watches

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as jobs:
            for watch in self._watches:
                jobs.create_task(watch.run())

    def heard(self, message: Message, source: Source) -> None:
        """A response, an acknowledgement or a reset that came to the endpoint."""
        if message.code == Code.EMPTY:
            for each in self._watches:
                each.empty(message)
            return
        watch = self._by_token.get(message.token)
        if watch is not None and watch.is_from(source):
            watch.heard(message, source)
        elif message.kind is Kind.CON:
            # Nobody here asked: the sensor may forget it (RFC 7641, 3.6).
            self._line.send(encode(Message(Kind.RST, Code.EMPTY, message.message_id)), source)


class Watch:
    """One registration. `state` is asking, observed or silent."""

    def __init__(self, line: Line, observed: Observed) -> None:
        self.observed = observed
        self.tokens = (secrets.token_bytes(4), secrets.token_bytes(4))
        """Of the registration, and of questions for further blocks."""
        self.state = "asking"
        self.taken = 0
        self.old = 0
        """Notifications that came after newer ones."""
        self._line = line
        self._to: Source = None
        self._number: int | None = None
        self._at = 0.0
        self._fresh_s = float(_MAX_AGE_S)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._news = asyncio.Event()
        self._lost = asyncio.Event()
        self._blocks: asyncio.Task[bool] | None = None
        self._unstored: set[int] = set()
        """Message ids of notifications on their way to the disk."""

    def is_from(self, source: Source) -> bool:
        return self._to is not None and source[:2] == self._to[:2]

    async def run(self) -> None:
        """Register, and register again when nothing comes for too long."""
        pause_s = 1.0
        while True:
            try:
                await self._register()
            except (*_NOBODY, BlockRefusedError) as error:
                if self.state != "silent":
                    _log.warning("observed sensor %s is silent: %s", self.observed.address, error)
                self.state = "silent"
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads asking, guards nothing
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                continue
            pause_s = 1.0
            self.state = "observed"
            with suppress(TimeoutError):
                while not self._lost.is_set():
                    self._news.clear()
                    # RFC 7641, 3.3.1: some seconds past its age, so that not all ask at once.
                    async with asyncio.timeout(self._fresh_s + random.uniform(5, 15)):  # noqa: S311 -- as above
                        await self._news.wait()
            self._lost.clear()
            self.state = "asking"

    async def _register(self) -> None:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self.observed.host, self.observed.port, type=2)
        self._to = found[0][4]
        answer = await self._ask(self.tokens[0], Option.OBSERVE, b"")
        if answer.code >> 5 != 2:  # noqa: PLR2004 -- success
            raise TimeoutError(f"it answers {answer.code >> 5}.{answer.code & 31:02d}")

    async def _ask(self, token: bytes, option: int, value: bytes) -> Message:
        """A GET, repeated until it is answered. Raises TimeoutError."""
        path = tuple((Option.URI_PATH, part.encode()) for part in self.observed.path)
        number = self._line.next_message_id()
        options = (*path, (option, value))
        raw = encode(Message(Kind.CON, Code.GET, number, token, options))
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            wait_s = _ACK_TIMEOUT_S
            for _ in range(_TRIES):
                self._line.send(raw, self._to)
                try:
                    async with asyncio.timeout(wait_s):
                        return await asyncio.shield(waiting)
                except TimeoutError:
                    if waiting.done():
                        raise  # reset: asking again is no use
                wait_s *= 2
        finally:
            self._waiting.pop(number, None)
            waiting.cancel()
        raise TimeoutError("no answer")

    def empty(self, message: Message) -> None:
        """A reset of what we sent: the sensor does not know us."""
        waiting = self._waiting.get(message.message_id)
        if waiting is not None and message.kind is Kind.RST and not waiting.done():
            waiting.set_exception(TimeoutError("it resets our question"))

    def heard(self, message: Message, source: Source) -> None:
        """An answer or a notification with our token."""
        waiting = self._waiting.get(message.message_id) if message.kind is Kind.ACK else None
        if waiting is None and message.kind is not Kind.ACK and self._waiting:
            # An answer of its own, after an empty acknowledgement (RFC 7252, 5.2.2).
            waiting = next(iter(self._waiting.values()))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        if message.token == self.tokens[0]:
            self._notified(message, source)

    def _notified(self, message: Message, source: Source) -> None:
        if message.message_id in self._unstored and message.kind is Kind.CON:
            return  # sent again meanwhile: acknowledged when the first is on disk
        acknowledge = self._acknowledgement(message, source)
        if message.code >> 5 != 2:  # noqa: PLR2004 -- the sensor ends it
            acknowledge()
            self._lost.set()
            self._news.set()
            return
        age = message.number(Option.MAX_AGE)
        self._fresh_s = float(_MAX_AGE_S if age is None else age)
        self._news.set()
        number = message.number(Option.OBSERVE)
        if number is None:
            # Answered, but not observed: asked again when its age is over.
            self._take(message, acknowledge)
        elif self._is_newer(number):
            self._take(message, acknowledge)
        else:
            self.old += 1
            acknowledge()

    def _is_newer(self, number: int) -> bool:
        """RFC 7641, 3.4."""
        now = asyncio.get_running_loop().time()
        before, at = self._number, self._at
        newer = (
            before is None
            or (before < number and number - before < _HALF)
            or (before > number and before - number > _HALF)
            or now > at + _FRESH_S
        )
        if newer:
            self._number, self._at = number, now
        return newer

    def _take(self, message: Message, acknowledge: Callable[[], None]) -> None:
        value = message.option(Option.BLOCK2)
        try:
            block = None if value is None else block_of(value)
        except BlockRefusedError:
            acknowledge()
            return
        if block is None or not block.more:
            self._keep(message.payload, acknowledge)
            return
        # The rest is fetched first: until then the notification is not acknowledged.
        if self._blocks is not None:
            self._blocks.cancel()
        self._blocks = asyncio.get_running_loop().create_task(
            self._fetch(message.payload, block, acknowledge)
        )
        self._blocks.add_done_callback(partial(self._fetched, message.message_id))

    def _keep(self, payload: bytes, acknowledge: Callable[[], None]) -> None:
        self.taken += 1
        self._line.take(self.observed.address, payload, acknowledge)

    async def _fetch(self, head: bytes, block: Block, acknowledge: Callable[[], None]) -> bool:
        """False where not all of it came."""
        try:
            payload = await self._rest(head, block)
        except (*_NOBODY, BlockRefusedError) as error:
            _log.warning("%s did not send all blocks: %s", self.observed.address, error)
            self._number = None
            return False
        self._keep(payload, acknowledge)
        return True

    def _fetched(self, message_id: int, fetching: asyncio.Task[bool]) -> None:
        if fetching.cancelled() or fetching.exception() or not fetching.result():
            self._unstored.discard(message_id)  # sent again it is looked at anew

    async def _rest(self, head: bytes, block: Block) -> bytes:
        data = bytearray(head)
        while block.more:
            wanted = Block(block.number + 1, more=False, exponent=block.exponent)
            answer = await self._ask(self.tokens[1], Option.BLOCK2, wanted.to_bytes())
            block = block_of(answer.option(Option.BLOCK2) or b"")
            if block.offset != len(data) or len(data) > _MOST_BYTES:
                raise BlockRefusedError(Code.INCOMPLETE, "block_order", "another block came")
            data += answer.payload
        return bytes(data)

    def _acknowledgement(self, message: Message, source: Source) -> Callable[[], None]:
        if message.kind is not Kind.CON:
            return _nothing
        raw = encode(Message(Kind.ACK, Code.EMPTY, message.message_id))
        self._unstored.add(message.message_id)

        def acknowledge() -> None:
            self._unstored.discard(message.message_id)
            self._line.send(raw, source)

        return acknowledge


def _nothing() -> None:
    """A NON and a piggy-backed answer are not acknowledged."""
