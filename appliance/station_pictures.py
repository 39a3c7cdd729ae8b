"""The pictures of a carton as evidence: what was judged, and where the judges looked (I4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.cameras.frame import Frame
from appliance.evidence import EvidenceStore
from appliance.outside import Outside
from contracts.stock import Evidence
from vision.defects.evidence import heatmap_jpeg
from vision.defects.inspector import Inspected

LABEL, INSPECT = "label", "inspect"


@dataclass(frozen=True, slots=True)
class CartonPictures:
    """Methods block, and raise JournalFullError and OSError when the disk takes no more."""

    store: EvidenceStore

    def frames(self, kind: str, frames: Sequence[Frame]) -> list[Evidence]:
        """Frames as they were judged."""
        return [_evidence(kind, self.store.put(frame.jpeg), frame) for frame in frames]

    def heat(self, seen: Inspected, frame: Frame) -> list[Evidence]:
        """Where the goods look strange."""
        picture = heatmap_jpeg(frame.image, seen.heatmap, regions=seen.inspection.regions)
        return [_evidence("heatmap", self.store.put(picture), frame)]

    def outside(self, outside: Outside, frame: Frame) -> list[Evidence]:
        """Where the carton itself differs."""
        nothing = np.zeros(frame.image.shape[:2], np.float32)
        picture = heatmap_jpeg(frame.image, nothing, regions=outside.regions)
        return [_evidence("condition", self.store.put(picture), frame)]


def _evidence(kind: str, sha256: str, frame: Frame) -> Evidence:
    media_type = frame.media_type if kind in (LABEL, INSPECT) else "image/jpeg"
    return Evidence(kind, sha256, media_type, frame.camera, frame.width_px, frame.height_px)
