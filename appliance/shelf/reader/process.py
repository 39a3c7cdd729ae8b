"""The hub's side of the reader's process: begun with the first question, ended when nobody asks.

One question is looked at at a time, a few may wait, everything else hears that the reader is busy:
phones ask again, and a hub with a core under load never collects pictures. A process that dies or
does not answer in time is ended and begun anew by the next question.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.shelf.reader.words import (
    LENGTH,
    Answer,
    Look,
    Order,
    Problem,
    Question,
    Stock,
    Trouble,
    Word,
    framed,
)
from contracts.errors import TallymanError, UnavailableError
from vision.shelf.stock_list import ListedCode

_LAUNCHER = Path(__file__).parents[2] / "services" / "child.py"
_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_MOST_WAITING = 4
_ANSWER_WITHIN_S = 15.0
"""The first damaged code loads the networks, on a busy machine too."""
_IDLE_S = 300.0
_STOCK_EVERY_S = 10.0
_LONGEST_ANSWER = 1 << 20


class ReaderBusyError(TallymanError):
    """Too many ask at once; data has `retry_ms`."""

    code = "reader_busy"


class UnusablePictureError(TallymanError):
    """The reader's process said why; data has `problem`."""

    code = "bad_frame"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, mend=problem.mend, problem=problem)


class StockSource(Protocol):
    """Where the list comes from."""

    def changed(self) -> Sequence[ListedCode] | None:
        """The list where it is another than the last time, else None. Blocks."""
        ...

    def forget(self) -> None:
        """The next `changed` gives the list, whatever it was."""
        ...


class ReaderProcess:
    """Asked from one event loop."""

    def __init__(
        self,
        source: StockSource,
        *,
        log: Path,
        command: Sequence[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        within_s: float = _ANSWER_WITHIN_S,
    ) -> None:
        self._source = source
        self._log = log
        self._command = command or (sys.executable, "-m", "appliance.shelf.reader.child")
        self._monotonic = monotonic
        self._within_s = within_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None
        self._asked = 0.0
        self._stock_at = -_STOCK_EVERY_S

    @property
    def runs(self) -> bool:
        return self._process is not None

    async def ask(self, question: Question, jpeg: bytes) -> Answer:
        """Raises ReaderBusyError, UnusablePictureError, UnavailableError where it fell over."""
        if self._waiting >= _MOST_WAITING:
            raise ReaderBusyError(
                "The reader is busy with other phones", mend="Hold still a moment", retry_ms=500
            )
        self._waiting += 1
        try:
            async with self._turn:
                word = await self._ask(Look(question, jpeg))
        finally:
            self._waiting -= 1
        if isinstance(word, Trouble):
            raise UnusablePictureError(word.problem)
        return word.answer

    async def watch(self) -> None:
        """Ends the process when nobody asked for five minutes; and when this is cancelled."""
        try:
            while True:
                await asyncio.sleep(_IDLE_S / 5)
                if self._monotonic() - self._asked > _IDLE_S and not self._turn.locked():
                    await self.aclose()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _end(process)

    async def _ask(self, look: Look) -> Word:
        self._asked = self._monotonic()
        try:
            async with asyncio.timeout(self._within_s):
                process = await self._running()
                await self._bring_stock(process)
                return await _exchange(process, look)
        except (TimeoutError, OSError, EOFError, msgspec.MsgspecError) as error:
            await self.aclose()
            why = "did not answer in time" if isinstance(error, TimeoutError) else "ended"
            raise UnavailableError(
                f"The reader of damaged codes {why}", mend=f"Try again; its log is {self._log}"
            ) from error
        except BaseException:
            # Half a word may stand in the pipe: the next question gets a process of its own.
            await self.aclose()
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.aclose()
        await asyncio.to_thread(self._log.parent.mkdir, parents=True, exist_ok=True)
        with await asyncio.to_thread(self._log.open, "wb") as out:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env={**os.environ, **_ONE_CORE},
                start_new_session=True,
            )
        self._source.forget()
        self._stock_at = -_STOCK_EVERY_S
        return self._process

    async def _bring_stock(self, process: asyncio.subprocess.Process) -> None:
        now = self._monotonic()
        if now - self._stock_at < _STOCK_EVERY_S and self._stock_at >= 0:
            return
        codes = await asyncio.to_thread(self._source.changed)
        if codes is not None:
            await _send(process, Stock(tuple(codes)))
        self._stock_at = now


async def _exchange(process: asyncio.subprocess.Process, look: Look) -> Word:
    await _send(process, look)
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    length = int.from_bytes(await process.stdout.readexactly(LENGTH), "big")
    if length > _LONGEST_ANSWER:
        raise EOFError("an answer of more than 1 MiB")
    body = await process.stdout.readexactly(length)
    word: Word = msgspec.msgpack.decode(body, type=Word)
    return word


async def _send(process: asyncio.subprocess.Process, order: Order) -> None:
    assert process.stdin is not None  # noqa: S101 -- it was asked for
    process.stdin.write(framed(order))
    await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
