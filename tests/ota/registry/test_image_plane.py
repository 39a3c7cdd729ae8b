"""The image plane as boxes see it: a real TUF client takes what we sign, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.ngclient import FetcherInterface, Updater

from contracts.clock import FixedClock, SystemClock
from contracts.errors import (
    ArtefactRefusedError,
    BadInputError,
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from contracts.ota import LANES
from ota.registry.adapters.disk import DiskMetadata
from ota.registry.adapters.memory import MemoryMetadata
from ota.registry.in_memory import Keys
from ota.registry.plane.founding import Founders, found
from ota.registry.plane.image_plane import ImagePlane, Lives
from ota.registry.ports import MetadataStore

MANIFEST = b'{"name": "label_reader"}\n'
PATH = "read/label_reader/1.0.0/manifest.json"


class Line(FetcherInterface):
    """What a box fetches, straight from the store."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    def _fetch(self, url: str) -> Iterator[bytes]:
        data = self._store.read(url.rpartition("/")[2])
        if data is None:
            raise DownloadHTTPError("not there", 404)
        yield data


class Box:
    """A box's TUF client, with what it trusts kept in a folder."""

    def __init__(self, folder: Path, store: MetadataStore, root: bytes) -> None:
        self._folder, self._store, self._root = folder, store, root

    def sees(self, path: str = PATH) -> dict[str, object] | None:
        self._folder.mkdir(exist_ok=True)
        updater = Updater(
            str(self._folder), "https://hub/tuf/", fetcher=Line(self._store), bootstrap=self._root
        )
        updater.refresh()
        target = updater.get_targetinfo(path)
        return None if target is None else dict(target.custom)


def founded(store: MetadataStore, clock, keys: Keys | None = None) -> tuple[ImagePlane, Keys]:
    keys = keys or Keys()
    found(store, keys.founders(), clock=clock)
    return ImagePlane(store, online=keys.online, clock=clock), keys


def test_a_real_client_finds_what_was_published(metadata: MetadataStore, tmp_path: Path) -> None:
    plane, keys = founded(metadata, SystemClock())
    box = Box(tmp_path / "box", metadata, plane.first_root())
    assert box.sees() is None
    assert plane.add("read", PATH, MANIFEST, {"kind": "label-reader"}, keys.lanes["read"]) == 2
    assert box.sees() == {"kind": "label-reader"}
    plane.remove("read", PATH, keys.lanes["read"])
    assert box.sees() is None


def test_a_plane_is_founded_once(metadata: MetadataStore, clock: FixedClock) -> None:
    plane = ImagePlane(metadata, online=lambda _: None, clock=clock)
    assert not plane.founded
    with pytest.raises(UnavailableError, match="ota init"):
        plane.first_root()
    with pytest.raises(UnavailableError, match="no keys"):
        plane.root()
    plane, keys = founded(metadata, clock)
    assert plane.founded
    assert plane.lanes() == tuple(LANES)
    with pytest.raises(ConflictError, match="keys for model sets already"):
        found(metadata, keys.founders(), clock=clock)


def test_a_founding_that_was_cut_off_is_begun_anew(clock: FixedClock) -> None:
    class FullDisk(MemoryMetadata):
        left = 0

        def write(self, name: str, data: bytes) -> None:
            self.left -= 1
            if self.left == 0:
                raise UnavailableError("the disk is full")
            super().write(name, data)

    for stop_at in range(1, 12):
        store = FullDisk()
        store.left = stop_at
        with pytest.raises(UnavailableError, match="full"):
            founded(store, clock)
        plane = ImagePlane(store, online=lambda _: None, clock=clock)
        assert not plane.founded
        founded(store, clock)
        assert plane.founded


