"""What the next candidate starts from: the reading set that the most boxes attest to run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.learning.folders import folder_in_force
from appliance.learning.force import InForce, most_run
from appliance.model_sets import READER, carried
from contracts.clock import FixedClock
from ota.model_set import open_model_set
from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
from ota.registry.artefacts import Artefacts
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.records import Deed, SetEvent, SetState
from ota.registry.registry import Registry
from tests.support.model_sets import made_set


@pytest.fixture
def registry(clock: FixedClock) -> Registry:
    plane = ImagePlane(MemoryMetadata(), online={}, clock=clock)
    return Registry(MemoryCatalogue(), Artefacts(MemoryBlobs()), plane, clock=clock)


def published(registry: Registry, folder: Path, version: str, *, kind: str = "label-reader") -> str:
    made = made_set(folder / version, version=version, weights=version.encode(), kind=kind)
    registry.propose(folder / version, by="jo")
    registry.catalogue.change(
        made.digest,
        lambda now: replace(now, state=SetState.PUBLISHED, published_at_us=int(version[0])),
        SetEvent(Deed.PUBLISHED, made.digest, "jo", 1, ""),
    )
    return made.digest


def test_the_set_of_the_most_boxes_is_in_force_whole(registry, tmp_path):
    old, new = (published(registry, tmp_path, each) for each in ("1.0.0", "2.0.0"))
    running = [old, old, new]
    site = InForce(tmp_path / "learning", registry, lambda: running)
    site.look()
    assert open_model_set(folder_in_force(tmp_path / "learning")).digest == old
    running[:] = [old, new, new, new]
    site.look()
    place = folder_in_force(tmp_path / "learning")
    assert open_model_set(place).digest == new
    assert (place / "quality.toml").exists(), "words that the manifest does not cover come too"
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_without_a_published_set_it_is_the_one_that_came_along(registry, tmp_path):
    own = carried(READER).folder
    folder = tmp_path / "learning"
    assert folder_in_force(folder) == own
    new = published(registry, tmp_path, "2.0.0")
    running = [new]
    site = InForce(folder, registry, lambda: running)
    site.look()
    assert folder_in_force(folder) != own
    running[:] = ["sha256:" + "0" * 64]
    site.look()
    assert folder_in_force(folder) == own, "boxes run what came with them again"


def test_a_set_that_was_changed_on_this_disk_is_not_learned_from(registry, tmp_path):
    new = published(registry, tmp_path, "2.0.0")
    site = InForce(tmp_path / "learning", registry, lambda: [new])
    site.look()
    (folder_in_force(tmp_path / "learning") / "net.onnx").write_bytes(b"other")
    assert folder_in_force(tmp_path / "learning") == carried(READER).folder


def test_half_a_fleet_is_not_the_site(registry, tmp_path):
    one, two = (published(registry, tmp_path, each) for each in ("1.0.0", "2.0.0"))
    find = registry.catalogue.find
    assert most_run([one, two, "sha256:" + "0" * 64], find) is None
    assert most_run([one, two], find).digest == two, "of as many, the one published last"
    assert most_run([], find) is None
