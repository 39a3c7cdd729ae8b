"""Bodies to text and back, and what an entry's hash covers (I4).

The hash covers a header of strings and integers in RFC 8785 canonical JSON; the body enters it by
the SHA-256 of its stored bytes, so verifying never re-encodes a body.
"""

from __future__ import annotations

import hashlib
from math import isfinite

import msgspec

from appliance.identity.keys import canonical
from contracts.errors import BadInputError
from contracts.events import KIND_OF, KINDS, EventBody, JournalEntry
from contracts.telemetry import AlarmChanged

GENESIS = "0" * 64
"""`previous` of a device's first entry."""


# Made here and not at first use: two threads that learn of one class at the same moment crash the
# process (msgspec 0.21 lets the second one see the first one's half-made description).
_DECODERS = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


class UnknownKindError(BadInputError):
    """A body of a kind this software does not know: it was written by a newer one."""

    code = "unknown_kind"


def encode_body(body: EventBody) -> tuple[str, str]:
    """(kind, JSON text). Raises BadInputError for a body that could not be read back."""
    kind = KIND_OF[type(body)]
    raw = msgspec.json.encode(body)
    # Not-a-number is written as null: found now, not after it was signed for ever.
    decode_body(kind, raw)
    if isinstance(body, AlarmChanged):
        _finite(body)
    return kind, raw.decode()


def decode_body(kind: str, text: str | bytes) -> EventBody:
    """The body of an entry. Raises UnknownKindError, BadInputError."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnknownKindError(
            f"entry kind {kind[:40]!r} is not known here", mend="Update this software", kind=kind
        )
    try:
        return decoder.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInputError(
            f"a {kind} body does not decode: {error}", mend="Check the software that wrote it"
        ) from error


def _finite(body: AlarmChanged) -> None:
    """Where no value means that readings are missing, not-a-number would say so too."""
    for name, value in (("value", body.value), ("limit", body.limit), ("worst", body.worst)):
        if value is not None and not isfinite(value):
            raise BadInputError(
                f"{name} of alarm {body.alarm_id[:80]!r} is {value}, which is no number",
                mend="Give a finite number, or none where readings are missing",
            )


def entry_hash(
    *,
    device: str,
    seq: int,
    boot: str,
    at_us: int,
    uncertainty_us: int,
    kind: str,
    body: str,
    previous: str,
) -> str:
    """The entry's hash, hex."""
    header = canonical(
        {
            "v": 1,
            "device": device,
            "seq": seq,
            "boot": boot,
            "at_us": at_us,
            "uncertainty_us": uncertainty_us,
            "kind": kind,
            "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
            "previous": previous,
        }
    )
    return hashlib.sha256(header).hexdigest()


def hash_of(entry: JournalEntry) -> str:
    """What `entry.hash` must be. Raises BadInputError for values that cannot be signed."""
    try:
        return entry_hash(
            device=entry.device,
            seq=entry.seq,
            boot=entry.boot,
            at_us=entry.at_us,
            uncertainty_us=entry.uncertainty_us,
            kind=entry.kind,
            body=entry.body,
            previous=entry.previous,
        )
    except UnicodeEncodeError as error:
        raise BadInputError("an entry's body is not valid Unicode", mend="Send UTF-8") from error
