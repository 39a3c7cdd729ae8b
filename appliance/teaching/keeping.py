"""Profiles by their digest, on the station's own disk: an undo needs no hub (I6)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from appliance.durable import write_atomic
from contracts.errors import ArtefactRefusedError
from vision.defects.profile import Profile

_SUFFIX = ".profile"


class KeptProfiles:
    """A folder of small files. Methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, data: bytes) -> None:
        path = self._path(digest)
        if not path.exists():
            write_atomic(path, data)

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None where they are not here or are not that profile any more."""
        try:
            data = self._path(digest).read_bytes()
            profile = Profile.from_bytes(data, name=digest)
        except (FileNotFoundError, ArtefactRefusedError):
            return None
        return data if profile.digest == digest else None

    def thin_out(self, wanted: Collection[str]) -> int:
        """Remove all but the `wanted` digests; how many went."""
        names = {self._path(digest).name for digest in wanted}
        gone = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path.name not in names:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _path(self, digest: str) -> Path:
        name = digest.rpartition(":")[2]
        # A digest comes out of a file: it must not name a way out of the folder.
        safe = "".join(sign for sign in name if sign.isalnum()) or "none"
        return self._folder / f"{safe}{_SUFFIX}"
