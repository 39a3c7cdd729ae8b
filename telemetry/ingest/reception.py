"""What came in and is not being written yet: looked at, and in the group of its moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from telemetry.ingest.arrival import SLIP_US, Arrival
from telemetry.ingest.batch import Batch, Gathering, OnDisk
from telemetry.ingest.limits import Limits
from telemetry.ingest.sieve import Sieve
from telemetry.segments.groups import Message, Quarantined

MANY: Final = 1_024
"""Messages that are worth looking at by themselves."""
_WAITING_BYTES: Final = 200
"""What one call back costs while it waits: messages known already hold nothing else."""


@dataclass(slots=True)
class _Few:
    """Messages of several connections that the loop read in one turn."""

    received_us: int = 0
    messages: list[Message] = field(default_factory=list)
    callbacks: list[OnDisk] = field(default_factory=list)
    size: int = 0
    """Bytes of payloads."""


class Reception:
    """Sieve, clock and the open batch. Same caller as the sieve."""

    def __init__(
        self, sieve: Sieve, arrival: Arrival, limits: Limits, on_clock_set: Callable[[], None]
    ) -> None:
        """`on_clock_set`: as `Arrival.come_to` calls it."""
        self.held = 0
        """Bytes taken and not yet on disk; whoever has written a batch takes them off."""
        self._sieve, self._arrival, self._limits = sieve, arrival, limits
        self._on_clock_set = on_clock_set
        self._gathering = Gathering()
        self._few = _Few()

    def __bool__(self) -> bool:
        """Something waits to be written."""
        return bool(self._gathering or self._few.callbacks)

    @property
    def memory(self) -> int:
        """Bytes that all of it costs."""
        waiting = len(self._gathering.batch.callbacks) + len(self._few.callbacks)
        return self.held + _WAITING_BYTES * waiting

    @property
    def gathered(self) -> int:
        """Bytes ready to be written."""
        return self._gathering.batch.held

    def collect(self, messages: Sequence[Message], received_us: int, on_disk: OnDisk) -> bool:
        """Messages too few to be looked at by themselves; `sift_few` looks at them with others'.

        True for the first: then somebody has to call it when this turn of the loop is over.
        """
        few = self._few
        first = not few.callbacks
        if first:
            few.received_us = received_us
        few.messages += messages
        few.callbacks.append(on_disk)
        size = sum(len(payload) for _, payload in messages)
        few.size += size
        self.held += size
        return first

    @property
    def is_many(self) -> bool:
        """What was collected is worth looking at."""
        return len(self._few.messages) >= MANY

    def sift_few(self) -> bool:
        """Look at what was collected. Whether there was anything."""
        few = self._few
        if not few.callbacks:
            return False
        self._few = _Few()
        self.held -= few.size
        self.sift(few.messages, few.received_us, few.callbacks)
        return True

    def sift(
        self,
        messages: Sequence[Message],
        received_us: int,
        callbacks: Sequence[OnDisk],
        encoded: bytes | None = None,
    ) -> None:
        """Into the open group, or aside; `encoded` as for `Intake.take`."""
        gathering = self._gathering
        at_us = self._open(received_us)
        fresh, refused = self._sieve.sift(messages, at_us)
        if fresh:
            self.held += gathering.add(fresh, encoded if fresh is messages else None)
        if refused:
            self.held += gathering.set_aside(refused)
        gathering.batch.callbacks += callbacks

    def set_aside(self, items: Sequence[Quarantined], received_us: int, on_disk: OnDisk) -> None:
        """What an endpoint itself cannot take for a reading."""
        self.sift_few()
        self._open(received_us)
        self.held += self._gathering.set_aside(items)
        self._gathering.batch.callbacks.append(on_disk)

    def close_group(self) -> None:
        """What comes next has a time of arrival of its own."""
        self.sift_few()
        self._gathering.close_group()

    def close(self) -> Batch:
        """Everything, to be written; `sift_few` comes before."""
        return self._gathering.close()

    def _open(self, received_us: int) -> int:
        """The time of arrival that counts: that of the open group, or a new group's."""
        gathering = self._gathering
        opened = gathering.opened_us
        if opened is not None:
            here = opened - SLIP_US <= received_us <= opened + self._limits.group_us
            if here and not gathering.is_long():
                return opened
            gathering.close_group()
        gathering.opened_us = at_us = self._arrival.come_to(received_us, self._on_clock_set)
        return at_us
