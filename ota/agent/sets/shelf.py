"""The sets that a box holds: `held/<hex digest>`, each whole and verified before it got there.

A set comes by one rename of a folder whose files and names were synced before, and goes by one
rename into `trash/`: nothing under `held/` is ever half there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contracts.errors import ArtefactRefusedError
from ota.agent.files import Files
from ota.agent.handover import HELD, held_folder, hex_of
from ota.agent.sets.manifest import MOST_BYTES, Manifest, read_manifest
from ota.model_set import MANIFEST

STAGING, TRASH = "staging", "trash"
_PART = 1 << 20
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Base:
    """A set that stands somewhere whole: in `folder` of `files`."""

    files: Files
    folder: str


class Shelf:
    """`installed` are the installation's sets by digest: read, never written."""

    def __init__(self, files: Files, installed: Mapping[str, Base]) -> None:
        self._files = files
        self._installed = dict(installed)
        self._manifests: dict[str, Manifest] = {}

    def held(self) -> Sequence[str]:
        """Digests of the verified sets on this disk, without the installation's."""
        names = self._files.names(HELD)
        return [f"sha256:{each}" for each in names if _HEX.fullmatch(each)]

    def manifest(self, digest: str) -> Manifest:
        """Of a set held or installed. Raises FileNotFoundError, ArtefactRefusedError."""
        if digest not in self._manifests:
            base = self.base(digest)
            raw = base.files.read(f"{base.folder}/{MANIFEST}", size=MOST_BYTES)
            manifest = read_manifest(raw)
            if manifest.digest != digest:
                raise ArtefactRefusedError(f"{base.folder} has another manifest than its name says")
            self._manifests[digest] = manifest
        return self._manifests[digest]

    def base(self, digest: str) -> Base:
        return self._installed.get(digest) or Base(self._files, held_folder(digest))

    def inventory(self) -> Mapping[str, tuple[Base, str]]:
        """Where files stand here, by SHA-256 in hex: what need not be fetched, or only a difference."""
        found: dict[str, tuple[Base, str]] = {}
        for digest in (*self.held(), *self._installed):
            try:
                manifest = self.manifest(digest)
            except (FileNotFoundError, ArtefactRefusedError):
                continue
            base = self.base(digest)
            found[hex_of(digest)] = (base, MANIFEST)
            found |= {file.sha256: (base, path) for path, file in manifest.files.items()}
        return found

    def is_whole(self, digest: str) -> bool:
        """Whether every file of a held set still has its hash."""
        self._manifests.pop(digest, None)
        try:
            manifest, base = self.manifest(digest), self.base(digest)
            return all(
                sha256_of(base.files, f"{base.folder}/{path}") == file.sha256
                for path, file in manifest.files.items()
            )
        except (FileNotFoundError, ArtefactRefusedError):
            return False

    def weight(self, digest: str) -> int:
        """Bytes of a held set; 0 for one that cannot be read."""
        try:
            return self.manifest(digest).total
        except (FileNotFoundError, ArtefactRefusedError):
            return 0

    def take(self, manifest: Manifest) -> None:
        """Bring a staged set whose files were all checked and synced onto the shelf."""
        staged = f"{STAGING}/{hex_of(manifest.digest)}"
        for folder in sorted({f"{staged}/{path}".rpartition("/")[0] for path in manifest.files}):
            while len(folder) > len(staged):
                self._files.sync_folder(folder)
                folder = folder.rpartition("/")[0]  # noqa: PLW2901 -- up to the set's own folder
        self._files.sync_folder(staged)
        self._files.make_folder(HELD)
        self._files.rename(staged, held_folder(manifest.digest))
        self._files.sync_folder(HELD)
        # The shelf itself may be new.
        self._files.sync_folder("")
        self._files.sync_folder(STAGING)

    def discard(self, digest: str) -> None:
        """Take a set off the shelf, whole at once, then its bytes."""
        self._manifests.pop(digest, None)
        # What a disk that refused left there of the same set would be in the way.
        clear(self._files, f"{TRASH}/{hex_of(digest)}")
        self._files.make_folder(TRASH)
        self._files.rename(held_folder(digest), f"{TRASH}/{hex_of(digest)}")
        self._files.sync_folder(HELD)
        clear(self._files, TRASH)

    def sweep(self, wanted: Collection[str]) -> None:
        """Delete what an interrupted removal left, and staged parts of what nobody wants now."""
        clear(self._files, TRASH)
        keep = {hex_of(each) for each in wanted}
        for name in self._files.names(STAGING):
            if name.partition(".")[0] not in keep:
                clear(self._files, f"{STAGING}/{name}")


def clear(files: Files, name: str) -> None:
    """Delete a folder with all that is in it, or a file."""
    if not files.is_folder(name):
        if files.size(name) is not None:
            files.remove(name)
        return
    for each in files.names(name):
        clear(files, f"{name}/{each}")
    files.remove_folder(name)


def sha256_of(files: Files, name: str) -> str:
    """In hex, read in parts. Raises FileNotFoundError."""
    seen, at = hashlib.sha256(), 0
    while part := files.read(name, offset=at, size=_PART):
        seen.update(part)
        at += len(part)
    return seen.hexdigest()
