"""Batches are judged anew by what their pins name, whichever kind of set was taken back."""

from __future__ import annotations

import hashlib
from pathlib import Path

from appliance.ota.taken_back import parts_taken_back
from contracts.clock import FixedClock
from ota.model_set import write_manifest
from ota.registry.in_memory import registry_in_memory
from ota.registry.registry import Registry

WATER, CEREAL, TEA = "06901234567892", "06933132577789", "06900000000015"
NETWORK, OLDER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def digest_of(data: bytes, _name: str) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def proposed(registry: Registry, folder: Path, looks: dict[str, bytes]) -> str:
    folder.mkdir()
    for gtin, look in looks.items():
        (folder / f"{gtin}.profile").write_bytes(look)
    made = write_manifest(
        folder,
        name="profiles",
        version=folder.name,
        kind="profiles",
        licence="Apache-2.0",
        source="test",
        recipe="test",
    )
    return registry.propose(made.folder, by="mei").digest


def test_each_profile_of_a_set_gives_way_to_the_one_of_the_set_before(
    clock: FixedClock, tmp_path: Path
) -> None:
    registry, _ = registry_in_memory(clock)
    old = proposed(registry, tmp_path / "1.0.0", {WATER: b"water", CEREAL: b"cereal"})
    new = proposed(
        registry, tmp_path / "1.1.0", {WATER: b"water", CEREAL: b"worse", TEA: b"new here"}
    )
    assert parts_taken_back(registry, {new: old}, digest_of=digest_of) == {
        digest_of(b"worse", ""): digest_of(b"cereal", ""),
        digest_of(b"new here", ""): "",
    }


def test_profiles_where_none_were_before_leave_their_products_to_people(
    clock: FixedClock, tmp_path: Path
) -> None:
    registry, _ = registry_in_memory(clock)
    new = proposed(registry, tmp_path / "1.0.0", {WATER: b"water"})
    taken = parts_taken_back(registry, {new: ""}, digest_of=digest_of)
    assert taken == {digest_of(b"water", ""): ""}


def test_a_network_is_named_by_its_set(clock: FixedClock) -> None:
    registry, _ = registry_in_memory(clock)
    assert parts_taken_back(registry, {NETWORK: OLDER}) == {NETWORK: OLDER}
