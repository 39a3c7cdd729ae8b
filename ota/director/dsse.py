"""Assignments as they travel: RFC 8785 text in a DSSE envelope under the director's Ed25519 key (I5).

DSSE (secure-systems-lab/dsse, protocol 1.0.2) signs the payload together with its type, so that
nothing else that this key ever signed can pass for an assignment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from contracts.canonical import canonical, read_canonical
from contracts.errors import ArtefactRefusedError
from contracts.ota import Assignment

# Assignment is learned here, before any thread converts to it: msgspec 0.21 crashes where two
# threads learn one class at once.
msgspec.json.Decoder(Assignment)

PAYLOAD_TYPE = "application/vnd.tallyman.assignment+json"
MOST_BYTES = 64 << 10
"""Of an envelope: seven lanes and some hundred pinned sets are far below."""
_VERSION = 1
_MEND = "What runs goes on; look at the hub's director key and at who answers in its name"


@dataclass(frozen=True, slots=True)
class SignedAssignment:
    """A verified assignment; `payload` is the SHA-256 (hex) of the text that was signed."""

    assignment: Assignment
    payload: str


class Director:
    """Signs assignments. `key_id` names the key as DSSE does."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._signer = CryptoSigner(key)
        self.key_id: str = self._signer.public_key.keyid

    def sign(self, assignment: Assignment) -> bytes:
        """The envelope, JSON in UTF-8. Raises BadInputError for what has no canonical text."""
        envelope = Envelope(payload_of(assignment), PAYLOAD_TYPE, {})
        envelope.sign(self._signer)
        return json.dumps(envelope.to_dict(), separators=(",", ":")).encode()


def payload_of(assignment: Assignment) -> bytes:
    """The text that is signed."""
    return canonical({"v": _VERSION, **asdict(assignment)})


def verify(envelope: bytes, keys: Sequence[Ed25519PublicKey]) -> SignedAssignment:
    """The assignment in `envelope`, if one of the director's `keys` signed it.

    Raises ArtefactRefusedError for everything else: too large, no envelope, another payload type,
    a foreign signature, a text that is not canonical or no assignment.
    """
    if len(envelope) > MOST_BYTES:
        raise _refused(f"It has {len(envelope)} bytes, at most {MOST_BYTES} are read")
    try:
        # Whoever keeps it keeps it as text: JSON in another encoding is none.
        opened = Envelope.from_dict(json.loads(envelope.decode()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FormatError) as error:
        raise _refused(f"It is no DSSE envelope: {error!r}") from error
    if opened.payload_type != PAYLOAD_TYPE:
        raise _refused(f"It holds {opened.payload_type!r}, not {PAYLOAD_TYPE}")
    trusted: list[Key] = [SSlibKey.from_crypto(key) for key in keys]
    try:
        opened.verify(trusted, 1)
    except (VerificationError, ValueError) as error:
        raise _refused("None of the director's keys that are trusted here signed it") from error
    try:
        said = read_canonical(opened.payload.decode())
        if said.pop("v", None) != _VERSION:
            raise _refused("It is of another version than this software's")
        assignment = msgspec.convert(said, Assignment)
    except (ValueError, msgspec.ValidationError) as error:
        raise _refused(f"What was signed is no assignment: {error}") from error
    return SignedAssignment(assignment, hashlib.sha256(opened.payload).hexdigest())


def _refused(what: str) -> ArtefactRefusedError:
    return ArtefactRefusedError(f"The assignment is refused. {what}", mend=_MEND)


def read_own(envelope: bytes) -> Assignment:
    """What an envelope says, without asking who signed it: for the hub, of those that it keeps."""
    said = json.loads(Envelope.from_dict(json.loads(envelope)).payload)
    return msgspec.convert(said, Assignment)
