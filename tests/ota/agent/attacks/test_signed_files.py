"""Attacks on the image plane's signed files, one test each (TUF 1.0, section 1.5.2; notes of issue 8).

The director's assignment is honest in most of them: Uptane's rule is that it alone is not enough.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Targets, Timestamp

from ota.agent.memory_disk import Loss
from tests.ota.agent.attacks.conftest import Site
from tests.support.image_plane import set_files


def test_stale_files_are_refused_once_they_expired(site: Site):
    """A mirror that stopped serves what was true last week; the director names a newer snapshot."""
    old = site.repository.copy()
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    old.artefacts = site.repository.artefacts
    site.box.hub.repository = old
    site.box.time.sleep(2 * 86_400)
    site.update(newer, least_snapshot=site.repository.snapshot.signed.version)
    site.runs_on("ota_metadata_expired_new")
    site.repository.renew_timestamp()
    site.box.hub.repository = site.repository
    site.later(newer)


def test_expired_files_block_what_is_new_and_never_what_runs(site: Site):
    """The site's hub was away for a month: nothing new begins, the running set judges on, and going
    back still works.
    """
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    site.box.hub.assign(stage={"read": newer})
    site.box.run(130)
    assert newer in site.box.said.staged
    site.box.time.sleep(30 * 86_400)
    site.box.hub.assign(run={"read": newer})
    site.box.run(300)
    assert site.box.running["read"] == site.good
    assert site.box.said.trouble["metadata"].code == "ota_metadata_expired_new"
    site.box.hub.assign(run={"read": ""})
    site.box.run(130)
    assert site.box.running["read"] != site.good
    site.repository.renew_timestamp()
    site.later(newer)


def test_a_stolen_timestamp_key_cannot_bring_an_old_snapshot_back(site: Site):
    """Rollback: the thief signs a new timestamp over a snapshot that still named the evil set."""
    evil = site.repository.publish("read", site.evil_files)
    then = site.repository.copy()
    site.repository.withdraw("read", evil)
    site.later(site.repository.publish("read", set_files("read", "3.0.0")))
    site.good = site.box.running["read"]
    then.timestamp.signed.version = site.repository.timestamp.signed.version + 10
    then.sign_timestamp()
    site.box.hub.repository = then
    site.update(evil, least_snapshot=1)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_rolled_back")


def test_the_floor_of_versions_holds_also_where_the_cached_files_are_gone(site: Site):
    evil = site.repository.publish("read", site.evil_files)
    then = site.repository.copy()
    site.repository.withdraw("read", evil)
    site.later(site.repository.publish("read", set_files("read", "3.0.0")))
    site.good = site.box.running["read"]
    disk = site.box.disk
    (cache,) = disk.names("tuf")
    for name in disk.names(f"tuf/{cache}"):
        if name != "floor.json":
            disk.remove(f"tuf/{cache}/{name}")
    site.box.after_power_cut(disk.after_power_cut(Loss.NONE))
    then.timestamp.signed.version = 2
    then.sign_timestamp()
    site.box.hub.repository = then
    site.update(evil, least_snapshot=1)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_rolled_back")


def test_a_freeze_ends_with_the_timestamp(site: Site):
    """The thief lets the box see the same files for ever: within a day they count no more."""
    frozen = site.repository.copy()
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    site.box.hub.repository = frozen
    site.update(newer, least_snapshot=frozen.snapshot.signed.version)
    site.runs_on("ota_not_in_image_plane", "assignment")
    site.box.time.sleep(2 * 86_400)
    site.update(newer, least_snapshot=frozen.snapshot.signed.version)
    site.runs_on("ota_metadata_expired_new")


def test_an_unexpired_timestamp_played_again_is_too_old_for_the_director(site: Site):
    """python-tuf takes it, since it has not expired: the assignment names the least snapshot."""
    evil = site.repository.publish("read", site.evil_files)
    then = site.repository.copy()
    site.repository.withdraw("read", evil)
    # A box that never saw the later files, as after a new disk.
    site.box.after_power_cut(type(site.box.disk)())
    site.box.hub.repository = then
    site.box.hub.assign(
        stage={"read": evil}, least_snapshot=site.repository.snapshot.signed.version
    )
    site.box.run(300)
    assert site.box.said.trouble["assignment"].code == "ota_snapshot_below"
    assert f"artefacts/{evil[7:]}" not in site.box.hub.asked


def test_files_of_two_times_are_not_mixed(site: Site):
    """Mix and match: today's snapshot with yesterday's list of sets, which still names the evil one."""
    evil = site.repository.publish("read", site.evil_files)
    named_then = site.repository.files[f"{site.repository.lanes['read'].signed.version}.read.json"]
    site.repository.withdraw("read", evil)
    version = site.repository.lanes["read"].signed.version
    site.repository.files[f"{version}.read.json"] = named_then
    site.update(evil)
    assert evil not in site.box.edge.ran
    assert site.box.running["read"] == site.good
    # The snapshot names length and hash; whichever differs first.
    assert site.box.said.trouble["metadata"].code in {"ota_metadata_mixed", "ota_metadata_endless"}


def test_a_list_signed_by_a_foreign_key_is_refused(site: Site):
    site.repository.keys["read"] = CryptoSigner.generate_ed25519()
    evil = site.repository.publish("read", site.evil_files)
    site.update(evil)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_unsigned")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_each_role_is_bound_to_its_own_key(site: Site, role: str):
    site.repository.keys[role] = CryptoSigner.generate_ed25519()
    evil = site.repository.publish("read", site.evil_files)
    if role == "targets":
        site.repository.change("targets")
    site.update(evil)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_unsigned")


def test_a_lanes_key_speaks_for_its_own_lane_only(site: Site):
    """Whoever holds the key for goods names a reader, under a path of the readers'."""
    evil = site.repository.publish(
        "inspect", site.evil_files, path="read/read_set/6.6.6/manifest.json"
    )
    site.update(evil)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_not_in_image_plane", "assignment")


