"""The image plane as a box sees it: python-tuf checks the signatures, we guard what it lets through.

python-tuf's TrustedMetadataSet refuses old versions, wrong keys, too few signatures, mixed and
expired files (TUF 1.0, section 5.3). Beyond it:
- time is the later of the clock and the floor that the caller keeps, so that a clock set back makes
  no expired file good again;
- versions of snapshot and timestamp have a floor of their own on disk, which holds also where the
  cached files are gone; it falls only when the root names other keys for the two (section 5.3.11);
- a refresh has a total deadline, also when each answer keeps to its own;
- a file is written only when it was verified: temporary file, fsync, rename, fsync of the folder.
Expired files block what is new; whoever asks what is named still learns it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import msgspec
from tuf.api import exceptions
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from contracts.errors import ArtefactRefusedError, NotFoundError, UnavailableError
from contracts.ota import LANES
from contracts.reason import Reason
from ota.agent.files import Files, write_whole
from ota.agent.ports import Hub

_MOST = {
    Root.type: 512_000,
    Timestamp.type: 16_384,
    Snapshot.type: 2_000_000,
    Targets.type: 5_000_000,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_ROOTS = 64
"""New roots in one refresh; more follow with the next."""
DEADLINE_S = 120.0


class MetadataRefusedError(ArtefactRefusedError):
    """Signed files of the image plane that this box does not take; `reason` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message, mend="What runs goes on; look at the hub's image plane")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Image:
    """A published manifest of `length` bytes."""

    lane: str
    digest: str
    path: str
    length: int


@dataclass(frozen=True, slots=True)
class _Floor:
    """`keys` are those that the root names for snapshot and timestamp, by which the versions count."""

    keys: tuple[str, ...] = ()
    timestamp: int = 0
    snapshot: int = 0


