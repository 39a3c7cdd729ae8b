"""A folder of learning examples, bounded in age and bytes, on a station and on the hub.

One file an example, named by its age, carton and content (`ExampleName`), written whole or not at
all: killed in the middle of a write, the folder holds what it held before. Nothing but this folder
holds examples, so a limit or an erasure that is kept here is kept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.durable import sync_folder, write_atomic
from appliance.learning.erasure import Erasure, Erasures, checked, read_erasures, write_erasures
from appliance.learning.example import Example, ExampleName, decode_example, encode_example, name_of
from appliance.learning.retention import Limits, Stored, to_remove
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Held:
    """How much a dataset holds."""

    examples: int
    bytes: int
    newest_us: int = 0


class Dataset:
    """All methods block and may be called from several threads and processes. The folder is made
    when the first example comes.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits
        self._examples = folder / "examples"
        self._erasures = folder / "erasures.json"
        self._listeners: list[Callable[[ExampleName], None]] = []

    def listen(self, callback: Callable[[ExampleName], None]) -> Callable[[], None]:
        """Call `callback(name)` after each new example, in the thread that added it; returns how to
        stop.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def add(self, example: Example, *, now_us: int) -> ExampleName | None:
        """Store it durably; older ones give way to it."""
        return self.add_bytes(encode_example(example), now_us=now_us)

    def add_bytes(self, data: bytes, *, now_us: int) -> ExampleName | None:
        """As `add`, for an example that was encoded elsewhere. None where it is not kept: erased,
        too old, larger than the whole limit, or older than all that fill it. An example of the same
        carton that is here already stays (a carton is settled once).

        Raises BadInputError for bytes that are no example, OSError when the disk refuses.
        """
        name = name_of(decode_example(data), data)
        with self._alone():
            here = next((n for n in self.names() if n.carton == name.carton), None)
            if here is not None:
                return here
            stored = [*self._stored(), Stored(name, len(data))]
            gone = to_remove(stored, self.limits, now_us=now_us)
            if name in gone or read_erasures(self._erasures).cover(name):
                return None
            self._remove(gone)
            write_atomic(self._examples / str(name), data, mode=0o600)
        for callback in list(self._listeners):
            callback(name)
        return name

    def names(self) -> list[ExampleName]:
        """Oldest first."""
        try:
            found = [ExampleName.parse(path.name) for path in self._examples.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name is not None)

    def has(self, name: ExampleName) -> bool:
        return (self._examples / str(name)).exists()

    def read(self, name: ExampleName) -> bytes | None:
        """The bytes, or None where they are gone or no longer match their name."""
        try:
            data = (self._examples / str(name)).read_bytes()
            example = decode_example(data)
        except (FileNotFoundError, BadInputError):
            return None
        return data if name_of(example, data) == name else None

    def remove(self, names: Iterable[ExampleName]) -> None:
        """They are elsewhere now (the hub has them), or nobody can use them."""
        with self._alone():
            self._remove(names)

    def thin_out(self, *, now_us: int) -> int:
        """Remove what is too old or too much, and what a crash left half written; how many
        examples went.
        """
        with self._alone():
            for part in self._examples.glob(".*.part"):
                part.unlink(missing_ok=True)
            gone = to_remove(self._stored(), self.limits, now_us=now_us)
            self._remove(gone)
        return len(gone)

    def erase(self, *erasures: Erasure) -> int:
        """Remove what they cover, for ever; how many examples went. Raises BadInputError."""
        more = [checked(erasure) for erasure in erasures]
        with self._alone():
            known = read_erasures(self._erasures)
            if known.with_more(*more) != known:
                # First the memory of it: a crash in between must not bring anything back.
                write_erasures(self._erasures, known.with_more(*more))
            gone = [name for name in self.names() if any(e.covers(name) for e in more)]
            self._remove(gone)
        return len(gone)

    def erasures(self) -> Erasures:
        return read_erasures(self._erasures)

    def held(self) -> Held:
        stored = list(self._stored())
        return Held(
            len(stored),
            sum(each.size for each in stored),
            max((each.name.at_us for each in stored), default=0),
        )

    def _stored(self) -> Iterator[Stored]:
        for name in self.names():
            with suppress(FileNotFoundError):
                yield Stored(name, (self._examples / str(name)).stat().st_size)

    def _remove(self, names: Iterable[ExampleName]) -> None:
        removed = False
        for name in names:
            (self._examples / str(name)).unlink(missing_ok=True)
            removed = True
        if removed:
            sync_folder(self._examples)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, among threads and processes: `tallyman learn erase` works on a folder that
        a station or hub has open. The kernel's lock goes with whoever held it.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
