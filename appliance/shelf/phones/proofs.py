"""What a phone signs, judged: pure but for the clock and the list of challenges already used.

A challenge carries its own time under the hub's signature, so that asking for a million of them
fills nothing; it is good for one phone, once, for two minutes.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.shelf.phones.facts import (
    BadProofError,
    enrol_message,
    session_message,
)
from contracts.errors import BadInputError

CHALLENGE = timedelta(minutes=2)
_PURPOSE = b"tallyman phone challenge v1\0"
_KEY_BYTES = 32


def check_public_key(public_key: str) -> str:
    """`public_key` itself where it is an Ed25519 key in lower-case hex. Raises BadInputError."""
    try:
        raw = bytes.fromhex(public_key)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_BYTES or raw.hex() != public_key:
        raise BadInputError(
            "The phone's key is no Ed25519 key of 32 bytes in hex",
            mend="Open the enrolment page again in an up-to-date browser",
        )
    return public_key


def check_enrolment(public_key: str, token: str, proof: str) -> None:
    """Raises BadProofError where whoever enrols does not hold the key."""
    _check(public_key, enrol_message(public_key, token), proof)


class Challenges:
    """Made and judged with the hub's own key. Safe to call from many threads."""

    def __init__(self, key: Ed25519PrivateKey, now: Callable[[], datetime]) -> None:
        self._key = key
        self._now = now
        self._used: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def new(self, phone: str) -> str:
        at_us, nonce = int(self._now().timestamp() * 1_000_000), secrets.token_urlsafe(18)
        seal = self._key.sign(_sealed(phone, at_us, nonce))
        return f"{at_us}.{nonce}.{base64.urlsafe_b64encode(seal).decode()}"

    def check(self, phone: str, public_key: str, challenge: str, signature: str) -> None:
        """Raises BadProofError."""
        self._genuine(phone, challenge)
        _check(public_key, session_message(phone, challenge), signature)
        now = self._now()
        with self._lock:
            self._used = {each: at for each, at in self._used.items() if now - at < 2 * CHALLENGE}
            if challenge in self._used:
                raise BadProofError("This challenge was answered before", mend="Ask for a new one")
            self._used[challenge] = now

    def _genuine(self, phone: str, challenge: str) -> None:
        at, _, rest = challenge.partition(".")
        nonce, _, seal = rest.partition(".")
        try:
            at_us = int(at)
            raw = base64.b64decode(seal, altchars=b"-_", validate=True)
            self._key.public_key().verify(raw, _sealed(phone, at_us, nonce))
        except (ValueError, binascii.Error, InvalidSignature) as error:
            raise BadProofError(
                "This is no challenge of ours for this phone", mend="Ask for a new one"
            ) from error
        age = int(self._now().timestamp() * 1_000_000) - at_us
        if not 0 <= age <= CHALLENGE / timedelta(microseconds=1):
            raise BadProofError("The challenge is too old", mend="Ask for a new one")


def _sealed(phone: str, at_us: int, nonce: str) -> bytes:
    return _PURPOSE + f"{phone}\0{at_us}\0{nonce}".encode()


def _check(public_key: str, message: bytes, signature: str) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), message)
    except (ValueError, InvalidSignature) as error:
        raise BadProofError(
            "The signature does not fit the phone's key", mend="Enrol the phone again"
        ) from error
