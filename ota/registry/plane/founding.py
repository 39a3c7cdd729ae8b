"""The first signed files of an image plane: root, delegations, a lane each, snapshot, timestamp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    Targets,
    Timestamp,
)

from contracts.clock import Clock
from contracts.errors import BadInputError, ConflictError
from ota.registry.lanes import check_lane
from ota.registry.plane.files import TIMESTAMP
from ota.registry.plane.image_plane import Lives
from ota.registry.ports import MetadataStore


@dataclass(frozen=True, slots=True)
class Founders:
    """Whose keys found a plane. `threshold` of `people` sign root and delegations."""

    people: Sequence[Signer]
    threshold: int
    lanes: Mapping[str, Signer]
    snapshot: Signer
    timestamp: Signer


def found(
    store: MetadataStore, founders: Founders, *, clock: Clock, lives: Lives | None = None
) -> bytes:
    """Write the first files; the first root, which boxes begin to trust with.

    Raises ConflictError where there is a plane, BadInputError for keys that make no sense.
    """
    _check(founders)
    lives = lives or Lives()
    now = clock.now()
    with store.alone():
        if store.read(TIMESTAMP) is not None:
            raise ConflictError(
                "This site has keys for model sets already", mend="Replace them: tallyman ota keys"
            )
        written: dict[str, MetaFile] = {}
        for lane, signer in founders.lanes.items():
            written |= _write(store, lane, Targets(expires=_until(now, lives.lane)), [signer])
        delegating = Targets(expires=_until(now, lives.people), delegations=_delegations(founders))
        written |= _write(store, Targets.type, delegating, founders.people)
        snapshot = Snapshot(expires=_until(now, lives.snapshot), meta=written)
        meta = _write(store, Snapshot.type, snapshot, [founders.snapshot])
        timestamp = Timestamp(
            expires=_until(now, lives.timestamp), snapshot_meta=meta["snapshot.json"]
        )
        root = _signed(_root(founders, _until(now, lives.people)), founders.people)
        store.write("1.root.json", root)
        # Last: with it the plane exists.
        store.write(TIMESTAMP, _signed(timestamp, [founders.timestamp]))
        return root


def lane_role(lane: str, key_ids: Sequence[str]) -> DelegatedRole:
    """What a lane's key may sign: manifests below the lane's name and nothing else."""
    return DelegatedRole(
        name=lane,
        keyids=list(key_ids),
        threshold=1,
        terminating=True,
        paths=[f"{check_lane(lane)}/*/*/manifest.json"],
    )


def _delegations(founders: Founders) -> Delegations:
    keys = {each.public_key.keyid: each.public_key for each in founders.lanes.values()}
    roles = {
        lane: lane_role(lane, [signer.public_key.keyid]) for lane, signer in founders.lanes.items()
    }
    return Delegations(keys, roles)


def _root(founders: Founders, expires: datetime) -> Root:
    root = Root(expires=expires, consistent_snapshot=True)
    for role in (Root.type, Targets.type):
        for signer in founders.people:
            root.add_key(signer.public_key, role)
        root.roles[role].threshold = founders.threshold
    root.add_key(founders.snapshot.public_key, Snapshot.type)
    root.add_key(founders.timestamp.public_key, Timestamp.type)
    return root


def _write(
    store: MetadataStore, role: str, signed: Signed, signers: Sequence[Signer]
) -> dict[str, MetaFile]:
    data = _signed(signed, signers)
    store.write(f"{signed.version}.{role}.json", data)
    return {f"{role}.json": MetaFile.from_data(signed.version, data, ["sha256"])}


def _signed(signed: Signed, signers: Sequence[Signer]) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _until(now: datetime, life: timedelta) -> datetime:
    return (now + life).replace(microsecond=0)


def _check(founders: Founders) -> None:
    different = {each.public_key.keyid for each in founders.people}
    if not 1 <= founders.threshold <= len(different):
        raise BadInputError(
            f"{founders.threshold} of {len(different)} root keys cannot sign",
            mend="Make as many keys as must sign, better one more for the safe",
        )
    online = {founders.snapshot.public_key.keyid, founders.timestamp.public_key.keyid}
    lanes = {each.public_key.keyid for each in founders.lanes.values()}
    if different & (online | lanes):
        raise BadInputError(
            "A root key signs for another role too", mend="Use a key of its own for each role"
        )
