"""Devices that write logs: a phone signs what its person does, and knows what it was told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.device_log import (
    GENESIS,
    KIND_OF,
    PURPOSE,
    Adjusted,
    Carried,
    Counted,
    Fact,
    LogEntry,
    Received,
    Released,
    Shipped,
    hash_of,
    hold_id_of,
)
from contracts.stock import BatchKey
from erp_link.domain.merge.union import Written

AT_US = 1_795_000_000_000_000


def body_of(fact: Fact) -> dict[str, Any]:
    """A fact as JSON has it."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(fact).items()
    }


@dataclass
class Phone:
    """Writes entries that follow each other; `log` keeps them with what they say."""

    device: str
    by: str = "Mei"
    spoken: str = ""
    """Another one makes another key for the same name."""
    log: list[tuple[LogEntry, Fact]] = field(default_factory=list)
    clock_us: int = AT_US

    @property
    def key(self) -> Ed25519PrivateKey:
        seed = hashlib.sha256(f"{self.device}{self.spoken}".encode()).digest()
        return Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def entries(self) -> list[LogEntry]:
        return [entry for entry, _ in self.log]

    def writes(self, fact: Fact) -> LogEntry:
        """One more entry at the end of the log."""
        entry = self.makes(fact, len(self.log) + 1, self.log[-1][0].hash if self.log else GENESIS)
        self.log.append((entry, fact))
        return entry

    def makes(self, fact: Fact, seq: int, previous: str) -> LogEntry:
        """A signed entry anywhere in a chain, kept nowhere."""
        self.clock_us += 1_000_000
        return self.sign(
            LogEntry(
                self.device,
                seq,
                self.clock_us,
                self.by,
                KIND_OF[type(fact)],
                body_of(fact),
                previous,
                hash="",
                signature="",
            )
        )

    def sign(self, entry: LogEntry) -> LogEntry:
        digest = hash_of(entry)
        signature = self.key.sign(PURPOSE + bytes.fromhex(digest)).hex()
        return replace(entry, hash=digest, signature=signature)

    def is_told(self, seen: Mapping[str, int] | None = None, version: int = 0) -> LogEntry:
        return self.writes(Carried(version, dict(seen or {})))

    def counts(
        self, batch: BatchKey, counted: int, *, of: int, location: str = "A-01-1"
    ) -> LogEntry:
        return self.writes(Counted(batch, location, counted, of))

    def adjusts(self, batch: BatchKey, change: int, location: str = "A-01-1") -> LogEntry:
        return self.writes(Adjusted(batch, location, change, "broken" if change < 0 else "found"))

    def receives(self, batch: BatchKey, quantity: int, location: str = "DOCK/1") -> LogEntry:
        return self.writes(Received(batch, quantity, location))

    def ships(self, batch: BatchKey, quantity: int, *, quota: str, location: str = "") -> LogEntry:
        return self.writes(Shipped(batch, quantity, quota, "SO-1", location))

    def releases(self, *holds: str, reason: str = "checked") -> LogEntry:
        return self.writes(Released(holds, reason))

    def hold_id(self, entry: LogEntry) -> str:
        return hold_id_of(entry.hash)

    def written(self) -> list[Written]:
        """The log as the pure merge takes it."""
        return [written_of(entry, fact) for entry, fact in self.log]


def written_of(entry: LogEntry, fact: Fact) -> Written:
    return Written(entry.hash, entry.device, entry.seq, entry.previous, entry.by, fact, entry.at_us)
