"""Every call that the agent makes on a file system, as a port, and the real one.

Names are POSIX paths relative to the agent's folder. What is promised after a power cut is what
POSIX promises and no more: content after `sync`, names after `sync_folder`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol

from contracts.errors import BadInputError


class Files(Protocol):
    """Methods raise FileNotFoundError where there is no such name, OSError where the disk refuses."""

    def read(self, name: str, *, offset: int = 0, size: int = -1) -> bytes:
        """`size` bytes from `offset`, fewer at the end of the file; -1: all the rest."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """At the end of a file, made where there is none. Not yet sure to survive a power cut."""
        ...

    def truncate(self, name: str) -> None:
        """Make an empty file, whatever stood there."""
        ...

    def sync(self, name: str) -> None:
        """A file's content survives a power cut from here on."""
        ...

    def sync_folder(self, name: str) -> None:
        """The names in a folder survive a power cut from here on. `""` is the agent's folder."""
        ...

    def rename(self, old: str, new: str) -> None:
        """A file over another, or a folder to a name that is free. Atomic."""
        ...

    def remove(self, name: str) -> None:
        """A file."""
        ...

    def make_folder(self, name: str) -> None:
        """With those above it; nothing where it stands already."""
        ...

    def remove_folder(self, name: str) -> None:
        """An empty one."""
        ...

    def names(self, folder: str) -> list[str]:
        """What stands in a folder, sorted; nothing where there is no folder."""
        ...

    def is_folder(self, name: str) -> bool: ...

    def free_bytes(self) -> int:
        """Room left on the disk."""
        ...

    def where(self, name: str) -> str:
        """For messages, and for a process that opens it by itself."""
        ...


class RealFiles:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def read(self, name: str, *, offset: int = 0, size: int = -1) -> bytes:
        with self._at(name).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def size(self, name: str) -> int | None:
        path = self._at(name)
        return path.stat().st_size if path.is_file() else None

    def append(self, name: str, data: bytes) -> None:
        with self._at(name).open("ab") as file:
            file.write(data)

    def truncate(self, name: str) -> None:
        with self._at(name).open("wb"):
            pass

    def sync(self, name: str) -> None:
        _sync(self._at(name), os.O_RDWR)

    def sync_folder(self, name: str) -> None:
        _sync(self._at(name), os.O_RDONLY)

    def rename(self, old: str, new: str) -> None:
        self._at(old).replace(self._at(new))

    def remove(self, name: str) -> None:
        self._at(name).unlink()

    def make_folder(self, name: str) -> None:
        self._at(name).mkdir(parents=True, exist_ok=True)

    def remove_folder(self, name: str) -> None:
        self._at(name).rmdir()

    def names(self, folder: str) -> list[str]:
        path = self._at(folder)
        return sorted(each.name for each in path.iterdir()) if path.is_dir() else []

    def is_folder(self, name: str) -> bool:
        return self._at(name).is_dir()

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._root).free

    def where(self, name: str) -> str:
        return str(self._at(name))

    def _at(self, name: str) -> Path:
        check_name(name)
        return self._root / name


def check_name(name: str) -> None:
    """Raises BadInputError for a name that leads out of the agent's folder."""
    parts = name.split("/") if name else []
    if any(part in {"", ".", ".."} or "\0" in part or "\\" in part for part in parts):
        raise BadInputError(
            f"{name!r} is no name below the agent's folder",
            mend="Publish the set under plain names",
        )


def write_whole(files: Files, name: str, data: bytes) -> None:
    """Replace a file: temporary file, fsync, rename, fsync of the folder. After a power cut the old
    content stands or the new one, never a part.
    """
    folder, _, last = name.rpartition("/")
    temporary = f"{folder}/.{last}.part" if folder else f".{last}.part"
    if folder:
        files.make_folder(folder)
    files.truncate(temporary)
    files.append(temporary, data)
    files.sync(temporary)
    files.rename(temporary, name)
    files.sync_folder(folder)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
