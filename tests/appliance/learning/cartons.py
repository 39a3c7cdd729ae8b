"""Cartons that were judged and settled, and examples made of them, for the learning loop's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from appliance.learning.example import Example, KeptLine, SeenLine, Truth, us_of
from contracts.events import CartonJudged, CartonSettled
from contracts.reading import FieldValue, LabelFields, LabelReading, ReadDecision
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision, Verdict

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TRUTH = Truth("09521100410014", "A18B07", "2027-12-03")


def line(text: str, *, frame: int = 0, top: float = 0.0) -> SeenLine:
    right, top = 12.0 * len(text), float(top)
    quad = ((0.0, top), (right, top), (right, top + 20.0), (0.0, top + 20.0))
    return SeenLine(frame, quad, text, 0.9)


def judged(
    carton: str = "c-1",
    *,
    verdict: Decision = Decision.REVIEW,
    read: ReadDecision = ReadDecision.REVIEW,
    says: Truth | None = None,
    pictures: tuple[str, ...] = (),
) -> CartonJudged:
    fields = (
        LabelFields(
            *(FieldValue(value, 0.6, "text") for value in (says.gtin, says.batch, says.expiry))
        )
        if says
        else LabelFields()
    )
    reading = LabelReading(
        "", fields, (), None, 0.6, read, (Reason("batch_unreadable"),), "s", 90.0
    )
    return CartonJudged(
        carton_id=carton,
        station="dock-1",
        session="s-1",
        opened_at=NOW,
        opened_by="trigger",
        verdict=Verdict(verdict, (Reason("batch_unreadable"),)),
        reading=reading,
        inspection=None,
        evidence=tuple(Evidence("label", sha256, camera="label") for sha256 in pictures),
        model_sets={"read": "sha256:" + "a" * 64},
        variant="onnxruntime-cpu",
    )


def settled(carton: str = "c-1", *, how: str = "keyed", truth: Truth = TRUTH) -> CartonSettled:
    return CartonSettled(
        carton, "dock-1", "s-1", "li.wei", truth.gtin, truth.batch, truth.expiry, None, how
    )


def example(
    carton: str = "c-1",
    *,
    device: str = "edge-01",
    at: datetime = NOW,
    size: int = 100,
    truth: Truth = TRUTH,
) -> Example:
    """An example whose one crop has `size` bytes."""
    crop = (carton.encode() * size)[:size]
    return Example(
        device=device,
        station="dock-1",
        carton_id=carton,
        session="s-1",
        at_us=us_of(at),
        model_set="sha256:" + "a" * 64,
        seen_by="sha256:" + "a" * 64,
        camera="label",
        decision="review",
        confidence=0.6,
        reasons=(Reason("batch_unreadable"),),
        candidates=(),
        truth=truth,
        how="keyed",
        asn_line=None,
        privacy="crops",
        lines=(KeptLine(line("LOT A18B07"), ("batch",), crop),),
    )


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


LABEL = [
    line("Sunrise Foods Ltd", top=10),
    line("To: Li Wei, 12 Harbour Road", top=50),
    line("LOT A18B07", top=90),
    line("EXP 2027-12-03", top=130),
    line("MFG 2026-12-03", top=170),
]
"""Lines of a label, as they are read."""


def picture() -> bytes:
    """Black bars where the label's lines are, on grey."""
    image = np.full((240, 400, 3), 200, np.uint8)
    for each in LABEL:
        (left, top), _, (right, bottom), _ = each.quad
        cv2.rectangle(image, (int(left), int(top)), (int(right), int(bottom)), (0, 0, 0), -1)
        cv2.rectangle(
            image, (int(left), int(top)), (int(left) + 8, int(bottom)), (255, 255, 255), -1
        )
    return cv2.imencode(".png", image)[1].tobytes()
