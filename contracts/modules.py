"""What module stations say: check stations and storage beside the vehicles, on the same broker.

A station's word is an observation. A failed check holds goods (I1); nothing that a station says lifts
a hold, and only orders that we issued move stock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ModuleWord(StrEnum):
    CHECK_PASSED = "check_passed"
    CHECK_FAILED = "check_failed"
    STORED = "stored"
    """A load was put into a place of the station's own."""
    RETRIEVED = "retrieved"


class FailedCheck(StrEnum):
    """What a failed check holds, by the site's policy."""

    CARTON = "carton"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class ModuleEvent:
    """One thing that a station did. The same (station, what, event_id) counts once (I2)."""

    station: str
    event_id: str
    what: ModuleWord
    load_id: str
    at: datetime
    order_id: str = ""
    place: str = ""
    """Location code of the core, for STORED and RETRIEVED."""
    detail: str = ""
    """Words of the station for a person."""
    message: str = ""
    """The beginning of the message as it came: a ticket's evidence (I4)."""
    sha256: str = ""
    """Of the whole message."""


class ModuleResults(Protocol):
    """What the listener of stations needs from the stock core."""

    async def module_event(self, event: ModuleEvent) -> None:
        """Book what a station said, exactly once; never refused (I1).

        Raises UnavailableError while the core is away: the same event comes again.
        """
        ...
