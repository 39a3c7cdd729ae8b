"""Learning cracks in a process of its own: lowest priority, one core, ends with the station.

It is told what to do in a file and tells how far it is on its standard output, one JSON object a
line; what it made is a profile in a file. The dock never waits for it, and what it breaks is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.enrolling.ports import LearningFailedError, Shot
from contracts.errors import TallymanError
from contracts.reason import Reason
from vision.defects.profile import Profile

SECONDS = 240.0
"""Of learning. With the loading of networks it stays below five minutes on one core."""
_LAUNCHER = Path(__file__).parents[1] / "services" / "child.py"
_STOP_WITHIN_S = 5.0
_LAST_WORDS = 2000
_ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Order:
    """What the process is to do: `base` and `out` are paths of profiles."""

    base: str
    out: str
    shots: tuple[Shot, ...]
    seconds: float
    agent: str = ""
    """The agent's folder, where sets stand that came after the installation's."""


@dataclass(frozen=True, slots=True)
class Word:
    """One line of what the process says: how far it is, or why it gives up."""

    share: float | None = None
    trouble: Reason | None = None


class LearningProcess:
    """Implements enrolling.ports.Learner. `command` runs with the order's file as its last word."""

    def __init__(
        self,
        work: Path,
        *,
        seconds: float = SECONDS,
        command: Sequence[str] | None = None,
        agent: Path | None = None,
    ) -> None:
        self._work = work
        self._agent = str(agent) if agent else ""
        self._seconds = seconds
        self._command = command or (sys.executable, "-m", "appliance.enrolling.child")

    async def learn(
        self, base: Profile, shots: Sequence[Shot], *, progress: Callable[[float], None]
    ) -> Profile:
        """See enrolling.ports.Learner."""
        await asyncio.to_thread(self._work.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            place = Path(folder)
            given, made = place / "base.profile", place / "refined.profile"
            await asyncio.to_thread(base.save, given)
            order = Order(str(given), str(made), tuple(shots), self._seconds, self._agent)
            file = place / "order.json"
            file.write_bytes(msgspec.json.encode(order))
            await self._run(file, place / "learn.log", progress)
            try:
                return await asyncio.to_thread(Profile.load, made)
            except TallymanError as error:
                raise LearningFailedError(Reason("enrol_failed", {"why": error.message})) from error

    async def _run(self, order: Path, log: Path, progress: Callable[[float], None]) -> None:
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
                *self._command,
                str(order),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env={**os.environ, **_ONE_CORE},
                start_new_session=True,
            )
        try:
            trouble = await _listen(process, progress)
            code = await process.wait()
        except BaseException:
            await _end(process)
            raise
        if trouble is not None:
            raise LearningFailedError(trouble)
        if code != 0:
            why = f"exit code {code}: {_last_line(log)}"
            raise LearningFailedError(Reason("enrol_failed", {"why": why}))


async def _listen(
    process: asyncio.subprocess.Process, progress: Callable[[float], None]
) -> Reason | None:
    """Until the process has said everything; why it gave up, if it did."""
    trouble: Reason | None = None
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    async for line in process.stdout:
        try:
            word = msgspec.json.decode(line, type=Word)
        except msgspec.MsgspecError:
            # A library's own chatter is no word of ours.
            continue
        if word.share is not None:
            progress(word.share)
        trouble = word.trouble or trouble
    return trouble


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN_S):
                await process.wait()
                return


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-_LAST_WORDS:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
