"""What goes to disk together: everything that came while the disk was busy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contracts.telemetry import AlarmChanged
from telemetry.segments.groups import (
    MOST_BYTES,
    QUARANTINE_MAGIC,
    Message,
    Quarantined,
    encode_items,
    frame,
)

OnDisk = Callable[[], None]


@dataclass(slots=True)
class Batch:
    """Framed groups in order, and what follows once they are on disk."""

    groups: list[bytes] = field(default_factory=list)
    quarantine: list[bytes] = field(default_factory=list)
    accepted: int = 0
    refused: list[str] = field(default_factory=list)
    """Codes of what is set aside."""
    callbacks: list[OnDisk] = field(default_factory=list)
    changes: list[AlarmChanged] = field(default_factory=list)
    held: int = 0
    """Bytes that are free again afterwards."""
    state: bytes | None = None
    """Of the rules after these groups, where a checkpoint is due."""


class Gathering:
    """The batch that is still open. Messages of one moment become one group."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.opened_us: int | None = None
        """Time of arrival of the group that is open; None where none is."""
        self._pieces: list[bytes] = []
        self._counts: list[int] = []
        self._size = 0
        self._refused: list[Quarantined] = []

    def __bool__(self) -> bool:
        batch = self.batch
        return bool(self._pieces or self._refused or batch.callbacks or batch.groups)

    def add(self, messages: Sequence[Message], encoded: bytes | None = None) -> int:
        """To the open group; bytes held from now on. `encoded`: as `encode_items` makes them."""
        piece = encode_items(messages) if encoded is None else encoded
        self._pieces.append(piece)
        self._counts.append(len(messages))
        self.batch.accepted += len(messages)
        size = len(piece)
        self._size += size
        self.batch.held += size
        return size

    def set_aside(self, items: Sequence[Quarantined]) -> int:
        """To the open group's quarantine; bytes held from now on."""
        self._refused.extend(items)
        self.batch.refused.extend(one.code for one in items)
        size = sum(len(one.address) + len(one.payload) + len(one.detail) + 64 for one in items)
        self._size += size
        self.batch.held += size
        return size

    def is_long(self) -> bool:
        """The open group is as long as one may get."""
        return self._size > MOST_BYTES // 8

    def close_group(self) -> None:
        """What comes next has a time of arrival of its own."""
        if self._pieces and self.opened_us is not None:
            self.batch.groups.append(frame(self._pieces, self._counts, self.opened_us))
        if self._refused and self.opened_us is not None:
            piece = encode_items(self._refused)
            group = frame([piece], [len(self._refused)], self.opened_us, QUARANTINE_MAGIC)
            self.batch.quarantine.append(group)
        self._pieces, self._counts, self._refused = [], [], []
        self._size = 0
        self.opened_us = None

    def close(self) -> Batch:
        """The batch, to be written; the next one starts empty."""
        self.close_group()
        batch, self.batch = self.batch, Batch()
        return batch
