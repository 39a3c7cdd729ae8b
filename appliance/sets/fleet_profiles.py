"""Product profiles that the registry rolled out: they judge where the site has signed none (I5).

A site's own profile, signed by its quality lead, goes first: the delegation is the site's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.errors import ArtefactRefusedError
from ota.model_set import ModelSet
from vision.defects.profile import Profile

_SUFFIX = ".profile"


@dataclass(frozen=True, slots=True)
class FleetProfiles:
    """`by_gtin` are the profiles of one set, all of them whole."""

    model_set: str = ""
    by_gtin: Mapping[str, Profile] = field(default_factory=dict)

    @classmethod
    def of(cls, model_set: ModelSet) -> FleetProfiles:
        """Raises ArtefactRefusedError for a file that is no profile."""
        found: dict[str, Profile] = {}
        for file in model_set.files:
            gtin = file.removesuffix(_SUFFIX)
            if not file.endswith(_SUFFIX) or not gtin.isdecimal():
                raise ArtefactRefusedError(
                    f"{model_set.name} holds {file}, which is no product's profile",
                    mend="Name each profile <GTIN>.profile",
                )
            path = model_set.folder / file
            found[gtin] = Profile.from_bytes(path.read_bytes(), name=str(path))
        return cls(model_set.digest, found)

    def of_digest(self, digest: str) -> Profile | None:
        return next((each for each in self.by_gtin.values() if each.digest == digest), None)
