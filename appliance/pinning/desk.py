"""The station's pins: learned from the hub, asked for at a batch's first carton, kept (I3, I6).

Rules: an answer within the deadline binds before the first result is recorded; a hub that does not
answer costs one deadline and is not asked again for a while; what was begun without it is asked
about once it is back; no carton ever waits longer for a pin than the deadline.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from appliance.pinning.kept import KeptPins
from contracts.asn import Expectations
from contracts.errors import TallymanError, UnavailableError
from contracts.judging import Pin, SessionPin
from contracts.stock import BatchKey
from ota.judging.station import PinBook, goods_parts

DEADLINE_S = 0.15
_SULKS_S = 2.0
"""So long nobody asks a hub that did not answer in time."""
_SETTLE_EVERY_S = 1.0
_AT_ONCE = 32
log = structlog.get_logger()

Asked = tuple[BatchKey, Mapping[str, str]]
"""A batch, and the sets by use that would judge it here."""


class AsksHub(Protocol):
    """The uplink (appliance.uplink.sender)."""

    @property
    def online(self) -> bool: ...

    async def ask_pins(
        self, batches: Sequence[Asked], *, session: str = "", reads: str = ""
    ) -> tuple[Sequence[Pin], SessionPin | None]:
        """Raises UnavailableError, HubRefusedError."""
        ...


class PinDesk:
    """One for a station. `asks` None: a station without a hub, which judges provisionally."""

    def __init__(
        self,
        kept: KeptPins | None = None,
        asks: AsksHub | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._kept = kept or KeptPins()
        self._asks = asks
        self._deadline_s = deadline_s
        self._now_us = now_us
        self._not_before = 0.0
        self._learned: object = None
        self._open: set[BatchKey] = set()
        self._session: str | None = None
        self._refused: set[BatchKey] = set()
        self._writing = asyncio.Lock()

    @property
    def book(self) -> PinBook:
        return self._kept.book

    @property
    def may_ask(self) -> bool:
        """The hub answers, as far as is known."""
        asks = self._asks
        return asks is not None and asks.online and time.monotonic() >= self._not_before

    def learn(self, expectations: Expectations) -> None:
        """Take over what the hub tells without being asked; cheap where it tells nothing new."""
        if self._learned is expectations:
            return
        self._learned = expectations
        self._kept.dirty |= self.book.learn(
            (*expectations.pins, *(task.pin for task in expectations.rejudge))
        )
        self._session = expectations.session
        if expectations.reads is not None:
            self._kept.reads(expectations.reads, told=True)
        self._open = {
            *(each.line.key for each in expectations.lines),
            *(pin.batch for pin in expectations.pins),
            *(task.pin.batch for task in expectations.rejudge),
        }
        self._kept.forget_closed(self._open)

    def reads(self, session: str | None) -> str:
        """The digest of what reads a session's labels; empty where nothing does yet."""
        known = self._kept.sessions.get(session) if session else None
        return known.model_set if known else ""

    def reads_are_told(self, session: str) -> bool:
        """Whether the hub said so; else it is to be asked."""
        known = self._kept.sessions.get(session)
        return known is not None and known.told

    async def begin_reads(self, session: str, digest: str) -> None:
        """Labels of a session are read without the hub's word: the same set goes on with it."""
        self._kept.reads(SessionPin(session, digest), told=False)
        await self.keep()

    async def ask(self, batch: BatchKey, parts: Mapping[str, str]) -> None:
        """Who judges `batch`, where the hub says so in time; it is on disk then."""
        self._kept.used(batch, self._now_us())
        if batch not in self._refused:
            await self._within(((batch, goods_parts(parts)),))

    async def ask_reads(self, session: str, digest: str) -> None:
        """What reads a session's labels, where the hub says so in time."""
        await self._within((), session=session, reads=digest)

    async def begin(self, batch: BatchKey, parts: Mapping[str, str] | None) -> None:
        """A carton of a batch is about to be recorded: remember whose it is, durably. `parts` where
        it was begun without the hub. Raises OSError when the disk refuses.
        """
        self._kept.used(batch, self._now_us())
        if parts is not None and batch not in self.book.told and batch not in self.book.begun:
            self.book.begin(batch, parts)
            self._kept.dirty = True
        await self.keep()

    async def keep(self) -> None:
        """Write what is new. Raises OSError."""
        if not self._kept.dirty:
            return
        async with self._writing:
            if self._kept.dirty:
                self._kept.dirty = False
                data = self._kept.to_bytes()
                try:
                    await asyncio.to_thread(self._kept.write, data)
                except OSError:
                    self._kept.dirty = True
                    raise

    def open_sets(self) -> tuple[str, ...]:
        """Digests that open batches here are judged under: those the hub tells of, and those that
        were judged here and are not forgotten.
        """
        book, now_us = self.book, self._now_us()
        told = [
            pin.parts
            for pin in book.told.values()
            if pin.batch in self._open or self._kept.is_used(pin.batch, now_us)
        ]
        parts = (*told, *book.begun.values(), {"read": self.reads(self._session)})
        return tuple(sorted({digest for each in parts for digest in each.values() if digest}))

    def is_open(self, batch: BatchKey) -> bool:
        """Whether the hub speaks of a batch: its goods are here, or expected."""
        return batch in self._open

    def profiles_asked(self, has: Callable[[str, str], bool]) -> list[tuple[str, str]]:
        """GTIN and digest of the profiles that open batches are pinned to, where `has` says that
        they are not here.
        """
        told = (self.book.told.get(batch) for batch in tuple(self._open))
        named = {(pin.batch.gtin, pin.parts.get("profile", "")) for pin in told if pin}
        return [
            (gtin, digest) for gtin, digest in sorted(named) if digest and not has(gtin, digest)
        ]

    async def settle(self) -> None:
        """A job: ask about what was begun without the hub, once it is back. Until cancelled."""
        while True:
            await asyncio.sleep(_SETTLE_EVERY_S)
            await self.settle_now()

    async def settle_now(self) -> None:
        """Ask about what was begun without the hub, if it answers."""
        begun = [each for each in self.book.begun.items() if each[0] not in self._refused]
        begun, deadline_s = begun[:_AT_ONCE], 10 * self._deadline_s
        if not begun or not self.may_ask:
            return
        if await self._within(begun, deadline_s=deadline_s) and len(begun) > 1:
            # One that the hub cannot take must not leave the others without their judge.
            for each in begun:
                await self._within((each,), deadline_s=deadline_s)

    async def _within(
        self,
        batches: Sequence[Asked],
        *,
        session: str = "",
        reads: str = "",
        deadline_s: float | None = None,
    ) -> bool:
        """Ask, and keep what is told. True where the hub answered that it takes no such question."""
        if self._asks is None or not self.may_ask:
            return False
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                pins, reading = await self._asks.ask_pins(batches, session=session, reads=reads)
        except (UnavailableError, TimeoutError) as error:
            self._sulk(str(error) or type(error).__name__)
            return False
        except TallymanError as error:
            return self._refuse(batches, error)
        self._kept.dirty |= self.book.learn(pins)
        if reading is not None:
            self._kept.reads(reading, told=True)
        await self.keep()
        return False

    def _sulk(self, why: str) -> None:
        self._not_before = time.monotonic() + _SULKS_S
        log.warning("hub not asked about pins", why=why)

    def _refuse(self, batches: Sequence[Asked], error: TallymanError) -> bool:
        if len(batches) == 1:
            # Its results stay provisional: people look at them. Asked again after a restart.
            (batch, _) = batches[0]
            self._refused.add(batch)
            log.warning("the hub takes no such batch", batch=str(batch), why=str(error))
        elif not batches:
            self._sulk(str(error))
        return True
