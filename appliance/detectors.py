"""Detectors of single products beside the profiles: a folder with one model set a GTIN.

A set is opened when its product first comes by, every file checked; one that does not hold is
refused, and the carton goes to review (I5, I7). A product without one is judged as ever.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.inspectors import Inspectors
from contracts.errors import ArtefactRefusedError
from ota.model_set import open_model_set
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile
from vision.detecting.facts import KIND
from vision.detecting.inspector import DetectorInspector

log = structlog.get_logger()


class WithDetectors:
    """`guard` judges by profiles; `folder` holds the detectors. Safe to call from several threads."""

    def __init__(
        self, guard: Inspectors, folder: Path, *, threads: int = 1, mm_per_px: float | None = None
    ) -> None:
        self._guard = guard
        self._folder = folder
        self._threads = threads
        self._mm_per_px = mm_per_px
        self._opened: dict[str, DetectorInspector] = {}
        self._lock = threading.Lock()

    @property
    def model_set(self) -> str:
        return self._guard.model_set

    @property
    def variant(self) -> str:
        return self._guard.variant

    def inspect(
        self, image: NDArray[np.uint8], profile: Profile, *, name: str, gtin: str
    ) -> Inspected:
        """Judge one picture, with the product's detector where there is one.

        Raises ArtefactRefusedError for a detector's set that does not hold.
        """
        folder = self._folder / gtin
        if not gtin.isdecimal() or not folder.is_dir():
            return self._guard.inspect(image, profile, name=name)
        return self._of(gtin, folder).inspect(image, profile, name=name)

    def _of(self, gtin: str, folder: Path) -> DetectorInspector:
        with self._lock:
            if gtin not in self._opened:
                found = open_model_set(folder)
                if found.kind != KIND:
                    raise ArtefactRefusedError(
                        f"{folder} is a {found.kind}, not a detector",
                        mend="Name a set made by models/recipes/yolo",
                    )
                self._opened[gtin] = DetectorInspector.load(
                    folder,
                    model_set=found.digest,
                    guard=self._guard,
                    threads=self._threads,
                    mm_per_px=self._mm_per_px,
                )
                log.info("detector opened", gtin=gtin, model_set=found.digest)
            return self._opened[gtin]
