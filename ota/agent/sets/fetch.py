"""Bring one set to this box, piece by piece: what is here already, then differences, then whole.

`advance` makes one request or one file and returns, so that nothing keeps the agent from its other
duties; what was fetched survives a restart. A file counts when it has its hash, whatever way it
came. A hub that drips bytes ends at a deadline of the whole, not of the gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from contracts.errors import ArtefactRefusedError, NotFoundError, UnavailableError
from contracts.reason import Reason
from ota.agent import delta
from ota.agent.files import Files, write_whole
from ota.agent.handover import hex_of
from ota.agent.ports import Hub
from ota.agent.sets.manifest import MOST_BYTES, Manifest, ManifestFile, read_manifest
from ota.agent.sets.metadata import Image
from ota.agent.sets.shelf import STAGING, Base, Shelf, clear, sha256_of
from ota.model_set import MANIFEST
from ota.registry.artefacts import DeltaName

PIECE = 1 << 20
"""Bytes asked for at once."""
_DEADLINE_S, _LEAST_BYTES_PER_S = 120.0, 2000.0
_SMALL = 4096
"""Smaller files are fetched whole at once."""
_MOST_WAYS = 64 << 10
_MOST_SPOILT = 3


class SetRefusedError(ArtefactRefusedError):
    """A set that cannot be had as it was published; `reason` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message, mend="Publish it again; what runs goes on")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes here of bytes wanted, without the manifest; `whole`: it stands on the shelf."""

    here: int = 0
    wanted: int = 0
    whole: bool = False


@dataclass(slots=True)
class _Job:
    digest: str
    began: float
    manifest: Manifest | None = None
    fetched: int = 0
    """Bytes that came over the line for this set since the agent started."""


class Fetcher:
    """One set at a time; asked for another one, it goes over to that."""

    def __init__(
        self, files: Files, hub: Hub, shelf: Shelf, *, monotonic: Callable[[], float]
    ) -> None:
        self._files, self._hub, self._shelf = files, hub, shelf
        self._monotonic = monotonic
        self._job: _Job | None = None
        self._no_way: set[str] = set()
        self._not_here: set[str] = set()
        self._spoilt: dict[str, int] = {}
        self.bytes_fetched = 0
        """Over the line since the agent started, of sets."""

    def advance(self, image: Image) -> Progress:
        """One piece of work for a set that the image plane names.

        Raises SetRefusedError, UnavailableError; OSError of the disk.
        """
        job = self._job
        if job is None or job.digest != image.digest:
            job = self._job = _Job(image.digest, self._monotonic())
            self._no_way.clear()
            self._not_here.clear()
        if job.manifest is None:
            # What the set weighs is known from here on: whoever calls looks for room.
            job.manifest = self._manifest(image)
            return self._progress(job)
        self._check_pace(job)
        for path, file in job.manifest.files.items():
            if self._files.size(self._at(job, path)) is None:
                self._bring(job, path, file)
                return self._progress(job)
        self._shelf.take(job.manifest)
        clear(self._files, self._parts(job))
        self._job = None
        return Progress(job.manifest.total, job.manifest.total, whole=True)

    def missing_bytes(self, image: Image) -> int:
        """Of a set as far as it is known; its manifest's length before."""
        job = self._job
        if job is None or job.digest != image.digest or job.manifest is None:
            return image.length
        progress = self._progress(job)
        return progress.wanted - progress.here

    def _manifest(self, image: Image) -> Manifest:
        name = f"{STAGING}/{hex_of(image.digest)}/{MANIFEST}"
        try:
            raw = self._files.read(name, size=MOST_BYTES)
        except FileNotFoundError:
            if image.length > MOST_BYTES:
                raise _refused(image.digest, "manifest", "too large") from None
            raw = self._all(f"artefacts/{hex_of(image.digest)}", image.length)
        try:
            manifest = read_manifest(raw)
        except ArtefactRefusedError as error:
            raise _refused(image.digest, MANIFEST, error.message) from error
        if manifest.digest != image.digest:
            clear(self._files, f"{STAGING}/{hex_of(image.digest)}")
            raise _refused(image.digest, MANIFEST, "another hash")
        if manifest.lane != image.lane:
            raise _refused(image.digest, MANIFEST, f"for the lane {manifest.lane}")
        if self._files.size(name) is None:
            write_whole(self._files, name, raw)
        return manifest

    def _bring(self, job: _Job, path: str, file: ManifestFile) -> None:
        part = f"{self._parts(job)}/{file.sha256}"
        self._files.make_folder(self._parts(job))
        size = self._files.size(part) or 0
        if size < file.size and not self._from_here(part, file) and not self._by_delta(job, file):
            self._append(job, f"artefacts/{file.sha256}", part, file.size)
        elif file.size == 0 and self._files.size(part) is None:
            self._files.truncate(part)
        here = self._files.size(part) or 0
        if here < file.size:
            return
        if here > file.size or sha256_of(self._files, part) != file.sha256:
            self._throw_away(job, path, file, part)
            return
        self._files.sync(part)
        name = self._at(job, path)
        self._files.make_folder(name.rpartition("/")[0])
        self._files.rename(part, name)

    def _from_here(self, part: str, file: ManifestFile) -> bool:
        """Whether the very file stood here in another set and was copied."""
        known = self._shelf.inventory().get(file.sha256)
        if known is None or file.sha256 in self._not_here:
            return False
        base, path = known
        self._files.truncate(part)
        at = 0
        while piece := base.files.read(f"{base.folder}/{path}", offset=at, size=PIECE):
            self._files.append(part, piece)
            at += len(piece)
        # Right or wrong, it is tried once: a copy that the disk spoilt is fetched instead.
        self._not_here.add(file.sha256)
        return True

    def _by_delta(self, job: _Job, file: ManifestFile) -> bool:
        """Whether there is a difference worth fetching; it goes one piece on, or is undone."""
        if file.size <= _SMALL or file.sha256 in self._no_way:
            return False
        way, old = self._way(file)
        if way is None or old is None:
            self._no_way.add(file.sha256)
            return False
        name = f"{self._parts(job)}/{way}"
        if (self._files.size(name) or 0) < way.size_bytes:
            try:
                self._append(job, f"deltas/{way}", name, way.size_bytes)
            except (NotFoundError, SetRefusedError):
                self._no_way.add(file.sha256)
                return False
        if (self._files.size(name) or 0) >= way.size_bytes:
            self._undo(name, way, old, file, f"{self._parts(job)}/{file.sha256}")
        return True

    def _undo(
        self, name: str, way: DeltaName, old: tuple[Base, str], file: ManifestFile, part: str
    ) -> None:
        base, path = old
        # Right or wrong, it is used once: a difference that leads astray is not taken again.
        self._no_way.add(file.sha256)
        try:
            before = base.files.read(f"{base.folder}/{path}")
            made = delta.apply(way.kind, before, self._files.read(name), size=file.size)
        except (ArtefactRefusedError, FileNotFoundError):
            made = b""
        self._files.remove(name)
        self._files.truncate(part)
        if made:
            self._files.append(part, made)

    def _way(self, file: ManifestFile) -> tuple[DeltaName | None, tuple[Base, str] | None]:
        """The smallest difference from a file that is here."""
        here = self._shelf.inventory()
        if not here:
            return None, None
        try:
            said = self._hub.get(f"deltas/{file.sha256}", most=_MOST_WAYS)
            ways = msgspec.json.decode(said, type=list[DeltaName])
        except (NotFoundError, msgspec.MsgspecError):
            return None, None
        # Nobody signs this list: a name in it that we would not make leads to no file of ours.
        for way in ways:
            known = way.kind in delta.KINDS and way.new == file.sha256 and way.old in here
            if known and 0 < way.size_bytes < file.size and self._is_small(file, here[way.old]):
                return way, here[way.old]
        return None, None

    def _is_small(self, file: ManifestFile, old: tuple[Base, str]) -> bool:
        """Whether both files may stand in memory to be told apart."""
        base, path = old
        size = base.files.size(f"{base.folder}/{path}") or 0
        return max(size, file.size) <= delta.LARGEST_BYTES

    def _append(self, job: _Job, path: str, name: str, size: int) -> None:
        """One piece of what stands at the hub. Raises SetRefusedError where it ends too soon."""
        have = self._files.size(name) or 0
        try:
            piece = self._hub.get(path, offset=have, most=min(PIECE, size - have))
        except NotFoundError as error:
            if path.startswith("deltas/"):
                raise
            raise UnavailableError(f"The hub does not have {path} now") from error
        job.fetched += len(piece)
        self.bytes_fetched += len(piece)
        if not piece or len(piece) > size - have:
            raise _refused(job.digest, path, "another length")
        self._files.append(name, piece)
        self._files.sync(name)

    def _throw_away(self, job: _Job, path: str, file: ManifestFile, part: str) -> None:
        """Bytes with another hash: torn by a power cut, spoilt on the way, or swapped at the hub."""
        self._files.remove(part)
        self._no_way.add(file.sha256)
        count = self._spoilt.get(file.sha256, 0) + 1
        self._spoilt[file.sha256] = count
        if count >= _MOST_SPOILT:
            self._spoilt[file.sha256] = 0
            raise _refused(job.digest, path, "another hash")

    def _all(self, path: str, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self._hub.get(path, offset=len(data), most=size - len(data))
            except NotFoundError as error:
                raise UnavailableError(f"The hub does not have {path} now") from error
            if not piece:
                break
            data += piece
        return data

    def _check_pace(self, job: _Job) -> None:
        """Raises UnavailableError where so much time gave so little; then the clock begins anew."""
        spent = self._monotonic() - job.began
        if spent > _DEADLINE_S + job.fetched / _LEAST_BYTES_PER_S:
            job.began, job.fetched = self._monotonic(), 0
            raise UnavailableError(
                f"The hub gave too little in {spent:.0f} s", mend="Look at the line to the hub"
            )

    def _progress(self, job: _Job) -> Progress:
        if job.manifest is None:
            return Progress()
        here = 0
        for path, file in job.manifest.files.items():
            whole = self._files.size(self._at(job, path))
            part = self._files.size(f"{self._parts(job)}/{file.sha256}")
            here += min(whole if whole is not None else part or 0, file.size)
        return Progress(here, job.manifest.total)

    def _at(self, job: _Job, path: str) -> str:
        return f"{STAGING}/{hex_of(job.digest)}/{path}"

    def _parts(self, job: _Job) -> str:
        return f"{STAGING}/{hex_of(job.digest)}.parts"


def _refused(digest: str, what: str, why: str) -> SetRefusedError:
    reason = Reason("ota_set_refused", {"set": digest, "file": what[:120], "why": why[:200]})
    return SetRefusedError(reason, f"{what} of {digest[:19]} is refused: {why}")
