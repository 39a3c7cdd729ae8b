"""A whole registry in memory with keys of its own: for simulations and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from securesystemslib.signer import CryptoSigner, Signer

from contracts.clock import Clock
from contracts.ota import LANES
from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
from ota.registry.artefacts import Artefacts
from ota.registry.decisions import PublishPolicy
from ota.registry.plane.founding import Founders, found
from ota.registry.plane.image_plane import ImagePlane, Lives
from ota.registry.ports import Blobs, Catalogue, DeltaMaker, GoldenTest, MetadataStore
from ota.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Keys:
    """Everybody's keys, unlocked."""

    people: Sequence[Signer] = field(
        default_factory=lambda: [CryptoSigner.generate_ed25519() for _ in range(3)]
    )
    threshold: int = 2
    lanes: Mapping[str, Signer] = field(
        default_factory=lambda: {lane: CryptoSigner.generate_ed25519() for lane in LANES}
    )
    snapshot: Signer = field(default_factory=CryptoSigner.generate_ed25519)
    timestamp: Signer = field(default_factory=CryptoSigner.generate_ed25519)

    def founders(self) -> Founders:
        return Founders(self.people, self.threshold, self.lanes, self.snapshot, self.timestamp)

    def online(self, key_id: str) -> Signer | None:
        """What the hub signs by itself with (ota.registry.plane.image_plane.Signers)."""
        known = {each.public_key.keyid: each for each in (self.snapshot, self.timestamp)}
        return known.get(key_id)


def registry_in_memory(
    clock: Clock,
    *,
    keys: Keys | None = None,
    policy: PublishPolicy | None = None,
    catalogue: Catalogue | None = None,
    blobs: Blobs | None = None,
    metadata: MetadataStore | None = None,
    lives: Lives | None = None,
    golden: GoldenTest | None = None,
    delta: DeltaMaker | None = None,
) -> tuple[Registry, Keys]:
    """A founded registry; any store may be another than the one in memory."""
    keys = keys or Keys()
    metadata = metadata or MemoryMetadata()
    found(metadata, keys.founders(), clock=clock, lives=lives)
    registry = Registry(
        catalogue or MemoryCatalogue(),
        Artefacts(blobs or MemoryBlobs()),
        ImagePlane(metadata, online=keys.online, clock=clock, lives=lives),
        clock=clock,
        policy=policy,
        golden=golden,
        delta=delta,
    )
    return registry, keys
