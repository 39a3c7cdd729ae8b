"""May the profile in this file judge here? Asked by whoever loads one (I5)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from appliance.teaching.signing import check_profile, read_signature, refused
from appliance.teaching.trust import TrustedKeys


class Digested(Protocol):
    """A product's profile, or a carton's reference sides."""

    @property
    def digest(self) -> str: ...


class ProfileGuard:
    """`appliance.profiles.ProfileFolder(check=guard)`: what lies in the folder judges only under a
    signature beside it.
    """

    def __init__(self, trust: TrustedKeys, *, station: str) -> None:
        self._trust = trust
        self._station = station

    def __call__(self, gtin: str, path: Path, data: bytes, profile: Digested) -> None:
        """Raises ArtefactRefusedError with what is missing. `data` are the bytes of `path`."""
        signature = read_signature(path)
        if signature is None:
            raise refused(gtin, "nobody has signed it")
        check_profile(
            signature,
            gtin=gtin,
            data=data,
            digest=profile.digest,
            station=self._station,
            keys=self._trust.keys(),
        )
