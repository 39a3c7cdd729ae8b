"""The registry's stores in memory: for tests, simulations and a look without a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from contracts.errors import ConflictError, NotFoundError
from ota.registry.records import SetEvent, SetRecord, SetState

_PART = 256 << 10


class MemoryCatalogue:
    """Catalogue without a disk."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[str, SetRecord] = {}
        self._events: list[SetEvent] = []

    def add(self, record: SetRecord, event: SetEvent) -> SetRecord:
        with self._lock:
            known = self._records.get(record.digest)
            if known is not None:
                return known
            for each in self._records.values():
                if each.target == record.target:
                    raise taken(record)
            self._records[record.digest] = record
            self.note(event)
            return record

    def find(self, digest: str) -> SetRecord | None:
        return self._records.get(digest)

    def all(self, *, lane: str = "", state: SetState | None = None) -> Sequence[SetRecord]:
        with self._lock:
            return [
                each
                for each in reversed(self._records.values())
                if (not lane or each.lane == lane) and (state is None or each.state is state)
            ]

    def change(
        self, digest: str, change: Callable[[SetRecord], SetRecord], event: SetEvent
    ) -> SetRecord:
        with self._lock:
            record = self._records.get(digest)
            if record is None:
                raise unknown(digest)
            self._records[digest] = change(record)
            self.note(event)
            return self._records[digest]

    def note(self, event: SetEvent) -> None:
        with self._lock:
            self._events.append(replace(event, serial=len(self._events) + 1))

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]:
        with self._lock:
            found = [each for each in self._events if not digest or each.digest == digest]
        return found[: -most - 1 : -1]


class MemoryBlobs:
    """Blobs without a disk."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        data = b"".join(parts)
        self._stored[name] = data
        return len(data)

    def size(self, name: str) -> int | None:
        data = self._stored.get(name)
        return None if data is None else len(data)

    def read(self, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        data = self._stored.get(name)
        if data is None:
            raise no_blob(name)
        wanted = data[start:end]
        return (wanted[at : at + _PART] for at in range(0, len(wanted), _PART))

    def names(self, prefix: str) -> Sequence[str]:
        return sorted(each for each in tuple(self._stored) if each.startswith(prefix))

    def remove(self, name: str) -> None:
        self._stored.pop(name, None)


class MemoryMetadata:
    """MetadataStore without a disk."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)

    def write(self, name: str, data: bytes) -> None:
        self._files[name] = data

    def names(self) -> Sequence[str]:
        return sorted(self._files)

    def alone(self) -> AbstractContextManager[None]:
        return _Alone(self._lock)


class _Alone(AbstractContextManager[None]):
    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def taken(record: SetRecord) -> ConflictError:
    """Two sets of one name and version."""
    return ConflictError(
        f"{record.name} {record.version} is another set already",
        mend="A set never changes: give the new one its own version",
    )


def unknown(digest: str) -> NotFoundError:
    return NotFoundError(
        f"No model set {digest[:19]} is known here", mend="tallyman ota sets lists them"
    )


def no_blob(name: str) -> NotFoundError:
    return NotFoundError(f"{name[:160]} is not kept here", mend="Publish its set again")
