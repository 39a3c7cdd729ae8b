"""What the ingest did since it started: every message is in one of these numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """For the status page and the metrics. Times in seconds, sizes in bytes."""

    accepted: int = 0
    """Readings on disk."""
    duplicates: int = 0
    """Acknowledged again, counted once."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Acknowledged and set aside, by code (`refused.<code>`)."""
    bytes: int = 0
    """Written to segments."""
    commits: int = 0
    sync_s: float = 0.0
    """All syncs together."""
    last_sync_s: float = 0.0
    slowest_sync_s: float = 0.0
    sequence_gaps: int = 0
    """Numbers that devices left out: lost before they reached us."""
    sequence_restarts: int = 0
    """A device counts from anew: rebooted or swapped; its readings are taken."""
    rule_errors: int = 0
    """Readings whose rules failed; they are stored all the same."""
    clock_steps: int = 0
    """Times that the machine's clock was set, or that it slept."""
    store_failures: int = 0
    """Writes that failed and were tried again; nothing of them was acknowledged."""
    alarms: int = 0
    """Changes of alarms told."""
    alarm_failures: int = 0
    """Tries to tell that failed and are repeated."""
    replayed: int = 0
    """Readings gone through again at the last start."""
    damaged_bytes: int = 0
    """Of segments that no longer were what had been written, found at the last start."""

    def written(self, accepted: int, refused: Iterable[str], size: int, took_s: float) -> None:
        """One write and sync is done: readings in it, codes of what was set aside, bytes."""
        self.accepted += accepted
        self.quarantined.update(refused)
        self.bytes += size
        self.commits += 1
        self.sync_s += took_s
        self.last_sync_s = took_s
        self.slowest_sync_s = max(self.slowest_sync_s, took_s)
