"""The quality lead's key and signatures: locked, limited, vouched for, never changed (I5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.accounts.store import TooManyTriesError
from appliance.teaching.locking import WrongPassphraseError
from appliance.teaching.office import QualityOffice, Wanted
from appliance.teaching.signing import check_word, trusted
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, NotFoundError

WORDS, OTHER = "harbour lamp seventeen", "another four good words"
WANTED = Wanted("06933132577789", "sha256:" + "a" * 64, "b" * 64, "dock-1")


@pytest.fixture
def office(tmp_path: Path, clock) -> Iterator[QualityOffice]:
    made = QualityOffice(tmp_path / "quality.db", clock=clock)
    yield made
    made.close()


def test_a_key_is_made_once_and_signs_with_its_passphrase(
    office: QualityOffice, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="no quality key"):
        office.sign(WANTED, by="mara", reason="looked", passphrase=WORDS)
    with pytest.raises(BadInputError, match="12 to"):
        office.make_key("short", holder="mara")
    key = office.make_key(WORDS, holder="mara")
    with pytest.raises(ConflictError):
        office.make_key(WORDS, holder="eve")
    signed = office.sign(WANTED, by="mara", reason=" both were there ", passphrase=WORDS)
    check_word(signed, {key.name: key.key})
    assert (signed.serial, signed.reason, signed.key) == (1, "both were there", key.name)
    stored = (tmp_path / "quality.db").read_bytes() + (tmp_path / "quality.db-wal").read_bytes()
    assert b"ENCRYPTED PRIVATE KEY" in stored
    assert b"BEGIN PRIVATE KEY" not in stored
    assert WORDS.encode() not in stored
    assert (tmp_path / "quality.db").stat().st_mode & 0o077 == 0
    with pytest.raises(BadInputError, match="reason"):
        office.sign(WANTED, by="mara", reason="  ", passphrase=WORDS)


def test_guessing_is_slowed_down(office: QualityOffice, clock) -> None:
    office.make_key(WORDS, holder="mara")
    for _ in range(5):
        with pytest.raises(WrongPassphraseError):
            office.sign(WANTED, by="eve", reason="r", passphrase=OTHER)
    with pytest.raises(TooManyTriesError):
        office.sign(WANTED, by="eve", reason="r", passphrase=WORDS)
    office.sign(WANTED, by="mara", reason="r", passphrase=WORDS)
    clock.at += timedelta(minutes=6)
    office.sign(WANTED, by="eve", reason="r", passphrase=WORDS)


def test_another_key_is_vouched_for_and_signs_what_is_valid_again(office: QualityOffice) -> None:
    first = office.make_key(WORDS, holder="mara")
    office.sign(WANTED, by="mara", reason="old", passphrase=WORDS)
    office.sign(WANTED, by="mara", reason="looked", passphrase=WORDS)
    with pytest.raises(WrongPassphraseError):
        office.replace_key(OTHER, OTHER, holder="jo")
    second = office.replace_key(WORDS, OTHER, holder="jo")
    assert trusted(first, office.keys()) == second
    (valid,) = office.valid()
    assert (valid.serial, valid.reason, valid.signed_by) == (3, "looked", "mara")
    check_word(valid, {second.name: second.key})
    assert [each.serial for each in office.signatures()] == [3, 2, 1]


def test_a_lost_key_is_not_followed_by_stations(office: QualityOffice) -> None:
    first = office.make_key(WORDS, holder="mara")
    office.sign(WANTED, by="mara", reason="looked", passphrase=WORDS)
    new = office.lost_key(OTHER, holder="mara")
    assert office.keys() == (new,)
    with pytest.raises(ArtefactRefusedError, match="nobody vouched for"):
        trusted(first, office.keys())
    assert office.sign(WANTED, by="mara", reason="again", passphrase=OTHER).key == new.name


def test_what_was_signed_stands_after_a_restart(tmp_path: Path, clock) -> None:
    before = QualityOffice(tmp_path / "quality.db", clock=clock)
    before.make_key(WORDS, holder="mara")
    signed = before.sign(WANTED, by="mara", reason="looked", passphrase=WORDS)
    before.close()
    after = QualityOffice(tmp_path / "quality.db", clock=clock)
    assert after.valid() == (signed,)
    after.close()
