"""A disk in memory that can lose power at any call, for simulators and tests.

It is as unkind as POSIX allows: content that was not synced is torn, names that were not synced are
old, new, or some of each.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from ota.agent.files import check_name


class PowerCut(BaseException):
    """The power went at this call. No error that anybody may handle: it ends the process."""


class Loss(StrEnum):
    """What a power cut takes of what nobody synced."""

    ALL = "all"
    NONE = "none"
    """As kill -9 does: the process is gone, the disk is whole."""
    SOME = "some"


@dataclass(slots=True)
class _File:
    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


@dataclass(slots=True)
class _Folder:
    live: dict[str, _File | _Folder] = field(default_factory=dict)
    durable: dict[str, _File | _Folder] = field(default_factory=dict)


class MemoryDisk:
    """Implements `ota.agent.files.Files`. `calls` counts every call, `changes` are the numbers of
    those that change something (a cut at a reading call leaves what one at the next of them does);
    `cut_at` is the number of the
    call (from 1) at which the power goes, `refuse_at` that of one which the disk refuses (ENOSPC).
    """

    def __init__(self, *, capacity: int = 1 << 40) -> None:
        self.calls = 0
        self.changes: list[int] = []
        self.cut_at: int | None = None
        self.refuse_at: int | None = None
        self.capacity = capacity
        self._root = _Folder()

    def after_power_cut(self, loss: Loss = Loss.ALL, *, random: Random | None = None) -> MemoryDisk:
        """What the next start finds. `random` chooses where `loss` is `SOME`."""
        disk = MemoryDisk(capacity=self.capacity)
        disk._root = _remains(self._root, loss, random or Random(0))  # noqa: S311 -- a tear, no secret
        return disk

    def shared(self) -> MemoryDisk:
        """The same disk as another process uses it: its calls are counted apart."""
        disk = MemoryDisk(capacity=self.capacity)
        disk._root = self._root
        return disk

    def read(self, name: str, *, offset: int = 0, size: int = -1) -> bytes:
        self._call()
        data = self._file(name).data
        return bytes(data[offset:] if size < 0 else data[offset : offset + size])

    def size(self, name: str) -> int | None:
        self._call()
        found = self._find(name)
        return len(found.data) if isinstance(found, _File) else None

    def append(self, name: str, data: bytes) -> None:
        try:
            self._call(changes=True)
        except (PowerCut, OSError):
            self._made(name).data += data[: len(data) // 2]
            raise
        if self.free_bytes() < len(data):
            raise OSError(errno.ENOSPC, "No space left on the disk in memory", name)
        self._made(name).data += data

    def truncate(self, name: str) -> None:
        self._call(changes=True)
        folder, last = self._parent(name)
        folder.live[last] = _File()

    def sync(self, name: str) -> None:
        self._call(changes=True)
        file = self._file(name)
        file.synced = bytes(file.data)

    def sync_folder(self, name: str) -> None:
        self._call(changes=True)
        folder = self._folder(name)
        folder.durable = dict(folder.live)

    def rename(self, old: str, new: str) -> None:
        self._call(changes=True)
        source, last = self._parent(old)
        if last not in source.live:
            raise FileNotFoundError(errno.ENOENT, "No such name", old)
        target, name = self._parent(new)
        standing = target.live.get(name)
        if isinstance(standing, _Folder) and standing.live:
            raise OSError(errno.ENOTEMPTY, "Folder not empty", new)
        target.live[name] = source.live.pop(last)

    def remove(self, name: str) -> None:
        self._call(changes=True)
        self._file(name)
        folder, last = self._parent(name)
        del folder.live[last]

    def make_folder(self, name: str) -> None:
        self._call(changes=True)
        check_name(name)
        folder = self._root
        for part in name.split("/") if name else []:
            below = folder.live.setdefault(part, _Folder())
            if not isinstance(below, _Folder):
                raise FileExistsError(errno.EEXIST, "A file stands there", name)
            folder = below

    def remove_folder(self, name: str) -> None:
        self._call(changes=True)
        if self._folder(name).live:
            raise OSError(errno.ENOTEMPTY, "Folder not empty", name)
        folder, last = self._parent(name)
        del folder.live[last]

    def names(self, folder: str) -> list[str]:
        self._call()
        found = self._find(folder)
        return sorted(found.live) if isinstance(found, _Folder) else []

    def is_folder(self, name: str) -> bool:
        self._call()
        return isinstance(self._find(name), _Folder)

    def free_bytes(self) -> int:
        return self.capacity - _weight(self._root)

    def where(self, name: str) -> str:
        return f"memory:{name}"

    def _call(self, *, changes: bool = False) -> None:
        self.calls += 1
        if changes:
            self.changes.append(self.calls)
        if self.calls == self.cut_at:
            raise PowerCut
        if self.calls == self.refuse_at:
            raise OSError(errno.ENOSPC, "No space left on the disk in memory")

    def _find(self, name: str) -> _File | _Folder | None:
        check_name(name)
        found: _File | _Folder | None = self._root
        for part in name.split("/") if name else []:
            found = found.live.get(part) if isinstance(found, _Folder) else None
        return found

    def _file(self, name: str) -> _File:
        found = self._find(name)
        if not isinstance(found, _File):
            raise FileNotFoundError(errno.ENOENT, "No such file", name)
        return found

    def _folder(self, name: str) -> _Folder:
        found = self._find(name)
        if not isinstance(found, _Folder):
            raise FileNotFoundError(errno.ENOENT, "No such folder", name)
        return found

    def _parent(self, name: str) -> tuple[_Folder, str]:
        check_name(name)
        above, _, last = name.rpartition("/")
        return self._folder(above), last

    def _made(self, name: str) -> _File:
        folder, last = self._parent(name)
        file = folder.live.setdefault(last, _File())
        if not isinstance(file, _File):
            raise IsADirectoryError(errno.EISDIR, "A folder stands there", name)
        return file


def _remains(folder: _Folder, loss: Loss, random: Random) -> _Folder:
    names: dict[str, _File | _Folder] = {}
    for name in sorted({*folder.live, *folder.durable}):
        new = loss is Loss.NONE or (loss is Loss.SOME and random.random() < 0.5)  # noqa: PLR2004 -- either way
        found = (folder.live if new else folder.durable).get(name)
        if isinstance(found, _Folder):
            names[name] = _remains(found, loss, random)
        elif found is not None:
            names[name] = _torn(found, loss, random)
    return _Folder(live=names, durable=dict(names))


def _torn(file: _File, loss: Loss, random: Random) -> _File:
    kept = bytes(file.data) if loss is Loss.NONE else file.synced
    if loss is Loss.SOME:
        # Blocks reach the disk in any order: a length may be there before its bytes.
        whole = bytes(file.data)
        cut = random.randint(min(len(file.synced), len(whole)), len(whole))
        kept = whole[:cut] + (bytes(len(whole) - cut) if random.random() < 0.5 else b"")  # noqa: PLR2004 -- either way
    return _File(data=bytearray(kept), synced=kept)


def _weight(folder: _Folder) -> int:
    return sum(
        _weight(each) if isinstance(each, _Folder) else len(each.data)
        for each in folder.live.values()
    )
