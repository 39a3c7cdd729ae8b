"""Puts a file into a folder whole: whoever looks there sees all of it or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from contracts.errors import UnavailableError


def put(folder: Path, name: str, data: bytes) -> None:
    """Write beside the name, onto the disk, then rename: atomic on one file system. A file of the
    same name is replaced. Raises UnavailableError where the folder takes nothing.
    """
    beside = folder / f".{name}.part"
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / name)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnavailableError(
            f"{folder} takes no file: {error.strerror or error}",
            mend="Look at the folder of exchange.file_drop: is it there, mounted, writable?",
            folder=str(folder),
        ) from error
