"""Product profiles in a folder, opened when first needed and again when changed (I3, I5).

`<GTIN>.profile` judges, `<GTIN>.candidate.profile` was taught or enrolled here and is not signed yet,
`kept/<digest>.profile` has judged a batch and stays for the rest of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.durable import write_atomic
from appliance.newest import Newest
from appliance.sets.fleet_profiles import FleetProfiles
from contracts.errors import TallymanError
from vision.defects.profile import Profile

SUFFIX = ".profile"
CANDIDATE = ".candidate" + SUFFIX
_KEPT = "kept"
_MOST_KEPT_OPEN = 16
log = structlog.get_logger()

Check = Callable[[str, Path, bytes, Profile], None]
"""GTIN, file, its bytes, what they are: raises ArtefactRefusedError for what may not judge."""


class ProfileFolder:
    """A corrupted or unsigned file is refused and told once, and the profile that was loaded before
    it goes on judging. `check` says which may judge; without it every whole file may.
    """

    def __init__(self, folder: Path, *, check: Check | None = None) -> None:
        self.folder = folder
        self._check = check
        self.fleet: Callable[[], FleetProfiles] = FleetProfiles
        """What was rolled out to this box; it judges products that the site signed nothing for."""
        self._signed = Newest(self._checked)
        self._candidates = Newest(_whole)
        self._kept: dict[str, Profile] = {}

    def path(self, gtin: str) -> Path:
        return self.folder / f"{gtin}{SUFFIX}"

    def candidate_path(self, gtin: str) -> Path:
        return self.folder / f"{gtin}{CANDIDATE}"

    def kept_path(self, digest: str) -> Path:
        return self.folder / _KEPT / f"{digest.rpartition(':')[2]}{SUFFIX}"

    def get(self, gtin: str) -> Profile | None:
        """The profile that judges a GTIN's next batches; None where there is none that may."""
        return self._signed.get(self.path(gtin)) or self.fleet().by_gtin.get(gtin)

    def candidate(self, gtin: str) -> Profile | None:
        """What was taught since; it may add a review and nothing else."""
        return self._candidates.get(self.candidate_path(gtin))

    def trouble(self, gtin: str) -> str:
        """Why the newest file of a GTIN was refused; empty where nothing is wrong."""
        return self._signed.trouble(self.path(gtin))

    def keep(self, profile: Profile) -> None:
        """Store a profile that begins to judge a batch, before its first result is recorded.

        Raises OSError when the disk refuses.
        """
        if profile.digest in self._kept:
            return
        path = self.kept_path(profile.digest)
        if not path.exists() or self.pinned(profile.digest) is None:
            write_atomic(path, profile.to_bytes())
        self._remember(profile)

    def pinned(self, digest: str) -> Profile | None:
        """The profile that began a batch, by its digest; None where it is gone or was changed."""
        known = self._kept.get(digest) or self.fleet().of_digest(digest)
        if known is not None:
            return known
        try:
            profile = Profile.load(self.kept_path(digest))
        except TallymanError as error:
            log.warning("pinned profile refused", profile=digest, error=str(error))
            return None
        if profile.digest != digest:
            log.warning("pinned profile refused", profile=digest, found=profile.digest)
            return None
        self._remember(profile)
        return profile

    def has(self, gtin: str, digest: str) -> bool:
        """Whether a profile may judge a batch that is pinned to it, as far as its place goes."""
        signed = self.get(gtin)
        here = signed is not None and signed.digest == digest
        return here or digest in self._kept or self.kept_path(digest).exists()

    def others(self, profile: Profile) -> Mapping[str, NDArray[np.float32]]:
        """How other products look, by name: the scenes of profiles under the same backbone."""
        found = (self.get(gtin) for gtin in self.gtins())
        return {
            each.product: each.scenes
            for each in found
            if each
            and each.product != profile.product
            and each.facts.backbone == profile.facts.backbone
        }

    def gtins(self) -> tuple[str, ...]:
        """The products that have a profile, signed or not, or a candidate."""
        named = {path.name.partition(".")[0] for path in self._files()}
        return tuple(sorted(named | set(self.fleet().by_gtin)))

    def count(self) -> int:
        """How many products have a profile that is more than a candidate."""
        return sum(not path.name.endswith(CANDIDATE) for path in self._files())

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"*{SUFFIX}")

    def _remember(self, profile: Profile) -> None:
        if len(self._kept) >= _MOST_KEPT_OPEN:
            del self._kept[next(iter(self._kept))]
        self._kept[profile.digest] = profile

    def _checked(self, path: Path, data: bytes) -> Profile:
        profile = _whole(path, data)
        if self._check is not None:
            self._check(path.name.removesuffix(SUFFIX), path, data, profile)
        return profile


def _whole(path: Path, data: bytes) -> Profile:
    return Profile.from_bytes(data, name=str(path))
