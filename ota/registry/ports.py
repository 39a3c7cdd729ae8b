"""What the registry needs from outside. Every adapter passes the same contract suite as the twin in
memory (tests/ota/registry).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ota.model_set import ModelSet
from ota.registry.records import GoldenResult, SetEvent, SetRecord, SetState


class Catalogue(Protocol):
    """The sets and what was done with them. Methods block; what returned is durable."""

    def add(self, record: SetRecord, event: SetEvent) -> SetRecord:
        """Enter a set. Known already under this digest: the known record comes back, nothing is
        entered. Raises ConflictError where another set has this lane, name and version.
        """
        ...

    def find(self, digest: str) -> SetRecord | None: ...

    def all(self, *, lane: str = "", state: SetState | None = None) -> Sequence[SetRecord]:
        """Newest proposal first."""
        ...

    def change(
        self, digest: str, change: Callable[[SetRecord], SetRecord], event: SetEvent
    ) -> SetRecord:
        """Replace a record by what `change` makes of it, with its line in the audit trail, in one
        transaction; nothing happens where `change` raises. Raises NotFoundError.
        """
        ...

    def note(self, event: SetEvent) -> None:
        """A line of the audit trail that changes no record."""
        ...

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]:
        """The audit trail, newest first; of one set where `digest` is given."""
        ...


class Blobs(Protocol):
    """Bytes by name, whole or not there. Names are slashes and plain signs. Methods block."""

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        """Store what `parts` gives and return how many bytes that was. Where `parts` raises or the
        process dies, what stood there before still stands. Raises UnavailableError.
        """
        ...

    def size(self, name: str) -> int | None:
        """In bytes; None where there is nothing. Raises UnavailableError."""
        ...

    def read(self, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive; None: all the rest) in parts of bounded size.

        Raises NotFoundError, UnavailableError.
        """
        ...

    def names(self, prefix: str) -> Sequence[str]:
        """Names that begin with a folder `prefix` (such as `artefacts/`), sorted."""
        ...

    def remove(self, name: str) -> None:
        """Whether it was there or not."""
        ...


class MetadataStore(Protocol):
    """The image plane's signed files by name (`timestamp.json`, `3.read.json`)."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, data: bytes) -> None:
        """Whole or not at all, and on disk when it returns."""
        ...

    def names(self) -> Sequence[str]: ...

    def alone(self) -> AbstractContextManager[None]:
        """While it is held, nobody else changes the plane, of this process or another."""
        ...


@dataclass(frozen=True, slots=True)
class Delta:
    """What turns one file into another: `kind` names the method, the way to undo it is the box's."""

    kind: str
    data: bytes


class DeltaMaker(Protocol):
    def __call__(self, old: bytes, new: bytes) -> Delta | None:
        """The smallest way from `old` to `new`; None where sending `new` whole is smaller."""
        ...


class GoldenTest(Protocol):
    def __call__(self, model_set: ModelSet) -> GoldenResult | None:
        """Judge the golden frames with a set; None where there are none for its lane."""
        ...
