"""What a device writes down while it is offline: a signed, chained log that the core merges (I6).

An entry's hash is the SHA-256 of its RFC 8785 canonical JSON without hash and signature, so any
language can make one; `previous` is the hash of the device's entry before it, `GENESIS` for the
first. The signature is Ed25519 over `PURPOSE` and the 32 bytes of the hash. Entries may be sent in
any order, again, in parts and days later: all orders of merging give the same state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.canonical import canonical
from contracts.stock import BatchKey, HoldKind

GENESIS = "0" * 64
"""`previous` of a device's first entry."""

PURPOSE = b"tallyman offline log entry v1\0"
"""Before what is signed: a signature made for this can pass for nothing else."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry as it is sent. `seq` counts from 1; `at_us` are microseconds since 1970 UTC by the
    device's clock, which may be wrong: nothing is ordered by it. Hashes and signature are hex.
    """

    device: str
    seq: int
    at_us: int
    by: str
    """Who held the device."""
    kind: str
    """A key of `KINDS`."""
    body: Mapping[str, Any]
    """The fields of that kind's class; integers, strings, lists and objects only."""
    previous: str
    hash: str
    signature: str


def hash_of(entry: LogEntry) -> str:
    """What `entry.hash` must be, hex. Raises BadInputError for what has no canonical text."""
    text = canonical(
        {
            "v": 1,
            "device": entry.device,
            "seq": entry.seq,
            "at_us": entry.at_us,
            "by": entry.by,
            "kind": entry.kind,
            "body": entry.body,
            "previous": entry.previous,
        }
    )
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class Carried:
    """The device was told how things stand, and works from that. The first entry of a log and of
    every trip after the device has heard from the core.
    """

    version: int
    """The core's position (`GET /api/v1/offline/carry`)."""
    seen: dict[str, int] = field(default_factory=dict)
    """Of each device's log, the last entry that is in what was told."""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many units of a batch were counted in a place. `expected` is what the device showed at
    that moment: what it was told, and what was done with it since, earlier counts included.
    """

    batch: BatchKey
    location: str
    counted: int
    expected: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Units were seen to be gone (`change` below zero: broken, thrown away) or found."""

    batch: BatchKey
    location: str
    change: int
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Units were carried by hand from one place in the house to another."""

    batch: BatchKey
    quantity: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Received:
    """Goods came in. They stay in inspection until the core confirms them (I1)."""

    batch: BatchKey
    quantity: int
    location: str
    expiry: str = ""
    """ISO 8601, empty where none was read."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """Goods left under a quota that the core had granted to this device. `location` is where they
    were taken from when they were not out of the quota's own goods.
    """

    batch: BatchKey
    quantity: int
    quota: str
    order: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing of this may leave from now on. The hold's id is `hold_id_of` the entry's hash."""

    kind: HoldKind
    note: str
    batch: BatchKey | None = None
    cartons: tuple[str, ...] = ()
    location: str = ""
    supplier: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """Quality releases the holds it saw, by name. A hold that it did not see survives."""

    holds: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """The date that is printed on goods of a batch; of two dates the earlier counts."""

    batch: BatchKey
    expiry: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Flagged:
    """Something at a shelf wants a look: a wrong price, a torn label, a code that fits nothing."""

    flag: str
    location: str = ""
    gtin: str = ""
    batch: BatchKey | None = None
    note: str = ""
    photos: tuple[str, ...] = ()
    """SHA-256, hex, of JPEGs that the device sends beside its log (`PUT /api/v1/shelf/photos`)."""


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A ticket for quality, written on the spot."""

    note: str
    batch: BatchKey | None = None
    location: str = ""
    photos: tuple[str, ...] = ()
    """As of `Flagged`."""


Fact = (
    Carried
    | Counted
    | Adjusted
    | Moved
    | Received
    | Shipped
    | Held
    | Released
    | Observed
    | Flagged
    | TicketOpened
)

KINDS: dict[str, type[Fact]] = {
    "carried": Carried,
    "counted": Counted,
    "adjusted": Adjusted,
    "moved": Moved,
    "received": Received,
    "shipped": Shipped,
    "held": Held,
    "released": Released,
    "observed": Observed,
    "flagged": Flagged,
    "ticket_opened": TicketOpened,
}
KIND_OF: dict[type[Fact], str] = {fact: kind for kind, fact in KINDS.items()}


def hold_id_of(entry_hash: str) -> str:
    """The id of the hold that an entry adds: the device knows it before the core does."""
    return f"H-{entry_hash[:16]}"
