"""Changing who may sign: people sign a proposal one after another, each on a machine of their own,
and the hub takes it when enough did (I5).

A proposal is a file with every signed file that changes: a new root, the list of delegations, the
lanes whose key changes; and the root in force, so that a holder can sign far from the hub. It holds
no secret. TUF 1.0, section 6.1: a new root is signed by enough of
the old root's keys and of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from contracts.clock import Clock
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError
from ota.registry.plane.founding import lane_role
from ota.registry.plane.image_plane import ImagePlane


@dataclass(frozen=True, slots=True)
class Proposal:
    """Signed files by role, not in force yet; `before` is the root in force when it was made."""

    before: Metadata[Root]
    files: Mapping[str, Metadata[Any]]

    def to_bytes(self) -> bytes:
        files = {role: each.to_dict() for role, each in self.files.items()}
        said = {"tallyman_ota_proposal": 1, "before": self.before.to_dict(), "files": files}
        return json.dumps(said, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Proposal:
        """Raises BadInputError for what is no proposal."""
        try:
            said = json.loads(data)
            files = {role: Metadata[Any].from_dict(each) for role, each in said["files"].items()}
            return cls(Metadata[Root].from_dict(said["before"]), files)
        except (ValueError, KeyError, TypeError, DeserializationError, RepositoryError) as error:
            raise BadInputError(
                f"This is no proposal of keys: {error!r}", mend="Make one: tallyman ota keys"
            ) from error


def propose_people(
    plane: ImagePlane,
    *,
    clock: Clock,
    add: Sequence[Key] = (),
    remove: Sequence[str] = (),
    threshold: int | None = None,
) -> Proposal:
    """Other root holders, by TUF key id; the same ones with a later expiry where nothing is said.

    Raises BadInputError where fewer are left than must sign.
    """
    root, targets = _next(plane, "root", clock), _next(plane, Targets.type, clock)
    for role in (Root.type, Targets.type):
        for key_id in remove:
            if key_id not in root.signed.roles[role].keyids:
                raise BadInputError(f"{key_id[:16]} is no root key", mend="tallyman ota keys list")
            root.signed.revoke_key(key_id, role)
        for key in add:
            root.signed.add_key(key, role)
        named = root.signed.roles[role]
        named.threshold = threshold or named.threshold
        if not 1 <= named.threshold <= len(named.keyids):
            raise BadInputError(
                f"{named.threshold} of {len(named.keyids)} root keys cannot sign",
                mend="Add a key, or ask for fewer signatures",
            )
    return Proposal(plane.root(), {Root.type: root, Targets.type: targets})


def propose_online(
    plane: ImagePlane, *, clock: Clock, snapshot: Key | None = None, timestamp: Key | None = None
) -> Proposal:
    """Other keys for what the hub signs by itself, after it was broken into for one."""
    root = _next(plane, "root", clock)
    for role, key in ((Snapshot.type, snapshot), (Timestamp.type, timestamp)):
        if key is not None:
            for old in list(root.signed.roles[role].keyids):
                root.signed.revoke_key(old, role)
            root.signed.add_key(key, role)
    return Proposal(plane.root(), {Root.type: root})


def propose_lane(plane: ImagePlane, lane: str, key: Key, *, clock: Clock) -> Proposal:
    """Another key for a lane; what is published stays. Root holders sign, and the new key."""
    targets, content = _next(plane, Targets.type, clock), _next(plane, lane, clock)
    delegations = targets.signed.delegations
    if delegations is None or delegations.roles is None:
        raise BadInputError("The plane delegates nothing", mend="Restore hub/ota from a backup")
    for old in list(delegations.roles[lane].keyids) if lane in delegations.roles else []:
        targets.signed.revoke_key(old, lane)
    delegations.roles[lane] = lane_role(lane, [])
    targets.signed.add_key(key, lane)
    return Proposal(plane.root(), {Targets.type: targets, lane: content})


def sign(proposal: Proposal, signer: Signer) -> Sequence[str]:
    """Add a signature wherever this key counts; to which roles. Raises ArtefactRefusedError for a
    key that counts for nothing here.
    """
    done = []
    for role, metadata in proposal.files.items():
        counting = {key_id for each in _delegators(proposal, role) for key_id in each}
        if signer.public_key.keyid in counting:
            metadata.sign(signer, append=True)
            done.append(role)
    if not done:
        raise ArtefactRefusedError(
            "This key counts for nothing in the proposal", mend="Sign with a root holder's key"
        )
    return done


def missing(proposal: Proposal) -> Mapping[str, int]:
    """How many more signatures each role needs; roles that have enough are not named."""
    short = {role: _missing(proposal, role) for role in proposal.files}
    return {role: number for role, number in short.items() if number}


def adopt(plane: ImagePlane, proposal: Proposal) -> int:
    """Bring it into force; the snapshot's version from then on. Once more after a crash: the same.

    Raises ConflictError where the plane went on since it was made, ArtefactRefusedError where
    signatures are missing or something published would be lost.
    """
    with plane.alone():
        if plane.root(proposal.before.signed.version).signed_bytes != proposal.before.signed_bytes:
            raise ConflictError("The proposal is of another site", mend="Make one here")
        if Root.type not in proposal.files:
            _check_follows(plane, Root.type, proposal.before)
        for role, metadata in proposal.files.items():
            _check_follows(plane, role, metadata)
        if short := missing(proposal):
            told = ", ".join(f"{role}: {number}" for role, number in short.items())
            raise ArtefactRefusedError(
                f"Signatures are missing ({told})", mend="Let more holders sign, then adopt it"
            )
        _check_rest_holds(plane, proposal)
        return plane.take(proposal.files)


def _next(plane: ImagePlane, role: str, clock: Clock) -> Metadata[Any]:
    metadata: Metadata[Any] = plane.root() if role == Root.type else plane.role(role)
    life = plane.lives.people if role in {Root.type, Targets.type} else plane.lives.lane
    metadata.signed.version += 1
    metadata.signed.expires = (clock.now() + life).replace(microsecond=0)
    metadata.signatures.clear()
    return metadata


def _root_of(proposal: Proposal) -> Root:
    root = proposal.files.get(Root.type, proposal.before).signed
    if not isinstance(root, Root):
        raise _odd()
    return root


def _targets_of(proposal: Proposal) -> Targets:
    """Of a proposal that changes lanes: it changes the list of delegations with them."""
    metadata = proposal.files.get(Targets.type)
    if metadata is None or not isinstance(metadata.signed, Targets):
        raise _odd()
    return metadata.signed


def _odd() -> BadInputError:
    return BadInputError(
        "The proposal does not hold what its roles need", mend="Make one: tallyman ota keys"
    )


def _delegators(proposal: Proposal, role: str) -> Iterator[Sequence[str]]:
    """Key ids that count for a role, by each that must agree."""
    root = _root_of(proposal)
    if role == Root.type:
        yield proposal.before.signed.roles[Root.type].keyids
        yield root.roles[Root.type].keyids
    elif role == Targets.type:
        yield root.roles[Targets.type].keyids
    else:
        yield _targets_of(proposal).get_delegated_role(role).keyids


def _missing(proposal: Proposal, role: str) -> int:
    metadata = proposal.files[role]
    root = _root_of(proposal)
    signed = metadata.signed_bytes, metadata.signatures
    if role == Root.type:
        both = root.get_root_verification_result(proposal.before.signed, *signed)
        return max(both.first.missing, both.second.missing)
    delegator = root if role == Targets.type else _targets_of(proposal)
    return delegator.get_verification_result(role, *signed).missing


def _check_follows(plane: ImagePlane, role: str, metadata: Metadata[Any]) -> None:
    now: Metadata[Any] = plane.root() if role == Root.type else plane.role(role)
    version = metadata.signed.version
    again = version == now.signed.version and metadata.signed_bytes == now.signed_bytes
    if again:
        return
    if version != now.signed.version + 1:
        raise ConflictError(
            f"The proposal makes version {version} of {role}, {now.signed.version} is in force",
            mend="Something changed meanwhile: propose it again",
        )


def _check_rest_holds(plane: ImagePlane, proposal: Proposal) -> None:
    """What does not change must still be signed by whom the proposal names."""
    root = _root_of(proposal)
    changes = Targets.type in proposal.files
    targets = _targets_of(proposal) if changes else plane.role(Targets.type).signed
    for role in (Targets.type, *plane.lanes()):
        if role in proposal.files:
            continue
        delegator = root if role == Targets.type else targets
        metadata = plane.role(role)
        try:
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except (UnsignedMetadataError, ValueError) as error:
            raise ArtefactRefusedError(
                f"With this proposal nobody's signature on {role} would count",
                mend="Propose it together with that role",
            ) from error
