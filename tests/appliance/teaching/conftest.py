"""A station that can be taught: a real journal, pictures and inspector; a product of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.desk import CartonCard
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.model_sets import BACKBONE, carried
from appliance.profiles import ProfileFolder
from appliance.teaching.guard import ProfileGuard
from appliance.teaching.ports import Lesson
from appliance.teaching.signing import ProfileSignature, first_key, sign_profile
from appliance.teaching.teacher import Teacher
from appliance.teaching.trust import TrustedKeys
from contracts.events import EventBody
from contracts.reading import LabelFields
from contracts.stock import Evidence
from contracts.verdict import Decision, Verdict
from vision.defects.inspector import DefectInspector
from vision.defects.profile import Profile

GTIN = "06933132577789"
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CRACK = Lesson("miss", "crack")
GOOD = Lesson("false_alarm")


def tile(seed: int, *, cracked: bool = False) -> np.ndarray:
    """A printed tile on a belt, (192, 192, 3)."""
    random = np.random.default_rng(seed)
    grey = np.full((192, 192), 70.0)
    grain = cv2.GaussianBlur(random.normal(0, 25, grey.shape), (0, 0), sigmaX=5, sigmaY=0.8)
    grey[24:168, 24:168] = 150 + grain[24:168, 24:168]
    cv2.circle(grey, (96, 96), 28, 90, 5)
    if cracked:
        cv2.line(grey, (40, 60), (120 + seed, 150), 35, 3)
    grey += random.normal(0, 2, grey.shape)
    return np.clip(grey[..., None].repeat(3, axis=2), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


@pytest.fixture(scope="session")
def inspector() -> DefectInspector:
    backbone = carried(BACKBONE)
    return DefectInspector.load(backbone.folder, model_set=backbone.digest)


@pytest.fixture(scope="session")
def enrolled(inspector: DefectInspector) -> Profile:
    return inspector.enrol([tile(seed) for seed in range(3)], product=GTIN)


@dataclass
class TaughtStation:
    """A station with its files; `again()` is the station after a restart."""

    folder: Path
    inspector: DefectInspector
    clock: object
    lead: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.trust = TrustedKeys(self.folder / "trust")
        if self.trust.pinned is None:
            self.trust.learn([first_key(self.lead, holder="mara", at_us=1)])
        self.evidence = EvidenceStore(self.folder / "evidence")
        identity = DeviceIdentity.open_or_create(self.folder / "id", "edge-01")
        self.journal = Journal.open(self.folder / "journal.db", identity=identity, clock=self.clock)
        guard = ProfileGuard(self.trust, station="dock-1")
        self.profiles = ProfileFolder(self.folder / "profiles", check=guard)
        self.teacher = Teacher(
            "dock-1",
            journal=self.journal,
            evidence=self.evidence,
            profiles=self.profiles,
            inspector=self.inspector,
            folder=self.folder / "teaching",
        )

    def again(self) -> TaughtStation:
        self.journal.close()
        return TaughtStation(self.folder, self.inspector, self.clock, self.lead)

    def signed(self, data: bytes, digest: str, serial: int, **changes: str) -> ProfileSignature:
        said = {
            "gtin": GTIN,
            "digest": digest,
            "file": hashlib.sha256(data).hexdigest(),
            "station": "dock-1",
            "signed_by": "mara",
            "reason": "looked at the pictures",
        }
        return sign_profile(
            self.lead, ProfileSignature(serial=serial, at_us=5, **{**said, **changes})
        )

    async def sign(self, profile: Profile | str, serial: int) -> bool:
        """The quality lead signs a profile, or a digest that the station keeps."""
        if isinstance(profile, str):
            data = (self.folder / "teaching/kept" / f"{profile[7:]}.profile").read_bytes()
            digest = profile
        else:
            data, digest = profile.to_bytes(), profile.digest
        return await self.teacher.take_signed(self.signed(data, digest, serial), data)

    def carton(self, name: str, image: np.ndarray, *, product: str = GTIN) -> CartonCard:
        sha256 = self.evidence.put(jpeg(image))
        return CartonCard(
            carton_id=name,
            station="dock-1",
            at=AT,
            verdict=Verdict(Decision.ACCEPT, ()),
            fields=LabelFields(),
            evidence=(Evidence("inspect", sha256, camera="inspect", width_px=192, height_px=192),),
            product=product,
            inspected="pass",
        )

    def bodies(self) -> list[EventBody]:
        return [decode_body(each.kind, each.body) for each in self.journal.entries(0, 500)]


@pytest.fixture
def station(tmp_path: Path, inspector: DefectInspector, clock) -> Iterator[TaughtStation]:
    made = TaughtStation(tmp_path, inspector, clock)
    yield made
    made.journal.close()


@pytest.fixture
async def taught(station: TaughtStation, enrolled: Profile) -> TaughtStation:
    """A station whose product is enrolled and signed."""
    await station.sign(enrolled, 1)
    return station
