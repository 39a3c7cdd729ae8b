"""A detector behind the inspector's port: same call, same answer, classes on the boxes.

The profile of the product stays the guard: it tells whether the view is the product's at all, and
watches for drift. See vision.detecting.deciding for who decides what.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.geometry import BoxMm, Region
from contracts.inspection import Inspection
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile
from vision.detecting.deciding import has_the_word, judged
from vision.detecting.detector import Detector
from vision.detecting.facts import DetectorFacts
from vision.engine import CPU


class Guard(Protocol):
    """What judges by profiles."""

    def inspect(self, image: NDArray[np.uint8], profile: Profile, *, name: str) -> Inspected: ...


@dataclass(frozen=True, slots=True)
class DetectorInspector:
    """`guard` judges by profiles; `model_set` is the detector's verified digest; `mm_per_px` the
    camera's scale on the goods where it is known.
    """

    guard: Guard
    detector: Detector
    model_set: str
    mm_per_px: float | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        model_set: str,
        guard: Guard,
        threads: int = 1,
        variant: str = CPU,
        mm_per_px: float | None = None,
    ) -> DetectorInspector:
        """`folder` holds detector.onnx and detector.json. Raises as Detector.load."""
        detector = Detector.load(folder, threads=threads, variant=variant)
        return cls(guard, detector, model_set, mm_per_px)

    @property
    def variant(self) -> str:
        """The engine of the detector."""
        return self.detector.variant

    def inspect(self, image: NDArray[np.uint8], profile: Profile, *, name: str) -> Inspected:
        """Judge one (h, w, 3) BGR picture; the score is the surest box's, 0..1.

        Raises ArtefactRefusedError for a profile of another backbone than the guard's.
        """
        started = time.perf_counter()
        guarded = self.guard.inspect(image, profile, name=name)
        boxes = self.detector.find(image)
        facts = self.detector.facts
        inspection = replace(guarded.inspection, model_set=self.model_set)
        shown = tuple(
            _measured(box, self.mm_per_px) for box in boxes if box.score >= _worth_showing(facts)
        )
        if not has_the_word(inspection):
            inspection = replace(inspection, regions=(*shown, *inspection.regions))
            return replace(guarded, inspection=_timed(inspection, started))
        score = max((box.score for box in boxes), default=0.0)
        decision, reasons = judged(score, facts)
        inspection = replace(
            inspection,
            score=round(score, 3),
            threshold=None if facts.limit is None else round(facts.limit, 3),
            decision=decision,
            reasons=reasons,
            regions=shown,
        )
        heat = guarded.heatmap if not shown else _heat(shown, image.shape[:2])
        return replace(guarded, inspection=_timed(inspection, started), heatmap=heat)


def _worth_showing(facts: DetectorFacts) -> float:
    return facts.least if facts.sound is None else facts.sound


def _measured(box: Region, mm_per_px: float | None) -> Region:
    if mm_per_px is None:
        return box
    sides = (box.x_px, box.y_px, box.width_px, box.height_px)
    x, y, width, height = (round(side * mm_per_px, 1) for side in sides)
    return replace(box, mm=BoxMm(x, y, width, height))


def _heat(boxes: tuple[Region, ...], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) in 0..1: an ellipse of its score in every box."""
    heat = np.zeros(size, np.float32)
    for box in reversed(boxes):
        half = (max(1, box.width_px // 2), max(1, box.height_px // 2))
        middle = (box.x_px + half[0], box.y_px + half[1])
        cv2.ellipse(heat, middle, half, 0, 0, 360, float(min(1.0, box.score)), -1)
    return heat


def _timed(inspection: Inspection, started: float) -> Inspection:
    return replace(inspection, elapsed_ms=round((time.perf_counter() - started) * 1000, 3))
