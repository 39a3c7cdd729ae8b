"""Inspectors by model set: an open batch goes on under the networks that judge it by its pin, also
after a newer set came with an update (I3).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.model_sets import BACKBONE, CRACKS
from appliance.sets.shelf import SetShelf, loaded_whole, stands_for
from ota.model_set import ModelSet
from vision.defects.cracks.network import CrackNetwork
from vision.defects.inspector import DefectInspector, Inspected
from vision.defects.profile import Profile

CAMERA = "inspect"
"""A station's one camera over the goods; a profile made with another is not believed."""
_MOST_OLDER = 3
"""Pairs of networks kept open beside the running one."""
log = structlog.get_logger()

Open = Callable[[ModelSet, ModelSet | None], DefectInspector]
"""An inspector from a backbone's set and a crack network's."""


class Inspectors:
    """`newest` judges what begins now, enrols and teaches. Others are opened from the shelf when a
    batch's pin or a profile asks for them; a set that is gone is refused, and the carton goes to
    review. Safe to call from several threads.
    """

    def __init__(
        self,
        newest: DefectInspector,
        *,
        open_sets: Open,
        root: Path | None = None,
        shelf: SetShelf | None = None,
        mm_per_px: float | None = None,
    ) -> None:
        """`root` is where a shelf without an agent stands; not both."""
        self.newest = newest
        self._open_sets = open_sets
        self._shelf = shelf or SetShelf(installed=root)
        self._mm_per_px = mm_per_px
        self._older: OrderedDict[tuple[str, str], DefectInspector] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def model_set(self) -> str:
        return self.newest.model_set

    @property
    def variant(self) -> str:
        return self.newest.variant

    def parts(self, profile: Profile, gtin: str = "") -> dict[str, str]:  # noqa: ARG002 -- the port's: a detector is found by the product
        """Whose networks judge a batch that begins now under `profile`: the running ones where they
        may, else the profile's own.
        """
        facts, newest = profile.facts, self.newest
        parts = {"inspect": newest.whose(facts.backbone)}
        if facts.cracks is not None:
            mine = newest.cracks.model_set if newest.cracks else ""
            named = facts.cracks.network
            parts["cracks"] = mine if mine and newest.whose(named, mine) == mine else named
        return parts

    def inspect(
        self,
        image: NDArray[np.uint8],
        profile: Profile,
        *,
        name: str,
        gtin: str = "",
        under: Mapping[str, str] | None = None,
    ) -> Inspected:
        """Judge one picture under `under`'s networks (by use, as a pin names them), else under
        those of a batch that begins now. Raises ArtefactRefusedError where they are not here, or
        may not judge the profile.
        """
        inspector = self.of(self.parts(profile, gtin) if under is None else under)
        return inspector.inspect(
            image, profile, name=name, mm_per_px=self._mm_per_px, camera=CAMERA
        )

    def variant_of(self, under: Mapping[str, str]) -> str:
        """The engine that `under`'s backbone runs on here."""
        return self.of(under).variant

    def of(self, under: Mapping[str, str]) -> DefectInspector:
        """Blocks while networks are opened. Raises ArtefactRefusedError."""
        looks, lines = under.get("inspect", ""), under.get("cracks", "")
        newest = self.newest
        mine = newest.cracks.model_set if newest.cracks else ""
        if looks == newest.model_set and lines in {"", mine}:
            return newest
        key = (looks, lines)
        with self._lock:
            if key in self._older:
                self._older.move_to_end(key)
            else:
                self._older[key] = self._opened(newest, *key)
            found = self._older[key]
            while len(self._older) > _MOST_OLDER:
                self._older.popitem(last=False)
            return found

    def knows(self, digest: str) -> bool:
        """Whether a set can judge here."""
        newest = self.newest
        if digest == newest.model_set or (newest.cracks and digest == newest.cracks.model_set):
            return True
        return any(digest in pair for pair in tuple(self._older)) or self._shelf.has(digest)

    def keep_of(self, other: Inspectors) -> None:
        """Take over what another has open, when this one takes its place."""
        with other._lock:
            self._older.update(other._older)
        cracks = other.newest.cracks
        self._older[other.newest.model_set, cracks.model_set if cracks else ""] = other.newest

    def _opened(self, newest: DefectInspector, backbone: str, cracks: str) -> DefectInspector:
        lines = self._shelf.find(CRACKS, cracks) if cracks else None
        inspector = self._open_sets(self._shelf.find(BACKBONE, backbone), lines)
        log.info("older model set opened", inspect=backbone, cracks=cracks, beside=newest.model_set)
        return inspector


def open_inspector(
    looks: ModelSet, lines: ModelSet | None, *, variant: str, threads: int
) -> DefectInspector:
    """Raises ArtefactRefusedError, BadInputError, UnavailableError."""
    cracks = None
    if lines is not None:
        cracks = loaded_whole(
            lines,
            lambda found: CrackNetwork.load(found.folder, model_set=found.digest, threads=threads),
        )
    inspector = loaded_whole(
        looks,
        lambda found: DefectInspector.load(
            found.folder, model_set=found.digest, threads=threads, cracks=cracks, variant=variant
        ),
    )
    others = stands_for(looks) | (stands_for(lines) if lines else frozenset())
    return replace(inspector, stands_for=others) if others else inspector
