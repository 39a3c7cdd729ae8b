"""An appliance in memory for the page tests: a desk, records, pictures and a gate, all fakes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TypeVar

import cv2
import numpy as np
from fastapi import FastAPI
from starlette.requests import Request

from appliance.desk import CameraCard, CartonCard, DeskState, SessionCard, Settlement
from appliance.live.memory import MemoryLiveView
from appliance.web.app import create_app
from appliance.web.evidence import evidence_router
from appliance.web.health import health_router
from appliance.web.lessons import lessons_router
from appliance.web.listing import matching
from appliance.web.live import live_router
from appliance.web.ports import (
    AsnRow,
    HealthItem,
    Listed,
    SessionRow,
    Sheet,
    SheetLine,
    Viewer,
)
from appliance.web.quality import quality_router
from appliance.web.quality.ports import Choice
from appliance.web.receiving import receiving_router
from appliance.web.station import station_router
from contracts.asn import Asn, AsnLine
from contracts.errors import (
    BadAsnError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotSignedInError,
    UnavailableError,
)
from contracts.geometry import Region
from contracts.reading import Candidate, FieldValue, LabelFields
from contracts.reason import Reason
from contracts.stock import (
    AtRisk,
    BatchEvent,
    BatchKey,
    BatchSummary,
    Evidence,
    Hold,
    HoldKind,
    Ticket,
    TicketEvent,
    TicketState,
)
from contracts.verdict import Decision, Verdict
from tests.support.teaching import FakeConsole, FakeTeaching, book

CSRF = "form-of-this-session"
NOW = datetime.now(UTC).replace(microsecond=0)
SETS = (
    "sha256:" + hashlib.sha256(b"label-reader").hexdigest(),
    "sha256:" + hashlib.sha256(b"defects").hexdigest(),
)
OATS = BatchKey("Nordfeld", "04006381333931", "L2611A07")
TEA = BatchKey("Huangshan", "06901234567892", "HS-0925/B")


@cache
def label_jpeg(lot: str, *, torn: bool = False) -> bytes:
    """A carton's side with its label; (720, 1280, 3)."""
    noise = np.random.default_rng(len(lot)).normal(0, 5, (720, 1280, 3))
    picture = np.clip(np.full((720, 1280, 3), (104, 140, 172)) + noise, 0, 255).astype(np.uint8)
    cv2.line(picture, (0, 96), (1280, 96), (80, 112, 140), 3)
    cv2.rectangle(picture, (300, 150), (980, 590), (236, 240, 240), -1)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, "ROLLED OATS 12 x 500 g", (340, 215), font, 1.1, (30, 30, 30), 2)
    cv2.putText(picture, f"LOT {lot}", (340, 285), font, 1.2, (30, 30, 30), 3)
    cv2.putText(picture, "EXP 2027-03-31", (340, 350), font, 1.2, (30, 30, 30), 3)
    at = 340
    for width in np.random.default_rng(7).integers(2, 9, 78):
        cv2.rectangle(picture, (at, 400), (at + int(width) - 2, 550), (20, 20, 20), -1)
        at += int(width) + 2
    if torn:
        corner = np.array([[620, 150], [980, 150], [980, 380], [840, 330], [740, 250]])
        cv2.fillPoly(picture, [corner], (96, 130, 160))
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


@cache
def goods_jpeg(*, dent: bool, heat: bool = False) -> bytes:
    """The carton's top, with or without a crushed corner; (720, 960, 3)."""
    noise = np.random.default_rng(3).normal(0, 4, (720, 960, 3))
    picture = np.clip(np.full((720, 960, 3), (96, 132, 165)) + noise, 0, 255).astype(np.uint8)
    cv2.rectangle(picture, (90, 70), (870, 650), (118, 156, 190), -1)
    cv2.line(picture, (90, 360), (870, 360), (84, 118, 148), 4)
    cv2.rectangle(picture, (90, 330), (870, 390), (150, 178, 198), -1)
    if dent:
        for step in range(6):
            cv2.line(picture, (690 + 12 * step, 120), (790, 190 + 14 * step), (62, 88, 116), 5)
    if heat:
        glow = np.zeros((720, 960), np.uint8)
        cv2.circle(glow, (745, 175), 90, 255, -1)
        colours = cv2.applyColorMap(cv2.GaussianBlur(glow, (0, 0), 40), cv2.COLORMAP_INFERNO)
        picture = cv2.addWeighted(picture, 0.45, colours, 0.75, 0)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


