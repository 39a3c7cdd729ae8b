"""A dock's weeks of readings in a real core, and the read-rate pages over it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from appliance.live.memory import MemoryLiveView
from appliance.readrates import api
from appliance.readrates.service import ReadRates
from appliance.web.app import create_app
from appliance.web.evidence import evidence_router
from appliance.web.live import live_router
from appliance.web.read_rates import read_rates_router
from contracts.asn import Asn, AsnLine
from contracts.clock import FixedClock
from contracts.events import KIND_OF, CartonJudged, CartonSettled, EventBody, JournalEntry
from contracts.geometry import Quad
from contracts.reading import FieldValue, LabelFields, LabelReading, ReadDecision, Symbol
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from erp_link.service.core import Core
from tests.support.pages import OATS, SETS, TEA, FakeGate, FakePictures, label_jpeg

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
_QUAD: Quad = ((0, 0), (1, 0), (1, 1), (0, 1))
_CAUSES = ("low_confidence", "glare", "blurred", "damaged", "off_list", "two_labels", "no_label")
_WEIGHTS = (10, 6, 4, 9, 3, 1, 1)


@dataclass
class Dock:
    """The pages of a house whose core holds `cartons` judged in the last `days` days."""

    app: FastAPI
    core: Core
    rates: ReadRates
    gate: FakeGate
    pictures: FakePictures
    clock: FixedClock
    seq: int = 0

    def entry(self, at: datetime, body: EventBody) -> tuple[JournalEntry, EventBody]:
        self.seq += 1
        at_us = int(at.timestamp() * 1_000_000)
        kind = KIND_OF[type(body)]
        return JournalEntry("edge-01", self.seq, "b", at_us, 0, kind, "{}", "", "", ""), body

    def says(self, at: datetime, body: EventBody) -> None:
        """The projection of one entry, as intake writes it."""
        self.core.read_again(*self.entry(at, body))

    def works(self, cartons: int, *, days: int = 7, seed: int = 1, honest: bool = True) -> None:
        """Cartons of two deliveries at two stations; most are read, reviews are settled. Not
        `honest`: readings are right less often than they state.
        """
        chance = Random(seed)  # noqa: S311 -- a dock in a test keeps no secrets
        sessions = {key: _delivery(self.core, key) for key in (OATS, TEA)}
        shots = {
            key: [self.pictures.add(label_jpeg(key.lot, torn=torn), "label", "label", 1280)
                  for torn in (False, True)]
            for key in (OATS, TEA)
        }  # fmt: skip
        for number in range(cartons):
            ago = timedelta(days=days * (1 - number / cartons))
            at = NOW - ago + timedelta(minutes=chance.random() * 20)
            if at > NOW or not 6 <= at.astimezone(ZONE).hour < 22:
                continue
            self._carton(f"C-{seed}-{number:05d}", at, chance, sessions, shots, honest=honest)

    def _carton(
        self,
        carton: str,
        at: datetime,
        chance: Random,
        sessions: dict[BatchKey, str],
        shots: dict[BatchKey, list[Evidence]],
        *,
        honest: bool,
    ) -> None:
        key = chance.choices((OATS, TEA), (3, 1))[0]
        station = chance.choice(("dock-1", "dock-2"))
        torn = chance.random() < (0.1 if station == "dock-1" else 0.25)
        stated = min(0.9999, 1 - chance.random() ** (2 if torn else 6) * 0.6)
        right = chance.random() < (stated if honest else stated**4)
        accepted = stated > 0.93
        audit = accepted and chance.random() < 0.05
        cause = "" if accepted else chance.choices(_CAUSES, _WEIGHTS)[0]
        reasons = () if accepted else (Reason(cause, {"percent": round(100 * stated)}),)
        lot = key.lot if right else key.lot[:-1] + "8"
        source = "text" if chance.random() < 0.6 else "asn" if torn else "symbol"
        reading = a_reading(
            replace(key, lot=lot), stated, accepted=accepted, reasons=reasons, source=source
        )
        carrier = chance.choices(("", "1Z999AA10123456784", "RR473124829CN"), (6, 3, 1))[0]
        if carrier:
            reading = replace(reading, symbols=(Symbol("Code128", carrier, _QUAD),))
        style = "dot_matrix" if key is TEA else "printed"
        told = (*reasons, *((Reason("audit"),) if audit else ()))
        self.says(
            at,
            CartonJudged(
                carton_id=carton,
                station=station,
                session=sessions[key],
                opened_at=at,
                opened_by="trigger",
                verdict=Verdict(
                    Decision.REVIEW if told else Decision.ACCEPT, told, batch=key, asn_line=1
                ),
                reading=replace(reading, print_style=style),
                inspection=None,
                evidence=(shots[key][torn],),
                model_sets={"read": SETS[0]},
                variant="cpu",
            ),
        )
        if told and chance.random() < 0.95:
            self.says(
                at + timedelta(minutes=3),
                CartonSettled(
                    carton, station, sessions[key], "mara", key.gtin, key.lot,
                    "2027-03-31", 1, "candidate",
                ),
            )  # fmt: skip


def a_reading(
    key: BatchKey,
    confidence: float,
    *,
    accepted: bool = True,
    reasons: tuple[Reason, ...] = (),
    source: str = "text",
) -> LabelReading:
    return LabelReading(
        frame="f",
        fields=LabelFields(
            FieldValue(key.gtin, 0.99, "symbol" if source == "symbol" else "text"),
            FieldValue(key.lot, confidence, source),
            FieldValue("2027-03-31", 0.99, "symbol" if source == "symbol" else "text"),
        ),
        symbols=(),
        asn_line=1,
        confidence=confidence,
        decision=ReadDecision.ACCEPT if accepted else ReadDecision.REVIEW,
        reasons=reasons,
        model_set=SETS[0],
        elapsed_ms=80,
    )


def _delivery(core: Core, key: BatchKey) -> str:
    number = "ASN-" + hashlib.sha256(str(key).encode()).hexdigest()[:6]
    line = AsnLine(1, key.gtin, key.lot, date(2027, 3, 31), 99_999, supplier=key.supplier)
    known = {each.number: each.session for each in core.asns()}
    if known.get(number):
        return str(known[number])
    core.import_asn(Asn(number, key.supplier, (line,)), by="mara")
    return core.open_session(number, dock="dock-1", by="mara")


@contextmanager
def a_dock(folder: Path) -> Iterator[Dock]:
    """A core with nothing in it, and its read-rate pages."""
    clock = FixedClock(NOW)
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=clock)
    rates = ReadRates(core, clock=clock, zone=ZONE)
    gate, pictures, live = FakeGate(), FakePictures(), MemoryLiveView()
    app = create_app("Tallyman", station="dock-1", clock=clock, zone=ZONE)
    app.include_router(read_rates_router(rates, gate))
    app.include_router(evidence_router(pictures, gate))
    app.include_router(live_router(live, gate, beat_s=0.2))
    app.include_router(api.router(rates, lambda *_roles: gate.viewer))
    yield Dock(app, core, rates, gate, pictures, clock)
    core.close()
