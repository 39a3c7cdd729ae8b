"""Product profiles in a folder, one file a GTIN, opened when first needed and again when changed."""

from __future__ import annotations

from pathlib import Path

import structlog

from contracts.errors import ArtefactRefusedError
from vision.defects.profile import Profile

SUFFIX = ".profile"
log = structlog.get_logger()


class ProfileFolder:
    """`get` answers the profile of a GTIN, or None; a corrupted file is refused and told once,
    and the profile that was loaded before it goes on judging (I5).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: dict[str, tuple[int, Profile | None]] = {}

    def path(self, gtin: str) -> Path:
        return self.folder / f"{gtin}{SUFFIX}"

    def get(self, gtin: str) -> Profile | None:
        path = self.path(gtin)
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        known = self._loaded.get(gtin)
        if known is not None and known[0] == changed:
            return known[1]
        previous = known[1] if known else None
        try:
            profile: Profile | None = Profile.load(path)
        except ArtefactRefusedError as error:
            log.warning("profile refused", gtin=gtin, error=str(error))
            profile = previous
        self._loaded[gtin] = (changed, profile)
        return profile

    def count(self) -> int:
        return len(list(self.folder.glob(f"*{SUFFIX}"))) if self.folder.is_dir() else 0
