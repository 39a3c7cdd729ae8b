"""Inspectors by model set: an open batch goes on under the networks that its profile was made with,
also after a newer set came with an update (I3).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.model_sets import BACKBONE, CRACKS, versions
from appliance.paths import models_root
from contracts.errors import ArtefactRefusedError, TallymanError
from ota.model_set import ModelSet, open_model_set
from vision.defects.cracks.network import CrackNetwork
from vision.defects.inspector import DefectInspector, Inspected
from vision.defects.profile import Profile

CAMERA = "inspect"
"""A station's one camera over the goods; a profile made with another is not believed."""
log = structlog.get_logger()

Open = Callable[[ModelSet, ModelSet | None], DefectInspector]
"""An inspector from a backbone's set and a crack network's."""


class Inspectors:
    """`newest` enrols and teaches. Others below `root` are opened when a profile asks for them;
    a set that is gone is refused, and the carton goes to review. Safe to call from several threads.
    """

    def __init__(
        self,
        newest: DefectInspector,
        *,
        open_sets: Open,
        root: Path | None = None,
        mm_per_px: float | None = None,
    ) -> None:
        self.newest = newest
        self._open_sets = open_sets
        self._root = root
        self._mm_per_px = mm_per_px
        self._older: dict[tuple[str, str], DefectInspector] = {}
        self._lock = threading.Lock()

    @property
    def model_set(self) -> str:
        return self.newest.model_set

    @property
    def variant(self) -> str:
        return self.newest.variant

    def inspect(
        self,
        image: NDArray[np.uint8],
        profile: Profile,
        *,
        name: str,
        gtin: str = "",  # noqa: ARG002 -- the port's: a detector is found by it, a profile is handed in
    ) -> Inspected:
        """Judge one picture under the profile's own networks. Raises ArtefactRefusedError where
        they are not here.
        """
        inspector = self._of(profile)
        return inspector.inspect(
            image, profile, name=name, mm_per_px=self._mm_per_px, camera=CAMERA
        )

    def _of(self, profile: Profile) -> DefectInspector:
        try:
            self.newest.accept(profile)
        except ArtefactRefusedError:
            facts = profile.facts
            key = (facts.backbone, facts.cracks.network if facts.cracks else "")
            with self._lock:
                if key not in self._older:
                    self._older[key] = self._opened(*key)
                return self._older[key]
        return self.newest

    def _opened(self, backbone: str, cracks: str) -> DefectInspector:
        if backbone == self.newest.model_set and not cracks:
            return replace(self.newest, cracks=None)
        looks = self._set(BACKBONE, backbone)
        lines = self._set(CRACKS, cracks) if cracks else None
        inspector = self._open_sets(looks, lines)
        log.info("older model set opened", inspect=backbone, cracks=cracks)
        return inspector

    def _set(self, kind: str, digest: str) -> ModelSet:
        for model_set in _whole(versions((self._root or models_root()) / kind)):
            if model_set.digest == digest:
                return model_set
        raise ArtefactRefusedError(
            f"The model set {digest} of {kind} is not here any more",
            mend="Enrol the product anew, or bring the set back",
        )


def _whole(folders: Iterable[Path]) -> Iterable[ModelSet]:
    for folder in folders:
        try:
            yield open_model_set(folder)
        except (TallymanError, OSError) as error:
            log.warning("model set refused", set=folder.name, error=str(error))


def open_inspector(
    looks: ModelSet, lines: ModelSet | None, *, variant: str, threads: int
) -> DefectInspector:
    """Raises ArtefactRefusedError, BadInputError, UnavailableError."""
    cracks = None
    if lines is not None:
        cracks = CrackNetwork.load(lines.folder, model_set=lines.digest, threads=threads)
    return DefectInspector.load(
        looks.folder, model_set=looks.digest, threads=threads, cracks=cracks, variant=variant
    )
