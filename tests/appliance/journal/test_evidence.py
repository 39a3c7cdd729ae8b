"""Pictures by hash: stored whole or not at all, marked when the hub has them."""

from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path

import pytest

from appliance.evidence import EvidenceStore
from contracts.errors import BadInputError, JournalFullError


def test_a_picture_comes_back_under_the_hash_of_its_bytes(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    sha256 = store.put(b"a picture")
    assert sha256 == hashlib.sha256(b"a picture").hexdigest()
    assert store.get(sha256) == b"a picture"
    assert store.put(b"a picture") == sha256
    assert EvidenceStore(tmp_path).has(sha256)


def test_a_picture_changed_on_the_disk_is_no_evidence(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    sha256 = store.put(b"a picture")
    store.path(sha256).write_bytes(b"b picture")
    assert store.get(sha256) is None
    assert store.get("0" * 64) is None


def test_what_the_hub_has_not_got_is_listed(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    first, second = store.put(b"one"), store.put(b"two")
    store.mark_uploaded(first)
    assert list(store.not_uploaded()) == [second]
    assert store.is_uploaded(first)
    store.forget_uploaded(first)
    assert set(store.not_uploaded()) == {first, second}


def test_pictures_make_room_oldest_first_and_only_what_the_hub_has(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    names = [store.put(b"picture %d" % number) for number in range(4)]
    for age, sha256 in enumerate(reversed(names)):
        os.utime(store.path(sha256), (1_000_000 - 100 * age, 1_000_000 - 100 * age))
    oldest, _unsent, third, newest = names
    for sha256 in (oldest, third, newest):
        store.mark_uploaded(sha256)
    want = {"older_than_s": 50.0, "now": 1_000_000.0}
    assert store.thin_out(until_free_bytes=1, **want) == 0, "there is room"
    assert store.thin_out(until_free_bytes=1 << 62, **want) == 2
    assert [store.has(sha256) for sha256 in names] == [False, True, False, True]
    assert store.thin_out(until_free_bytes=1 << 62, **want) == 0
    assert store.put(b"picture 0") == oldest, "a picture that comes again is stored again"
    assert store.get(oldest) == b"picture 0"


def test_beyond_the_budget_pictures_go_whatever_their_age_and_open_batches_last(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    names = [store.put(b"picture %d" % number) for number in range(4)]
    for age, sha256 in enumerate(reversed(names)):
        os.utime(store.path(sha256), (1_000_000 - age, 1_000_000 - age))
        store.mark_uploaded(sha256)
    want = {"older_than_s": 1e9, "now": 1_000_000.0, "until_free_bytes": 1}
    assert store.thin_out(most_bytes=4 * 9, **want) == 0
    assert store.thin_out(most_bytes=2 * 9, last=lambda: names[:2], **want) == 2
    assert [store.has(sha256) for sha256 in names] == [True, True, False, False]
    assert store.thin_out(most_bytes=9, last=lambda: names[:2], **want) == 1
    assert [store.has(sha256) for sha256 in names[:2]] == [False, True]


def test_a_half_written_picture_is_never_seen(tmp_path: Path):
    store = EvidenceStore(tmp_path)
    sha256 = store.put(b"one")
    (store.path(sha256).parent / ".rest.part").write_bytes(b"o")
    assert list(store.not_uploaded()) == [sha256]


def test_a_full_disk_is_told_as_the_journals_is(tmp_path: Path):
    """A file size limit makes the system call itself fail, as a full disk does."""
    store = EvidenceStore(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(JournalFullError, match="takes no more"):
            store.put(b"a picture" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.not_uploaded()) == []
    assert store.has(store.put(b"a picture" * 1000))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65])
def test_a_name_that_is_no_hash_is_refused(tmp_path: Path, name: str):
    with pytest.raises(BadInputError, match="SHA-256"):
        EvidenceStore(tmp_path).path(name)
