"""What a line of a fleet's or a module's log says, once its dialect is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class What(StrEnum):
    """The words of a dialect file."""

    ORDER = "order"
    """Somebody ordered a load to be brought from one place to another."""
    PICKED = "picked"
    DROPPED = "dropped"
    MOVED = "moved"
    """One line tells of pick and drop."""
    FAILED = "failed"
    STORED = "stored"
    """A storage station put a load into a slot of its own."""
    RETRIEVED = "retrieved"
    CHECK_PASSED = "check_passed"
    CHECK_FAILED = "check_failed"
    NOTHING = "nothing"
    """Known, and of no meaning for stock: heartbeats, progress on the way."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event. Which texts are filled depends on `what`; the others are empty."""

    what: What
    at: datetime
    id: str = ""
    """The sender's own number of the event: with it nothing counts twice."""
    vehicle: str = ""
    station: str = ""
    order: str = ""
    load: str = ""
    place: str = ""
    source: str = ""
    target: str = ""
    detail: str = ""

    @property
    def who(self) -> str:
        return self.vehicle or self.station

    @property
    def key(self) -> tuple[str, ...]:
        """The same for a line that says the same again."""
        told = (self.what.value, self.who, self.order, self.load)
        if self.id:
            return (*told, self.id)
        return (*told, self.place, self.source, self.target, self.at.isoformat())


@dataclass(frozen=True, slots=True)
class Vda:
    """A message that is VDA 5050 but for its names, in the standard's names."""

    topic: str
    payload: bytes
    at: datetime


STATION_WORDS = frozenset({What.STORED, What.RETRIEVED, What.CHECK_PASSED, What.CHECK_FAILED})
"""What module stations say, and the stock core hears of."""

NEEDS: dict[What, tuple[str, ...]] = {
    What.ORDER: ("order", "load", "source", "target"),
    What.PICKED: ("vehicle", "order|load", "place"),
    What.DROPPED: ("vehicle", "order|load", "place"),
    What.MOVED: ("vehicle", "load", "source", "target"),
    What.FAILED: ("vehicle", "order|load"),
    What.STORED: ("station", "load", "place"),
    What.RETRIEVED: ("station", "load", "place"),
    What.CHECK_PASSED: ("station", "load"),
    What.CHECK_FAILED: ("station", "load"),
    What.NOTHING: (),
}
"""What an event of each kind must say; `a|b`: one of them."""

WIRE = {"source": "from", "target": "to"}
"""Names that a file writes otherwise than we do."""
