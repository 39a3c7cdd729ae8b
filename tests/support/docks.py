"""A station with a real journal and evidence store, and engines made of paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np

from appliance.batches import BatchBook
from appliance.cameras.frame import Frame
from appliance.cartons.view import CartonView
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.judge import JudgePolicy
from appliance.pinning.desk import PinDesk
from appliance.station import Station
from appliance.station_parts import OneOfEach, StationParts
from contracts.asn import AsnLine, Expectations, ExpectedLine
from contracts.inspection import InspectDecision, Inspection
from contracts.reading import Candidate, FieldValue, LabelFields, LabelReading, ReadDecision
from contracts.reason import Reason
from contracts.verdict import Decision
from vision.defects.inspector import Inspected

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LINE = AsnLine(1, "06291041500213", "LOT-7", (AT + timedelta(days=200)).date(), 10, supplier="Acme")
DELIVERY = Expectations(3, "RS-1", "ASN-1", (ExpectedLine(LINE),))
READ = LabelReading(
    frame="label-1",
    fields=LabelFields(
        FieldValue(LINE.gtin, 0.99, "symbol"),
        FieldValue(LINE.batch, 0.98, "text"),
        FieldValue(LINE.expiry.isoformat(), 0.97, "text"),
    ),
    symbols=(),
    asn_line=1,
    confidence=0.98,
    decision=ReadDecision.ACCEPT,
    reasons=(),
    model_set="sha256:read",
    elapsed_ms=90,
)
DOUBTFUL = replace(
    READ,
    decision=ReadDecision.REVIEW,
    reasons=(Reason("low_confidence", {"percent": 61}),),
    candidates=(Candidate(LINE.gtin, LINE.batch, LINE.expiry.isoformat(), 0.61, 1),),
)


class PaperReader:
    """Reads what it was told; breaks when told so."""

    model_set = "sha256:read"
    variant = "openvino-cpu"

    def __init__(self, reading: LabelReading | Exception = READ) -> None:
        self.reading = reading

    def read(self, frames, expected, *, name):
        if isinstance(self.reading, Exception):
            raise self.reading
        return replace(self.reading, frame=name)


class PaperInspector:
    """Says the same of every picture, or under a profile what was said for its digest."""

    model_set = "sha256:inspect"
    variant = "onnxruntime-cpu"
    detector = ""

    def __init__(self, decision: InspectDecision = InspectDecision.PASS, **by_profile) -> None:
        self.decision = decision
        self.by_profile = by_profile

    def parts(self, profile, gtin):
        parts = {"inspect": self.model_set, "detector": self.detector}
        return {use: digest for use, digest in parts.items() if digest}

    def variant_of(self, under):
        return self.variant

    def inspect(self, image, profile, *, name, gtin, under=None):
        decision = self.by_profile.get(profile.digest, self.decision)
        if isinstance(decision, Exception):
            raise decision
        reasons = (Reason("defect_seen"),) if decision is not InspectDecision.PASS else ()
        seen = Inspection(name, 1.0, 2.0, decision, reasons, (), self.model_set, 30, profile.digest)
        return Inspected(seen, np.zeros(image.shape[:2], np.float32), None)


def paper_profile(digest: str, width_px: int = 64) -> SimpleNamespace:
    return SimpleNamespace(
        digest=digest,
        facts=SimpleNamespace(
            width_px=width_px, height_px=48, cracks=None, backbone=PaperInspector.model_set
        ),
    )


class PaperProfiles:
    """One product's profiles: what judges next batches, what was taught, what is kept."""

    def __init__(self, signed: str = "first") -> None:
        self.signed: SimpleNamespace | None = paper_profile(signed)
        self.taught: SimpleNamespace | None = None
        self.kept: dict[str, SimpleNamespace] = {}
        self.refused = ""

    def get(self, gtin):
        return self.signed

    def candidate(self, gtin):
        return self.taught

    def trouble(self, gtin):
        return self.refused

    def pinned(self, digest):
        return self.kept.get(digest)

    def others(self, profile):
        return {}

    def keep(self, profile):
        self.kept[profile.digest] = profile


class RecordingLane:
    def __init__(self) -> None:
        self.told: list[tuple[str, Decision]] = []

    def expect(self, carton_id, *, left_at) -> None:
        pass

    async def publish(self, carton_id, decision, *, opened_at) -> str:
        self.told.append((carton_id, decision))
        return str(decision)


class Dock:
    """A station with a real journal and evidence store, and engines made of paper."""

    def __init__(self, folder: Path, clock, **parts) -> None:
        self.identity = DeviceIdentity.open_or_create(folder / "id", "edge-01")
        self.clock = clock
        self.delivery = DELIVERY
        self.path = folder / "journal.db"
        self.journal = Journal.open(
            self.path, identity=self.identity, clock=clock, max_bytes=parts.pop("max_bytes", None)
        )
        self.evidence = EvidenceStore(folder / "evidence")
        self.lane = RecordingLane()
        self.profiles = parts.get("profiles", PaperProfiles())
        self.book = parts.get("book", BatchBook())
        self.station = Station(
            "dock-1",
            StationParts(
                sets=parts.get("sets")
                or OneOfEach(
                    parts.get("reader", PaperReader()), parts.get("inspector", PaperInspector())
                ),
                pins=parts.get("pins", PinDesk()),
                profiles=self.profiles,
                expectations=lambda: self.delivery,
                journal=self.journal,
                evidence=self.evidence,
                lane=self.lane,
                policy=JudgePolicy(),
                time_zone=ZoneInfo("Asia/Shanghai"),
                book=self.book,
                outside=parts.get("outside"),
                watch_for=parts.get("watch_for", lambda camera, profile: None),
                needed_to_freeze=lambda profile, judged, percent: parts.get("needed", 1),
            ),
        )

    def bodies(self) -> list:
        return [decode_body(e.kind, e.body) for e in self.journal.entries(0, 500)]


def frame(camera: str, number: int = 1) -> Frame:
    image = np.full((48, 64, 3), 128, np.uint8)
    return Frame(
        camera, AT, image, b"\xff\xd8\xff" + camera.encode(), "0" * 64, f"{camera}-1", number
    )


def carton(carton_id: str = "C1", *cameras: str) -> CartonView:
    return CartonView(
        carton_id,
        AT,
        "trigger",
        {camera: (frame(camera),) for camera in cameras or ("label", "inspect")},
        AT,
    )