def test_the_hubs_own_keys_cannot_name_a_set(site: Site):
    """Timestamp and snapshot keys lie at the hub; a thief of both signs a list with one of them."""
    repository = site.repository
    lane = repository.lanes["read"]
    lane.signed.version += 1
    repository.keys["read"] = repository.keys["snapshot"]
    evil = repository.publish("read", site.evil_files)
    site.update(evil)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_unsigned")


@pytest.mark.parametrize("signers", [0, 1])
def test_a_root_signed_by_too_few_is_refused(site: Site, signers: int):
    repository = site.repository
    thief = CryptoSigner.generate_ed25519()
    for role in ("timestamp", "snapshot", "targets"):
        repository.root.signed.add_key(thief.public_key, role)
        repository.keys[role] = thief
    repository.next_root([thief, *repository.root_keys[:signers]])
    evil = repository.publish("read", site.evil_files)
    site.update(evil)
    assert evil not in site.box.edge.ran
    site.runs_on("ota_metadata_unsigned")


def test_a_root_signed_by_enough_holders_is_followed_and_kept(site: Site):
    """What the attack above must be told apart from: keys replaced by those who may."""
    repository = site.repository
    for role in ("timestamp", "snapshot"):
        old = repository.keys[role].public_key.keyid
        repository.keys[role] = CryptoSigner.generate_ed25519()
        repository.root.signed.revoke_key(old, role)
        repository.root.signed.add_key(repository.keys[role].public_key, role)
    repository.next_root()
    repository.snapshot.signatures.clear()
    repository.timestamp.signatures.clear()
    site.later(repository.publish("read", set_files("read", "3.0.0")))
    site.box.after_power_cut(site.box.disk.after_power_cut())
    site.good = site.box.agent.active.digest("read")
    site.later(repository.publish("read", set_files("read", "4.0.0")))


@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json", "snapshot.json", "read.json"])
def test_signed_files_without_an_end_are_cut_off(site: Site, name: str):
    """Endless data: each kind of file has a size beyond which nobody reads on."""
    evil = site.repository.publish("read", site.evil_files)
    meddled = []

    def endless(path: str, data: bytes | None) -> bytes | None:
        if path.endswith(name):
            meddled.append(path)
            return b"{" + b" " * 6_000_000
        return data

    site.box.hub.meddle = endless
    before = site.box.hub.served_bytes
    site.update(evil)
    assert meddled
    assert evil not in site.box.edge.ran
    assert site.box.said.trouble["metadata"].code in {
        "ota_metadata_endless",
        "ota_metadata_mixed",
        "ota_metadata_unreadable",
    }
    assert (site.box.hub.served_bytes - before) / len(meddled) <= 5_000_001 + (1 << 17)


def test_drip_fed_files_end_at_a_deadline_of_the_whole(site: Site):
    """Each answer comes in time, a byte in each: nothing is refused by gaps, but by the sum."""
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    hub = site.box.hub
    hub.piece, hub.slow_s = 1, 5.0
    hub.assign(stage={"read": newer})
    asked = len(hub.asked)
    site.box.run(200)
    assert site.box.said.trouble["metadata"].code == "ota_hub_away"
    # Between two tries the box polls and reports: a drip keeps it from nothing.
    assert hub.asked[asked:].count("report") >= 1
    assert site.box.running["read"] == site.good
    hub.piece, hub.slow_s = 1 << 20, 0.0
    site.later(newer)


