"""Cartons that a station accepts, so that the core asks for their put-away: each is one order."""

from __future__ import annotations

import hashlib
import time
from datetime import date

from contracts.asn import Asn, AsnLine
from contracts.clock import Clock
from contracts.events import KIND_OF, CartonJudged, JournalEntry
from contracts.reason import Reason
from contracts.stock import BatchKey
from contracts.verdict import Decision, Verdict
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core

BATCH = BatchKey("ACME", "06933132577789", "8842-740")
_EXPIRY = date(2030, 6, 30)
_STATION, _DEVICE = "dock-1", "bench"

LAYOUT = SiteLayout(
    tuple(
        Slot(f"{aisle}-{bay:02d}-{level}")
        for aisle in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for bay in range(1, 14)
        for level in range(1, 6)
    )
)
"""13,520 cartons fit in."""


class Dock:
    """A delivery that is big enough, open at one dock. One carton is one put-away.

    On a core that knows it already, it goes on where it was.
    """

    def __init__(self, core: Core, clock: Clock, *, cartons: int = 10_000) -> None:
        self._core = core
        self._clock = clock
        self._count, self._head = core.device_head(_DEVICE)
        line = AsnLine(
            1,
            BATCH.gtin,
            BATCH.lot,
            _EXPIRY,
            cartons,
            description="Still water",
            supplier=BATCH.supplier,
        )
        core.import_asn(Asn("DESP-BENCH", BATCH.supplier, (line,)), by="bench", key="bench-asn")
        self._session = core.open_session(
            "DESP-BENCH", dock=_STATION, by="bench", key="bench-session"
        )

    def accepts(self) -> str:
        """One carton more. Its id, which is its order's load."""
        self._count += 1
        carton = f"C{self._count:06d}"
        body = CartonJudged(
            carton_id=carton,
            station=_STATION,
            session=self._session,
            opened_at=self._clock.now(),
            opened_by="replay",
            verdict=Verdict(
                Decision.ACCEPT,
                (Reason("matches_announcement"),),
                batch=BATCH,
                expiry=_EXPIRY.isoformat(),
                asn_line=1,
            ),
            reading=None,
            inspection=None,
            evidence=(),
            model_sets={},
            variant="cpu",
        )
        self._core.apply(self._entry(), body)
        return carton

    def _entry(self) -> JournalEntry:
        previous = self._head
        self._head = hashlib.sha256(f"{self._count}{previous}".encode()).hexdigest()
        return JournalEntry(
            device=_DEVICE,
            seq=self._count,
            boot="b1",
            at_us=time.time_ns() // 1000,
            uncertainty_us=1000,
            kind=KIND_OF[CartonJudged],
            body="{}",
            previous=previous,
            hash=self._head,
            signature="",
        )
