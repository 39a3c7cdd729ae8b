"""What a station is made of: ports to its engines, its memory and its lane, and its policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from appliance.batches import BatchBook
from appliance.evidence import EvidenceStore
from appliance.goods import Inspector, Profiles, WatchFor, needed_to_freeze
from appliance.journal.journal import Journal
from appliance.judge import JudgePolicy
from appliance.outside import OutsideJudge
from contracts.asn import Expectations, ExpectedLine
from contracts.reading import LabelReading
from contracts.verdict import Decision
from vision.defects.profile import Profile


class Reader(Protocol):
    @property
    def model_set(self) -> str: ...

    @property
    def variant(self) -> str:
        """The engine that it reads with."""
        ...

    def read(
        self, frames: Sequence[NDArray[np.uint8]], expected: Sequence[ExpectedLine], *, name: str
    ) -> LabelReading: ...


class Lane(Protocol):
    def expect(self, carton_id: str, *, left_at: datetime) -> None:
        """A carton is on its way to the diverter."""
        ...

    async def publish(self, carton_id: str, decision: Decision, *, opened_at: datetime) -> str:
        """Tell the diverter; answers the lane that was told (review when the verdict is late)."""
        ...


@dataclass(frozen=True, slots=True)
class StationParts:
    """What a station is made of; edge/run.py puts the real ones in, tests may put others."""

    reader: Reader
    inspector: Inspector
    profiles: Profiles
    expectations: Callable[[], Expectations]
    journal: Journal
    evidence: EvidenceStore
    lane: Lane | None
    policy: JudgePolicy
    time_zone: ZoneInfo
    clock_is_kept: Callable[[], bool] = lambda: True
    """False while no time service keeps the machine's clock (I4)."""
    book: BatchBook = field(default_factory=BatchBook)
    watch_for: WatchFor = lambda _camera, _profile: None
    outside: OutsideJudge | None = None
    """None: nothing is said of the carton itself."""
    needed_to_freeze: Callable[[Profile, int, float], int | None] = needed_to_freeze
