"""Is an entry its device's own, to the letter (I4)? What is not is kept, and never booked."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from contracts.canonical import canonical
from contracts.device_log import KINDS, PURPOSE, Fact, LogEntry, hash_of
from contracts.errors import BadInputError, ConflictError, NotFoundError
from erp_link.adapters import device_keys
from erp_link.domain.merge.checks import check

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST_BODY = 64 * 1024
_LONGEST_NAME = 120


class BadEntryError(BadInputError):
    """An entry that is none: its fields are not what an entry's are."""

    code = "bad_entry"


class BrokenEntryError(BadInputError):
    """An entry whose hash is not that of its content."""

    code = "broken_entry"


class BadSignatureError(BadInputError):
    """An entry that its device's key did not sign."""

    code = "bad_signature"


class UnknownDeviceError(NotFoundError):
    """A log of a device that nobody enrolled: kept until somebody does."""

    code = "unknown_device"


class RevokedDeviceError(ConflictError):
    """A log of a device that was revoked: kept until quality takes it or leaves it."""

    code = "revoked_device"


class OtherKeyError(ConflictError):
    """A device id that belongs to another key."""

    code = "other_key"


def check_device(name: str) -> str:
    """`name` itself when it may name a device. Raises BadEntryError."""
    if _DEVICE.fullmatch(name) is None:
        raise BadEntryError(
            f"The device id {name[:80]!r} is not usable",
            mend="Use 1 to 64 letters, digits, dots, hyphens and underscores, a letter first",
        )
    return name


def check_form(entry: LogEntry) -> None:
    """Raises BadEntryError, BrokenEntryError."""
    check_device(entry.device)
    body = canonical(entry.body)
    if not (
        1 <= entry.seq <= 2**53
        and 0 <= entry.at_us <= 2**53
        and len(entry.by) <= _LONGEST_NAME
        and len(entry.kind) <= _LONGEST_NAME
        and len(body) <= _MOST_BODY
        and _HEX.fullmatch(entry.previous)
    ):
        raise BadEntryError(
            f"Entry {entry.seq} of {entry.device} is no entry of a log",
            mend="See docs/guides/offline-logs.md for the fields",
            device=entry.device,
            seq=entry.seq,
        )
    if hash_of(entry) != entry.hash:
        raise BrokenEntryError(
            f"The hash of entry {entry.seq} of {entry.device} does not fit its content",
            mend="It was changed on its way or in the device: send it again as it was written",
            device=entry.device,
            seq=entry.seq,
        )


def check_signature(entry: LogEntry, public_key: str) -> None:
    """Raises BadSignatureError."""
    message = PURPOSE + bytes.fromhex(entry.hash)
    if not device_keys.verifies(public_key, message, entry.signature):
        raise BadSignatureError(
            f"The signature of entry {entry.seq} does not fit the key of {entry.device}",
            mend="Sign with the key with which the device was enrolled",
            device=entry.device,
            seq=entry.seq,
        )


def fact_of(kind: str, body: Any) -> Fact:
    """What an entry says. Raises BadInputError for a kind or values that cannot be used."""
    wanted = KINDS.get(kind)
    if wanted is None:
        raise BadInputError(
            f"Entries of the kind {kind[:40]!r} are not known here",
            mend="Update the hub: the device's software is newer",
        )
    try:
        fact = msgspec.convert(body, type=wanted, strict=True)
    except msgspec.ValidationError as error:
        raise BadInputError(
            f"The body of a {kind} entry does not fit: {error}",
            mend="Mend the device's software, and write what was seen as a new entry",
        ) from error
    check(fact)
    return fact
