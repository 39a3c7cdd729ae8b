"""Detectors of single products beside the profiles: a folder with one model set a GTIN, and the one
that the lane `detectors` was assigned.

A set is opened when its product first comes by, every file checked; one that does not hold is
refused, and the carton goes to review (I5, I7). A product without one is judged as ever. A batch
stays with the detector, or with none, that its pin names (I3).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.inspectors import Inspectors
from appliance.sets.shelf import SetShelf, digest_in, loaded_whole
from contracts.errors import ArtefactRefusedError
from ota.model_set import ModelSet, open_model_set
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile
from vision.detecting.facts import KIND
from vision.detecting.inspector import DetectorInspector

_GTIN_AT_END = re.compile(r"(?:^|[^0-9])([0-9]{8,14})$")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Under:
    """The profiles' networks that a pin names, behind a detector's port."""

    guard: Inspectors
    parts: Mapping[str, str]

    def inspect(self, image: NDArray[np.uint8], profile: Profile, *, name: str) -> Inspected:
        return self.guard.inspect(image, profile, name=name, under=self.parts)


class WithDetectors:
    """`guard` judges by profiles; `folder` holds the site's detectors, `assigned` is the lane's,
    whose name ends with its product's GTIN. Safe to call from several threads.
    """

    def __init__(
        self,
        guard: Inspectors,
        folder: Path | None,
        *,
        assigned: ModelSet | None = None,
        shelf: SetShelf | None = None,
        threads: int = 1,
        mm_per_px: float | None = None,
    ) -> None:
        """Raises ArtefactRefusedError for an assigned set that is no detector of a product."""
        self._guard = guard
        self._folder = folder
        self._shelf = shelf or SetShelf()
        self._threads = threads
        self._mm_per_px = mm_per_px
        self._of_product: dict[str, str] = {}
        self._opened: dict[str, DetectorInspector] = {}
        self._lock = threading.RLock()
        if assigned is not None:
            gtin = product_of_detector(assigned)
            self._opened[assigned.digest] = self._load(assigned)
            self._of_product[gtin] = assigned.digest

    @property
    def model_set(self) -> str:
        return self._guard.model_set

    @property
    def variant(self) -> str:
        return self._guard.variant

    def parts(self, profile: Profile, gtin: str) -> dict[str, str]:
        """Who judges a batch that begins now. Raises ArtefactRefusedError for a detector's set that
        does not hold.
        """
        detector = self._current(gtin)
        parts = self._guard.parts(profile)
        return parts | {"detector": detector} if detector else parts

    def inspect(
        self,
        image: NDArray[np.uint8],
        profile: Profile,
        *,
        name: str,
        gtin: str,
        under: Mapping[str, str] | None = None,
    ) -> Inspected:
        """Judge one picture under `under`'s sets, else with what judges a batch that begins now.

        Raises ArtefactRefusedError for a set that does not hold or is not here.
        """
        parts = self.parts(profile, gtin) if under is None else under
        detector = parts.get("detector", "")
        if not detector:
            return self._guard.inspect(image, profile, name=name, under=parts)
        found = replace(self._of(detector, gtin), guard=_Under(self._guard, parts))
        return found.inspect(image, profile, name=name)

    def variant_of(self, under: Mapping[str, str]) -> str:
        """The engine that `under`'s backbone runs on here."""
        return self._guard.variant_of(under)

    def knows(self, digest: str) -> bool:
        """Whether a set can judge here."""
        if digest in self._opened or self._guard.knows(digest):
            return True
        folders = self._folder.iterdir() if self._folder and self._folder.is_dir() else ()
        return any(digest_in(folder) == digest for folder in folders)

    def _current(self, gtin: str) -> str:
        """The digest of a product's detector; empty where it has none."""
        with self._lock:
            if gtin not in self._of_product and (folder := self._site(gtin)) is not None:
                found = open_model_set(folder)
                self._opened[found.digest] = self._load(found)
                self._of_product[gtin] = found.digest
            return self._of_product.get(gtin, "")

    def _of(self, digest: str, gtin: str) -> DetectorInspector:
        with self._lock:
            if digest not in self._opened:
                self._opened[digest] = self._load(self._find(digest, gtin))
            return self._opened[digest]

    def _find(self, digest: str, gtin: str) -> ModelSet:
        for found in self._places(digest, gtin):
            if found is not None and found.digest == digest:
                return found
        raise ArtefactRefusedError(
            f"The detector {digest} of {gtin} is not here any more",
            mend="Bring the set back, or let the batch be judged again",
        )

    def _places(self, digest: str, gtin: str) -> Iterator[ModelSet | None]:
        yield self._shelf.held(digest)
        folder = self._site(gtin)
        yield open_model_set(folder) if folder else None

    def _site(self, gtin: str) -> Path | None:
        if self._folder is None or not gtin.isdecimal():
            return None
        folder = self._folder / gtin
        return folder if folder.is_dir() else None

    def _load(self, found: ModelSet) -> DetectorInspector:
        if found.kind != KIND:
            raise ArtefactRefusedError(
                f"{found.folder} is a {found.kind}, not a detector",
                mend="Name a set made by models/recipes/yolo",
            )
        log.info("detector opened", name=found.name, model_set=found.digest)
        return loaded_whole(
            found,
            lambda each: DetectorInspector.load(
                each.folder,
                model_set=each.digest,
                guard=_Under(self._guard, {}),
                threads=self._threads,
                mm_per_px=self._mm_per_px,
            ),
        )


def product_of_detector(model_set: ModelSet) -> str:
    """The GTIN that a detector's name ends with. Raises ArtefactRefusedError for another name."""
    named = _GTIN_AT_END.search(model_set.name)
    if named is None:
        raise ArtefactRefusedError(
            f"The detector {model_set.name} does not say whose it is",
            mend="Publish it under a name that ends with its product's GTIN",
        )
    return named.group(1).zfill(14)
