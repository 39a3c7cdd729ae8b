"""A device in a process of its own: appends until it is killed, saying what was acknowledged.

Started by test_kill.py and test_disk_full.py as `python writer_process.py FOLDER [LIMIT_BYTES]`.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from itertools import count
from pathlib import Path

from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from contracts.clock import SystemClock
from contracts.errors import JournalFullError
from contracts.events import CameraChanged


async def main(folder: Path, limit_bytes: int) -> None:
    identity = DeviceIdentity.open_or_create(folder / "identity", "dock-1")
    if limit_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    journal = Journal.open(folder / "journal.db", identity=identity, clock=SystemClock())
    try:
        for number in count(0, 4):
            bodies = [CameraChanged("dock-1", "label", "dark", f"{number + i}") for i in range(4)]
            for entry in await asyncio.gather(*(journal.append(body) for body in bodies)):
                sys.stdout.write(f"{entry.seq} {entry.hash}\n")
            sys.stdout.flush()
    except JournalFullError as error:
        sys.stdout.write(f"full {error}\n")
        sys.stdout.flush()
    journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
