"""Artefacts by SHA-256, and deltas between them, over any store of bytes (I5).

Nothing is kept under a name that is not its hash. Deltas are helpers that nobody signs: whoever
undoes one checks the hash of what comes out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ArtefactRefusedError, NotFoundError
from ota.registry.ports import Blobs, Delta

PART_BYTES = 256 << 10
"""Files go through in parts of this size."""
_ARTEFACTS, _DELTAS = "artefacts/", "deltas/"
_HEX = re.compile(r"[0-9a-f]{64}")
_DELTA = re.compile(r"([0-9a-f]{64})-([0-9a-f]{64})\.([a-z0-9-]{1,32})")


@dataclass(frozen=True, slots=True)
class DeltaName:
    """`old` and `new` are SHA-256 in hex; `kind` names the method."""

    old: str
    new: str
    kind: str
    size_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.old}-{self.new}.{self.kind}"

    @classmethod
    def of(cls, name: str) -> DeltaName:
        """Raises NotFoundError for what cannot name a delta."""
        match = _DELTA.fullmatch(name)
        if match is None:
            raise NotFoundError(
                f"{name[:80]!r} names no delta", mend="<from sha256>-<to sha256>.<kind>"
            )
        return cls(match[1], match[2], match[3])


class Artefacts:
    """Methods block. Those that reach the store raise UnavailableError where it does not answer."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def put(self, sha256: str, parts: Iterable[bytes]) -> int:
        """Keep bytes under their hash; how many they were. Raises ArtefactRefusedError, and keeps
        nothing, where they have another.
        """
        return self._blobs.put(_ARTEFACTS + _hex(sha256), _checked(sha256, parts))

    def put_file(self, sha256: str, path: Path) -> int:
        """As put, from a file. What is whole there already is not sent again."""
        if self.holds(sha256):
            return path.stat().st_size
        with path.open("rb") as file:
            return self.put(sha256, iter(lambda: file.read(PART_BYTES), b""))

    def size(self, sha256: str) -> int | None:
        """In bytes; None where there is no such artefact."""
        return self._blobs.size(_ARTEFACTS + _hex(sha256))

    def read(self, sha256: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) in parts, as they stand there: whoever takes them
        checks the hash of the whole. Raises NotFoundError.
        """
        return self._blobs.read(_ARTEFACTS + _hex(sha256), start=start, end=end)

    def get(self, sha256: str) -> bytes:
        """All of it. Raises NotFoundError, ArtefactRefusedError where its hash is another."""
        return b"".join(_checked(sha256, self.read(sha256)))

    def holds(self, sha256: str) -> bool:
        """Whether it is there with its hash; reads all of it."""
        try:
            for _ in _checked(sha256, self.read(sha256)):
                pass
        except (NotFoundError, ArtefactRefusedError):
            return False
        return True

    def names(self) -> Sequence[str]:
        """SHA-256 of everything kept, in hex."""
        return [each.removeprefix(_ARTEFACTS) for each in self._blobs.names(_ARTEFACTS)]

    def put_delta(self, old: str, new: str, delta: Delta) -> DeltaName:
        name = DeltaName.of(f"{old}-{new}.{delta.kind}")
        self._blobs.put(f"{_DELTAS}{new}/{name}", iter([delta.data]))
        return DeltaName(old, new, delta.kind, len(delta.data))

    def deltas(self, new: str) -> Sequence[DeltaName]:
        """All that lead to `new`, the smallest first."""
        found = []
        for each in self._blobs.names(f"{_DELTAS}{_hex(new)}/"):
            name = DeltaName.of(each.rpartition("/")[2])
            size = self._blobs.size(each) or 0
            found.append(DeltaName(name.old, name.new, name.kind, size))
        return sorted(found, key=lambda each: each.size_bytes)

    def delta_size(self, name: DeltaName) -> int | None:
        return self._blobs.size(f"{_DELTAS}{name.new}/{name}")

    def read_delta(
        self, name: DeltaName, *, start: int = 0, end: int | None = None
    ) -> Iterator[bytes]:
        """Raises NotFoundError."""
        return self._blobs.read(f"{_DELTAS}{name.new}/{name}", start=start, end=end)


def _hex(sha256: str) -> str:
    if _HEX.fullmatch(sha256) is None:
        raise NotFoundError(
            f"{sha256[:80]!r} names no artefact", mend="64 hex digits of its SHA-256, in lower case"
        )
    return sha256


def _checked(sha256: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    """`parts`; raises ArtefactRefusedError at their end where their hash is another."""
    seen = hashlib.sha256()
    for part in parts:
        seen.update(part)
        yield part
    if seen.hexdigest() != sha256:
        raise ArtefactRefusedError(
            f"The bytes for {sha256[:12]} have the hash {seen.hexdigest()[:12]}",
            mend="Fetch or make them again",
        )
