"""Anyone verifies offline (I4): any flipped byte, any missing entry, a cut end are found."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from appliance.cli.journal import journal as command
from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.journal import file
from appliance.journal.heads import Countersigned, Head, countersign
from appliance.journal.journal import Journal
from appliance.journal.verify import verify_journal
from contracts.clock import SystemClock
from contracts.errors import BadInputError
from tests.appliance.journal.bodies import camera, carton, started

ENTRIES = 12


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteCa:
    return SiteCa.open_or_create(tmp_path_factory.mktemp("site"))


def enrolled(folder: Path, site: SiteCa) -> DeviceIdentity:
    identity = DeviceIdentity.open_or_create(folder, "dock-1")
    certificate = site.issue_device("dock-1", identity.public_key)
    identity.keep(SiteTrust(certificate, site.device_ca_pem, site.head_certificate_pem))
    return identity


def head_of(site: SiteCa, seq: int, digest: str) -> Countersigned:
    return countersign(site.head_signer.sign, device="dock-1", head=Head(seq, digest), at_us=1)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, site: SiteCa) -> Path:
    """A journal of 12 entries, countersigned up to the tenth."""
    folder = tmp_path_factory.mktemp("device")

    async def write() -> None:
        identity = enrolled(folder / "identity", site)
        with Journal.open(folder / "j.db", identity=identity, clock=SystemClock()) as journal:
            await journal.append(started())
            for number in range(ENTRIES - 2):
                await journal.append(camera(number))
            await journal.append(carton("c-1", "b" * 64))
            tenth = journal.entries(after_seq=9, limit=1)[0]
            journal.keep_head(head_of(site, 10, tenth.hash), site.head_certificate_pem)

    asyncio.run(write())
    return folder / "j.db"


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return shutil.copy(sound, tmp_path / "copy.db")


def change(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql, values)


def test_a_sound_journal_holds_against_the_sites_ca(sound: Path, site: SiteCa):
    report = verify_journal(sound, site_ca_pem=site.device_ca_pem)
    assert report.holds, report.findings
    assert (report.device, report.entries, report.head_seq) == ("dock-1", ENTRIES, 10)
    assert report.trust == "site ca"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seq=st.integers(1, ENTRIES),
    column=st.sampled_from(file.COLUMNS),
    place=st.integers(0, 10_000),
    bit=st.integers(0, 7),
)
def test_any_flipped_bit_of_any_column_is_found_and_the_entry_named(
    sound: Path, copy: Path, seq: int, column: str, place: int, bit: int
):
    shutil.copy(sound, copy)
    with closing(sqlite3.connect(copy)) as db:
        row = db.execute(f"{file.SELECT} WHERE seq = ?", (seq,)).fetchone()
    value = dict(zip(file.COLUMNS, row, strict=True))[column]
    if column == "seq":
        # Another entry may already have the number with one bit changed.
        changed: object = value ^ (1 << 4 + place % 58)
        marks = "?"
    elif isinstance(value, int):
        changed = value ^ (1 << place % 62)
        marks = "?"
    else:
        raw = bytearray(value.encode())
        raw[place % len(raw)] ^= 1 << bit
        changed, marks = bytes(raw), "CAST(? AS TEXT)"
    sql = f"UPDATE entries SET {column} = {marks} WHERE seq = ?"  # noqa: S608 -- our own columns
    change(copy, sql, changed, seq)
    report = verify_journal(copy)
    named = {finding.seq for finding in report.findings}
    # An entry whose number was changed is missed where it was and strange where it is now.
    assert named & ({seq, seq + 1, changed} if column == "seq" else {seq})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(entry=st.integers(1, ENTRIES), place=st.integers(0, 400), bit=st.integers(0, 7))
def test_a_flipped_byte_of_an_entry_in_the_file_itself_is_found(
    sound: Path, copy: Path, entry: int, place: int, bit: int
):
    raw = bytearray(sound.read_bytes())
    with closing(sqlite3.connect(sound)) as db:
        body, boot = db.execute("SELECT body, boot FROM entries WHERE seq = ?", (entry,)).fetchone()
    at = raw.find(body.encode()) + place % len(body) if place % 3 else raw.find(boot.encode())
    raw[at] ^= 1 << bit
    copy.write_bytes(raw)
    assert not verify_journal(copy).holds


def test_an_entry_taken_out_or_put_in_another_place_is_found(copy: Path):
    change(copy, "DELETE FROM entries WHERE seq = 5")
    assert "entry 5 is missing" in verify_journal(copy).findings[0].what
    change(copy, "UPDATE entries SET seq = seq - 1 WHERE seq > 5")
    assert verify_journal(copy).findings[0].seq == 5


def test_an_end_cut_off_before_the_hubs_head_is_found(copy: Path):
    change(copy, "DELETE FROM entries WHERE seq > 8")
    (finding,) = verify_journal(copy).findings
    assert (finding.seq, "cut off" in finding.what) == (10, True)


def test_an_end_cut_off_with_its_heads_is_found_with_the_hubs_own_list(
    copy: Path, site: SiteCa, sound: Path
):
    with closing(sqlite3.connect(sound)) as db:
        (digest,) = db.execute("SELECT hash FROM entries WHERE seq = 12").fetchone()
    change(copy, "DELETE FROM entries WHERE seq > 8")
    change(copy, "DELETE FROM heads")
    assert verify_journal(copy).holds
    assert not verify_journal(copy, heads=[head_of(site, 12, digest)]).holds


def test_a_log_rewritten_by_the_key_holder_contradicts_the_hub(
    copy: Path, site: SiteCa, sound: Path
):
    assert not verify_journal(copy, heads=[head_of(site, 11, "f" * 64)]).holds


def test_a_countersignature_that_was_changed_is_found(copy: Path):
    change(copy, "UPDATE heads SET at_us = at_us + 1")
    assert "countersignature" in verify_journal(copy).findings[0].what


def test_a_journal_of_another_site_is_found(sound: Path, tmp_path: Path):
    other = SiteCa.open_or_create(tmp_path / "other")
    report = verify_journal(sound, site_ca_pem=other.device_ca_pem)
    assert [finding.seq for finding in report.findings] == [None, None]


def test_a_key_known_from_elsewhere_is_what_counts(sound: Path, tmp_path: Path):
    own = DeviceIdentity.open_or_create(sound.parent / "identity", "dock-1")
    assert verify_journal(sound, public_key_pem=own.public_key_pem).trust == "key"
    other = DeviceIdentity.open_or_create(tmp_path / "other", "dock-1")
    assert not verify_journal(sound, public_key_pem=other.public_key_pem).holds


def test_verifying_a_lone_copy_leaves_nothing_beside_it(copy: Path):
    assert verify_journal(copy).holds
    assert list(copy.parent.iterdir()) == [copy]


async def test_a_journal_is_verified_while_its_device_is_writing(tmp_path: Path, site: SiteCa):
    identity = enrolled(tmp_path / "identity", site)
    with Journal.open(tmp_path / "j.db", identity=identity, clock=SystemClock()) as journal:
        await journal.append(started())
        assert verify_journal(tmp_path / "j.db").entries == 1


@pytest.mark.parametrize("content", [None, b"", b"carton,batch\n1,2\n", b"SQLite format 3\0" * 300])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError):
        verify_journal(path)


def test_the_command_says_what_is_broken_by_its_exit_code(copy: Path, tmp_path: Path, site: SiteCa):
    run = CliRunner()
    ca = tmp_path / "ca.crt"
    ca.write_text(site.device_ca_pem)
    sound = run.invoke(command, ["verify", str(copy), "--ca", str(ca)])
    assert (sound.exit_code, "holds: 12 entries of dock-1" in sound.output) == (0, True)
    change(copy, "UPDATE entries SET body = replace(body, 'stalled', 'stolled') WHERE seq = 4")
    broken = run.invoke(command, ["verify", str(copy), "--json"])
    assert (broken.exit_code, '"seq":4' in broken.output) == (1, True)
    listed = run.invoke(command, ["show", str(copy), "--json", "--after", "11"])
    assert (listed.exit_code, "carton_judged" in listed.output) == (0, True)
    with pytest.raises(BadInputError):
        run.invoke(command, ["verify", str(tmp_path / "none")], catch_exceptions=False)


def test_the_hubs_list_of_heads_finds_an_end_cut_off_with_its_own_heads(
    copy: Path, tmp_path: Path, site: SiteCa, sound: Path
):
    with closing(sqlite3.connect(sound)) as db:
        (digest,) = db.execute("SELECT hash FROM entries WHERE seq = 12").fetchone()
    with closing(DeviceRegistry(tmp_path / "devices.db", site, SystemClock())) as registry:
        registry.keep_head(head_of(site, 12, digest))
        other = countersign(
            site.head_signer.sign, device="dock-2", head=Head(99, "f" * 64), at_us=1
        )
        registry.keep_head(other)
        run = CliRunner()
        listed = run.invoke(command, ["heads", str(tmp_path / "devices.db")])
    (tmp_path / "heads.jsonl").write_text(listed.output)
    change(copy, "DELETE FROM heads")
    arguments = ["verify", str(copy), "--heads", str(tmp_path / "heads.jsonl")]
    assert run.invoke(command, arguments).exit_code == 0
    change(copy, "DELETE FROM entries WHERE seq = 12")
    assert run.invoke(command, arguments).exit_code == 1
    with pytest.raises(BadInputError, match="device registry"):
        run.invoke(command, ["heads", str(tmp_path / "none")], catch_exceptions=False)
