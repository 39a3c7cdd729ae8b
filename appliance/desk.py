"""What the station page shows and what an operator may do there: types and the port (I6, I7).

The page is served by the edge process, so it works while the hub is away. `Desk` is implemented
by appliance.edge.desk; pages and their tests know only this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.geometry import Quad, Region
from contracts.reading import Candidate, LabelFields
from contracts.stock import Evidence
from contracts.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CartonCard:
    """One judged carton as the station shows it."""

    carton_id: str
    station: str
    at: datetime
    verdict: Verdict
    fields: LabelFields
    description: str = ""
    slot: str = ""
    candidates: tuple[Candidate, ...] = ()
    quads: tuple[Quad, ...] = ()
    """Text lines and symbols found, in pixels of the label picture."""
    regions: tuple[Region, ...] = ()
    """Defects found, in pixels of the inspect picture."""
    evidence: tuple[Evidence, ...] = ()
    model_sets: tuple[str, ...] = ()
    elapsed_ms: float = 0.0
    settled_by: str = ""
    product: str = ""
    """GTIN of the goods inside: of the batch where that is known, else as read or keyed."""
    inspected: str = ""
    """What was said of the goods: pass, defect or review; empty where nobody looked."""


@dataclass(frozen=True, slots=True)
class CameraCard:
    name: str
    state: str
    """ok, stalled, frozen, moved, blurred or dark."""
    detail: str = ""
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class SessionCard:
    session: str
    asn: str
    announced: int
    counted: int


@dataclass(frozen=True, slots=True)
class DeskState:
    """Everything the station page needs to draw itself once; changes arrive as live events.

    `current` is the newest carton, `recent` at most twelve, newest first, `reviews` those that
    wait for an answer, oldest first. `lag` counts journal entries the hub has not acknowledged.
    """

    station: str
    current: CartonCard | None = None
    recent: tuple[CartonCard, ...] = ()
    reviews: tuple[CartonCard, ...] = ()
    cameras: tuple[CameraCard, ...] = ()
    session: SessionCard | None = None
    hub_online: bool = False
    lag: int = 0
    accepting: bool = True
    """False while the journal takes no more: the station has stopped and says why."""
    stopped_because: str = ""
    printer: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """An operator's answer to a review. `how` is `candidate`, `keyed` or `refused`."""

    carton_id: str
    how: str
    gtin: str = ""
    batch: str = ""
    expiry: str = ""
    """ISO 8601 date."""
    asn_line: int | None = None
    note: str = ""


class Desk(Protocol):
    """What the station page asks of the station."""

    def state(self) -> DeskState: ...

    def carton(self, carton_id: str) -> CartonCard:
        """Raises NotFoundError for a carton older than the station remembers."""
        ...

    async def settle(self, answer: Settlement, *, operator: str) -> CartonCard:
        """Record the answer durably. Raises BadInputError (what to mend), NotFoundError, and
        ConflictError when the carton was settled already with another answer.
        """
        ...

    def live_jpeg(self, camera: str) -> bytes | None:
        """The newest frame of a camera, None while there is none."""
        ...

    async def reprint(self, carton_id: str) -> None:
        """Send the label to the station's printer. Raises UnavailableError."""
        ...
