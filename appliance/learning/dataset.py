"""A folder of learning examples, bounded in age and bytes, on a station and on the hub.

One file an example, named by its age, carton and content (`ExampleName`), written whole or not at
all: killed in the middle of a write, the folder holds what it held before. Nothing but this folder
holds examples, so a limit or an erasure that is kept here is kept.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class _Known:
    """What the folder held when its mark and its time (ns) were these; oldest first."""

    mark: bytes
    mtime_ns: int
    stored: Sequence[Stored]


class Dataset:
    """All methods block and may be called from several threads and processes. The folder is made
    when the first example comes.

    What the folder holds is remembered, for 50,000 examples take seconds to list: for as long as no
    other process changed it (each writes a mark of its change) and its own time stays the same.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits
        self._examples = folder / "examples"
        self._erasures = folder / "erasures.json"
        self._mark = folder / "changed"
        self._known = _Known(b"", -1, ())
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
            known = self._stored()
            here = next((each.name for each in known if each.name.carton == name.carton), None)
            if here is not None:
                return here
            new = Stored(name, len(data))
            gone = to_remove([*known, new], self.limits, now_us=now_us)
            if name in gone or read_erasures(self._erasures).cover(name):
                return None
            left = self._without(known, gone)
            write_atomic(self._examples / str(name), data, mode=0o600)
            insort(left, new, key=lambda each: each.name)
            self._changed(left)
        for callback in list(self._listeners):
            callback(name)
        return name

    def names(self) -> list[ExampleName]:
        """Oldest first."""
        return [each.name for each in self._stored()]

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
        stored = self._stored()
        return Held(
            len(stored),
            sum(each.size for each in stored),
            max((each.name.at_us for each in stored), default=0),
        )

    def _stored(self) -> Sequence[Stored]:
        """Oldest first."""
        try:
            mark, mtime_ns = self._mark_now(), self._examples.stat().st_mtime_ns
            known = self._known
            if (known.mark, known.mtime_ns) == (mark, mtime_ns):
                return known.stored
            stored = self._listed()
        except FileNotFoundError:
            return ()
        self._known = _Known(mark, mtime_ns, stored)
        return stored

    def _listed(self) -> Sequence[Stored]:
        found = []
        with os.scandir(self._examples) as entries:
            # Names begin with the time in 16 digits.
            for entry in sorted(entries, key=lambda entry: entry.name):
                name = ExampleName.parse(entry.name)
                if name is not None:
                    with suppress(FileNotFoundError):
                        found.append(Stored(name, entry.stat().st_size))
        return found

    def _mark_now(self) -> bytes:
        try:
            return self._mark.read_bytes()
        except FileNotFoundError:
            return b""

    def _changed(self, stored: Sequence[Stored]) -> None:
        """The folder holds `stored` from now on. After the change itself: whoever looks in between
        looks again.
        """
        mark = secrets.token_bytes(8)
        self._mark.write_bytes(mark)
        self._known = _Known(mark, self._examples.stat().st_mtime_ns, stored)

    def _remove(self, names: Iterable[ExampleName]) -> None:
        known = self._stored()
        left = self._without(known, names)
        if len(left) != len(known):
            self._changed(left)

    def _without(self, stored: Sequence[Stored], names: Iterable[ExampleName]) -> list[Stored]:
        """What is left when `names` are removed from the disk."""
        gone = set(names)
        for name in gone:
            (self._examples / str(name)).unlink(missing_ok=True)
        if gone and self._examples.is_dir():
            sync_folder(self._examples)
        return [each for each in stored if each.name not in gone]

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
