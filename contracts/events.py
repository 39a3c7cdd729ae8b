"""What a device records: the bodies of its journal entries, and the signed envelope (I2, I4).

An envelope's hash covers its header (integers and strings only, RFC 8785 canonical JSON) and the
SHA-256 of the body bytes exactly as stored, so verifying never re-encodes a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.condition import CartonCondition
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Watermark
from contracts.reading import LabelReading
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.telemetry import AlarmChanged
from contracts.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CartonJudged:
    """One carton, one verdict. The carton is known by `carton_id`, made when it was opened."""

    carton_id: str
    station: str
    session: str | None
    opened_at: datetime
    opened_by: str
    """`trigger`, `presence` or `replay`."""
    verdict: Verdict
    reading: LabelReading | None
    inspection: Inspection | None
    evidence: tuple[Evidence, ...]
    model_sets: dict[str, str]
    variant: str
    frames: int = 1
    name: str = ""
    """The replayed picture's stem; empty for a live carton."""
    candidate: Inspection | None = None
    """What a profile of later batches or a candidate said of a carton that was passed: it may have
    added a review and counts for nothing else (I3, I5).
    """
    condition: CartonCondition | None = None
    """The carton's outside, where a condition profile of the product stands."""
    under: Watermark | None = None
    """Whose judgement of the goods this is; None where nobody looked at them (I3)."""


@dataclass(frozen=True, slots=True)
class CartonSettled:
    """An operator settled a review: the answer is kept as truth for learning."""

    carton_id: str
    station: str
    session: str | None
    operator: str
    gtin: str
    batch: str
    expiry: str
    asn_line: int | None
    how: str
    """`candidate`, `keyed` or `refused` (set aside: goes to quarantine)."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """A camera went wrong or came back. `state` is ok, stalled, frozen, moved, blurred or dark."""

    station: str
    camera: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeviceStarted:
    """First entry of a boot: what really runs on this device."""

    station: str
    version: str
    model_sets: dict[str, str] = field(default_factory=dict)
    notes: tuple[Reason, ...] = ()


MISS, FALSE_ALARM = "miss", "false_alarm"
DEFECTS = ("crack", "dent", "tear", "wet", "missing_cap", "broken_seal")
"""What an operator may call a defect."""


@dataclass(frozen=True, slots=True)
class DefectTaught:
    """An operator told the inspector about one carton; a candidate profile learned from it (I5).

    `before` and `after` are the digests of the profile that was taught and of the candidate that
    came out; `evidence` names the picture and both profile files, so the hub gets them.
    """

    station: str
    carton_id: str
    gtin: str
    picture: str
    """SHA-256 of the picture that was taught, as judged."""
    lesson: str
    """`miss` (a defect that was passed) or `false_alarm` (good goods that were not)."""
    defect: str
    """crack, dent, tear, wet, missing_cap, broken_seal; empty where nobody said."""
    operator: str
    before: str
    after: str
    candidate: str
    """SHA-256 of the candidate's file."""
    session: str | None = None
    evidence: tuple[Evidence, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class LessonUndone:
    """The newest lesson was taken back: `after` is in force for reviews again, the candidate before
    it, or the signed profile itself, and then `candidate` is empty.
    """

    station: str
    gtin: str
    operator: str
    before: str
    after: str
    candidate: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProfileEnrolled:
    """A product's good look was learned at the station: a candidate until it is signed."""

    station: str
    gtin: str
    product: str
    digest: str
    candidate: str
    good_items: int
    operator: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileActivated:
    """A signed profile judges batches that begin from now on (I3). `before` is empty for the first.

    `serial`, `key` and `signature` are the quality lead's, as checked by this station.
    """

    station: str
    gtin: str
    before: str
    after: str
    file: str
    signed_by: str
    reason: str
    serial: int
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class CartonRejudged:
    """The goods of a carton judged again from the frame that was kept, under a later generation or
    the batch's one judge. It may free what waits for it or add a hold; it lifts none (I3).
    """

    carton_id: str
    station: str
    batch: BatchKey
    under: Watermark
    decision: InspectDecision
    reasons: tuple[Reason, ...]
    inspection: Inspection | None
    """None where the frame or the set is gone: the goods go back to inspection by a person."""
    picture: str
    model_sets: dict[str, str]
    variant: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSetsActivated:
    """What judges new batches from this entry on. Digests are those of the files as loaded."""

    station: str
    before: dict[str, str]
    after: dict[str, str]
    variant: dict[str, str]
    why: str
    """`start`, `assignment`, `returned` (by probation) or `stopped` (emergency stop)."""
    epoch: int = 0
    sequence: int = 0
    rollout: str = ""
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ShadowJudged:
    """What a candidate said of a frame that the running set judged; it counts for nothing but the
    rollout's gate (I3).
    """

    station: str
    carton_id: str
    rollout: str
    lane: str
    model_set: str
    running: str
    said: str
    """The candidate's decision; empty where it failed."""
    stood: str
    """The running set's."""
    harmful: bool
    late: bool
    error: str = ""
    elapsed_ms: float = 0.0


EventBody = (
    CartonJudged
    | CartonSettled
    | CameraChanged
    | DeviceStarted
    | DefectTaught
    | LessonUndone
    | ProfileEnrolled
    | ProfileActivated
    | AlarmChanged
    | CartonRejudged
    | ModelSetsActivated
    | ShadowJudged
)

KINDS: dict[str, type[EventBody]] = {
    "carton_judged": CartonJudged,
    "carton_settled": CartonSettled,
    "camera_changed": CameraChanged,
    "device_started": DeviceStarted,
    "defect_taught": DefectTaught,
    "lesson_undone": LessonUndone,
    "profile_enrolled": ProfileEnrolled,
    "profile_activated": ProfileActivated,
    "alarm_changed": AlarmChanged,
    "carton_rejudged": CartonRejudged,
    "model_sets_activated": ModelSetsActivated,
    "shadow_judged": ShadowJudged,
}
KIND_OF: dict[type[EventBody], str] = {body: kind for kind, body in KINDS.items()}


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The signed envelope. `body` is JSON text as stored; hashes and signature are hex."""

    device: str
    seq: int
    boot: str
    at_us: int
    """Microseconds since 1970, UTC."""
    uncertainty_us: int
    kind: str
    body: str
    previous: str
    hash: str
    signature: str
