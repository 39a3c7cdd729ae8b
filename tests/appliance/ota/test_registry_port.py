"""What a box fetches from the hub: whole, in part, once, and only while the hub knows it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.identity.device import DeviceIdentity
from appliance.identity.requests import sign_request
from appliance.journal.stamp import to_us
from appliance.ota.registry import port as registry_port
from appliance.ota.registry.ranges import UnsatisfiableError, wanted
from ota.registry.adapters.disk import DiskBlobs
from ota.registry.in_memory import registry_in_memory
from ota.registry.ports import Delta
from ota.registry.records import SetRecord
from ota.registry.registry import Registry
from tests.support.device_site import Site
from tests.support.model_sets import made_set

WEIGHTS = bytes(range(256)) * 3000


class Door:
    """The device port with a published set behind it, and a box that asks."""

    def __init__(self, site: Site, registry: Registry, record: SetRecord) -> None:
        self.site, self.registry, self.record = site, registry, record
        self.box: DeviceIdentity = site.enrolled()
        site.app.include_router(
            registry_port.router(registry, registry=site.registry, clock=site.clock)
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        target = f"/device/v1/ota/{path}"
        signed = sign_request(
            self.box.sign, device=self.box.device, method="GET", target=target, body=b"",
            at_us=to_us(self.site.clock.now()),
        )  # fmt: skip
        sent = signed | {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=self.site.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
            return await http.get(target, headers=sent)

    @property
    def weights(self) -> str:
        return next(each.sha256 for each in self.record.files if each.path == "net.onnx")


@pytest.fixture
def door(site: Site, tmp_path: Path) -> Door:
    registry, keys = registry_in_memory(site.clock, blobs=DiskBlobs(tmp_path / "blobs"))
    made = made_set(tmp_path / "set", weights=WEIGHTS)
    record = registry.propose(made.folder, by="anna")
    return Door(site, registry, registry.publish(record.digest, by="a", signer=keys.lanes["read"]))


async def test_a_box_finds_its_way_from_the_first_root_to_the_last_byte(door: Door) -> None:
    assert (await door.get("root")).json()["signed"]["_type"] == "root"
    timestamp = await door.get("tuf/timestamp.json")
    assert timestamp.headers["cache-control"] == "no-cache"
    snapshot = timestamp.json()["signed"]["meta"]["snapshot.json"]["version"]
    assert snapshot == door.registry.snapshot_version
    meta = (await door.get(f"tuf/{snapshot}.snapshot.json")).json()["signed"]["meta"]
    lane = await door.get(f"tuf/{meta['read.json']['version']}.read.json")
    assert "immutable" in lane.headers["cache-control"]
    (target,) = lane.json()["signed"]["targets"].values()
    manifest = await door.get(f"artefacts/{target['hashes']['sha256']}")
    files = json.loads(manifest.content)["files"]
    answer = await door.get(f"artefacts/{files['net.onnx']['sha256']}")
    assert answer.status_code == 200
    assert answer.content == WEIGHTS
    assert answer.headers["content-length"] == str(len(WEIGHTS))
    assert answer.headers["accept-ranges"] == "bytes"


async def test_a_transfer_goes_on_where_it_broke_off(door: Door) -> None:
    path = f"artefacts/{door.weights}"
    tag = f'"{door.weights}"'
    part = await door.get(path, range="bytes=500000-")
    assert (part.status_code, part.content) == (206, WEIGHTS[500_000:])
    assert part.headers["content-range"] == f"bytes 500000-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"
    assert part.headers["etag"] == tag
    assert (await door.get(path, range="bytes=3-5", if_range=tag)).content == WEIGHTS[3:6]
    # What the box has a part of is another file: it gets all of it.
    assert (await door.get(path, range="bytes=3-5", if_range='"other"')).status_code == 200
    behind = await door.get(path, range=f"bytes={len(WEIGHTS)}-")
    assert behind.status_code == 416
    assert behind.headers["content-range"] == f"bytes */{len(WEIGHTS)}"


@pytest.mark.parametrize("path", ["root", "tuf/timestamp.json", "tuf/1.root.json", "weights"])
async def test_what_a_box_has_is_not_sent_again(door: Door, path: str) -> None:
    path = f"artefacts/{door.weights}" if path == "weights" else path
    first = await door.get(path)
    again = await door.get(path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


async def test_shorter_ways_are_listed_and_sent(door: Door) -> None:
    old = hashlib.sha256(b"old").hexdigest()
    name = door.registry.artefacts.put_delta(old, door.weights, Delta("patch", b"difference"))
    (listed,) = (await door.get(f"deltas/{door.weights}")).json()
    assert listed == {"old": old, "new": door.weights, "kind": "patch", "size_bytes": 10}
    assert (await door.get(f"deltas/{name}")).content == b"difference"
    assert (await door.get(f"deltas/{name}", range="bytes=4-")).content == b"erence"
    assert (await door.get(f"deltas/{old}")).json() == []


@pytest.mark.parametrize(
    "path",
    [
        "artefacts/" + "0" * 64,
        "artefacts/short",
        "artefacts/..%2f..%2fregistry.db",
        "deltas/" + "0" * 64 + "-" + "1" * 64 + ".patch",
        "deltas/x",
        "tuf/.lock",
        "tuf/9.read.json",
        "tuf/01.root.json",
        "tuf/snapshot.json",
        "tuf/..%2fregistry.db",
    ],
)
async def test_what_is_not_there_is_not_found(door: Door, path: str) -> None:
    assert (await door.get(path)).status_code == 404


async def test_before_the_site_has_keys_a_box_is_told_to_come_later(site: Site) -> None:
    from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
    from ota.registry.artefacts import Artefacts
    from ota.registry.plane.image_plane import ImagePlane

    plane = ImagePlane(MemoryMetadata(), online=lambda _: None, clock=site.clock)
    registry = Registry(MemoryCatalogue(), Artefacts(MemoryBlobs()), plane, clock=site.clock)
    site.app.include_router(
        registry_port.router(registry, registry=site.registry, clock=site.clock)
    )
    answer = await site.ask(site.enrolled(), "GET", "/device/v1/ota/root")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@given(size=st.integers(1, 100), first=st.integers(0, 120), last=st.integers(0, 120))
def test_a_range_is_what_a_slice_gives(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    header = f"bytes={first}-{last}"
    if last < first:
        assert wanted(header, size).whole
    elif first >= size:
        with pytest.raises(UnsatisfiableError):
            wanted(header, size)
    else:
        found = wanted(header, size)
        assert data[found.start : found.end] == data[first : last + 1]
        assert found.content_range == f"bytes {first}-{min(last, size - 1)}/{size}"


@given(size=st.integers(1, 100), most=st.integers(1, 120))
def test_the_end_of_a_file_may_be_asked_for(size: int, most: int) -> None:
    found = wanted(f"bytes=-{most}", size)
    assert (found.start, found.end) == (max(size - most, 0), size)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "x" * 99]
)
def test_what_is_no_single_range_is_answered_with_everything(header: str | None) -> None:
    assert wanted(header, 10).whole


def test_of_nothing_no_part_can_be_had() -> None:
    assert wanted(None, 0).whole
    for header in ("bytes=0-", "bytes=-0", "bytes=-5"):
        with pytest.raises(UnsatisfiableError):
            wanted(header, 0)