class ImagePlane:
    """`root` is what this box was enrolled with. Another one begins with nothing cached; an empty one
    trusts nothing.
    """

    def __init__(
        self,
        files: Files,
        hub: Hub,
        *,
        root: bytes,
        monotonic: Callable[[], float],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._files, self._hub = files, hub
        self._root = root
        self._folder = f"tuf/{hashlib.sha256(root).hexdigest()[:16]}"
        self._monotonic, self._deadline_s = monotonic, deadline_s
        self._until = 0.0
        self._set: TrustedMetadataSet | None = None
        self._floor = _Floor()

    @property
    def snapshot(self) -> int:
        """Version of the verified snapshot; 0 before the first."""
        return self._set.snapshot.version if self._set and Snapshot.type in self._set else 0

    def stale(self, lane: str, at: datetime) -> Reason | None:
        """Why nothing new of a lane may begin to run at `at`; None where all that was signed for it
        still counts.
        """
        for role in (Root.type, Timestamp.type, Snapshot.type, Targets.type, lane):
            if self._set is None or role not in self._set:
                return Reason("ota_metadata_missing", {"role": role})
            if self._set[role].is_expired(at):
                return Reason("ota_metadata_expired", {"role": role})
        return None

    def load(self) -> None:
        """What was verified before, from the disk, expired or not. What no longer holds together is
        left out until the next refresh. Raises MetadataRefusedError where even the root is none.
        """
        self._files.make_folder(self._folder)
        # A folder made by a process that was killed may not be on the disk yet.
        self._files.sync_folder(self._folder.partition("/")[0])
        self._files.sync_folder("")
        if not self._root:
            return
        self._begin(_EPOCH)
        try:
            for role in (Timestamp.type, Snapshot.type, Targets.type):
                if not self._load_role(role):
                    return
            for lane in LANES:
                if self._is_delegated(lane):
                    self._load_role(lane)
        except exceptions.RepositoryError:
            return

    def refresh(self, at: datetime) -> None:
        """Everything anew from the hub, at the trusted time `at` (aware, UTC).

        Raises MetadataRefusedError, UnavailableError; OSError of the disk. What was trusted before
        is trusted after.
        """
        before = self._set
        self._until = self._monotonic() + self._deadline_s
        try:
            self._begin(at)
            self._refresh_root()
            self._refresh_timestamp()
            self._refresh_snapshot()
            for role in (Targets.type, *LANES):
                self._refresh_targets(role)
        except exceptions.RepositoryError as error:
            self._set = before
            raise MetadataRefusedError(
                _why(error), f"The image plane is refused: {error}"
            ) from error
        except NotFoundError as error:
            self._set = before
            raise UnavailableError(f"The hub has no whole image plane: {error.message}") from error
        except BaseException:
            self._set = before
            raise

    def find(self, lane: str, digest: str) -> Image | None:
        """The set as the lane's delegation names it; None where it does not."""
        return next((each for each in self.images(lane) if each.digest == digest), None)

    def images(self, lane: str) -> Iterator[Image]:
        """All sets of a lane that the verified files name, expired or not."""
        if self._set is None or not self._set.contains(lane, Targets.type):
            return
        delegated = self._set.targets.delegations
        role = (delegated.roles or {}).get(lane) if delegated else None
        for path, target in cast("Targets", self._set[lane]).targets.items():
            digest = target.hashes.get("sha256", "")
            # A lane's key speaks for its own lane only, whatever paths it writes.
            if role and role.is_delegated_path(path) and path.startswith(f"{lane}/"):
                yield Image(lane, f"sha256:{digest}", path, target.length)

    def _begin(self, at: datetime) -> None:
        if not self._root:
            reason = Reason("ota_no_root")
            raise MetadataRefusedError(reason, "This box has no root to trust a set by")
        self._floor = self._read_floor()
        try:
            root = self._files.read(f"{self._folder}/root.json")
            self._set = TrustedMetadataSet(root, EnvelopeType.METADATA)
        except (FileNotFoundError, exceptions.RepositoryError):
            try:
                self._set = TrustedMetadataSet(self._root, EnvelopeType.METADATA)
            except exceptions.RepositoryError as error:
                reason = Reason("ota_root_unreadable")
                raise MetadataRefusedError(reason, f"The box's root is none: {error}") from error
        self._set.reference_time = at

    @property
    def _trusted(self) -> TrustedMetadataSet:
        if self._set is None:
            raise MetadataRefusedError(Reason("ota_metadata_missing"), "Nothing is trusted yet")
        return self._set

    def _refresh_root(self) -> None:
        for _ in range(_MOST_ROOTS):
            version = self._trusted.root.version + 1
            try:
                data = self._download(f"{version}.root.json", _MOST[Root.type])
            except NotFoundError:
                return
            self._trusted.update_root(data)
            self._keep(Root.type, data)

    def _refresh_timestamp(self) -> None:
        self._try_cached(Timestamp.type)
        data = self._download("timestamp.json", _MOST[Timestamp.type])
        try:
            timestamp = self._trusted.update_timestamp(data)
        except exceptions.EqualVersionNumberError:
            return
        floor = self._floor_now()
        if timestamp.version < floor.timestamp or timestamp.snapshot_meta.version < floor.snapshot:
            raise exceptions.BadVersionNumberError(
                f"timestamp {timestamp.version} names snapshot {timestamp.snapshot_meta.version}, "
                f"this box has seen {floor.timestamp} and {floor.snapshot}"
            )
        self._keep(Timestamp.type, data)

    def _refresh_snapshot(self) -> None:
        if not self._try_cached(Snapshot.type):
            meta = self._trusted.timestamp.snapshot_meta
            data = self._download(
                f"{meta.version}.snapshot.json", _MOST[Snapshot.type], meta.length
            )
            self._trusted.update_snapshot(data)
            self._keep(Snapshot.type, data)
        floor = _Floor(
            self._keys(), self._trusted.timestamp.version, self._trusted.snapshot.version
        )
        if floor != self._floor:
            self._keep_floor(floor)

    def _refresh_targets(self, role: str) -> None:
        if not self._is_delegated(role) or self._try_cached(role):
            return
        meta = self._trusted.snapshot.meta.get(f"{role}.json")
        if meta is None:
            raise exceptions.RepositoryError(f"The snapshot does not name {role}")
        data = self._download(f"{meta.version}.{role}.json", _MOST[Targets.type], meta.length)
        self._trusted.update_delegated_targets(data, role, _delegator(role))
        self._keep(role, data)

    def _is_delegated(self, role: str) -> bool:
        if role == Targets.type:
            return True
        delegations = self._trusted.targets.delegations
        return bool(delegations and delegations.roles and role in delegations.roles)

    def _try_cached(self, role: str) -> bool:
        """Whether the cached file is the one to use now. One that is merely old still guards."""
        try:
            return self._load_role(role)
        except exceptions.RepositoryError:
            return False

    def _load_role(self, role: str) -> bool:
        try:
            data = self._files.read(f"{self._folder}/{role}.json")
        except FileNotFoundError:
            return False
        if role == Timestamp.type:
            self._trusted.update_timestamp(data)
        elif role == Snapshot.type:
            self._trusted.update_snapshot(data, trusted=True)
        else:
            self._trusted.update_delegated_targets(data, role, _delegator(role))
        return True

    def _download(self, name: str, most: int, length: int | None = None) -> bytes:
        """A file of at most `most` bytes, or of `length` where that was signed.

        Raises NotFoundError, UnavailableError, MetadataRefusedError for one that does not end.
        """
        data = b""
        most = min(most, length or most)
        while True:
            if self._monotonic() > self._until:
                raise UnavailableError(
                    f"The hub takes more than {self._deadline_s:.0f} s over its signed files"
                )
            more = self._hub.get(f"tuf/{name}", offset=len(data), most=most + 1 - len(data))
            data += more
            if len(data) > most:
                reason = Reason("ota_metadata_endless", {"role": name, "most": most})
                raise MetadataRefusedError(reason, f"{name} has more than {most} bytes")
            if not more or len(data) == length:
                return data

    def _keep(self, role: str, data: bytes) -> None:
        write_whole(self._files, f"{self._folder}/{role}.json", data)

    def _keys(self) -> tuple[str, ...]:
        roles = self._trusted.root.roles
        return tuple(sorted({*roles[Timestamp.type].keyids, *roles[Snapshot.type].keyids}))

    def _floor_now(self) -> _Floor:
        return self._floor if self._floor.keys == self._keys() else _Floor()

    def _read_floor(self) -> _Floor:
        try:
            return msgspec.json.decode(self._files.read(f"{self._folder}/floor.json"), type=_Floor)
        except (FileNotFoundError, msgspec.MsgspecError):
            return _Floor()

    def _keep_floor(self, floor: _Floor) -> None:
        write_whole(self._files, f"{self._folder}/floor.json", msgspec.json.encode(floor))
        self._floor = floor


def _delegator(role: str) -> str:
    return Root.type if role == Targets.type else Targets.type


def _why(error: exceptions.RepositoryError) -> Reason:
    match error:
        case exceptions.ExpiredMetadataError():
            code = "ota_metadata_expired_new"
        case exceptions.BadVersionNumberError():
            code = "ota_metadata_rolled_back"
        case exceptions.UnsignedMetadataError():
            code = "ota_metadata_unsigned"
        case exceptions.LengthOrHashMismatchError():
            code = "ota_metadata_mixed"
        case _:
            code = "ota_metadata_unreadable"
    return Reason(code, {"said": str(error)[:200]})
