"""Only what the quality lead signed judges, and only under a key that the station trusts (I5)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.teaching.signing import (
    ProfileSignature,
    QualityKey,
    check_profile,
    first_key,
    next_key,
    read_signature,
    sign_profile,
    signature_path,
    trusted,
    write_signed,
)
from contracts.errors import ArtefactRefusedError

GTIN = "04006381333931"
DATA = b"a profile's bytes"
DIGEST = "sha256:" + "a" * 64
LEAD = Ed25519PrivateKey.generate()
KEY = first_key(LEAD, holder="mara", at_us=1)
KEYS = {KEY.name: KEY.key}


def signed(**changes: object) -> ProfileSignature:
    said = ProfileSignature(
        gtin=GTIN,
        digest=DIGEST,
        file=hashlib.sha256(DATA).hexdigest(),
        station="dock-1",
        serial=1,
        signed_by="mara",
        at_us=2,
        reason="both cracks were really there",
    )
    return sign_profile(LEAD, replace(said, **changes))


def check(signature: ProfileSignature, *, data: bytes = DATA, station: str = "dock-1") -> None:
    check_profile(signature, gtin=GTIN, data=data, digest=DIGEST, station=station, keys=KEYS)


def test_what_the_lead_signed_may_judge_here() -> None:
    check(signed())
    check(signed(station=""), station="dock-9")


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (signed(gtin="06901234567892"), "its signature is for 06901234567892"),
        (signed(digest="sha256:" + "b" * 64), "its signature is for"),
        (signed(file="0" * 64), "its bytes are not"),
        (signed(station="dock-2"), "signed for station dock-2"),
        (replace(signed(), serial=2), "does not hold"),
        (replace(signed(), reason="another reason"), "does not hold"),
        (replace(signed(), signed_by="somebody"), "does not hold"),
        (replace(signed(), at_us=2**60), "beyond 2"),
        (replace(signed(), signature=signed().signature.upper()), "does not hold"),
        (replace(signed(), signature=""), "does not hold"),
        (sign_profile(Ed25519PrivateKey.generate(), signed()), "does not trust the key"),
    ],
)
def test_anything_else_is_refused_with_its_reason(signature: ProfileSignature, why: str) -> None:
    with pytest.raises(ArtefactRefusedError, match=why) as refusal:
        check(signature)
    assert "sign" in refusal.value.mend


def test_a_flipped_bit_in_the_file_is_found() -> None:
    with pytest.raises(ArtefactRefusedError, match="its bytes are not"):
        check(signed(), data=DATA[:-1] + b"!")


def test_a_station_believes_the_first_key_and_then_only_who_was_vouched_for() -> None:
    second = Ed25519PrivateKey.generate()
    vouched = next_key(LEAD, second, holder="jo", at_us=5)
    assert trusted(None, []) is None
    assert trusted(None, [KEY]) == KEY
    assert trusted(KEY, []) == KEY
    assert trusted(KEY, [KEY, vouched]) == vouched
    assert trusted(None, [KEY, vouched]) == vouched
    stranger = first_key(Ed25519PrivateKey.generate(), holder="mara", at_us=9)
    for chain in ([stranger], [KEY, stranger], [KEY, vouched, stranger]):
        with pytest.raises(ArtefactRefusedError, match="vouched for"):
            trusted(KEY, chain)


def test_a_key_cannot_be_given_another_holder() -> None:
    vouched = next_key(LEAD, Ed25519PrivateKey.generate(), holder="jo", at_us=5)
    with pytest.raises(ArtefactRefusedError, match="not vouched for"):
        trusted(KEY, [KEY, replace(vouched, holder="eve")])


def test_a_signature_lies_beside_its_profile(tmp_path: Path) -> None:
    profile = tmp_path / f"{GTIN}.profile"
    assert read_signature(profile) is None
    write_signed(profile, DATA, signed())
    assert profile.read_bytes() == DATA
    assert read_signature(profile) == signed()
    signature_path(profile).write_bytes(b"{")
    with pytest.raises(ArtefactRefusedError, match="cannot be read"):
        read_signature(profile)


def test_a_key_has_a_name_to_compare_by_eye() -> None:
    assert len(KEY.name) == 16
    assert QualityKey(KEY.public_pem, "somebody else", 7).name == KEY.name