T = TypeVar("T")


@dataclass
class FakePictures:
    stored: dict[str, bytes] = field(default_factory=dict)

    def add(self, data: bytes, kind: str, camera: str, width: int) -> Evidence:
        sha256 = hashlib.sha256(data).hexdigest()
        self.stored[sha256] = data
        return Evidence(kind, sha256, camera=camera, width_px=width, height_px=720)

    def get(self, sha256: str) -> bytes | None:
        return self.stored.get(sha256)


@dataclass
class FakeGate:
    """Everybody is `who`; None is nobody."""

    who: Viewer | None = field(
        default_factory=lambda: Viewer("mara", frozenset({"operator", "quality"}), CSRF)
    )

    async def viewer(self, request: Request) -> Viewer | None:
        return self.who

    async def require(self, request: Request, *roles: str) -> Viewer:
        if self.who is None:
            raise NotSignedInError("Nobody is signed in", mend="Sign in and try again")
        if roles and not self.who.may(*roles):
            raise ForbiddenError(f"{self.who.name} may not do this", mend="Ask quality")
        request.state.viewer = self.who
        return self.who

    async def verify(self, request: Request) -> None:
        if (await request.form()).get("csrf_token") != CSRF:
            raise ForbiddenError("This form was not made for your session")


class FakeDesk:
    """appliance.desk.Desk over a list of cards."""

    def __init__(self, state: DeskState, pictures: FakePictures) -> None:
        self._state = state
        self._pictures = pictures
        self.answers: list[tuple[Settlement, str]] = []
        self.printed: list[str] = []
        self.printer_answers = True

    def state(self) -> DeskState:
        return self._state

    def change(self, **values: object) -> None:
        self._state = replace(self._state, **values)

    def judge(self, card: CartonCard) -> None:
        reviews = self._state.reviews
        if card.verdict.decision is Decision.REVIEW:
            reviews = (*reviews, card)
        recent = (card, *self._state.recent)[:12]
        self.change(current=card, recent=recent, reviews=reviews)

    def carton(self, carton_id: str) -> CartonCard:
        for card in (*self._state.recent, *self._state.reviews):
            if card.carton_id == carton_id:
                return card
        raise NotFoundError(f"Carton {carton_id} is not remembered here", mend="Search its batch")

    async def settle(self, answer: Settlement, *, operator: str) -> CartonCard:
        card = self.carton(answer.carton_id)
        if any(given.carton_id == answer.carton_id for given, _ in self.answers):
            raise ConflictError(f"Carton {answer.carton_id} was settled already")
        self.answers.append((answer, operator))
        done = replace(card, settled_by=operator)
        self.change(
            reviews=tuple(x for x in self._state.reviews if x.carton_id != card.carton_id),
            recent=tuple(done if x.carton_id == card.carton_id else x for x in self._state.recent),
            current=done if self._state.current == card else self._state.current,
        )
        return done

    def live_jpeg(self, camera: str) -> bytes | None:
        return label_jpeg("LIVE") if camera == "label" else goods_jpeg(dent=False)

    async def reprint(self, carton_id: str) -> None:
        if not self.printer_answers:
            raise UnavailableError("The label printer does not answer", mend="Check its power")
        self.printed.append(carton_id)


def listed(rows: Sequence[T], query: str, skip: int, most: int) -> Listed[T]:
    found = matching(rows, query, str)
    return Listed(found[skip : skip + most], len(found), len(rows))


