"""A gateway starts on a full disk: room first, then everything that writes (I2).

Nothing that is still needed goes. Two things make the room: what readers of the segments hold no
longer, and a reserve: a file of real blocks that is kept while there is space and given up when there
is none, so that the history can store what lies in the segments and give those back. Readings
themselves never take the last of a disk (`Limits.spare_bytes`), or they would eat the reserve too.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from appliance.layout import Layout
from telemetry.segments import Retention
from telemetry.segments.files import numbers_in

RESERVE_BYTES: Final = 32 << 20
_SCARCE: Final = 4 * RESERVE_BYTES
"""The reserve is laid down only where it takes no more than a quarter of what is free."""
_QUARANTINE_LEFT: Final = 8 << 20

log = structlog.get_logger(__name__)


class Reserve:
    """One file; `most` bytes where there is space, absent where there is none."""

    def __init__(self, path: Path, *, most: int = RESERVE_BYTES) -> None:
        self._path, self._most = path, most

    def give_up(self) -> int:
        """Bytes that are free for others now."""
        try:
            size = self._path.stat().st_size
            self._path.unlink()
        except OSError:
            return 0
        return size

    def lay_down(self) -> bool:
        """Again, where the disk has plenty; whether it lies there. Blocks."""
        if self._path.exists():
            return True
        try:
            if free_bytes(self._path.parent) < _SCARCE:
                return False
            part = self._path.with_suffix(".part")
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(handle, 0, self._most)
            finally:
                os.close(handle)
            part.replace(self._path)
        except OSError:
            with suppress(OSError):
                self._path.with_suffix(".part").unlink()
            return False
        return True


def reserve_of(layout: Layout) -> Reserve:
    return Reserve(layout.gateway / "reserve")


def make_room(layout: Layout, *, scarce_bytes: int = RESERVE_BYTES) -> int:
    """Before anything of a gateway or its tailer is opened: bytes given back. Only removes files,
    which a full disk allows; 0 where more than `scarce_bytes` are free.
    """
    if not layout.gateway.is_dir() or free_bytes(layout.gateway) >= scarce_bytes:
        return 0
    freed = reserve_of(layout).give_up()
    with suppress(OSError, ValueError):
        retention = Retention(layout.segments)
        if retention.held():
            freed += retention.remove_before(numbers_in(layout.segments)[-1])
    with suppress(OSError, ValueError):
        freed += Retention(layout.quarantine).keep_newest(_QUARANTINE_LEFT)
    log.warning("gateway.room_made", bytes=freed, free=free_bytes(layout.gateway))
    return freed


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
