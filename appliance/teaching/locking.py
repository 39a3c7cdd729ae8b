"""A quality lead's private key under a passphrase that only they know (I5).

PKCS #8, encrypted by `cryptography`. Its own key derivation is made for short waits, so the
passphrase is stretched by Argon2id first (RFC 9106, second recommendation): a stolen database leaves
only guessing, at some tens of milliseconds and 64 MiB a guess.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from contracts.errors import BadInputError, ForbiddenError

FEWEST_SIGNS = 12
MOST_SIGNS = 1024


class WrongPassphraseError(ForbiddenError):
    code = "wrong_passphrase"


@dataclass(frozen=True, slots=True)
class LockedKey:
    """`pem` opens with what Argon2id makes of the passphrase and `salt` (hex)."""

    salt: str
    pem: str


def lock(key: Ed25519PrivateKey, passphrase: str) -> LockedKey:
    """Raises BadInputError for a passphrase that is too short to guard a key."""
    if not FEWEST_SIGNS <= len(passphrase) <= MOST_SIGNS:
        raise BadInputError(
            f"The passphrase has {len(passphrase)} signs; {FEWEST_SIGNS} to {MOST_SIGNS} are needed",
            mend="Take four or five words that nobody would guess, and write them down in a safe",
        )
    salt = secrets.token_hex(16)
    pem = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(_stretched(passphrase, salt))
    )
    return LockedKey(salt, pem.decode())


def unlock(locked: LockedKey, passphrase: str) -> Ed25519PrivateKey:
    """Raises WrongPassphraseError, and BadInputError where what is stored is no such key."""
    password = _stretched(passphrase[:MOST_SIGNS], locked.salt)
    try:
        key = load_pem_private_key(locked.pem.encode(), password=password)
    except ValueError as error:
        raise WrongPassphraseError(
            "The passphrase is wrong", mend="Type it again; nobody here can look it up"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInputError("The stored quality key is of another kind", mend="Make a new one")
    return key


def _stretched(passphrase: str, salt: str) -> bytes:
    raw = hash_secret_raw(
        passphrase.encode("utf-8", "surrogatepass"),
        bytes.fromhex(salt),
        time_cost=3,
        memory_cost=64 << 10,
        parallelism=4,
        hash_len=32,
        type=Type.ID,
    )
    return raw.hex().encode()
