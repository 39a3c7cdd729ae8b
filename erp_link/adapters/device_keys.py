"""Ed25519 keys of devices that keep offline logs (RFC 8032). Keys and signatures are lower-case hex."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.errors import BadInputError

_KEY = 32
_SIGNATURE = 64


def check_public_key(text: str) -> str:
    """`text` itself when it is the hex of a raw public key. Raises BadInputError."""
    raw = _hex(text, _KEY)
    if raw is None:
        raise BadInputError(
            "The device's public key cannot be read",
            mend="Send the 32 raw bytes of an Ed25519 public key in lower-case hex",
        )
    try:
        Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise BadInputError(
            "The device's public key is no Ed25519 key", mend="Make a key pair on the device"
        ) from error
    return text


def verifies(public_key: str, message: bytes, signature: str) -> bool:
    """True when `signature` is the key's over `message`."""
    key, raw = _hex(public_key, _KEY), _hex(signature, _SIGNATURE)
    if key is None or raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _hex(text: str, size: int) -> bytes | None:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    return raw if len(raw) == size and raw.hex() == text else None
