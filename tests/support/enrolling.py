"""A station where products are enrolled: a real journal, real files and networks, a camera of paper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from appliance.enrolling.candidates import EnrolledCandidates
from appliance.enrolling.collecting import Camera
from appliance.enrolling.draft import Draft, Phase
from appliance.enrolling.drafts import Drafts
from appliance.enrolling.ports import LearningFailedError, SeenCarton, Shot
from appliance.enrolling.service import Enrolling
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.live.memory import MemoryLiveView
from appliance.model_sets import BACKBONE, carried
from appliance.profiles import ProfileFolder
from appliance.teaching.guard import ProfileGuard
from appliance.teaching.teacher import Teacher
from appliance.teaching.trust import TrustedKeys
from appliance.web.app import create_app
from appliance.web.products import products_router
from appliance.web.station import station_router
from contracts.events import EventBody, ProfileEnrolled
from contracts.reason import Reason
from tests.support import pages
from vision.defects.inspector import DefectInspector
from vision.defects.profile import Profile

GTIN = "04006381333931"
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def cup(seed: int, *, side: int = 192) -> np.ndarray:
    """A cup on a tray with a print of its own; (side, side, 3). Every seed is another cup."""
    random = np.random.default_rng(seed)
    grey = np.full((side, side), 60.0)
    grain = cv2.GaussianBlur(random.normal(0, 40, grey.shape), (0, 0), 4)
    cv2.circle(grey, (side // 2, side // 2), side // 3, 165, -1)
    grey += grain + random.normal(0, 2, grey.shape)
    return np.clip(grey[..., None].repeat(3, axis=2), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, *, quality: int = 90) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


class PaperLearner:
    """Learns cracks when told to: `go` lets it end, `shares` is what it says on the way."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.ended = 0
        self.go = asyncio.Event()
        self.fails: Reason | None = None
        self.shares: Sequence[float] = (0.25, 0.5)
        self.waiting = asyncio.Event()

    async def learn(
        self, base: Profile, shots: Sequence[Shot], *, progress: Callable[[float], None]
    ) -> Profile:
        self.begun.append((base.digest, len(shots)))
        for share in self.shares:
            progress(share)
        self.waiting.set()
        try:
            await self.go.wait()
        finally:
            self.ended += 1
            self.waiting.clear()
        if self.fails is not None:
            raise LearningFailedError(self.fails)
        return refined(base)


def refined(base: Profile) -> Profile:
    """Another profile that names `base` as its parent."""
    return base.but(replace(base.facts, parent=base.digest, camera="refined"))


@dataclass
class Station:
    """`again()` is the station after a restart."""

    folder: Path
    inspector: Remembering
    clock: object
    learner: PaperLearner = field(default_factory=PaperLearner)
    shown: bytes | None = None
    passed: list[SeenCarton] = field(default_factory=list)
    announced: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    drifted: tuple[Reason, ...] = ()
    live: MemoryLiveView | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.evidence = EvidenceStore(self.folder / "evidence")
        identity = DeviceIdentity.open_or_create(self.folder / "id", "edge-01")
        self.journal = Journal.open(self.folder / "journal.db", identity=identity, clock=self.clock)
        self.trust = TrustedKeys(self.folder / "trust")
        self.profiles = ProfileFolder(
            self.folder / "profiles", check=ProfileGuard(self.trust, station="dock-1")
        )
        self.teacher = Teacher(
            "dock-1",
            journal=self.journal,
            evidence=self.evidence,
            profiles=self.profiles,
            inspector=self.inspector,
            folder=self.folder / "teaching",
        )
        self.drafts = Drafts(self.folder / "enrolling")
        self.enrolling = Enrolling(
            self.drafts,
            self.inspector,
            EnrolledCandidates(
                self.profiles,
                self.evidence,
                station="dock-1",
                record=self.teacher.take_enrolled,
            ),
            self.learner,
            Camera(
                "inspect",
                frame=lambda _camera: self.shown,
                picture=self.evidence.get,
                cartons=lambda _gtin: self.passed,
            ),
            keep=self.evidence.put,
            clock=self.clock,
            expected=lambda: self.announced,
            publish=self._tell,
            drift=lambda _gtin: self.drifted,
        )

    async def _tell(self, gtin: str) -> None:
        self.told.append(gtin)
        if self.live is not None:
            await self.live.publish("product", {"gtin": gtin})
        self.news.set()

    def again(self) -> Station:
        self.journal.close()
        return Station(self.folder, self.inspector, self.clock)

    def draft(self) -> Draft:
        return self.drafts.get(GTIN)

    def collect(self, count: int, *, first: int = 0) -> None:
        """Good pictures of so many cups."""
        self.enrolling.begin(GTIN, "Cup 0.3 l")
        for seed in range(first, first + count):
            self.enrolling.collecting.upload(
                GTIN, jpeg(cup(seed)), name=f"cup-{seed}.jpg", by="mara", again=False
            )

    def bodies(self) -> list[EventBody]:
        return [decode_body(each.kind, each.body) for each in self.journal.entries(0, 500)]

    def enrolments(self) -> list[ProfileEnrolled]:
        return [body for body in self.bodies() if isinstance(body, ProfileEnrolled)]

    async def reaches(self, phase: Phase) -> None:
        """Return when the draft is in `phase`."""
        async with asyncio.timeout(90):
            while self.draft().phase is not phase:
                self.news.clear()
                await self.news.wait()


class Remembering:
    """The real inspector; what it has enrolled once it knows: most tests show it the same cups."""

    def __init__(self, real: DefectInspector) -> None:
        self._real = real
        self._known: dict[object, Profile] = {}
        self.teach = real.teach
        self.accept = real.accept

    def enrol(self, images, **asked) -> Profile:
        key = (
            *(image.tobytes() for image in images),
            *(str(asked[name]) for name in sorted(asked)),
        )
        if key not in self._known:
            self._known[key] = self._real.enrol(images, **asked)
        return self._known[key]


def real_inspector() -> Remembering:
    backbone = carried(BACKBONE)
    return Remembering(DefectInspector.load(backbone.folder, model_set=backbone.digest))


@dataclass
class Shop:
    """The product pages of a station in one app, over a fake desk."""

    station: Station
    house: pages.House

    @classmethod
    def open(cls, station: Station) -> Shop:
        house = pages.build()
        app = create_app("Tallyman", station="dock-1")
        app.include_router(products_router(station.enrolling, house.gate))
        app.include_router(
            station_router(house.desk, house.gate, house.live, station.evidence, beat_s=0.2)
        )
        house.app = app
        station.live = house.live
        return cls(station, house)
