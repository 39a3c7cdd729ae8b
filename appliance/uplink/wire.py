"""What goes over the wire between a device and its hub. JSON by msgspec of these classes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from appliance.journal.heads import Countersigned
from contracts.events import JournalEntry

ENTRIES_PATH = "/device/v1/entries"
EVIDENCE_PATH = "/device/v1/evidence"
EXPECTATIONS_PATH = "/device/v1/expectations"
SITE_PATH = "/device/v1/site"

_SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_ENTRIES = 500
MOST_BATCH_BYTES = 16 << 20
MOST_EVIDENCE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries in order. `absent` names pictures that the device no longer has itself."""

    entries: tuple[JournalEntry, ...]
    absent: tuple[str, ...] = ()


# At import, by one thread: two that learn of a class at one moment crash the process.
BATCH = msgspec.json.Decoder(Batch)


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to the head is applied and durable in the core."""

    head: Countersigned


@dataclass(frozen=True, slots=True)
class _Picture:
    sha256: str


@dataclass(frozen=True, slots=True)
class _Naming:
    evidence: tuple[_Picture, ...] = ()


# At import, by one thread: two that learn of a class at one moment crash the process.
_NAMING = msgspec.json.Decoder(_Naming)


def pictures_of(entry: JournalEntry) -> tuple[str, ...]:
    """Hashes of the pictures that an entry's body names, of whatever kind it is."""
    try:
        named = _NAMING.decode(entry.body).evidence
    except msgspec.MsgspecError:
        return ()
    return tuple(picture.sha256 for picture in named if _SHA256.fullmatch(picture.sha256))
