"""One data folder, one Tallyman: a second start on the same folder refuses.

The lock is the kernel's (flock), so it goes with its process however that ends; the file's text
only says who holds it. Keeps I2: two writers on one journal would break its chain.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from contracts.errors import AlreadyRunningError, BadInputError

LOCK_NAME = "tallyman.lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold `folder` (made where absent) for the length of the block.

    Raises AlreadyRunningError naming the holder; data has `folder` and `holder`.
    Raises BadInputError where the folder cannot be made or written.
    """
    with _open(folder) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = lock.read().decode(errors="replace").strip() or "another process"
            raise AlreadyRunningError(
                f"The data folder {folder} is in use by {holder}",
                mend="Stop that one first, or give this one a data folder of its own",
                folder=str(folder),
                holder=holder,
            ) from error
        # On a full disk nobody can read who holds it; it is held all the same.
        with suppress(OSError):
            os.truncate(lock.fileno(), 0)
            os.pwrite(lock.fileno(), _who().encode(), 0)
        yield


def _open(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInputError(
            f"The data folder {folder} cannot be used: {error.strerror}",
            mend="Choose a folder that this user may write",
            folder=str(folder),
        ) from error
    return os.fdopen(descriptor, "r+b")


def _who() -> str:
    command = Path(sys.argv[0]).name or "python"
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return f"{command} (process {os.getpid()}, since {since})\n"
