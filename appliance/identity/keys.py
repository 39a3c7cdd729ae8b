"""Keys and what may be signed with them.

Every signature names its purpose in a prefix, so that one made for one purpose can never pass
for another. Private keys lie in files that only their owner may read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from appliance.durable import write_atomic
from contracts.errors import BadInputError

ENTRY = b"tallyman journal entry v1\0"
HEAD = b"tallyman hub head v1\0"
REQUEST = b"tallyman device request v1\0"
SESSION = b"tallyman session v1\0"


class ReadableKeyError(BadInputError):
    """A private key that others than its owner may read; data has `path`."""

    code = "key_readable"


PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_device_id(device: str) -> str:
    """`device` itself when it may name one; raises BadInputError otherwise."""
    if _DEVICE.fullmatch(device) is None:
        raise BadInputError(
            f"device id {device[:80]!r} is not usable",
            mend="Use 1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first",
        )
    return device


def canonical(value: Mapping[str, object]) -> bytes:
    """RFC 8785 canonical JSON of a flat object with ASCII keys, strings and integers only.

    For such objects the standard encoder with sorted keys and no spaces writes the same bytes;
    integers stay within 2**53, as the RFC asks. Raises BadInputError outside of that.
    """
    for key, item in value.items():
        if isinstance(item, bool) or not isinstance(item, str | int) or not key.isascii():
            raise BadInputError(
                f"signed field {key!r} is {type(item).__name__}",
                mend="Sign strings and integers only",
            )
        if isinstance(item, int) and abs(item) > 2**53:
            raise BadInputError(f"signed field {key!r} is beyond 2**53", mend="Sign it as text")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError("a signed field is not valid Unicode", mend="Send UTF-8") from error


def open_or_create_key(path: Path, *, curve: str = "ed25519") -> PrivateKey:
    """The key in `path` (PKCS #8 PEM, mode 0600), made at the first call.

    Raises BadInputError when the file is no such key, ReadableKeyError when others may read it.
    """
    if not path.exists():
        # Edge and agent of a new box start together, with one key between them.
        with _alone(path.parent):
            if not path.exists():
                return _new_key(path, curve)
    check_private(path)
    try:
        loaded = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise BadInputError(
            f"{path} is not a private key",
            mend="Restore it from a backup, or remove it and enrol the device anew",
        ) from error
    wanted = Ed25519PrivateKey if curve == "ed25519" else ec.EllipticCurvePrivateKey
    if not isinstance(loaded, wanted):
        raise BadInputError(f"{path} holds another kind of key", mend="Restore it from a backup")
    return loaded


def _new_key(path: Path, curve: str) -> PrivateKey:
    key: PrivateKey = (
        Ed25519PrivateKey.generate()
        if curve == "ed25519"
        else ec.generate_private_key(ec.SECP256R1())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomic(path, pem, mode=0o600)
    return key


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process or thread that asks for it makes something in `folder` meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_private(path: Path, *, user: int | None = None) -> None:
    """Raises ReadableKeyError when group or others may read or change `path`, or it belongs to
    another than `user` (a numeric id; None: this process's) and root: whoever read a key can speak
    in its name.
    """
    user = os.geteuid() if user is None else user
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise ReadableKeyError(
            f"The private key {path} is open to others (mode {mode:04o})",
            mend=f"chmod 600 {path}; if somebody may have read it, make a new key",
            path=str(path),
        )
    if found.st_uid not in {user, 0}:
        raise ReadableKeyError(
            f"The private key {path} belongs to user {found.st_uid}, not to this one",
            mend=f"chown it to user {user}",
            path=str(path),
        )


def ed25519_key(path: Path) -> Ed25519PrivateKey:
    key = open_or_create_key(path)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 -- open_or_create_key checked the kind
    return key


def public_pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public_pem(pem: str, *, what: str) -> Ed25519PublicKey:
    """Raises BadInputError when `pem` (named `what` in the message) is no Ed25519 public key."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise BadInputError(f"{what} is not a public key in PEM", mend="Check the file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInputError(f"{what} is not an Ed25519 key", mend="Check the file")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """The SHA-256 of the raw public key, hex, first 16 digits: to name a key in a message."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def verifies(key: Ed25519PublicKey, purpose: bytes, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, purpose + message)
    except InvalidSignature:
        return False
    return True


def verifies_hex(key: Ed25519PublicKey, purpose: bytes, message: bytes, signature: str) -> bool:
    """As `verifies`; the text must be exactly the lower-case hex of the signature, so that no
    other spelling of one signature passes.
    """
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    return raw.hex() == signature and verifies(key, purpose, message, raw)
