"""Key files of the image plane: who they belong to, and a private key under a passphrase (I5).

Root keys lie where their people keep them (a stick in a safe); the hub's folder has the lanes'
keys, locked, and those that it signs by itself with. A file that others than its owner can read is
refused: whoever read it may speak for the site.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

from appliance.durable import write_atomic
from appliance.identity.keys import check_private, load_public_pem, public_pem
from appliance.teaching.locking import LockedKey, lock, unlock
from contracts.errors import BadInputError, ConflictError, ForbiddenError

SUFFIX = ".otakey"
_OTHERS = 0o077


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What such a file holds. `salt` is empty for a key that no passphrase locks."""

    tallyman_ota_key: Literal[1]
    role: str
    """`root`, `snapshot`, `timestamp` or a lane."""
    holder: str
    key_id: str
    """TUF's: SHA-256 of the public key's canonical form."""
    public: str
    salt: str
    pem: str

    @property
    def locked(self) -> bool:
        return bool(self.salt)

    @property
    def key(self) -> Key:
        return SSlibKey.from_crypto(load_public_pem(self.public, what=f"{self.role} key"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A key that can sign, and where it lies."""

    signer: Signer
    file: KeyFile


def make_key(folder: Path, *, role: str, holder: str, passphrase: str = "") -> Opened:
    """A new Ed25519 key in a file of its own below `folder`; without a passphrase anybody who gets
    the file can sign. Raises BadInputError for a passphrase that guards nothing, ConflictError.
    """
    key = Ed25519PrivateKey.generate()
    signer = CryptoSigner(key)
    if passphrase:
        locked = lock(key, passphrase)
    else:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        locked = LockedKey("", pem.decode())
    file = KeyFile(
        tallyman_ota_key=1,
        role=role,
        holder=holder,
        key_id=signer.public_key.keyid,
        public=public_pem(key.public_key()),
        salt=locked.salt,
        pem=locked.pem,
    )
    path = folder / f"{role}-{file.key_id[:16]}{SUFFIX}"
    if path.exists():
        raise ConflictError(f"{path} exists", mend="Choose another folder")
    write_atomic(path, msgspec.json.format(msgspec.json.encode(file), indent=1), mode=0o600)
    return Opened(signer, file)


def read_key(path: Path) -> KeyFile:
    """What a key file says of itself. Raises BadInputError, ReadableKeyError for one that others
    can read too.
    """
    try:
        check_private(path)
        file = msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except OSError as error:
        raise BadInputError(
            f"Cannot read the key {path}: {error.strerror}", mend="Check the path"
        ) from error
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"{path} is no key of model sets: {error}", mend="Name a file that ota init made"
        ) from error
    return file


def open_key(file: KeyFile, passphrase: str = "") -> Opened:
    """Raises WrongPassphraseError, ForbiddenError where one is needed, BadInputError."""
    if file.locked:
        if not passphrase:
            raise ForbiddenError(
                f"The key for {file.role} is locked", mend=f"Ask {file.holder} for the passphrase"
            )
        private = unlock(LockedKey(file.salt, file.pem), passphrase)
    else:
        loaded = load_pem_private_key(file.pem.encode(), password=None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise BadInputError(f"The key for {file.role} is of another kind")
        private = loaded
    signer = CryptoSigner(private)
    if signer.public_key.keyid != file.key_id:
        raise BadInputError(
            f"The key for {file.role} is not the one its file names", mend="Restore it"
        )
    return Opened(signer, file)


class HubKeys:
    """The hub's folder of keys. Methods block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: dict[str, Signer] = {}

    def files(self) -> tuple[KeyFile, ...]:
        """Raises ForbiddenError, BadInputError naming the file."""
        return tuple(read_key(path) for path in sorted(self.folder.glob(f"*{SUFFIX}")))

    def find(self, key_id: str) -> KeyFile | None:
        for path in self.folder.glob(f"*-{key_id[:16]}{SUFFIX}"):
            file = read_key(path)
            if file.key_id == key_id:
                return file
        return None

    def online(self, key_id: str) -> Signer | None:
        """An unlocked key by its TUF id (ota.registry.plane.image_plane.Signers)."""
        if key_id not in self._opened:
            file = self.find(key_id)
            if file is None or file.locked:
                return None
            self._opened[key_id] = open_key(file).signer
        return self._opened[key_id]

    def check(self) -> None:
        """At the hub's start: raises ForbiddenError for a key file that others can read."""
        with contextlib.suppress(FileNotFoundError):
            if self.folder.stat().st_mode & _OTHERS:
                self.folder.chmod(0o700)
        self.files()
