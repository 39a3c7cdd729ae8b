"""A supervised child process: started, waited for until it answers, restarted when it dies.

The child dies with us, even when we are killed -9 (see child.py); it runs in a session of its
own, so that Ctrl-C at the terminal reaches us alone and we choose the order of stopping.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from contracts.errors import UnavailableError

_LAUNCHER = Path(__file__).with_name("child.py")
_LOG_LIMIT_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 2000
_PROBE_EVERY_S = 0.05
_LOG_LOOK_EVERY_S = 60.0

log = structlog.get_logger(__name__)


class ChildState(StrEnum):
    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """Died; the next try comes after the back-off."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries: doubled from `first_s` up to `longest_s`; a life of `forgiven_s` or
    more starts over.
    """

    first_s: float = 0.2
    longest_s: float = 15.0
    forgiven_s: float = 30.0

    def wait_s(self, deaths: int) -> float:
        """Seconds to wait after the `deaths`-th short life in a row (from 1)."""
        return min(self.longest_s, self.first_s * 2.0 ** min(deaths - 1, 20))


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run and how to tell that it answers.

    `ready` is asked again and again until it says True; it may raise OSError or TimeoutError for
    "not yet". `env` is added to our own environment. The child's output goes to `log_file`.
    """

    name: str
    command: Sequence[str]
    log_file: Path
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready_within_s: float = 20.0
    stop_within_s: float = 10.0
    backoff: Backoff = Backoff()


@dataclass(frozen=True, slots=True)
class ChildHealth:
    name: str
    state: ChildState
    pid: int | None
    restarts: int
    detail: str = ""


class ChildProcess:
    """One child. `start` returns when it answers; from then on it is kept alive until `stop`.

    Start it from a thread that lives as long as the process (the main one): Linux counts the end
    of the starting thread as the end of the parent.
    """

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._state = ChildState.STOPPED
        self._changed = asyncio.Event()
        self._restarts = 0
        self._detail = ""

    @property
    def pid(self) -> int | None:
        """The process now running, or None."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def health(self) -> ChildHealth:
        return ChildHealth(self.spec.name, self._state, self.pid, self._restarts, self._detail)

    async def start(self) -> None:
        """Start the child and return when it is ready.

        Raises UnavailableError with the end of its output when it exits first or does not answer
        within `ready_within_s`; nothing is left running then.
        """
        if self._keeper is not None:
            return
        try:
            await self._launch()
        except BaseException:
            await self._end()
            self._enter(ChildState.STOPPED)
            raise
        self._enter(ChildState.READY)
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after `stop_within_s`. Stopping twice is no error."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        await self._end()
        self._enter(ChildState.STOPPED)

    async def wait_for(self, state: ChildState) -> None:
        """Return when the child is in `state`."""
        while self._state is not state:
            self._changed.clear()
            await self._changed.wait()

    async def _launch(self) -> None:
        spec = self.spec
        self._enter(ChildState.STARTING)
        spec.log_file.parent.mkdir(parents=True, exist_ok=True)
        _roll(spec.log_file)
        descriptor = os.open(spec.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd=spec.cwd,
                env=None if spec.env is None else {**os.environ, **spec.env},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        await self._until_ready(self._process)

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        spec = self.spec
        exited = asyncio.create_task(process.wait())
        ready = asyncio.create_task(_answers(spec.ready))
        try:
            await asyncio.wait(
                (exited, ready),
                timeout=spec.ready_within_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if exited.done():
                raise self._failure(f"ended with {_ending(exited.result())} before it was ready")
            if not ready.done():
                raise self._failure(f"did not answer within {spec.ready_within_s:.0f} s")
            ready.result()
        finally:
            for task in (exited, ready):
                task.cancel()
            await asyncio.gather(exited, ready, return_exceptions=True)

    def _failure(self, what: str) -> UnavailableError:
        tail = _tail(self.spec.log_file)
        last = tail.splitlines()[-1] if tail else "it wrote nothing"
        return UnavailableError(
            f"{self.spec.name} {what} ({last})",
            mend=f"Its output is in {self.spec.log_file}",
            child=self.spec.name,
            tail=tail,
        )

    async def _keep(self) -> None:
        deaths = 0
        while True:
            since = time.monotonic()
            ending = await self._watch()
            deaths = 1 if time.monotonic() - since >= self.spec.backoff.forgiven_s else deaths + 1
            self._detail = ending
            while True:
                self._enter(ChildState.WAITING)
                wait_s = self.spec.backoff.wait_s(deaths)
                log.warning("child.died", child=self.spec.name, ending=self._detail, wait_s=wait_s)
                await asyncio.sleep(wait_s)
                try:
                    await self._launch()
                except (UnavailableError, OSError) as error:
                    await self._end()
                    deaths += 1
                    self._detail = str(error)
                else:
                    break
            self._restarts += 1
            self._detail = ""
            self._enter(ChildState.READY)
            log.info("child.restarted", child=self.spec.name, restarts=self._restarts)

    async def _watch(self) -> str:
        """Until the running child ends; how it ended. Keeps its log file small meanwhile."""
        process = self._process
        if process is None:
            return "never started"
        while True:
            # Not asyncio.wait_for: on Python 3.11 it may lose the cancellation that stop() sends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOG_LOOK_EVERY_S):
                    return _ending(await process.wait())
            _roll(self.spec.log_file)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.spec.stop_within_s):
                    await process.wait()
                    return

    def _enter(self, state: ChildState) -> None:
        self._state = state
        self._changed.set()


async def _answers(ready: Callable[[], Awaitable[bool]]) -> None:
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            if await ready():
                return
        await asyncio.sleep(_PROBE_EVERY_S)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _roll(path: Path) -> None:
    """Keep one older file. The writer appends, so cutting the file under it is safe."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            path.with_suffix(path.suffix + ".1").write_bytes(path.read_bytes())
            os.truncate(path, 0)
