"""What the walk over a registry finds: what is missing, damaged, forged or running out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from contracts.errors import (
    ArtefactRefusedError,
    UnavailableError,
)
from ota.registry.adapters.memory import MemoryBlobs
from ota.registry.in_memory import Keys, registry_in_memory
from ota.registry.records import SetState
from ota.registry.registry import Registry
from ota.registry.verifying import verify
from tests.support.model_sets import made_set


@pytest.fixture
def site(clock: FixedClock) -> tuple[Registry, Keys]:
    return registry_in_memory(clock)


def publish(registry: Registry, keys: Keys, folder: Path, **parts) -> str:
    """Proposed and published; its digest."""
    record = registry.propose(made_set(folder, **parts).folder, by="anna")
    return registry.publish(record.digest, by="anna", signer=keys.lanes[record.lane]).digest


def test_the_walk_finds_what_is_missing_damaged_or_unknown(
    clock: FixedClock, tmp_path: Path
) -> None:
    blobs = MemoryBlobs()
    registry, keys = registry_in_memory(clock, blobs=blobs)
    record = registry.get(publish(registry, keys, tmp_path / "set"))
    blobs.remove(f"artefacts/{record.files[0].sha256}")
    blobs.put(f"artefacts/{record.files[1].sha256}", [b"rotten"])
    found = verify(registry, now=clock.at)
    assert [(each.reason.code, each.reason.params["file"], each.serious) for each in found] == [
        ("ota_file_missing", "charset.txt", True),
        ("ota_file_missing", "net.onnx", True),
    ]
    blobs.remove(f"artefacts/{record.hex}")
    assert verify(registry, now=clock.at)[0].reason.params == {"file": "manifest.json"}
    stranger = "read/stranger/1.0.0/manifest.json"
    registry.plane.add("read", stranger, b"{}", {}, keys.lanes["read"])
    codes = {each.where: each.reason.code for each in verify(registry, now=clock.at)}
    assert codes[stranger] == "ota_set_unknown"
    registry.plane.remove("read", record.target, keys.lanes["read"])
    codes = {each.where: each.reason.code for each in verify(registry, now=clock.at)}
    assert codes[record.target] in {"ota_set_not_named", "ota_file_missing"}
    # Taking the folder in again puts the bytes right.
    for file in (*record.files,):
        registry.artefacts.put_file(file.sha256, tmp_path / "set" / file.path)


def test_signatures_that_run_out_are_told_before_and_after(
    site, clock: FixedClock, tmp_path: Path
) -> None:
    registry, _ = site
    assert verify(registry, now=clock.at) == []
    later = clock.at.replace(year=clock.at.year + 1)
    found = {each.where: each for each in verify(registry, now=later)}
    assert found["timestamp"].reason.code == "ota_expired"
    assert found["timestamp"].serious
    assert found["read"].reason.code == "ota_expired"
    assert "root" not in found
    soon = later.replace(month=10, day=20)
    assert registry.plane.refresh() is False
    early = {each.where: each for each in verify(registry, now=soon)}
    assert early["read"].reason.code == "ota_expires"
    assert not early["read"].serious


def test_a_forged_or_torn_file_is_named(clock: FixedClock) -> None:
    from ota.registry.adapters.memory import MemoryMetadata

    store = MemoryMetadata()
    registry, _ = registry_in_memory(clock, metadata=store)
    whole = dict(store._files)
    for name, damage in {
        "1.root.json": lambda data: data.replace(b'"threshold":2', b'"threshold":1'),
        "1.read.json": lambda data: data[:-40],
        "1.snapshot.json": lambda data: data + b" ",
        "timestamp.json": lambda data: data.replace(b'"version":1}', b'"version":2}'),
        "1.targets.json": lambda data: data.replace(b"read/*", b"*/*"),
    }.items():
        store._files = {**whole, name: damage(whole[name])}
        assert store._files != whole, name
        (found,) = verify(registry, now=clock.at)
        assert (found.reason.code, found.serious) == ("ota_metadata_broken", True), name


def test_a_site_without_keys_takes_sets_in_and_says_what_is_missing(
    clock: FixedClock, tmp_path: Path
) -> None:
    from ota.registry.adapters.memory import MemoryCatalogue, MemoryMetadata
    from ota.registry.artefacts import Artefacts
    from ota.registry.plane.image_plane import ImagePlane

    plane = ImagePlane(MemoryMetadata(), online=lambda _: None, clock=clock)
    registry = Registry(MemoryCatalogue(), Artefacts(MemoryBlobs()), plane, clock=clock)
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    assert registry.snapshot_version == 0
    assert [each.reason.code for each in verify(registry, now=clock.at)] == ["ota_no_keys"]
    with pytest.raises(UnavailableError, match="ota init"):
        registry.publish(record.digest, by="anna", signer=Keys().lanes["read"])
    assert registry.withdraw(record.digest, by="anna", reason="no").signed_out


def test_bytes_that_the_manifest_counts_wrong_are_refused(site, tmp_path: Path) -> None:
    registry, _ = site
    made = made_set(tmp_path / "set")
    manifest = made.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"bytes": 7', '"bytes": 8'))
    with pytest.raises(ArtefactRefusedError, match="has 7 bytes"):
        registry.propose(made.folder, by="anna")


def test_a_record_is_not_changed_by_who_reads_it(site, tmp_path: Path) -> None:
    registry, _ = site
    record = registry.propose(made_set(tmp_path / "set").folder, by="anna")
    replace(record, state=SetState.PUBLISHED)
    assert registry.get(record.digest).state is SetState.PROPOSED