class FakeRecords:
    """appliance.web.ports.Records over lists."""

    def __init__(self) -> None:
        self.batch_rows: list[BatchSummary] = []
        self.stories: dict[BatchKey, list[BatchEvent]] = {}
        self.hold_rows: list[Hold] = []
        self.ticket_rows: list[Ticket] = []
        self.sheets: dict[str, Sheet] = {}
        self.asns: list[AsnRow] = []

    def batches(self, query: str, *, skip: int, most: int) -> Listed[BatchSummary]:
        return listed(self.batch_rows, query, skip, most)

    def batch(self, key: BatchKey) -> BatchSummary:
        return next(row for row in self.batch_rows if row.key == key)

    def batch_story(self, key: BatchKey) -> Sequence[BatchEvent]:
        if key not in self.stories:
            raise NotFoundError(f"There is no batch {key}", mend="Look in the list of batches")
        return self.stories[key]

    def holds(self, query: str, *, skip: int, most: int) -> Listed[Hold]:
        newest = sorted(self.hold_rows, key=lambda hold: hold.raised_at, reverse=True)
        return listed(sorted(newest, key=lambda hold: not hold.is_open), query, skip, most)

    def holds_on(self, key: BatchKey) -> Sequence[Hold]:
        return [hold for hold in self.hold_rows if hold.batch == key]

    def holds_named(self, ids: Collection[str]) -> Sequence[Hold]:
        return [hold for hold in self.hold_rows if hold.hold_id in ids]

    def tickets(self, query: str, *, skip: int, most: int) -> Listed[Ticket]:
        done = (TicketState.DECIDED, TicketState.CLOSED)
        queue = sorted(self.ticket_rows, key=lambda row: (row.state in done, row.due_at))
        return listed(queue, query, skip, most)

    def ticket(self, ticket_id: str) -> Ticket:
        for ticket in self.ticket_rows:
            if ticket.ticket_id == ticket_id:
                return ticket
        raise NotFoundError(f"There is no ticket {ticket_id}", mend="Look in the queue")

    def decide_unsigned(self, ticket_id: str, choice: Choice, *, by: str) -> None:
        old = self.ticket(ticket_id)
        history = (*old.history, TicketEvent(NOW, by, "decided", choice.reason))
        new = replace(old, state=TicketState.DECIDED, decision=choice.decision, history=history)
        self.ticket_rows[self.ticket_rows.index(old)] = new

    def sessions(self, *, skip: int, most: int) -> Listed[SessionRow]:
        rows = [sheet.session for sheet in self.sheets.values()]
        newest = sorted(rows, key=lambda row: row.opened_at, reverse=True)
        return listed(sorted(newest, key=lambda row: not row.is_open), "", skip, most)

    def sheet(self, session: str) -> Sheet:
        if session not in self.sheets:
            raise NotFoundError(f"There is no session {session}", mend="Look in the list")
        return self.sheets[session]

    def waiting_asns(self) -> Sequence[AsnRow]:
        return self.asns

    def docks(self) -> Sequence[str]:
        return ["dock-1"]

    def import_asn(self, asn: Asn, *, by: str) -> None:
        quantity = sum(line.quantity for line in asn.lines)
        self.asns.append(AsnRow(asn.number, asn.supplier, len(asn.lines), quantity))

    def open_session(self, asn: str, *, dock: str, by: str) -> str:
        row = next(row for row in self.asns if row.number == asn)
        self.asns.remove(row)
        session = f"RS-{len(self.sheets) + 1}"
        opened = SessionRow(session, asn, row.supplier, dock, NOW, by, row.quantity, 0)
        self.sheets[session] = Sheet(opened, ())
        return session

    def close_session(self, session: str, *, by: str) -> None:
        sheet = self.sheet(session)
        self.sheets[session] = replace(sheet, session=replace(sheet.session, closed_at=NOW))


