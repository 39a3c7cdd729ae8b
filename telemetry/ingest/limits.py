"""How much the ingest may hold, in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    in_flight_bytes: int = 32 << 20
    """Taken and not yet on disk; beyond it the endpoints stop reading."""
    group_us: int = 1_000
    """Messages that came within this time share one time of arrival, microseconds."""
    commit_every_s: float = 0.001
    """Between the starts of two syncs, so that a fast disk is not worn out by single messages."""
    retry_s: float = 0.25
    """After a write that failed."""
    segment_bytes: int = 128 << 20
    spare_bytes: int = 0
    """Of the disk; readings never take the last of it, which the history, the journal and a restart
    need. Nothing is acknowledged while less is free."""
    quarantine_bytes: int = 64 << 20
    """All that a quarantine keeps; the oldest goes."""
    known_messages: int = 500_000
    """Identities of messages kept in memory to know one that comes again, about 70 bytes each."""
    rebuild_bytes: int = 64 << 20
    """Newest part of the segments that a start reads to know them again."""
    checkpoint_s: float = 10.0
    checkpoint_messages: int = 500_000
    """Whichever comes first: so much a start goes through again at most, in seconds."""
    tick_s: float = 0.1
    """How often time alone is told to the rules."""
