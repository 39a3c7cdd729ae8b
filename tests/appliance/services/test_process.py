"""Children: started, watched, restarted, and gone when their parent is gone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.services.process import Backoff, ChildProcess, ChildSpec, ChildState
from contracts.errors import UnavailableError

DEADLINE_S = 120.0
BEATS = "import time, pathlib, sys\npathlib.Path(sys.argv[1]).touch()\ntime.sleep(600)\n"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + BEATS


def spec_of(folder: Path, program: str, **more) -> ChildSpec:
    sign = folder / "sign"

    async def ready() -> bool:
        return sign.exists()

    return ChildSpec(
        name="worker",
        command=(sys.executable, "-c", program, str(sign)),
        log_file=folder / "worker.log",
        ready=ready,
        **{"backoff": Backoff(first_s=0.01), **more},
    )


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} outlived its parent"
        time.sleep(0.01)


async def test_start_returns_when_the_child_is_ready_and_stop_ends_it(tmp_path: Path):
    child = ChildProcess(spec_of(tmp_path, BEATS))
    await child.start()
    pid = child.pid
    assert (tmp_path / "sign").exists()
    assert child.health().state is ChildState.READY
    await child.stop()
    await child.stop()
    assert pid is not None
    assert not is_alive(pid)
    assert child.health().state is ChildState.STOPPED
    assert child.pid is None


async def test_a_child_that_dies_comes_back(tmp_path: Path):
    child = ChildProcess(spec_of(tmp_path, BEATS))
    await child.start()
    try:
        for restarts in (1, 2):
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            async with asyncio.timeout(DEADLINE_S):
                await child.wait_for(ChildState.WAITING)
                assert "SIGKILL" in child.health().detail
                await child.wait_for(ChildState.READY)
            assert child.health().restarts == restarts
    finally:
        await child.stop()


async def test_a_child_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path):
    child = ChildProcess(spec_of(tmp_path, "raise SystemExit('the port is taken')"))
    with pytest.raises(UnavailableError, match=r"worker ended with exit code 1.*port is taken"):
        await child.start()
    assert child.pid is None
    assert child.health().state is ChildState.STOPPED


async def test_a_program_that_is_not_there_says_so(tmp_path: Path):
    child = ChildProcess(
        ChildSpec(
            "ghost", ("no-such-program",), tmp_path / "ghost.log", spec_of(tmp_path, "").ready
        )
    )
    with pytest.raises(UnavailableError, match="no-such-program was not started"):
        await child.start()


async def test_a_child_that_never_answers_is_ended(tmp_path: Path):
    spec = spec_of(tmp_path, "import time\ntime.sleep(600)", ready_within_s=0.5)
    child = ChildProcess(spec)
    with pytest.raises(UnavailableError, match="did not answer within"):
        await child.start()
    assert child.pid is None


async def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path):
    child = ChildProcess(spec_of(tmp_path, DEAF, stop_within_s=0.2))
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not is_alive(pid)


def test_a_child_dies_with_a_parent_that_was_killed_9(tmp_path: Path):
    story = """
import asyncio, sys, pathlib
sys.path.insert(0, sys.argv[2])
from test_process import BEATS, spec_of
from appliance.services.process import ChildProcess
async def main():
    child = ChildProcess(spec_of(pathlib.Path(sys.argv[1]), BEATS))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", story, str(tmp_path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.communicate()
    until_gone(child)


def test_the_launcher_refuses_to_start_for_a_parent_that_is_gone():
    launcher = Path(sys.modules[ChildProcess.__module__].__file__ or "").with_name("child.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(launcher), "1", sys.executable, "-c", "print('ran')"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 127
    assert "is gone" in done.stderr
    assert done.stdout == ""


def test_waits_double_up_to_the_longest():
    backoff = Backoff(first_s=0.2, longest_s=15.0)
    assert [backoff.wait_s(n) for n in (1, 2, 3, 8, 1000)] == [0.2, 0.4, 0.8, 15.0, 15.0]


async def test_a_long_log_is_cut_and_one_older_file_kept(tmp_path: Path):
    log_file = tmp_path / "worker.log"
    log_file.write_bytes(b"x" * (9 * 1024 * 1024))
    child = ChildProcess(spec_of(tmp_path, "print('fresh', flush=True)\n" + BEATS))
    await child.start()
    await child.stop()
    assert log_file.read_text() == "fresh\n"
    assert (tmp_path / "worker.log.1").stat().st_size == 9 * 1024 * 1024
