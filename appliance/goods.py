"""Which profile looks at a carton's goods, and what else has a say (I3, I5, I7).

The batch's own profile judges: the one its first carton was judged under. The drift watch of camera
and profile may turn its answer into a review. What passes is shown to the product's newer profile
too, a candidate that nobody has signed or one signed for later batches: it may add a review and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.batches import BatchBook
from appliance.cameras.frame import Frame
from contracts.errors import ArtefactRefusedError
from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from contracts.stock import BatchKey
from vision.defects.freeze import FreezeRule
from vision.defects.gate import Seen, name_other
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile

_SHOWN_DIGITS = 12
_FREEZES_BY = 100
log = structlog.get_logger()


class Inspector(Protocol):
    @property
    def model_set(self) -> str: ...

    @property
    def variant(self) -> str: ...

    def inspect(
        self, image: NDArray[np.uint8], profile: Profile, *, name: str, gtin: str
    ) -> Inspected: ...


class Profiles(Protocol):
    """appliance.profiles.ProfileFolder, or what a bench or test puts in its place."""

    def get(self, gtin: str) -> Profile | None: ...

    def candidate(self, gtin: str) -> Profile | None: ...

    def trouble(self, gtin: str) -> str: ...

    def pinned(self, digest: str) -> Profile | None: ...

    def keep(self, profile: Profile) -> None: ...

    def others(self, profile: Profile) -> Mapping[str, NDArray[np.float32]]:
        """How other products look, by their names: `Profile.scenes` of the same backbone."""
        ...


class Watch(Protocol):
    """Follows one camera's pictures under one profile; turns an answer into a review while light,
    focus or place have drifted.
    """

    @property
    def steady(self) -> bool:
        """Whether the pictures of late are enough, and enough like the enrolled ones, to freeze."""
        ...

    def settle(self, inspection: Inspection, seen: Seen) -> Inspection: ...


WatchFor = Callable[[str, Profile], Watch | None]
"""By camera and profile; the same watch for every picture of both."""


@dataclass(frozen=True, slots=True)
class Looked:
    """`shown` is what the evidence picture is made of: the answer that speaks against the carton,
    of `candidate` where only that one does. `faults` send it to review.
    """

    inspection: Inspection | None = None
    profile: Profile | None = None
    candidate: Inspection | None = None
    shown: Inspected | None = None
    faults: tuple[Reason, ...] = ()
    steady: bool = True
    """False while no batch may be frozen on what this camera sees."""

    @property
    def by_profile(self) -> bool:
        """Whether the profile's own networks judged alone: its bound says nothing of a detector."""
        seen, profile = self.inspection, self.profile
        return seen is not None and profile is not None and seen.model_set == profile.facts.backbone

    def model_sets(self, inspector: Inspector) -> dict[str, str]:
        """By use: what judged, or would have (I3)."""
        seen, profile = self.inspection, self.profile
        sets = {"inspect": seen.model_set if seen else inspector.model_set}
        if profile is not None and profile.facts.cracks is not None:
            sets["cracks"] = profile.facts.cracks.network
        return sets


class GoodsJudge:
    """Not for two cartons at once: the drift watch follows pictures in their order."""

    def __init__(
        self,
        inspector: Inspector,
        profiles: Profiles,
        book: BatchBook,
        *,
        watch_for: WatchFor = lambda _camera, _profile: None,
    ) -> None:
        self._inspector = inspector
        self._profiles = profiles
        self._book = book
        self._watch_for = watch_for

    def look(
        self, frame: Frame, *, gtin: str | None, batch: BatchKey | None, session: str | None
    ) -> Looked:
        """`batch` is None where the label was not read for sure. Blocks.

        Raises OSError when the disk does not take the profile that begins to judge the batch.
        """
        if gtin is None:
            return Looked()
        pin = self._book.pin(batch, session=session, gtin=gtin)
        profile = self._profile(gtin, pin)
        if profile is None:
            return Looked(faults=self._missing(gtin, pin))
        self._profiles.keep(profile)
        try:
            inspected = self._inspector.inspect(frame.image, profile, name=frame.name, gtin=gtin)
        except ArtefactRefusedError as error:
            log.warning("profile refused", gtin=gtin, error=str(error))
            return Looked(faults=(Reason("profile_other_set", {"product": gtin}),))
        watch = self._watch_for(frame.camera, profile)
        if watch is not None:
            settled = watch.settle(inspected.inspection, inspected.seen)
            inspected = replace(inspected, inspection=settled)
        if any(reason.code == "view_unfamiliar" for reason in inspected.inspection.reasons):
            others = self._profiles.others(profile)
            named = name_other(inspected.inspection, inspected.seen, others)
            inspected = replace(inspected, inspection=named)
        looked = Looked(inspected.inspection, profile, steady=watch is None or watch.steady)
        if inspected.inspection.decision is not InspectDecision.PASS:
            return replace(looked, shown=inspected)
        return self._second(frame, gtin, looked)

    def _profile(self, gtin: str, pin: str) -> Profile | None:
        newest = self._profiles.get(gtin)
        if not pin or (newest is not None and newest.digest == pin):
            return newest
        return self._profiles.pinned(pin)

    def _missing(self, gtin: str, pin: str) -> tuple[Reason, ...]:
        if pin:
            digest = pin.rpartition(":")[2][:_SHOWN_DIGITS]
            return (Reason("pinned_profile_gone", {"product": gtin, "profile": digest}),)
        if self._profiles.trouble(gtin):
            return (Reason("profile_refused", {"product": gtin}),)
        return ()

    def _second(self, frame: Frame, gtin: str, looked: Looked) -> Looked:
        newer = self._newer(gtin, looked.profile)
        if newer is None:
            return looked
        try:
            second = self._inspector.inspect(frame.image, newer, name=frame.name, gtin=gtin)
        except Exception:
            # It can only add a review, and the signed profile has passed the carton.
            log.warning("candidate could not look", gtin=gtin, exc_info=True)
            return looked
        said = second.inspection
        if said.decision is InspectDecision.PASS:
            return replace(looked, candidate=said)
        return replace(
            looked,
            candidate=said,
            shown=second,
            faults=(*looked.faults, Reason("candidate_doubts"), *said.reasons),
        )

    def _newer(self, gtin: str, judging: Profile | None) -> Profile | None:
        """What was learned since the profile that judges, of the same camera."""
        for newer in (self._profiles.candidate(gtin), self._profiles.get(gtin)):
            if newer is None or judging is None or newer.digest == judging.digest:
                continue
            if _size(newer) == _size(judging):
                return newer
        return None


def needed_to_freeze(profile: Profile, judged: int, percent: float) -> int | None:
    """How many defective ones of `judged` cartons freeze a batch when at most `percent` of a hundred
    sound ones may be frozen: where they are too few yet, the least that ever can. None: the profile
    states no bound.
    """
    facts = profile.facts
    rule = FreezeRule.of(len(facts.scores), facts.bound_percent, error=percent / 100)
    if rule is None:
        return None
    counts = (rule.needed(seen) for seen in range(judged, judged + _FREEZES_BY))
    return next((count for count in counts if count is not None), None)


def _size(profile: Profile) -> tuple[int, int]:
    return profile.facts.width_px, profile.facts.height_px
