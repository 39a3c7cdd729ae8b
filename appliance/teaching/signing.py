"""Which profile may judge: the quality lead's signature, and the keys that a station trusts (I5).

Rules:
- A profile judges only under a signature that names its product, its digest, its file and the
  station (or every station), made with a key that this station trusts.
- A station trusts the first quality key that its hub tells it over the device port. A later key
  counts when the one before has vouched for it; another one is refused until a person at the
  station's machine forgets the old one, so that a hub that was taken over signs nothing.
- Of two signatures for one product and station the one with the higher serial counts: going back to
  an earlier profile is a new signature, and an old one played again changes nothing.

What a signature says lies beside its profile as `<file>.sig`, JSON. Nothing here reads a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.durable import write_atomic
from appliance.identity.keys import canonical, key_id, load_public_pem, public_pem, verifies_hex
from contracts.errors import ArtefactRefusedError, BadInputError

PROFILE = b"tallyman product profile v1\0"
QUALITY_KEY = b"tallyman quality key v1\0"
SIGNATURE_SUFFIX = ".sig"


@dataclass(frozen=True, slots=True)
class ProfileSignature:
    """The quality lead's word that a profile may judge a product.

    `digest` is the profile's own (`Profile.digest`), `file` the SHA-256 of its bytes in hex;
    `station` is empty for every station of the site; `key` names the signing key (`key_id`).
    """

    gtin: str
    digest: str
    file: str
    station: str
    serial: int
    signed_by: str
    at_us: int
    """Microseconds since 1970, UTC, by the hub's clock."""
    reason: str
    key: str = ""
    signature: str = ""

    def message(self) -> bytes:
        """The bytes that are signed. Raises BadInputError for what cannot be."""
        return canonical(
            {
                "v": 1,
                "gtin": self.gtin,
                "digest": self.digest,
                "file": self.file,
                "station": self.station,
                "serial": self.serial,
                "signed_by": self.signed_by,
                "at_us": self.at_us,
                "reason": self.reason,
                "key": self.key,
            }
        )


@dataclass(frozen=True, slots=True)
class QualityKey:
    """The public half of a quality lead's key, as stations learn it.

    `vouched` is the signature of the key before over this one, hex; empty for the first.
    """

    public_pem: str
    holder: str
    made_at_us: int
    vouched: str = ""

    @property
    def key(self) -> Ed25519PublicKey:
        """Raises BadInputError for text that is no Ed25519 key."""
        return load_public_pem(self.public_pem, what=f"the quality key of {self.holder[:80]!r}")

    @property
    def name(self) -> str:
        """Sixteen hex digits to compare by eye."""
        return key_id(self.key)

    def message(self) -> bytes:
        """What the key before signs to vouch for this one."""
        return canonical(
            {
                "v": 1,
                "public_pem": self.public_pem,
                "holder": self.holder,
                "made_at_us": self.made_at_us,
            }
        )


def sign_profile(key: Ed25519PrivateKey, said: ProfileSignature) -> ProfileSignature:
    """`said` with the name of the key and its signature. Raises BadInputError."""
    named = replace(said, key=key_id(key.public_key()))
    return replace(named, signature=key.sign(PROFILE + named.message()).hex())


def check_profile(
    signature: ProfileSignature,
    *,
    gtin: str,
    data: bytes,
    digest: str,
    station: str,
    keys: Mapping[str, Ed25519PublicKey],
) -> None:
    """Raises ArtefactRefusedError unless `signature` lets just these bytes judge `gtin` at
    `station` under one of `keys` (by `key_id`).
    """
    if signature.gtin != gtin or signature.digest != digest:
        raise refused(gtin, f"its signature is for {signature.gtin} and {signature.digest}")
    if signature.file != hashlib.sha256(data).hexdigest():
        raise refused(gtin, "its bytes are not the ones that were signed")
    if signature.station not in {"", station}:
        raise refused(gtin, f"it was signed for station {signature.station}, this is {station}")
    check_word(signature, keys)


def check_word(signature: ProfileSignature, keys: Mapping[str, Ed25519PublicKey]) -> None:
    """Raises ArtefactRefusedError unless one of `keys` made this signature."""
    key = keys.get(signature.key)
    if key is None:
        raise refused(signature.gtin, f"this station does not trust the key {signature.key[:40]!r}")
    try:
        message = signature.message()
    except BadInputError as error:
        raise refused(signature.gtin, error.message) from error
    if not verifies_hex(key, PROFILE, message, signature.signature):
        raise refused(signature.gtin, "its signature does not hold")


def refused(gtin: str, why: str) -> ArtefactRefusedError:
    return ArtefactRefusedError(
        f"The profile of {gtin} may not judge: {why}",
        mend="Let the quality lead sign it on the hub's page Lessons",
        gtin=gtin,
    )


def first_key(key: Ed25519PrivateKey, *, holder: str, at_us: int) -> QualityKey:
    """The site's first quality key."""
    return QualityKey(public_pem(key.public_key()), holder, at_us)


def next_key(
    before: Ed25519PrivateKey, key: Ed25519PrivateKey, *, holder: str, at_us: int
) -> QualityKey:
    """A key that the one before vouches for: stations take it over by themselves."""
    new = QualityKey(public_pem(key.public_key()), holder, at_us)
    return replace(new, vouched=before.sign(QUALITY_KEY + new.message()).hex())


def trusted(pinned: QualityKey | None, chain: Sequence[QualityKey]) -> QualityKey | None:
    """The key to trust from now on: what `chain` (oldest first) leads to from the pinned one.

    Without a pinned key the newest is believed. Raises ArtefactRefusedError where the chain does
    not hold the pinned key, or a link after it is not vouched for.
    """
    if not chain:
        return pinned
    if pinned is None:
        return _followed(chain[0], chain[1:])
    for place, key in enumerate(chain):
        if key.public_pem == pinned.public_pem:
            return _followed(pinned, chain[place + 1 :])
    raise ArtefactRefusedError(
        f"The hub tells of a quality key {chain[-1].name} that nobody vouched for; this station "
        f"trusts {pinned.name}",
        mend="Compare it with the quality lead's; if it is theirs: tallyman device forget-quality-key",
    )


def _followed(known: QualityKey, later: Sequence[QualityKey]) -> QualityKey:
    for key in later:
        if not verifies_hex(known.key, QUALITY_KEY, key.message(), key.vouched):
            raise ArtefactRefusedError(
                f"The quality key {key.name} is not vouched for by {known.name}",
                mend="Keep the key that is trusted, and ask the quality lead",
            )
        known = key
    return known


def signature_path(profile: Path) -> Path:
    """Where the signature of a profile's file lies."""
    return profile.with_name(profile.name + SIGNATURE_SUFFIX)


def read_signature(profile: Path) -> ProfileSignature | None:
    """The signature beside a profile's file; None where there is none.

    Raises ArtefactRefusedError for one that cannot be read.
    """
    path = signature_path(profile)
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProfileSignature)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise refused(profile.name, f"{path.name} cannot be read ({error})") from error


def write_signed(profile: Path, data: bytes, signature: ProfileSignature) -> None:
    """Put a signed profile in place. The bytes come last: until they stand, the old file with the
    new signature beside it is refused by whoever checks, and never the other way round.
    """
    write_atomic(signature_path(profile), msgspec.json.encode(signature))
    write_atomic(profile, data)
