"""A hub that dies anywhere in a publishing: what was told as published is, and the next try ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from contracts.clock import FixedClock, SystemClock
from ota.registry.adapters.disk import DiskBlobs, DiskMetadata
from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
from ota.registry.adapters.sqlite import SqliteCatalogue
from ota.registry.artefacts import Artefacts
from ota.registry.in_memory import Keys, registry_in_memory
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.ports import Delta
from ota.registry.records import SetEvent, SetRecord, SetState
from ota.registry.registry import Registry
from ota.registry.verifying import verify
from tests.support.model_sets import made_set


class PowerCutError(BaseException):
    """Nothing catches it."""


class Mains:
    """Goes off at the n-th write, before or after it took place."""

    def __init__(self) -> None:
        self.left = -1
        self.after = False

    def write(self, done: Callable[[], object]) -> object:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise PowerCutError
        result = done()
        if self.left == 0:
            raise PowerCutError
        return result


class Blobs(MemoryBlobs):
    def __init__(self, mains: Mains) -> None:
        super().__init__()
        self._mains = mains

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        data = list(parts)
        return int(str(self._mains.write(lambda: super(Blobs, self).put(name, data))))


class Metadata(MemoryMetadata):
    def __init__(self, mains: Mains) -> None:
        super().__init__()
        self._mains = mains

    def write(self, name: str, data: bytes) -> None:
        self._mains.write(lambda: super(Metadata, self).write(name, data))


class Catalogue(MemoryCatalogue):
    def __init__(self, mains: Mains) -> None:
        super().__init__()
        self._mains = mains

    def add(self, record: SetRecord, event: SetEvent) -> SetRecord:
        self._mains.write(lambda: super(Catalogue, self).add(record, event))
        return record

    def change(
        self, digest: str, change: Callable[[SetRecord], SetRecord], event: SetEvent
    ) -> SetRecord:
        self._mains.write(lambda: super(Catalogue, self).change(digest, change, event))
        found = self.find(digest)
        assert found is not None
        return found


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
def test_a_power_cut_at_each_write_is_mended_by_doing_it_again(
    clock: FixedClock, tmp_path: Path, *, after: bool
) -> None:
    folders = [made_set(tmp_path / v, version=f"1.{v}.0", weights=b"w" + v.encode()).folder
               for v in ("0", "1")]  # fmt: skip

    def life(registry: Registry, keys: Keys) -> None:
        """What people do, again and again until it is done."""
        for folder in folders:
            record = registry.propose(folder, by="anna")
            if record.state is SetState.PROPOSED:
                registry.publish(record.digest, by="anna", signer=keys.lanes["read"])
            registry.make_deltas(record.digest)
        first = registry.find("label_reader@1.0.0")
        if not first.signed_out:
            registry.withdraw(first.digest, by="anna", reason="old", signer=keys.lanes["read"])

    keys, cuts = Keys(), 0
    while True:
        mains = Mains()
        registry, _ = registry_in_memory(
            clock, keys=keys, blobs=Blobs(mains), metadata=Metadata(mains),
            catalogue=Catalogue(mains), delta=lambda old, new: Delta("patch", old[:1] + new[:1]),
        )  # fmt: skip
        mains.left, mains.after = cuts + 1, after
        try:
            life(registry, keys)
        except PowerCutError:
            cuts += 1
        else:
            break
        assert not [each for each in verify(registry, now=clock.at) if each.serious]
        life(registry, keys)
        assert verify(registry, now=clock.at) == []
        assert [each.version for each in registry.published()] == ["1.1.0"]
        assert len(registry.plane.targets()) == 1
    assert cuts >= 17


_PUBLISHER = """
import sys
from pathlib import Path
from tests.ota.registry.test_crashes import opened, publish_for_ever

publish_for_ever(Path(sys.argv[1]), sys.argv[2])
"""


def opened(folder: Path, seeds: str) -> tuple[Registry, Keys]:
    """The registry in a folder with the keys that follow from `seeds`; founded at the first call."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    people = [
        CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
        for number in range(1, 7)
    ]
    keys = Keys(people[:3], 2, {"read": people[3]}, people[4], people[5])
    catalogue = SqliteCatalogue(folder / seeds / "registry.db")
    blobs, metadata = DiskBlobs(folder / seeds / "blobs"), DiskMetadata(folder / seeds / "tuf")
    clock = SystemClock()
    plane = ImagePlane(metadata, online=keys.online, clock=clock)
    if not plane.founded:
        registry_in_memory(clock, keys=keys, catalogue=catalogue, blobs=blobs, metadata=metadata)
    return Registry(catalogue, Artefacts(blobs), plane, clock=clock), keys


def publish_for_ever(folder: Path, name: str) -> None:
    """Publish versions, one after another; each is printed when it is said to be published."""
    registry, keys = opened(folder, "hub")
    for number in range(10_000):
        version = f"1.{number}.0"
        place = folder / "sets" / f"{name}-{number}"
        made = made_set(place, name=name, version=version, weights=os.urandom(50_000))
        record = registry.propose(made.folder, by=name)
        registry.publish(record.digest, by=name, signer=keys.lanes["read"])
        sys.stdout.write(record.digest + "\n")
        sys.stdout.flush()


def test_kill_9_of_two_publishers_loses_nothing_that_was_told(tmp_path: Path) -> None:
    opened(tmp_path, "hub")
    root = str(Path(__file__).parents[3])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _PUBLISHER, str(tmp_path), name],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": root},
            text=True,
        )
        for name in ("anna", "bert")
    ]
    told: list[str] = []
    for process in running:
        assert process.stdout is not None
        told += [process.stdout.readline().strip() for _ in range(4)]
    for process in running:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        assert process.stdout is not None
        told += [line.strip() for line in process.stdout if line.endswith("\n")]
        process.stdout.close()
    registry, keys = opened(tmp_path, "hub")
    assert len(told) >= 8
    assert {registry.get(each).state for each in told} == {SetState.PUBLISHED}
    assert not [each for each in verify(registry, now=SystemClock().now()) if each.serious]
    for record in registry.sets(state=SetState.PROPOSED):
        registry.publish(record.digest, by="anna", signer=keys.lanes["read"])
    assert verify(registry, now=SystemClock().now()) == []
