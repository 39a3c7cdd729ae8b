"""Things that happen at a dock, to be written into a journal."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.events import CameraChanged, CartonJudged, DeviceStarted
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision, Verdict

OPENED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def started() -> DeviceStarted:
    return DeviceStarted("dock-1", "0.1.0", {"label": "a" * 64})


def camera(number: int) -> CameraChanged:
    return CameraChanged("dock-1", "label", "stalled", f"no frame, notice {number}")


def carton(name: str, *sha256: str) -> CartonJudged:
    return CartonJudged(
        carton_id=name,
        station="dock-1",
        session="s-1",
        opened_at=OPENED,
        opened_by="trigger",
        verdict=Verdict(Decision.REVIEW, (Reason("label_unreadable"),)),
        reading=None,
        inspection=None,
        evidence=tuple(Evidence("label", sha) for sha in sha256),
        model_sets={"label": "a" * 64},
        variant="cpu",
    )