def test_a_clock_set_back_makes_no_expired_file_good_again(site: Site):
    """Battery empty or somebody's hand: the box keeps the latest time it was sure of."""
    evil = site.repository.publish("read", site.evil_files)
    then = site.repository.copy()
    site.repository.withdraw("read", evil)
    site.box.time.sleep(3 * 86_400)
    site.repository.renew_timestamp()
    site.later(site.repository.publish("read", set_files("read", "3.0.0")))
    site.good = site.box.running["read"]
    site.box.time.at -= timedelta(days=3)
    site.box.after_power_cut(site.box.disk.after_power_cut())
    then.timestamp.signed.version = site.repository.timestamp.signed.version + 1
    then.snapshot.signed.version = site.repository.snapshot.signed.version + 1
    then.timestamp.signed.expires = site.box.time.at + timedelta(days=1)
    site.box.hub.repository = site.repository
    newer = site.repository.publish("read", set_files("read", "4.0.0"))
    site.update(newer)
    site.runs_on("ota_clock_behind", "clock")
    site.box.time.at += timedelta(days=4)
    site.repository.renew_timestamp()
    site.later(newer)


def test_a_timestamp_that_expired_is_no_better_for_a_clock_set_back(site: Site):
    """The same, at the files themselves: time is the later of clock and floor."""
    box = site.box
    box.time.sleep(2 * 86_400)
    box.hub.assign(keep=(site.good,), least_snapshot=0)
    box.run(130)
    box.time.at -= timedelta(days=2)
    newer = site.repository.copy()
    stale = Metadata[Timestamp].from_bytes(newer.files["timestamp.json"])
    stale.signed.version += 1
    stale.sign(newer.keys["timestamp"])
    newer.files["timestamp.json"] = stale.to_bytes()
    box.hub.repository = newer
    digest = newer.publish("read", set_files("read", "3.0.0"))
    newer.timestamp.signed.expires = box.time.at + timedelta(days=1)
    newer.timestamp.sign(newer.keys["timestamp"])
    newer.files["timestamp.json"] = newer.timestamp.to_bytes()
    site.update(digest)
    site.runs_on("ota_metadata_expired_new")


def test_a_torn_write_of_signed_files_costs_a_refresh_and_nothing_else(site: Site):
    disk = site.box.disk
    (cache,) = disk.names("tuf")
    for name in disk.names(f"tuf/{cache}"):
        data = disk.read(f"tuf/{cache}/{name}")
        disk.truncate(f"tuf/{cache}/{name}")
        disk.append(f"tuf/{cache}/{name}", data[: len(data) // 2])
    site.box.after_power_cut(disk.after_power_cut(Loss.NONE))
    assert site.box.edge.attest("read", site.good) == site.good
    site.later(site.repository.publish("read", set_files("read", "3.0.0")))


def test_a_snapshot_that_forgets_a_lane_is_refused(site: Site):
    """Removing a list from the snapshot would let an old one stand for it."""
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    del site.repository.snapshot.signed.meta["inspect.json"]
    site.repository.snapshot.signed.version += 1
    site.repository.timestamp.signed.version += 1
    site.repository.sign_snapshot()
    site.update(newer)
    site.runs_on("ota_metadata_unreadable")


def test_what_is_no_metadata_at_all_is_refused(site: Site):
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    for nonsense in (b"", b"[]", b"\xff\xfe", json.dumps({"signed": {}}).encode()):
        site.repository.files["timestamp.json"] = nonsense
        site.update(newer)
        site.runs_on("ota_metadata_unreadable")


def test_a_list_renamed_to_another_lanes_is_refused(site: Site):
    """Both are lists of sets under the same delegating file, each with its own key."""
    repository = site.repository
    evil = repository.publish("inspect", site.evil_files, path="inspect/read_set/6/manifest.json")
    data = repository.files[f"{repository.lanes['inspect'].signed.version}.inspect.json"]
    version = Metadata[Targets].from_bytes(data).signed.version
    repository.snapshot.signed.meta["read.json"] = MetaFile.from_data(version, data, ["sha256"])
    repository.files[f"{version}.read.json"] = data
    repository.snapshot.signed.version += 1
    repository.timestamp.signed.version += 1
    repository.sign_snapshot()
    site.update(evil)
    assert evil not in site.box.edge.ran
    assert site.box.running["read"] == site.good
