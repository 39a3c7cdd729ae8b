"""A station as the core sees it: it judges cartons, and its chained entries are applied."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta

from contracts.asn import Asn, AsnLine
from contracts.clock import FixedClock
from contracts.events import (
    KIND_OF,
    CartonJudged,
    CartonSettled,
    EventBody,
    JournalEntry,
)
from contracts.geometry import Region
from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from erp_link.service.core import Applied, Core

WATER = BatchKey("ACME", "06933132577789", "8842-740")
JUICE = BatchKey("ACME", "08809609245438", "7919-521")
LATER = date(2027, 6, 30)
SEEN = {
    Decision.ACCEPT: InspectDecision.PASS,
    Decision.REVIEW: InspectDecision.REVIEW,
    Decision.HOLD: InspectDecision.DEFECT,
}
"""What the goods looked like, by what became of the carton."""


def _line(number: int, key: BatchKey, quantity: int, description: str) -> AsnLine:
    return AsnLine(
        number,
        key.gtin,
        key.lot,
        LATER,
        quantity,
        description=description,
        supplier=key.supplier,
    )


def delivery(number: str = "DESP-1", *, water: int = 5, juice: int = 3) -> Asn:
    """An announced list of two lines: water and juice."""
    return Asn(
        number,
        "ACME",
        (
            _line(1, WATER, water, "Still water"),
            _line(2, JUICE, juice, "Juice"),
        )[: 2 if juice else 1],
    )


@dataclass
class Station:
    """Makes entries that follow each other; every entry it applies is kept in `log`."""

    core: Core
    clock: FixedClock
    device: str = "edge-1"
    name: str = "dock-1"
    session: str | None = None
    picture: str = "cd" * 32
    log: list[tuple[JournalEntry, EventBody]] = field(default_factory=list)

    def receives(self, number: str = "DESP-1", *, water: int = 5, juice: int = 3) -> str:
        """The delivery is announced, and its session is open at this station's dock."""
        self.core.import_asn(delivery(number, water=water, juice=juice), by="ops")
        self.session = self.core.open_session(number, dock=self.name, by="op")
        return self.session

    def entry(self, body: EventBody) -> JournalEntry:
        seq = len(self.log) + 1
        previous = self.log[-1][0].hash if self.log else ""
        self.clock.at += timedelta(seconds=1)
        return JournalEntry(
            device=self.device,
            seq=seq,
            boot="b1",
            at_us=int(self.clock.at.timestamp() * 1_000_000),
            uncertainty_us=1000,
            kind=KIND_OF[type(body)],
            body="{}",
            previous=previous,
            hash=hashlib.sha256(f"{self.device}{seq}{previous}{body}".encode()).hexdigest(),
            signature="",
        )

    def sends(self, body: EventBody) -> Applied:
        entry = self.entry(body)
        self.log.append((entry, body))
        return self.core.apply(entry, body)

    def judges(
        self,
        carton: str,
        decision: Decision,
        batch: BatchKey | None = WATER,
        *,
        line: int | None = 1,
        freezes: BatchKey | None = None,
        expiry: str | None = LATER.isoformat(),
        off_list: bool = False,
        reason: str = "defect_seen",
    ) -> Applied:
        return self.sends(
            CartonJudged(
                carton_id=carton,
                station=self.name,
                session=self.session,
                opened_at=self.clock.now(),
                opened_by="replay",
                verdict=Verdict(
                    decision,
                    (Reason(reason, {"score": 0.9}),),
                    batch=batch,
                    expiry=expiry,
                    asn_line=line,
                    freezes=freezes,
                    off_list=off_list,
                ),
                reading=None,
                inspection=Inspection(
                    image="ab" * 32,
                    score=0.91,
                    threshold=0.5,
                    decision=SEEN[decision],
                    reasons=(),
                    regions=(Region(10, 20, 30, 40, 0.91),),
                    model_set="m1",
                    elapsed_ms=12.0,
                ),
                evidence=(Evidence("inspect", self.picture, camera="inspect"),),
                model_sets={"inspect": "m1"},
                variant="cpu",
            )
        )

    def accepts(self, carton: str, batch: BatchKey = WATER, **more: object) -> Applied:
        line = 1 if batch == WATER else 2
        return self.judges(carton, Decision.ACCEPT, batch, line=line, **more)

    def finds_defect(self, carton: str, batch: BatchKey = WATER) -> Applied:
        line = 1 if batch == WATER else 2
        return self.judges(carton, Decision.HOLD, batch, line=line, freezes=batch)

    def settles(
        self, carton: str, how: str, batch: BatchKey | None = WATER, *, line: int | None = 1
    ) -> Applied:
        return self.sends(
            CartonSettled(
                carton_id=carton,
                station=self.name,
                session=self.session,
                operator="op",
                gtin=batch.gtin if batch else "",
                batch=batch.lot if batch else "",
                expiry=LATER.isoformat() if batch else "",
                asn_line=line,
                how=how,
            )
        )
