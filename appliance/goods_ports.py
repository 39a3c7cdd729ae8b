"""What judging goods asks of the rest of the house: inspectors, profiles, watches, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.inspection import Inspection
from vision.defects.gate import Seen
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile


class Inspector(Protocol):
    @property
    def model_set(self) -> str: ...

    @property
    def variant(self) -> str: ...

    def parts(self, profile: Profile, gtin: str) -> dict[str, str]:
        """Whose sets, by use, judge a batch that begins now under a profile. Raises
        ArtefactRefusedError.
        """
        ...

    def variant_of(self, under: Mapping[str, str]) -> str:
        """The engine of the sets that `under` names."""
        ...

    def inspect(
        self,
        image: NDArray[np.uint8],
        profile: Profile,
        *,
        name: str,
        gtin: str,
        under: Mapping[str, str] | None = None,
    ) -> Inspected:
        """Under the sets that `under` names by use; None: those of a batch that begins now. Raises
        ArtefactRefusedError where they are not here.
        """
        ...


class Sets(Protocol):
    """What a judge of goods asks of the sets on this box."""

    @property
    def inspector(self) -> Inspector:
        """What judges batches that begin now; a carton keeps the one that it began with."""
        ...

    def has(self, digest: str) -> bool:
        """Whether a set can judge here now; False for one that was stopped."""
        ...


class Profiles(Protocol):
    """appliance.profiles.ProfileFolder, or what a bench or test puts in its place."""

    def get(self, gtin: str) -> Profile | None: ...

    def candidate(self, gtin: str) -> Profile | None: ...

    def trouble(self, gtin: str) -> str: ...

    def pinned(self, digest: str) -> Profile | None: ...

    def keep(self, profile: Profile) -> None: ...

    def others(self, profile: Profile) -> Mapping[str, NDArray[np.float32]]:
        """How other products look, by their names: `Profile.scenes` of the same backbone."""
        ...


class Watch(Protocol):
    """Follows one camera's pictures under one profile; turns an answer into a review while light,
    focus or place have drifted.
    """

    @property
    def steady(self) -> bool:
        """Whether the pictures of late are enough, and enough like the enrolled ones, to freeze."""
        ...

    def settle(self, inspection: Inspection, seen: Seen) -> Inspection: ...


WatchFor = Callable[[str, Profile], Watch | None]
"""By camera and profile; the same watch for every picture of both."""
