"""A carton's two judgements with their pins: reading by its session's, goods by its batch's (I3).

The hub is asked while the engines look, so an answer that agrees costs no time; one that names
another judge has the carton looked at again by that one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.cameras.frame import Frame
from appliance.goods import Choice, GoodsJudge, Looked
from appliance.pinning.desk import PinDesk
from contracts.asn import ExpectedLine
from contracts.reading import LabelReading
from contracts.stock import BatchKey
from ota.judging.station import Way


class Reader(Protocol):
    @property
    def model_set(self) -> str: ...

    @property
    def variant(self) -> str:
        """The engine that it reads with."""
        ...

    def read(
        self, frames: Sequence[NDArray[np.uint8]], expected: Sequence[ExpectedLine], *, name: str
    ) -> LabelReading: ...


class Readers(Protocol):
    @property
    def reader(self) -> Reader:
        """What reads sessions that begin now."""
        ...

    def reader_of(self, model_set: str) -> Reader:
        """A pinned one; blocks while it is opened. Raises ArtefactRefusedError where it is not
        here.
        """
        ...


@dataclass(frozen=True, slots=True)
class Read:
    """A reading and who made it; `cpu_ms` of processor time went by meanwhile, on all threads."""

    reading: LabelReading
    model_set: str
    variant: str
    cpu_ms: float = 0.0


class ReadingStage:
    """Reads labels under the set of their receiving session."""

    def __init__(self, readers: Readers, pins: PinDesk) -> None:
        self._readers = readers
        self._pins = pins

    async def reader(self, session: str | None) -> Reader:
        """Raises ArtefactRefusedError where the session's set is not here."""
        pinned, running = self._pins.reads(session), self._readers.reader
        if pinned in {"", running.model_set}:
            return running
        return await asyncio.to_thread(self._readers.reader_of, pinned)

    async def read(
        self,
        frames: Sequence[Frame],
        lines: Sequence[ExpectedLine],
        *,
        session: str | None,
    ) -> Read:
        """Raises ArtefactRefusedError, OSError, and what the reader raises."""
        reader = await self.reader(session)
        if session is None or self._pins.reads_are_told(session):
            return await self._with(reader, frames, lines)
        async with _meanwhile(self._pins.ask_reads(session, reader.model_set)) as asking:
            found = await self._with(reader, frames, lines)
            await asking
        await self._pins.begin_reads(session, reader.model_set)
        told = await self.reader(session)
        return found if told.model_set == found.model_set else await self._with(told, frames, lines)

    async def _with(
        self, reader: Reader, frames: Sequence[Frame], lines: Sequence[ExpectedLine]
    ) -> Read:
        images = [frame.image for frame in frames]
        began = time.process_time()
        found = await asyncio.to_thread(reader.read, images, lines, name=frames[0].name)
        return Read(found, reader.model_set, reader.variant, 1000 * (time.process_time() - began))


class GoodsStage:
    """Looks at goods under their batch's judge."""

    def __init__(self, goods: GoodsJudge, pins: PinDesk) -> None:
        self._goods = goods
        self._pins = pins

    async def look(
        self, frame: Frame, gtin: str, *, batch: BatchKey | None, session: str | None
    ) -> Looked:
        """`batch` is None where the label was not read for sure.

        Raises OSError when the disk refuses, and what the inspector raises.
        """
        may_ask = self._pins.may_ask

        def known() -> tuple[Choice, Looked | None]:
            choice = self._goods.choose(gtin, batch, session, self._pins.book, may_ask=may_ask)
            return choice, None if choice.asks else self._look(frame, choice)

        # Nearly always the judge is known, and one turn of a thread does it all.
        choice, looked = await asyncio.to_thread(known)
        if looked is None and batch is not None:
            choice, looked = await self._asking(frame, choice, batch, session)
        if batch is not None:
            begun = choice.parts if choice.course.way is Way.PROVISIONAL else None
            await self._pins.begin(batch, begun)
        return looked or Looked()

    async def _asking(
        self, frame: Frame, choice: Choice, batch: BatchKey, session: str | None
    ) -> tuple[Choice, Looked]:
        goods, book = self._goods, self._pins.book
        async with _meanwhile(self._pins.ask(batch, choice.mine)) as asking:
            began = time.process_time()
            seen = await asyncio.to_thread(goods.see, frame, choice)
            cpu_ms = 1000 * (time.process_time() - began)
            await asking

        def told() -> tuple[Choice, Looked]:
            sure = goods.choose(choice.gtin, batch, session, book, may_ask=False)
            if sure.parts != choice.parts:
                return sure, self._look(frame, sure)
            return sure, replace(goods.settle(frame, sure, seen), cpu_ms=cpu_ms)

        return await asyncio.to_thread(told)

    def _look(self, frame: Frame, choice: Choice) -> Looked:
        began = time.process_time()
        seen = self._goods.see(frame, choice)
        cpu_ms = 1000 * (time.process_time() - began)
        return replace(self._goods.settle(frame, choice, seen), cpu_ms=cpu_ms)


class _meanwhile:  # noqa: N801 -- reads as a word: async with _meanwhile(...)
    """Runs something beside; it has ended when the block has, whatever happened in it."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.ensure_future(work)

    async def __aenter__(self) -> asyncio.Task[None]:
        return self._task

    async def __aexit__(self, *_: object) -> None:
        if not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
