"""What a station is made of: ports to its engines, its memory and its lane, and its policy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

from appliance import goods_ports
from appliance.batches import BatchBook
from appliance.evidence import EvidenceStore
from appliance.goods import needed_to_freeze
from appliance.goods_ports import Inspector, Profiles, WatchFor
from appliance.journal.journal import Journal
from appliance.judge import JudgePolicy
from appliance.outside import OutsideJudge
from appliance.pinning.desk import PinDesk
from appliance.pinning.stages import Reader, Readers
from contracts.asn import Expectations
from contracts.errors import ArtefactRefusedError
from contracts.verdict import Decision
from vision.defects.profile import Profile

NO_WORK: Mapping[str, float] = MappingProxyType({})


class Sets(Readers, goods_ports.Sets, Protocol):
    """The model sets on this box. Those that run change between two cartons and never within one."""

    def counted(
        self,
        model_sets: Mapping[str, str],
        *,
        failed: Collection[str],
        late: bool,
        cpu_ms: Mapping[str, float] = NO_WORK,
    ) -> None:
        """A carton was judged by `model_sets` (by use); those uses in `failed` raised instead of
        answering, `late`: the whole took longer than the station's lane waits. `cpu_ms` is the work
        of reading (`read`) and of looking at the goods (`inspect`).
        """
        ...


@dataclass(frozen=True, slots=True)
class OneOfEach:
    """A station with one reader and one inspector: what a bench or a test has."""

    reader: Reader
    inspector: Inspector

    def reader_of(self, model_set: str) -> Reader:
        """Raises ArtefactRefusedError: there is no other."""
        raise ArtefactRefusedError(f"{model_set} is not here", mend="Bring the set back")

    def has(self, digest: str) -> bool:  # noqa: ARG002 -- the port's
        return True

    def counted(
        self,
        model_sets: Mapping[str, str],
        *,
        failed: Collection[str],
        late: bool,
        cpu_ms: Mapping[str, float] = NO_WORK,
    ) -> None:
        """Nobody asks."""


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

    sets: Sets
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
    pins: PinDesk = field(default_factory=PinDesk)
    budget_ms: float = 600.0
    """A carton that took longer came too late for its lane."""
