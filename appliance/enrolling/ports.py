"""What enrolling asks of the rest of the house. edge/run.py puts the real ones in, tests others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision
from vision.defects.profile import Profile


class Enroller(Protocol):
    """vision.defects.inspector.DefectInspector."""

    def enrol(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        product: str,
        items: Sequence[str] | None = None,
        camera: str = "",
        at: str = "",
        leave_out_odd: bool = False,
    ) -> Profile:
        """Raises BadInputError."""
        ...

    def teach(
        self,
        profile: Profile,
        image: NDArray[np.uint8],
        *,
        kind: Literal["miss", "false_alarm"],
        defect: str = "",
        picture: str = "",
    ) -> Profile:
        """Raises BadInputError, ArtefactRefusedError."""
        ...


class Candidates(Protocol):
    """Where a profile goes that nobody has signed yet: it may add a review, nothing else (I5)."""

    def signed(self, gtin: str) -> Profile | None:
        """The profile that judges the next batches."""
        ...

    def candidate(self, gtin: str) -> Profile | None: ...

    def refused(self, gtin: str) -> str:
        """Why the newest file of a product may not judge; empty where nothing is wrong."""
        ...

    def gtins(self) -> Sequence[str]:
        """Products with a profile or a candidate."""
        ...

    async def enrolled(
        self, gtin: str, profile: Profile, *, operator: str, shown: Sequence[Evidence]
    ) -> None:
        """Record that `profile` was enrolled from the pictures `shown`, and make it the candidate.

        Raises JournalError where it could not be recorded; then nothing has changed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shot:
    """A good picture as the learning process is told of it."""

    path: str
    item: str


class LearningFailedError(TallymanError):
    """Cracks could not be learned; `reason` says why in both languages."""

    code = "learning_failed"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"Cracks were not learned: {reason.code}")
        self.reason = reason


class Learner(Protocol):
    """Learns the look of cracks on a product, minutes long, at low priority (process.py)."""

    async def learn(
        self, base: Profile, shots: Sequence[Shot], *, progress: Callable[[float], None]
    ) -> Profile:
        """`base` with crack weights of its own. Cancelling ends it. Raises LearningFailedError."""
        ...


@dataclass(frozen=True, slots=True)
class SeenCarton:
    """A carton of the product whose goods were photographed here lately."""

    carton_id: str
    sha256: str
    at: datetime
    decision: Decision
    camera: str
