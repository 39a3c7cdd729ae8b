"""A hub's disk that spoils a signed file, or loses power right after it took one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contracts.clock import FixedClock, SystemClock
from contracts.errors import UnavailableError
from ota.registry.adapters.disk import DiskBlobs
from ota.registry.adapters.memory import MemoryMetadata
from ota.registry.in_memory import Keys
from ota.registry.plane.founding import found
from ota.registry.plane.image_plane import ImagePlane


@pytest.mark.parametrize(
    "name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.read.json", "1.root.json"]
)
@pytest.mark.parametrize("spoilt", [b"", b"\0" * 800, b'{"signed": {}}'], ids=["", "nul", "other"])
def test_a_spoilt_signed_file_is_an_outage_that_says_what_to_restore(name: str, spoilt: bytes):
    """Side jobs and pages of the hub take outages; a parser's error would end them."""
    store, keys = MemoryMetadata(), Keys()
    clock = FixedClock(SystemClock().now())
    found(store, keys.founders(), clock=clock)
    plane = ImagePlane(store, online=keys.online, clock=clock)
    assert len(plane.expiries()) > 0
    store.write(name, spoilt)
    with pytest.raises(UnavailableError, match=r"cannot be read|lacks") as refused:
        plane.expiries()
    assert "backup" in refused.value.mend


def test_a_file_is_as_durable_as_the_folders_that_lead_to_it(tmp_path: Path, monkeypatch):
    """A power cut takes names that nobody synced, and with a folder's name all that lies below."""
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    blobs = DiskBlobs(tmp_path / "hub" / "blobs")
    blobs.put("artefacts/a", iter([b"content"]))
    folders = [tmp_path, tmp_path / "hub", tmp_path / "hub/blobs", tmp_path / "hub/blobs/artefacts"]
    assert [each for each in map(str, folders) if each not in synced] == []
    synced.clear()
    blobs.put("artefacts/b", iter([b"content"]))
    assert len(synced) == 2, "the file and its folder, once everything stands"