def parse_asn(data: bytes, name: str) -> Asn:
    """One line `gtin,batch,expiry` a line; enough to know a good file from a bad one."""
    lines = data.decode().strip().splitlines()
    if lines[0] != "gtin,batch,expiry":
        raise BadAsnError(
            "Column `gtin` is missing", mend="Name the columns in line 1", file=name, line=1
        )
    rows = [line.split(",") for line in lines[1:]]
    parsed = (
        AsnLine(number, gtin, batch, date.fromisoformat(expiry))
        for number, (gtin, batch, expiry) in enumerate(rows, start=1)
    )
    return Asn(name, "Nordfeld", tuple(parsed))


@dataclass
class FakeHealth:
    items: list[HealthItem] = field(default_factory=list)

    def health(self) -> Sequence[HealthItem]:
        return self.items


@dataclass
class House:
    """Everything behind one test's pages."""

    app: FastAPI
    desk: FakeDesk
    records: FakeRecords
    pictures: FakePictures
    health: FakeHealth
    gate: FakeGate
    live: MemoryLiveView
    teaching: FakeTeaching
    book: FakeConsole


def card(
    number: int,
    decision: Decision,
    pictures: FakePictures,
    *,
    batch: BatchKey = OATS,
    reasons: tuple[Reason, ...] = (),
    off_list: bool = False,
    age_s: int = 0,
    defect: bool = False,
) -> CartonCard:
    """A judged carton with its two pictures."""
    unread = decision is Decision.REVIEW and not off_list
    label = pictures.add(label_jpeg(batch.lot, torn=unread), "label", "label", 1280)
    goods = pictures.add(goods_jpeg(dent=defect), "inspect", "inspect", 960)
    read = LabelFields(
        FieldValue(batch.gtin, 0.99, "symbol"),
        FieldValue(batch.lot, 0.98, "text"),
        FieldValue("2027-03-31", 0.97, "text"),
    )
    unsure = LabelFields(gtin=FieldValue(batch.gtin, 0.99, "symbol"))
    candidates = (
        Candidate(batch.gtin, batch.lot, "2027-03-31", 0.72, 1, "Rolled oats 12 x 500 g"),
        Candidate(batch.gtin, "L2611A01", "2027-03-15", 0.19, 2, "Rolled oats 12 x 500 g"),
        Candidate(TEA.gtin, TEA.lot, "2028-09-30", 0.04, 3, "Green tea 24 x 100 g"),
    )
    return CartonCard(
        carton_id=f"C-{number:05d}",
        station="dock-1",
        at=NOW - timedelta(seconds=age_s),
        verdict=Verdict(
            decision,
            reasons,
            batch=None if unread else batch,
            expiry=None if unread else "2027-03-31",
            freezes=batch if decision is Decision.HOLD else None,
            off_list=off_list,
        ),
        fields=unsure if unread else read,
        description="Rolled oats 12 x 500 g",
        product=batch.gtin,
        inspected="defect" if defect else "pass",
        slot="A-03-2" if decision is Decision.ACCEPT else "Q-01" if defect else "",
        candidates=candidates if unread else (),
        quads=(
            ((336.0, 180.0), (800.0, 180.0), (800.0, 228.0), (336.0, 228.0)),
            ((336.0, 250.0), (700.0, 250.0), (700.0, 298.0), (336.0, 298.0)),
            ((336.0, 316.0), (690.0, 316.0), (690.0, 362.0), (336.0, 362.0)),
            ((336.0, 398.0), (912.0, 398.0), (912.0, 552.0), (336.0, 552.0)),
        ),
        regions=(Region(660, 100, 170, 150, 0.91),) if defect else (),
        evidence=(label, goods),
        model_sets=SETS,
        elapsed_ms=214.0,
    )


