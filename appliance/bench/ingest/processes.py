"""Processes of the bench: brokers, peers and ourselves, each with the processor time it took.

Nothing is judged by wall time alone: generator, broker and receiver share the machine's cores, so
each receiver's own processor time a message stands beside its rate.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.services.address import free_address
from appliance.services.valkey import find_server
from contracts.errors import UnavailableError

_LOOK_S = 0.02
_START_S = 60.0
_STOP_S = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
_BROKER = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
"""
"""Nothing limits what is on its way: the receivers are measured, not the broker's patience."""


def cpu_s(pid: int) -> float:
    """Processor seconds, user and system, that all threads of a process have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family_cpu_s(pid: int) -> float:
    """The same of a process and all that it started and that still run."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return cpu_s(pid) + sum(family_cpu_s(int(child)) for child in text.split())


@dataclass(frozen=True, slots=True)
class Started:
    """A child and what it says, line by line."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def first_line(self) -> str:
        """What it says first. Raises UnavailableError where it ends without a word."""
        until = time.monotonic() + _START_S
        while not (said := self.said.read_text(encoding="utf-8")).endswith("\n"):
            if self.process.poll() is not None or time.monotonic() > until:
                raise UnavailableError(f"It came to nothing: {said[-2000:]}", mend="Read its log")
            time.sleep(_LOOK_S)
        return said.splitlines()[0]

    def wait_for(self, line: str, *, within_s: float = _START_S) -> None:
        """Until it has said `line`. Raises UnavailableError with what it said instead."""
        until = time.monotonic() + within_s
        while line not in self.said.read_text(encoding="utf-8").splitlines():
            if self.process.poll() is not None or time.monotonic() > until:
                told = self.said.read_text(encoding="utf-8")[-2000:]
                raise UnavailableError(
                    f"{Path(str(self.process.args)).name} never said {line!r}: {told}",
                    mend="Read what it said; another process may hold its port",
                )
            time.sleep(_LOOK_S)


@contextmanager
def started(
    command: Sequence[str | Path], folder: Path, name: str, environ: Mapping[str, str] | None = None
) -> Iterator[Started]:
    """A child until the block ends; what it says on both outputs stands in `folder`/`name`.log."""
    said = folder / f"{name}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- programs of this bench
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environ or {})},
        )
    try:
        yield Started(process, said)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def mosquitto(folder: Path) -> Iterator[tuple[str, Started]]:
    """A Mosquitto that queues without limit, and its mqtt:// URL. Raises UnavailableError."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise UnavailableError("There is no mosquitto here", mend="Install Debian's mosquitto")
    address = free_address()
    config = folder / "mosquitto.conf"
    config.write_text(_BROKER.format(port=address.rpartition(":")[2]), encoding="utf-8")
    command: list[str | Path] = [program, "-c", config]
    with started(command, folder, "mosquitto") as broker:
        answers(address)
        yield f"mqtt://{address}", broker


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A Valkey that keeps nothing on disk, and its redis:// URL."""
    address = free_address()
    command: list[str | Path] = [
        find_server(),
        "--port",
        address.rpartition(":")[2],
        "--bind",
        "127.0.0.1",
    ]
    with started([*command, "--save", "", "--appendonly", "no"], folder, "valkey"):
        answers(address)
        yield f"redis://{address}"


def answers(address: str, *, within_s: float = _START_S) -> None:
    """Wait until something listens at host:port. Raises UnavailableError."""
    host, _, port = address.rpartition(":")
    until = time.monotonic() + within_s
    while True:
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        if time.monotonic() > until:
            raise UnavailableError(f"Nothing answers at {address}", mend="Read its log")
        time.sleep(_LOOK_S)
