"""Walking everything that the registry keeps, and saying what is wrong (I4, I5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from contracts.errors import ArtefactRefusedError, NotFoundError, TallymanError
from contracts.reason import Reason
from ota.registry.artefacts import Artefacts
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.records import SetRecord, SetState
from ota.registry.registry import Registry

WARN_PEOPLE = timedelta(days=45)
"""Enough to bring people and their keys together."""
WARN_ONLINE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`where` names a set or a signed file; `serious`: boxes refuse something because of it."""

    where: str
    reason: Reason
    serious: bool


def verify(registry: Registry, *, now: datetime) -> list[Trouble]:
    """Everything that is wrong, the plane first; reads every artefact that a set names."""
    plane = registry.plane
    if not plane.founded:
        return [Trouble("root", Reason("ota_no_keys"), serious=False)]
    found = list(_plane(plane))
    if found:
        # What stands below cannot be trusted to be read.
        return found
    found += expiring(plane, now=now)
    found += _sets(registry)
    return found


def expiring(plane: ImagePlane, *, now: datetime) -> list[Trouble]:
    """Signed files that expired or will soon."""
    found = []
    for each in plane.expiries():
        left = each.expires - now
        if left > (WARN_PEOPLE if each.by_people else WARN_ONLINE):
            continue
        code = "ota_expired" if left <= timedelta() else "ota_expires"
        params: dict[str, str | int | float] = {
            "role": each.role,
            "at": each.expires.isoformat(timespec="minutes"),
        }
        found.append(Trouble(each.role, Reason(code, params), serious=left <= timedelta()))
    return found


def _plane(plane: ImagePlane) -> Iterator[Trouble]:
    try:
        root = plane.root(1).signed
        for version in range(1, plane.root().signed.version + 1):
            root = _next_root(plane, root, version)
        _check(root, Timestamp.type, plane.timestamp())
        meta = plane.timestamp().signed.snapshot_meta
        meta.verify_length_and_hashes(plane.read(f"{meta.version}.snapshot.json") or b"")
        _check(root, Snapshot.type, plane.snapshot())
        targets = plane.role(Targets.type)
        _check(root, Targets.type, targets)
        for lane in plane.lanes():
            _check(targets.signed, lane, plane.role(lane))
        for role in (Targets.type, *plane.lanes()):
            named = plane.snapshot().signed.meta[f"{role}.json"]
            named.verify_length_and_hashes(plane.raw(role))
    except (RepositoryError, TallymanError) as error:
        yield _broken(str(error))
    except (ValueError, KeyError, TypeError) as error:
        yield _broken(repr(error))


def _next_root(plane: ImagePlane, before: Root, version: int) -> Root:
    metadata = plane.root(version)
    for by in (before, metadata.signed):
        by.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    if metadata.signed.version != version:
        raise ArtefactRefusedError(f"{version}.root.json is version {metadata.signed.version}")
    return metadata.signed


def _check(delegator: Root | Targets, role: str, metadata: Metadata[Any]) -> None:
    delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)


def _sets(registry: Registry) -> Iterator[Trouble]:
    named = registry.plane.targets()
    records = {each.target: each for each in registry.sets()}
    for path, target in named.items():
        record = records.get(path)
        if record is None or record.digest != target.digest:
            yield Trouble(path, Reason("ota_set_unknown"), serious=True)
        elif record.state is SetState.PROPOSED:
            # Killed between the signature and the record: publishing again ends it.
            yield Trouble(path, Reason("ota_set_half_published"), serious=False)
        elif record.state is SetState.WITHDRAWN:
            yield Trouble(path, Reason("ota_set_still_named"), serious=False)
    for record in records.values():
        if record.state is SetState.PUBLISHED and record.target not in named:
            yield Trouble(record.target, Reason("ota_set_not_named"), serious=True)
        if record.state is not SetState.WITHDRAWN:
            yield from _files(registry.artefacts, record)


def _files(artefacts: Artefacts, record: SetRecord) -> Iterator[Trouble]:
    try:
        manifest = json.loads(artefacts.get(record.hex))
    except (NotFoundError, ArtefactRefusedError, ValueError):
        yield _missing(record, "manifest.json")
        return
    if {path: each["sha256"] for path, each in manifest["files"].items()} != {
        each.path: each.sha256 for each in record.files
    }:
        yield Trouble(record.target, Reason("ota_set_unknown"), serious=True)
    for each in record.files:
        if not artefacts.holds(each.sha256):
            yield _missing(record, each.path)


def _missing(record: SetRecord, file: str) -> Trouble:
    return Trouble(
        record.target,
        Reason("ota_file_missing", {"file": file}),
        serious=record.state is SetState.PUBLISHED,
    )


def _broken(why: str) -> Trouble:
    return Trouble("metadata", Reason("ota_metadata_broken", {"why": why[:300]}), serious=True)
