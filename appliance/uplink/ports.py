"""What the intake needs from the stock core. Methods block; the intake calls them in threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from contracts.asn import Expectations
from contracts.events import EventBody, JournalEntry


class Applied(Protocol):
    @property
    def duplicate(self) -> bool: ...


class AppliesEntries(Protocol):
    def apply(self, entry: JournalEntry, body: EventBody) -> Applied:
        """Apply once by (device, seq), in one transaction with the device's head.

        Raises JournalBrokenError for another entry under a number that was applied before.
        """
        ...

    def set_aside(self, entry: JournalEntry, why: str) -> Applied:
        """Go past an entry that cannot be applied, with a ticket that says so; once by (device, seq)."""
        ...

    def device_head(self, device: str) -> tuple[int, str]:
        """Sequence and hash of the last entry applied; sequence 0 for an unknown device."""
        ...

    def expectations(self, station: str | None = None) -> Expectations:
        """What a station is told: the delivery at its own dock. Without one, the newest."""
        ...


OnApplied = Callable[[JournalEntry, EventBody, Applied], Awaitable[None]]