def furnish(house: House) -> None:
    """A morning's work: a delivery half counted, one batch frozen, one carton waiting."""
    pictures, records = house.pictures, house.records
    soon = Reason("expires_soon", {"expiry": "2027-03-31", "days": 130})
    beyond = Reason("defect_beyond", {"score": "0.913", "percent": 1, "limit": "0.482"})
    for number in range(1, 11):
        house.desk.judge(card(number, Decision.ACCEPT, pictures, age_s=300 - 20 * number))
    house.desk.judge(
        card(
            11,
            Decision.REVIEW,
            pictures,
            batch=TEA,
            off_list=True,
            reasons=(Reason("off_list"),),
            age_s=60,
        )
    )
    house.desk.change(reviews=())
    unsure = Reason("low_confidence", {"percent": 72})
    house.desk.judge(card(12, Decision.REVIEW, pictures, reasons=(unsure,), age_s=40))
    hold_card = card(13, Decision.HOLD, pictures, defect=True, reasons=(beyond, soon), age_s=5)
    house.desk.judge(hold_card)
    hold = Hold(
        "H-7",
        HoldKind.BATCH,
        OATS,
        Reason("defect_beyond", {"score": "0.913", "percent": 1, "limit": "0.482"}),
        "edge-01",
        NOW - timedelta(minutes=4),
        ticket_id="T-7",
        at_risk=(AtRisk("picked", "SO-2204", 2), AtRisk("in_transit", "AGV-02", 1)),
    )
    old = Hold(
        "H-3",
        HoldKind.BATCH,
        TEA,
        Reason("defect_seen"),
        "quality",
        NOW - timedelta(days=3),
        released_at=NOW - timedelta(days=2),
        released_by="mara",
        release_reason="Opened three cartons, all sound",
    )
    records.hold_rows += [old, hold]
    heat = pictures.add(goods_jpeg(dent=True, heat=True), "heatmap", "inspect", 960)
    records.ticket_rows.append(
        Ticket(
            "T-7",
            TicketState.CONTAINED,
            OATS,
            Reason("defect_beyond", {"score": "0.913", "percent": 1, "limit": "0.482"}),
            NOW - timedelta(minutes=4),
            NOW + timedelta(hours=4),
            owner="quality",
            hold_ids=("H-7",),
            carton_id="C-00013",
            device="edge-01",
            station="dock-1",
            score=0.913,
            threshold=0.482,
            model_sets={"reader": SETS[0], "defects": SETS[1]},
            evidence=(*hold_card.evidence, heat),
            history=(TicketEvent(NOW - timedelta(minutes=4), "edge-01", "opened"),),
            regions=hold_card.regions,
        )
    )
    records.batch_rows += [
        BatchSummary(
            OATS,
            "Rolled oats 12 x 500 g",
            date(2027, 3, 31),
            42,
            0,
            0,
            42,
            6,
            may_leave=False,
            reasons=(Reason("defect_beyond", {"score": "0.913", "percent": 1, "limit": "0.482"}),),
        ),
        BatchSummary(
            TEA,
            "Green tea 24 x 100 g",
            NOW.date() + timedelta(days=5),
            18,
            18,
            0,
            0,
            0,
            may_leave=True,
        ),
    ]
    carton = {"carton": "C-00013", "station": "dock-1", "device": "edge-01"}
    announced = {"quantity": 48, "unit": "carton", "asn": "ASN-2611-118"}
    received = {"carton": "C-00001", "location": "A-03-2", "status": "unrestricted"}
    moved = {"carton": "C-00001", "source": "STAGING", "target": "A-03-2"}
    records.stories[OATS] = [
        BatchEvent(
            NOW - timedelta(hours=3), "announced", "erp", Reason("story_announced", announced)
        ),
        BatchEvent(
            NOW - timedelta(minutes=50), "received", "edge-01", Reason("story_received", received)
        ),
        BatchEvent(NOW - timedelta(minutes=47), "moved", "AGV-01", Reason("story_moved", moved)),
        BatchEvent(
            NOW - timedelta(minutes=5), "judged", "edge-01", Reason("story_judged_hold", carton)
        ),
        BatchEvent(NOW - timedelta(minutes=4), "held", "edge-01", beyond, "H-7"),
    ]
    records.sheets["RS-1"] = Sheet(
        SessionRow(
            "RS-1", "ASN-2611-118", "Nordfeld", "D1", NOW - timedelta(hours=1), "mara", 96, 45
        ),
        (
            SheetLine(
                1, OATS.gtin, OATS.lot, date(2027, 3, 31), 48, 42, 1, 1, "Rolled oats 12 x 500 g"
            ),
            SheetLine(
                2, OATS.gtin, "L2611A01", date(2027, 3, 15), 48, 0, 0, 0, "Rolled oats 12 x 500 g"
            ),
            SheetLine(
                3, OATS.gtin, "L2610C22", date(2027, 1, 31), 2, 3, 0, 0, "Rolled oats 12 x 500 g"
            ),
            SheetLine(0, TEA.gtin, TEA.lot, date(2028, 9, 30), 0, 1, 0, 0, "Green tea 24 x 100 g"),
        ),
    )
    records.asns.append(AsnRow("ASN-2611-121", "Huangshan", 6, 120))
    house.desk.change(
        cameras=(CameraCard("label", "ok", age_s=0.1), CameraCard("inspect", "ok", age_s=0.2)),
        session=SessionCard("RS-1", "ASN-2611-118", 96, 45),
        hub_online=True,
        printer=True,
    )
    house.health.items += [
        HealthItem("process", "hub", "ok", "4.2", "min", at=NOW, max_age_s=1e6),
        HealthItem("process", "edge", "ok", "4.2", "min", at=NOW, max_age_s=1e6),
        HealthItem("camera", "label", "ok", "12.0", "fps", at=NOW, max_age_s=1e6),
        HealthItem(
            "camera", "inspect", "warn", "", "", "blurred: wipe the lens", at=NOW, max_age_s=1e6
        ),
        HealthItem("journal", "edge-01", "ok", "3.4", "ms", "commit, p95", at=NOW, max_age_s=1e6),
        HealthItem("uplink", "edge-01", "ok", "0", "", "entries to send", at=NOW, max_age_s=1e6),
        HealthItem("broker", "nats", "ok", "", "", "mqtt 3.1.1", at=NOW, max_age_s=1e6),
        HealthItem("live", "valkey", "ok", "", "", "", at=NOW, max_age_s=1e6),
        HealthItem("agv", "AGV-01", "ok", "82", "%", "drives to A-03-2", at=NOW, max_age_s=1e6),
        HealthItem(
            "agv", "AGV-02", "unknown", "41", "%", "", at=NOW - timedelta(minutes=3), max_age_s=30
        ),
        HealthItem("model_set", "reader", "ok", digest=SETS[0], at=NOW, max_age_s=1e6),
        HealthItem("model_set", "defects", "ok", digest=SETS[1], at=NOW, max_age_s=1e6),
        HealthItem(
            "device", "edge-01", "ok", "1 204", "", "entries, countersigned", at=NOW, max_age_s=1e6
        ),
    ]


def build(*, furnished: bool = True, beat_s: float = 0.2) -> House:
    """The hub's and the edge's pages in one app, over fakes."""
    pictures, gate, live = FakePictures(), FakeGate(), MemoryLiveView()
    desk = FakeDesk(DeskState("dock-1"), pictures)
    records, health = FakeRecords(), FakeHealth()
    app = create_app("Tallyman", station="dock-1")
    teaching = FakeTeaching()
    app.include_router(station_router(desk, gate, live, pictures, beat_s=beat_s, teaching=teaching))
    console = book(teaching)
    app.include_router(lessons_router(console, gate))
    app.include_router(quality_router(records, gate, decider=records))
    app.include_router(receiving_router(records, gate, parse_asn))
    app.include_router(health_router(health, gate))
    app.include_router(evidence_router(pictures, gate))
    app.include_router(live_router(live, gate, beat_s=beat_s))
    house = House(app, desk, records, pictures, health, gate, live, teaching, console)
    if furnished:
        furnish(house)
    return house
