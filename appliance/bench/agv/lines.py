"""How the bench talks with its children: one JSON object a line, each command answered by one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from contracts.errors import UnavailableError

Line = dict[str, Any]
_ANSWER_S = 120.0
_LONGEST_LINE = 1 << 24


def say(line: Mapping[str, object]) -> None:
    """From a child to the bench."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def log_elsewhere() -> None:
    """The log of a child goes to standard error: the other output is for answers."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


async def commands() -> AsyncIterator[Line]:
    """To a child from the bench, until that closes its end."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


class Child:
    """One process that answers."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, **command: object) -> Line:
        """Raises UnavailableError with the end of its log where it does not answer."""
        assert self._process.stdin is not None  # noqa: S101 -- opened with a pipe
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> Line:
        assert self._process.stdout is not None  # noqa: S101 -- opened with a pipe
        try:
            async with asyncio.timeout(_ANSWER_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            told = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise UnavailableError(
                f"A child of the bench says nothing: {told}", mend="Read its log"
            )
        answer: Line = json.loads(line)
        return answer


@asynccontextmanager
async def child(
    command: Sequence[object], log: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """A process that has said its first line, until the block ends."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environ or {})},
            limit=_LONGEST_LINE,
        )
    one = Child(process, log)
    try:
        await one.answer()
        yield one
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
