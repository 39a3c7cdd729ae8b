"""ECDSA P-256 signatures as browsers make them (WebCrypto; FIPS 186-5, RFC 7518 section 3.4).

A signature is r and s side by side, 64 bytes, in lower-case hex; a public key is PEM. The key's id
is the SHA-256 of its SubjectPublicKeyInfo, hex.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from contracts.errors import BadInputError

_HALF = 32
_MOST_PEM = 4000


def load_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """A P-256 public key from PEM, or from the hex of its SubjectPublicKeyInfo in DER.

    Raises BadInputError.
    """
    mend = "Send the public half of an ECDSA P-256 key, PEM or DER in hex"
    if len(text) > _MOST_PEM:
        raise BadInputError("The public key is too long", mend=mend)
    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = load_pem_public_key(text.strip().encode())
        else:
            key = load_der_public_key(bytes.fromhex(text.strip()))
    except (ValueError, TypeError) as error:
        raise BadInputError("The public key cannot be read", mend=mend) from error
    except Exception as error:
        # The library has its own error for algorithms that it does not know.
        raise BadInputError("The public key is of another kind", mend=mend) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadInputError("The public key is of another kind", mend=mend)
    return key


def public_pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    raw = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(raw).hexdigest()


def verifies(pem: str, message: bytes, signature: str) -> bool:
    """True when `signature` is the key's over SHA-256 of `message`, spelled the one way."""
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    if len(raw) != 2 * _HALF or raw.hex() != signature:
        return False
    r, s = int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:])
    try:
        load_public_key(pem).verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
