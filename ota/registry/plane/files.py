"""The image plane as it stands: signed files, found from the timestamp on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, Targets, Timestamp

from contracts.errors import NotFoundError, UnavailableError
from ota.registry.ports import MetadataStore

TIMESTAMP = "timestamp.json"


@dataclass(frozen=True, slots=True)
class PlaneTarget:
    """A published manifest. `digest` is `sha256:` and 64 hex digits."""

    path: str
    lane: str
    digest: str
    length: int
    custom: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when a role's newest file counts. `by_people`: only a person's key renews it."""

    role: str
    version: int
    expires: datetime
    by_people: bool


class PlaneFiles:
    """Reading only. Methods block; those that need a plane raise UnavailableError before one was
    founded.
    """

    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    @property
    def founded(self) -> bool:
        """Whether keys were made and a first root signed."""
        return self._store.read(TIMESTAMP) is not None

    def read(self, name: str) -> bytes | None:
        """A signed file as boxes ask for it (`2.root.json`, `timestamp.json`, `5.read.json`)."""
        return self._store.read(name)

    def root(self, version: int | None = None) -> Metadata[Root]:
        """The newest root, or the one of a version. Raises UnavailableError, NotFoundError."""
        if version is None:
            version = self._last_root()
        data = self._store.read(f"{version}.root.json")
        if data is None:
            raise NotFoundError(f"There is no root of version {version}")
        return _parsed(f"{version}.root.json", data)

    def first_root(self) -> bytes:
        """What a new box begins to trust with; the later ones follow from it."""
        data = self._store.read("1.root.json")
        if data is None:
            raise _unfounded()
        return data

    def timestamp(self) -> Metadata[Timestamp]:
        data = self._store.read(TIMESTAMP)
        if data is None:
            raise _unfounded()
        return _parsed(TIMESTAMP, data)

    def snapshot(self) -> Metadata[Snapshot]:
        version = self.timestamp().signed.snapshot_meta.version
        name = f"{version}.snapshot.json"
        return _parsed(name, self._file(name))

    @property
    def snapshot_version(self) -> int:
        """The version below which no box need go: contracts.ota.Assignment.least_snapshot."""
        return self.timestamp().signed.snapshot_meta.version

    def raw(self, role: str) -> bytes:
        """The bytes of `targets` or a lane, as they were signed."""
        version = self.snapshot().signed.meta[f"{role}.json"].version
        return self._file(f"{version}.{role}.json")

    def role(self, role: str) -> Metadata[Targets]:
        """`targets` (the list of delegations) or a lane, as the snapshot names it."""
        return _parsed(role, self.raw(role))

    def lanes(self) -> Sequence[str]:
        delegations = self.role(Targets.type).signed.delegations
        return tuple(delegations.roles or ()) if delegations else ()

    def lane_key_ids(self, lane: str) -> Sequence[str]:
        """TUF key ids that may sign for a lane."""
        return tuple(self.role(Targets.type).signed.get_delegated_role(lane).keyids)

    def targets(self, lane: str = "") -> Mapping[str, PlaneTarget]:
        """Everything published, by path."""
        found = {}
        for each in [lane] if lane else self.lanes():
            for path, target in self.role(each).signed.targets.items():
                digest = f"sha256:{target.hashes['sha256']}"
                found[path] = PlaneTarget(path, each, digest, target.length, target.custom or {})
        return found

    def expiries(self) -> Sequence[Expiry]:
        """Of every role in force."""
        people: list[tuple[str, Signed]] = [
            ("root", self.root().signed),
            ("targets", self.role(Targets.type).signed),
        ]
        people += [(lane, self.role(lane).signed) for lane in self.lanes()]
        online: list[tuple[str, Signed]] = [
            ("snapshot", self.snapshot().signed),
            ("timestamp", self.timestamp().signed),
        ]
        return [
            Expiry(name, signed.version, signed.expires, by_people=group is people)
            for group in (people, online)
            for name, signed in group
        ]

    def _last_root(self) -> int:
        roots = [name.partition(".")[0] for name in self._store.names() if _is_root(name)]
        if not roots:
            raise _unfounded()
        return max(map(int, roots))

    def _file(self, name: str) -> bytes:
        data = self._store.read(name)
        if data is None:
            raise UnavailableError(
                f"The image plane lacks {name}", mend="Restore hub/ota from a backup"
            )
        return data


def _parsed(name: str, data: bytes) -> Metadata[Any]:
    """Raises UnavailableError: what the disk spoilt here is still whole at the boxes and in a backup,
    and everything else of the hub goes on.
    """
    try:
        return Metadata[Any].from_bytes(data)
    except RepositoryError as error:
        raise UnavailableError(
            f"{name} of the image plane cannot be read: {error}",
            mend="Restore hub/ota from a backup",
        ) from error


def _is_root(name: str) -> bool:
    return name.endswith(".root.json") and name.partition(".")[0].isdecimal()


def _unfounded() -> UnavailableError:
    return UnavailableError(
        "This site has no keys for model sets yet", mend="Make them: tallyman ota init"
    )