def test_a_publishing_that_was_cut_off_changes_nothing_for_boxes(tmp_path: Path) -> None:
    class FullDisk(DiskMetadata):
        left = 100

        def write(self, name: str, data: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                raise UnavailableError("the disk is full")
            super().write(name, data)

    store = FullDisk(tmp_path / "tuf")
    plane, keys = founded(store, SystemClock())
    for number, left in enumerate(range(3)):
        path = f"read/label_reader/1.0.{number}/manifest.json"
        box = Box(tmp_path / f"box-{number}", store, plane.first_root())
        before = plane.snapshot_version
        store.left = left
        with pytest.raises(UnavailableError):
            plane.add("read", path, MANIFEST, {}, keys.lanes["read"])
        store.left = 100
        assert plane.snapshot_version == before
        assert box.sees(path) is None
        plane.add("read", path, MANIFEST, {}, keys.lanes["read"])
        assert box.sees(path) == {}


def test_only_the_lanes_key_signs_for_a_lane(clock: FixedClock) -> None:
    plane, keys = founded(MemoryMetadata(), clock)
    for signer in (keys.lanes["inspect"], keys.timestamp, keys.people[0]):
        with pytest.raises(ArtefactRefusedError, match="may not sign for the lane read"):
            plane.add("read", PATH, MANIFEST, {}, signer)
    assert plane.targets() == {}


def test_a_stolen_lane_key_names_nothing_outside_its_lane(tmp_path: Path) -> None:
    store = MemoryMetadata()
    plane, keys = founded(store, SystemClock())
    elsewhere = "inspect/defect_backbone/1.0.0/manifest.json"
    plane.add("read", elsewhere, MANIFEST, {}, keys.lanes["read"])
    box = Box(tmp_path / "box", store, plane.first_root())
    assert box.sees(elsewhere) is None


def test_a_path_is_one_set_for_ever(clock: FixedClock) -> None:
    plane, keys = founded(MemoryMetadata(), clock)
    first = plane.add("read", PATH, MANIFEST, {}, keys.lanes["read"])
    assert plane.add("read", PATH, MANIFEST, {}, keys.lanes["read"]) == first
    with pytest.raises(ConflictError, match="Another set"):
        plane.add("read", PATH, b"other", {}, keys.lanes["read"])
    assert plane.snapshot_version == first


def test_the_hub_signs_again_before_boxes_would_refuse(clock: FixedClock) -> None:
    plane, keys = founded(MemoryMetadata(), clock)
    assert not plane.refresh()
    clock.at += timedelta(hours=13)
    assert plane.refresh()
    assert (plane.timestamp().signed.version, plane.snapshot_version) == (2, 1)
    clock.at += timedelta(days=4)
    assert plane.refresh()
    assert plane.snapshot_version == 2
    assert min(each.expires for each in plane.expiries()) > clock.at + timedelta(hours=12)
    plane.renew("read", keys.lanes["read"])
    expiry = {each.role: each for each in plane.expiries()}
    assert expiry["read"].expires == clock.at + Lives().lane
    assert expiry["read"].by_people
    assert not expiry["snapshot"].by_people


def test_without_its_own_keys_the_hub_says_so_and_writes_nothing(clock: FixedClock) -> None:
    store = MemoryMetadata()
    _, keys = founded(store, clock)
    names = store.names()
    plane = ImagePlane(store, online=lambda _: None, clock=clock)
    with pytest.raises(UnavailableError, match="key for the snapshot is not here"):
        plane.add("read", PATH, MANIFEST, {}, keys.lanes["read"])
    assert store.names() == names


def test_a_restored_hub_goes_above_what_boxes_have_seen(tmp_path: Path) -> None:
    store = MemoryMetadata()
    plane, keys = founded(store, SystemClock())
    backup = dict(store._files)
    box = Box(tmp_path / "box", store, plane.first_root())
    for lane in ("read", "read", "inspect"):
        plane.renew(lane, keys.lanes[lane])
    assert box.sees() is None
    seen = plane.snapshot_version
    store._files = backup
    with pytest.raises(RepositoryError):
        box.sees()
    plane.refresh(above=seen)
    assert plane.snapshot_version == seen + 1
    # The lanes went back too.
    for lane in ("read", "inspect"):
        plane.renew(lane, keys.lanes[lane], above=seen)
    assert box.sees() is None


def test_versions_and_lanes_that_nobody_made_are_not_found(clock: FixedClock) -> None:
    plane, _ = founded(MemoryMetadata(), clock)
    with pytest.raises(NotFoundError):
        plane.root(2)
    assert plane.read("9.read.json") is None


def test_a_damaged_plane_names_the_file(clock: FixedClock) -> None:
    store = MemoryMetadata()
    plane, _ = founded(store, clock)
    del store._files["1.read.json"]
    with pytest.raises(UnavailableError, match=r"lacks 1\.read\.json"):
        plane.role("read")


@pytest.mark.parametrize(("people", "threshold"), [(1, 2), (2, 0), (0, 1)])
def test_fewer_people_than_must_sign_found_nothing(clock, people: int, threshold: int) -> None:
    keys = Keys()
    few = Founders(keys.people[:people], threshold, keys.lanes, keys.snapshot, keys.timestamp)
    with pytest.raises(BadInputError, match="cannot sign"):
        found(MemoryMetadata(), few, clock=clock)


def test_a_root_key_is_for_nothing_else(clock: FixedClock) -> None:
    keys = Keys()
    twice = Founders(keys.people, 2, keys.lanes, keys.people[0], keys.timestamp)
    with pytest.raises(BadInputError, match="key of its own"):
        found(MemoryMetadata(), twice, clock=clock)


def test_two_that_publish_at_once_lose_nothing(tmp_path: Path, clock: FixedClock) -> None:
    store = DiskMetadata(tmp_path / "tuf")
    plane, keys = founded(store, clock)
    other = ImagePlane(DiskMetadata(tmp_path / "tuf"), online=keys.online, clock=clock)
    for number, each in zip(range(4), itertools.cycle((plane, other)), strict=False):
        path = f"read/label_reader/1.{number}.0/manifest.json"
        each.add("read", path, MANIFEST, {}, keys.lanes["read"])
    assert len(plane.targets("read")) == 4
    assert CryptoSigner.generate_ed25519().public_key.keyid not in plane.lane_key_ids("read")
