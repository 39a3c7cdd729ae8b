"""May this batch be applied on top of what was applied before? Pure (I2, I4).

Rules: entries are the device's own, signed, and chained without a gap; they continue the head that
the core holds, or repeat what lies before it. A gap is mended by sending from the head; anything
else means that two histories exist under one key, and the device is quarantined.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.keys import ENTRY, verifies_hex
from appliance.journal.codec import GENESIS, hash_of
from appliance.journal.heads import Head
from contracts.errors import BadInputError, ConflictError
from contracts.events import JournalEntry


class GapError(ConflictError):
    """Entries between the head and this batch are missing; data has `expected`, the next seq."""

    code = "gap"


class BrokenChainError(ConflictError):
    """The batch contradicts itself or the head: data has `seq`."""

    code = "broken_chain"


def check_batch(
    entries: Sequence[JournalEntry], *, device: str, key: Ed25519PublicKey, head: Head
) -> None:
    """Raises GapError, BrokenChainError. An empty batch is fine."""
    before: JournalEntry | None = None
    for entry in entries:
        _check_alone(entry, device, key)
        if before is not None and (entry.seq, entry.previous) != (before.seq + 1, before.hash):
            raise _broken(entry, f"does not continue entry {before.seq}")
        if entry.seq == 1 and entry.previous != GENESIS:
            raise _broken(entry, "is the first and names one before it")
        if entry.seq == head.seq and entry.hash != head.hash:
            raise _broken(entry, "is another one than the entry applied under its number")
        if entry.seq == head.seq + 1 and head.seq > 0 and entry.previous != head.hash:
            raise _broken(entry, "does not continue what was applied before")
        before = entry
    if entries and entries[0].seq > head.seq + 1:
        raise GapError(
            f"entries {head.seq + 1} to {entries[0].seq - 1} of {device} are missing",
            mend="Send from the expected entry on",
            expected=head.seq + 1,
        )


def _check_alone(entry: JournalEntry, device: str, key: Ed25519PublicKey) -> None:
    if entry.device != device:
        raise _broken(entry, f"is of {entry.device[:80]!r}, sent by {device!r}")
    if entry.seq < 1:
        raise _broken(entry, "has no place in a journal")
    try:
        digest = hash_of(entry)
    except BadInputError as error:
        raise _broken(entry, error.message) from error
    if digest != entry.hash:
        raise _broken(entry, "has a hash that does not fit its content")
    if not verifies_hex(key, ENTRY, bytes.fromhex(digest), entry.signature):
        raise _broken(entry, "has a signature that does not fit the device's key")


def _broken(entry: JournalEntry, what: str) -> BrokenChainError:
    return BrokenChainError(
        f"entry {entry.seq} {what}",
        mend="The device is quarantined; its log is kept at the hub",
        seq=entry.seq,
    )
