"""Runs of the recipe: at the planned time or by hand, one at a time, as a child at low priority.

The state is on disk before a run begins, and one lock is held for its length, so a restart neither
runs twice nor forgets. A run ends in a candidate with its verdict below `candidates/`; nothing here
publishes or activates anything (I5).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from appliance.durable import write_atomic
from appliance.learning.dataset import Dataset
from appliance.learning.schedule import (
    Schedule,
    State,
    Wait,
    begun,
    ended,
    interrupted,
    passed,
    waits,
)
from contracts.clock import Clock
from contracts.errors import AlreadyRunningError, TallymanError, UnavailableError

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 60.0
_STOP_WITHIN_S = 10.0
_LAUNCHER = Path(__file__).parents[1] / "services" / "child.py"
_KEPT_RUNS = 8
_KEPT_REFUSED = 8
RECIPE = "learn.py"


@dataclass(frozen=True, slots=True)
class Environment:
    """What a run needs besides this software; `missing` says in words what is not there."""

    python: Path
    recipe: Path
    kit: Path
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What the recipe leaves in `result.json`."""

    outcome: str
    detail: str = ""
    learnt_until_us: int = 0


class _Publishable(msgspec.Struct):
    """Of a verdict.json."""

    publishable: bool = False


class Training:
    """One for a hub's learning folder; `folder` holds state, lock, runs and candidates."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        environment: Callable[[], Environment],
        schedule: Schedule,
        current: Callable[[], Path],
        minutes: int,
        clock: Clock,
    ) -> None:
        """`current` gives the folder of the set in force, which a candidate starts from and is
        compared with.
        """
        self._dataset = dataset
        self._environment = environment
        self._schedule = schedule
        self._current = current
        self._minutes = minutes
        self._clock = clock
        self._folder = dataset.folder
        self.candidates = self._folder / "candidates"

    def state(self) -> State:
        try:
            return msgspec.json.decode((self._folder / "state.json").read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except msgspec.MsgspecError:
            # Of newer or older software: at worst one run comes early.
            _log.warning("learning_state_unreadable")
            return State()

    def new_examples(self) -> int:
        """Examples that came since the last run that ended."""
        since = self.state().learnt_until_us
        return sum(name.at_us > since for name in self._dataset.names())

    def waits(self) -> Wait:
        """Why no run begins now."""
        return waits(
            self.state(),
            self._schedule,
            self._clock.now(),
            new=self.new_examples(),
            environment=not self._environment().missing,
        )

    async def keep_schedule(self) -> None:
        """A job: look every minute. Until cancelled; a run that is under way is ended with it."""
        while True:
            try:
                await asyncio.to_thread(self.settle_interrupted)
                await self.look()
            except (OSError, TallymanError) as error:
                _log.warning("learning_failed", extra={"why": str(error)})
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> bool:
        """Run if it is time to; True when a run took place."""
        await asyncio.to_thread(self._dataset.thin_out, now_us=_us(self._clock.now()))
        reason = await asyncio.to_thread(self.waits)
        if reason is Wait.NONE:
            await self.run_now()
            return True
        if reason in {Wait.NOTHING_NEW, Wait.NO_ENVIRONMENT, Wait.NOT_YET}:
            state = self.state()
            now = passed(state, self._schedule, self._clock.now())
            if now != state:
                self._remember(now)
        return False

    def settle_interrupted(self) -> None:
        """A run that is written down as running and that nobody holds was cut off."""
        state = self.state()
        if not state.running:
            return
        with contextlib.suppress(AlreadyRunningError), self._alone():
            self._remember(interrupted(state, self._clock.now()))

    async def run_now(self) -> State:
        """One run, whatever the schedule says.

        Raises AlreadyRunningError, UnavailableError where training is not possible here.
        """
        environment = self._environment()
        if environment.missing:
            raise UnavailableError(
                f"There is {environment.missing}",
                mend="Set learning.python to an interpreter with the recipe's packages; examples "
                "go on being kept",
            )
        with self._alone():
            now = self._clock.now()
            run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
            self._remember(begun(self.state(), self._schedule, now, run))
            try:
                result = await self._child(environment, self._folder / "runs" / run)
            except BaseException:
                self._remember(interrupted(self.state(), self._clock.now()))
                raise
            done = ended(
                self.state(),
                self._clock.now(),
                outcome=result.outcome,
                detail=result.detail,
                learnt_until_us=result.learnt_until_us,
            )
            self._remember(done)
        await asyncio.to_thread(self._forget_old_runs)
        _log.info("learning_ended", extra={"outcome": done.outcome, "why": done.detail})
        return done

    async def _child(self, environment: Environment, work: Path) -> Result:
        await asyncio.to_thread(work.mkdir, parents=True)
        command = [
            *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
            *(sys.executable, str(environment.recipe / RECIPE)),
            *("--dataset", str(self._folder), "--current", str(self._current())),
            *("--candidates", str(self.candidates), "--work", str(work)),
            *("--python", str(environment.python), "--kit", str(environment.kit)),
            *("--minutes", str(self._minutes)),
        ]
        with (work / "learn.log").open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            code = await process.wait()
        except BaseException:
            await _end(process)
            raise
        try:
            return msgspec.json.decode((work / "result.json").read_bytes(), type=Result)
        except (FileNotFoundError, msgspec.MsgspecError):
            detail = f"exit code {code}: {_last_line(work / 'learn.log')}"
            return Result("failed", f"{detail} (see {work / 'learn.log'})")

    def _forget_old_runs(self) -> None:
        """Candidates that may be published stay; of old runs and of what was refused only some are
        of use.
        """
        runs = sorted((self._folder / "runs").glob("*"))
        refused = [path for path in self.candidates.glob("*/") if not _publishable(path)]
        refused.sort(key=lambda path: path.name.partition("-")[2])
        for old in (*runs[:-_KEPT_RUNS], *refused[:-_KEPT_REFUSED]):
            shutil.rmtree(old, ignore_errors=True)

    def _remember(self, state: State) -> None:
        write_atomic(self._folder / "state.json", msgspec.json.encode(state))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Raises AlreadyRunningError while another process runs the recipe."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            self._folder / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise AlreadyRunningError(
                "The learning recipe is running already", mend="Wait for it to end"
            ) from error
        finally:
            os.close(descriptor)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM to the child and its own children, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN_S):
                await process.wait()
                return


def _publishable(candidate: Path) -> bool:
    try:
        verdict = msgspec.json.decode((candidate / "verdict.json").read_bytes(), type=_Publishable)
    except (OSError, msgspec.MsgspecError):
        return False
    return verdict.publishable


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
