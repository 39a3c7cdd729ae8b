"""What teaching asks of the rest of the house, and what the pages ask of teaching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.desk import CartonCard
from appliance.teaching.history import ProductHistory, Step
from appliance.teaching.signing import QualityKey
from vision.defects.profile import Profile


class Teaches(Protocol):
    """vision.defects.inspector.DefectInspector."""

    def teach(
        self,
        profile: Profile,
        image: NDArray[np.uint8],
        *,
        kind: Literal["miss", "false_alarm"],
        defect: str = "",
        picture: str = "",
    ) -> Profile:
        """`picture` is the SHA-256 of its file. Raises BadInputError, ArtefactRefusedError."""
        ...

    def accept(self, profile: Profile) -> None:
        """Raises ArtefactRefusedError for a profile that cannot judge under this model set."""
        ...


class Profiles(Protocol):
    """appliance.profiles.ProfileFolder."""

    def path(self, gtin: str) -> Path: ...

    def candidate_path(self, gtin: str) -> Path: ...

    def get(self, gtin: str) -> Profile | None: ...

    def candidate(self, gtin: str) -> Profile | None: ...


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an operator says about one carton."""

    kind: Literal["miss", "false_alarm"]
    defect: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Taught:
    step: Step
    gtin: str
    elapsed_ms: float


class TeachingDesk(Protocol):
    """What the station's pages ask of teaching."""

    async def teach(
        self, card: CartonCard, lesson: Lesson, *, operator: str, session: str | None = None
    ) -> Taught:
        """Durable when it returns. Raises BadInputError, NotFoundError, ConflictError,
        JournalError.
        """
        ...

    async def undo(self, gtin: str, *, operator: str, after: str) -> Step:
        """Take the newest lesson back, the one whose candidate is `after`. Raises NotFoundError,
        ConflictError where it is not the newest any more.
        """
        ...

    def histories(self) -> Sequence[ProductHistory]:
        """Every product that was ever taught, enrolled or signed here."""
        ...

    def lesson_of(self, carton_id: str) -> Step | None:
        """The lesson that stands about a carton."""
        ...

    def can_teach(self, gtin: str) -> bool:
        """Whether the product has a profile to teach."""
        ...

    @property
    def key(self) -> QualityKey | None:
        """The quality lead's key that this station trusts."""
        ...

    @property
    def trouble(self) -> str:
        """Why what was signed cannot be put in force; empty where nothing is wrong."""
        ...
