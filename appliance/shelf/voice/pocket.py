"""English by PocketSphinx, in one child process that starts with the first word."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import Final

import msgspec

from appliance.shelf.voice.pocket_child import Answer, Order
from appliance.shelf.voice.ports import Vocabulary, VoiceBusyError, VoiceEngineError

_CHILD: Final = (sys.executable, "-m", "appliance.shelf.voice.pocket_child")
_MEND: Final = "Install tallyman[voice], or look at [shelf] voice_model"


class PocketSphinx:
    """Implements ports.Engine. One person is listened to at a time, `waiting` more may queue."""

    languages: Final = ("en",)

    def __init__(
        self,
        model: str = "",
        *,
        patience_s: float = 20.0,
        waiting: int = 4,
        child: Sequence[str] = _CHILD,
    ) -> None:
        """`patience_s` is for one answer, the start of the process included."""
        self._command = (*child, model)
        self._patience_s = patience_s
        self._most = waiting + 1
        self._here = 0
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def hear(self, samples: bytes, language: str, vocabulary: Vocabulary) -> list[str]:
        """See ports.Engine."""
        if self._here >= self._most:
            raise VoiceBusyError("Too many people speak at once", mend="Say it again in a moment")
        self._here += 1
        try:
            async with self._turn:
                return await self._ask(Order(language, vocabulary, len(samples)), samples)
        finally:
            self._here -= 1

    async def close(self) -> None:
        """See ports.Engine."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # What waits for its pipes is woken first, or the loop complains that they were left open.
        await process.communicate()

    async def _ask(self, order: Order, samples: bytes) -> list[str]:
        try:
            async with asyncio.timeout(self._patience_s):
                process = self._process or await self._start()
                assert process.stdin is not None  # noqa: S101 -- it was asked for
                process.stdin.write(msgspec.json.encode(order) + b"\n" + samples)
                await process.stdin.drain()
                return msgspec.json.decode(await _line(process), type=Answer).texts
        except BaseException as error:
            # An answer that comes later would be taken for that of the next person.
            await self.close()
            if isinstance(error, TimeoutError | OSError | EOFError | msgspec.MsgspecError):
                raise VoiceEngineError(
                    f"The recogniser gave no answer ({type(error).__name__})", mend=_MEND
                ) from error
            raise

    async def _start(self) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        await _line(process)
        return process


async def _line(process: Process) -> bytes:
    """Raises EOFError where the process has ended."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    line = await process.stdout.readline()
    if not line:
        raise EOFError
    return line
