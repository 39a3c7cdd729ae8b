"""A vehicle that is not ours: vda-5050-lib's virtual AGV (npm), a process of its own on a real broker."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Self

from appliance.bench.ingest.peers import node

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = _ROOT / "appliance" / "bench" / "agv" / "peers" / "vehicle.mjs"


@cache
def installed() -> Path:
    """Where the npm packages stand. Installed once, also when several test processes ask."""
    folder = _ROOT / "build" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["sh", str(_ROOT / "scripts" / "peers.sh"), "agv"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


class AnotherVehicle:
    """Speaks VDA 5050 2.0 as manufacturer `others`. strict: it wants positions in its orders."""

    def __init__(
        self, url: str, serial: str, *, strict: bool = False, times_faster: float = 30.0
    ) -> None:
        kind = "strict" if strict else "own-map"
        program = node()
        assert program is not None, "the dev lock brings Node"
        self.process = subprocess.Popen(
            [str(program), str(_SCRIPT), url, serial, kind, str(times_faster)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PEERS": str(installed())},
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said == b"ready\n", said + self.process.stdout.read()

    def kill(self) -> None:
        """kill -9: it says nothing, its will does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def __enter__(self) -> Self:
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)
