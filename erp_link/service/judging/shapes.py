"""What the desk of the one judge shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.inspection import InspectDecision
from contracts.judging import Pin, Standing
from contracts.ota import Tally
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.domain.judging import ResultKind


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening generations for a bad set did: the new pins, how many cartons wait again, and
    the batches that had left wholly: at risk, with a task for each.
    """

    pins: tuple[Pin, ...] = ()
    cartons: int = 0
    left: tuple[BatchKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One word on a carton's goods. `judge` is empty for a person."""

    carton_id: str
    batch: BatchKey | None
    kind: ResultKind
    judge: str
    generation: int
    provisional: bool
    standing: Standing
    decision: InspectDecision
    station: str
    device: str
    at: datetime
    picture: str
    model_sets: dict[str, str]
    variant: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch with cartons that wait for a result that counts. `asked` of them a station is to judge
    again, `person` wait for somebody.
    """

    batch: BatchKey
    pin: Pin | None
    cartons: int
    asked: int
    person: int


@dataclass(frozen=True, slots=True)
class Ran:
    """From `at` on these sets judged new batches on a box, until its next entry."""

    device: str
    seq: int
    at: datetime
    station: str
    before: dict[str, str]
    after: dict[str, str]
    variant: dict[str, str]
    why: str
    epoch: int
    sequence: int
    rollout: str
    notes: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ShadowTally:
    """What a candidate has shown on one box. `signals`: harm, latency, error; each entry of the
    device's journal counts once.
    """

    rollout: str
    device: str
    lane: str
    model_set: str
    last_seq: int
    signals: dict[str, Tally] = field(default_factory=dict)
