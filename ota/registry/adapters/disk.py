"""The registry's files on disk: whole or not there, also after a power cut (I2)."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import BadInputError, UnavailableError
from ota.registry.adapters.memory import no_blob

_PART = 256 << 10
_UNFINISHED = ".part"


class DiskBlobs:
    """Blobs below a folder, made at the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        return _write_whole(self._path(name), parts)

    def size(self, name: str) -> int | None:
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def read(self, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        path = self._path(name)
        if not path.is_file():
            raise no_blob(name)
        return _parts(path, start, path.stat().st_size if end is None else end)

    def names(self, prefix: str) -> Sequence[str]:
        folder = self._path(prefix.rstrip("/"))
        return sorted(
            path.relative_to(self._root).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != _UNFINISHED
        )

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what a killed process left unfinished; how many files that were. Only while
        nothing is being put.
        """
        left = list(self._root.rglob(f".*{_UNFINISHED}"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _path(self, name: str) -> Path:
        if not all(part and not part.startswith(".") for part in name.split("/")):
            raise BadInputError(f"{name[:160]!r} names no file here", mend="Use a plain name")
        return self._root / name


class DiskMetadata:
    """MetadataStore in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._held = 0

    def read(self, name: str) -> bytes | None:
        if "/" in name or name.startswith("."):
            return None
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        _write_whole(self._folder / name, [data])

    def names(self) -> Sequence[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.glob("*.json") if path.name[0] != ".")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Commands work on the folder of a hub that runs: a lock that both processes see."""
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._held += 1
            handle = -1
            try:
                if self._held == 1:
                    handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                self._held -= 1
                if handle >= 0:
                    os.close(handle)


def _parts(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0 and (part := file.read(min(_PART, left))):
            left -= len(part)
            yield part


def _write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Temp file, fsync, rename, fsync of the folder. Raises UnavailableError where the disk is full
    or refuses, and whatever `parts` raises; the old file then still stands.
    """
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_UNFINISHED}")
    written = 0
    with _taking(path.parent):
        _make_folder(path.parent)
        out = temp.open("xb")
    try:
        with out:
            for part in parts:
                with _taking(path.parent):
                    written += out.write(part)
            with _taking(path.parent):
                out.flush()
                os.fsync(out.fileno())
        with _taking(path.parent):
            temp.replace(path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return written


def _make_folder(folder: Path) -> None:
    """With those above it, whose names are then on disk too: a file is only as durable as its path."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _taking(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise UnavailableError(
            f"{folder} takes no more: {error.strerror}",
            mend="Free some space there" if full else "Look after the disk and the folder's rights",
        ) from error
