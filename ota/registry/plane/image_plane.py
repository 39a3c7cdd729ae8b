"""The image plane: which manifests are published, as a TUF repository (I5).

TUF 1.0 (theupdateframework.io), consistent snapshots, one target a model set: its manifest, which
names the hash of every file. Root and the list of delegations are signed by people's keys, each
lane by a key of its own, snapshot and timestamp by the hub's. What is in force is what the
timestamp leads to: files are written first, the timestamp last, so that a crash in between changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from contracts.clock import Clock
from contracts.errors import ArtefactRefusedError, ConflictError, UnavailableError
from ota.registry.plane.files import TIMESTAMP, PlaneFiles
from ota.registry.ports import MetadataStore

Signers = Callable[[str], Signer | None]
"""The hub's own signer for a TUF key id; None for a key that is not here."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long signed files count. Timestamp and snapshot are signed again at half of it."""

    timestamp: timedelta = timedelta(days=1)
    snapshot: timedelta = timedelta(days=7)
    lane: timedelta = timedelta(days=365)
    people: timedelta = timedelta(days=730)
    """Of root and the list of delegations."""


class ImagePlane(PlaneFiles):
    """Methods block. Those that need a plane raise UnavailableError before one was founded."""

    def __init__(
        self, store: MetadataStore, *, online: Signers, clock: Clock, lives: Lives | None = None
    ) -> None:
        super().__init__(store)
        self._online = online
        self._clock = clock
        self.lives = lives or Lives()

    def add(
        self, lane: str, path: str, manifest: bytes, custom: Mapping[str, Any], signer: Signer
    ) -> int:
        """Publish a manifest with the lane's key; the snapshot's version from then on.

        Raises ArtefactRefusedError for a key that may not sign for the lane, ConflictError where
        another manifest stands under this path.
        """
        target = TargetFile.from_data(path, manifest, ["sha256"])
        target.unrecognized_fields["custom"] = dict(custom)

        def put(targets: Targets) -> bool:
            known = targets.targets.get(path)
            if known is not None and known.hashes != target.hashes:
                raise ConflictError(
                    f"Another set is published as {path}", mend="Give the new one its own version"
                )
            targets.targets[path] = target
            return known is None

        return self._change(lane, put, signer)

    def remove(self, lane: str, path: str, signer: Signer) -> int:
        """No longer name a manifest; the snapshot's version from then on."""

        def take(targets: Targets) -> bool:
            return targets.targets.pop(path, None) is not None

        return self._change(lane, take, signer)

    def renew(self, lane: str, signer: Signer, *, above: int = 0) -> int:
        """Sign a lane anew, as it is, before it expires. `above`: its version goes above this one,
        for a hub that was restored from an old backup; no lane was ever above its snapshot.
        """

        def lift(targets: Targets) -> bool:
            targets.version = max(targets.version, above)
            return True

        return self._change(lane, lift, signer)

    def refresh(self, *, above: int = 0) -> bool:
        """Sign snapshot and timestamp again where half of their life is over or the root names
        other keys for them; True where something was signed. `above`: also where the snapshot's
        version is not above this one, for a hub that was restored from an old backup.
        """
        with self._store.alone():
            root = self.root().signed
            snapshot, timestamp = self.snapshot(), self.timestamp()
            old = (
                self._is_half_over(snapshot.signed, self.lives.snapshot)
                or not _signed_for(root, Snapshot.type, snapshot)
                or snapshot.signed.version <= above
            )
            if old:
                self._sign_snapshot(snapshot.signed, root, above=above)
            elif self._is_half_over(timestamp.signed, self.lives.timestamp) or not _signed_for(
                root, Timestamp.type, timestamp
            ):
                self._sign_timestamp(timestamp.signed.snapshot_meta, root)
            else:
                return False
            return True

    def take(self, files: Mapping[str, Metadata[Any]]) -> int:
        """Bring signed files into force, by role: `root`, `targets`, lanes. The caller has checked
        them and holds `alone`. The snapshot's version from then on. Asked again after a crash in
        between, it ends what was begun. Raises UnavailableError, before anything is written, where
        the hub lacks a key that the root names.
        """
        root = files[Root.type].signed if Root.type in files else self.root().signed
        for role in (Snapshot.type, Timestamp.type):
            self._signers(role, root)
        snapshot = self.snapshot().signed
        # The root last: boxes find it by its number, without a snapshot.
        for role in sorted(files, key=lambda each: each == Root.type):
            version = files[role].signed.version
            data = files[role].to_bytes()
            self._store.write(f"{version}.{role}.json", data)
            if role != Root.type:
                snapshot.meta[f"{role}.json"] = MetaFile.from_data(version, data, ["sha256"])
        return self._sign_snapshot(snapshot, root)

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else changes the plane meanwhile."""
        return self._store.alone()

    def _change(self, lane: str, change: Callable[[Targets], bool], signer: Signer) -> int:
        with self._store.alone():
            metadata = self.role(lane)
            delegating = self.role(Targets.type).signed
            if signer.public_key.keyid not in delegating.get_delegated_role(lane).keyids:
                raise ArtefactRefusedError(
                    f"This key may not sign for the lane {lane}",
                    mend="Use the lane's key, or let root holders delegate the lane to this one",
                )
            if not change(metadata.signed):
                return self.snapshot_version
            metadata.signed.version += 1
            metadata.signed.expires = self._until(self.lives.lane)
            metadata.sign(signer)
            delegating.verify_delegate(lane, metadata.signed_bytes, metadata.signatures)
            return self.take({lane: metadata})

    def _sign_snapshot(self, snapshot: Snapshot, root: Root, *, above: int = 0) -> int:
        snapshot.version = max(snapshot.version, above) + 1
        snapshot.expires = self._until(self.lives.snapshot)
        data = self._signed_online(snapshot, root)
        self._store.write(f"{snapshot.version}.snapshot.json", data)
        self._sign_timestamp(MetaFile.from_data(snapshot.version, data, ["sha256"]), root, above)
        return snapshot.version

    def _sign_timestamp(self, meta: MetaFile, root: Root, above: int = 0) -> None:
        timestamp = self.timestamp().signed
        timestamp.version = max(timestamp.version, above) + 1
        timestamp.expires = self._until(self.lives.timestamp)
        timestamp.snapshot_meta = meta
        self._store.write(TIMESTAMP, self._signed_online(timestamp, root))

    def _signed_online(self, signed: Snapshot | Timestamp, root: Root) -> bytes:
        metadata: Metadata[Any] = Metadata(signed)
        for signer in self._signers(signed.type, root):
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def _signers(self, role: str, root: Root) -> Sequence[Signer]:
        named = root.roles[role]
        signers = [each for each in map(self._online, named.keyids) if each is not None]
        if len(signers) < named.threshold:
            raise UnavailableError(
                f"The hub's key for the {role} is not here",
                mend="Restore hub/ota/keys from a backup, or let root holders name a new key",
            )
        return signers

    def _is_half_over(self, signed: Signed, life: timedelta) -> bool:
        return self._clock.now() > signed.expires - life / 2

    def _until(self, life: timedelta) -> datetime:
        return (self._clock.now() + life).replace(microsecond=0)


def _signed_for(root: Root, role: str, metadata: Metadata[Any]) -> bool:
    try:
        root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError:
        return False
    return True
