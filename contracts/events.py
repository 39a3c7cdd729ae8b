"""What a device records: the bodies of its journal entries, and the signed envelope (I2, I4).

An envelope's hash covers its header (integers and strings only, RFC 8785 canonical JSON) and the
SHA-256 of the body bytes exactly as stored, so verifying never re-encodes a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.inspection import Inspection
from contracts.reading import LabelReading
from contracts.reason import Reason
from contracts.stock import Evidence
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


EventBody = CartonJudged | CartonSettled | CameraChanged | DeviceStarted

KINDS: dict[str, type[EventBody]] = {
    "carton_judged": CartonJudged,
    "carton_settled": CartonSettled,
    "camera_changed": CameraChanged,
    "device_started": DeviceStarted,
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
