"""Who looks at a carton's goods, and what else has a say (I3, I5, I7).

The batch's own judge looks: the profile and the sets of its pin, or those that its first carton was
judged under while the hub could not be asked (ota.judging.station). The drift watch of camera
and profile may turn its answer into a review. What passes is shown to the product's newer profile
too, a candidate that nobody has signed or one signed for later batches: it may add a review and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from appliance.batches import BatchBook
from appliance.cameras.frame import Frame
from appliance.goods_ports import Inspector, Profiles, Sets, WatchFor
from contracts.errors import ArtefactRefusedError
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Watermark
from contracts.reason import Reason
from contracts.stock import BatchKey
from ota.judging.station import Course, PinBook, Way, decide
from vision.defects.freeze import FreezeRule
from vision.defects.gate import name_other
from vision.defects.inspector import Inspected
from vision.defects.profile import Profile

PROFILE = "profile"
"""The use of a product's profile among the sets that judge."""
_SHOWN_DIGITS = 12
_FREEZES_BY = 100
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Looked:
    """`shown` is what the evidence picture is made of: the answer that speaks against the carton,
    of `candidate` where only that one does. `faults` send it to review. `parts` are the sets that
    looked, by use, and `under` their watermark.
    """

    inspection: Inspection | None = None
    profile: Profile | None = None
    candidate: Inspection | None = None
    shown: Inspected | None = None
    faults: tuple[Reason, ...] = ()
    steady: bool = True
    """False while no batch may be frozen on what this camera sees."""
    parts: Mapping[str, str] = field(default_factory=dict)
    under: Watermark | None = None
    cpu_ms: float = 0.0
    """Processor time that went by while the goods were looked at, on all threads."""

    @property
    def by_profile(self) -> bool:
        """Whether the profile's networks judged alone: its bound says nothing of a detector."""
        return self.inspection is not None and not self.parts.get("detector")

    def model_sets(self, inspector: Inspector) -> dict[str, str]:
        """By use: what judged, or would have (I3)."""
        named = {use: digest for use, digest in self.parts.items() if use != PROFILE}
        return named or {"inspect": inspector.model_set}


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is to look at a carton. `mine` are the sets that judge a batch that begins here now, by
    use; `profile` None: nobody looks, and `faults` say why.
    """

    gtin: str
    course: Course
    inspector: Inspector
    mine: Mapping[str, str] = field(default_factory=dict)
    profile: Profile | None = None
    faults: tuple[Reason, ...] = ()

    @property
    def asks(self) -> bool:
        return self.course.way is Way.ASK

    @property
    def parts(self) -> Mapping[str, str]:
        """While the hub is asked, a carton is looked at as if it said yes."""
        return self.mine if self.asks else self.course.parts


class GoodsJudge:
    """Not for two cartons at once: the drift watch follows pictures in their order."""

    def __init__(
        self,
        sets: Sets,
        profiles: Profiles,
        book: BatchBook,
        *,
        watch_for: WatchFor = lambda _camera, _profile: None,
    ) -> None:
        self._sets = sets
        self._profiles = profiles
        self._book = book
        self._watch_for = watch_for

    def choose(
        self,
        gtin: str,
        batch: BatchKey | None,
        session: str | None,
        pins: PinBook,
        *,
        may_ask: bool,
    ) -> Choice:
        """Who looks at the goods. `batch` is None where the label was not read for sure. Blocks."""
        inspector = self._sets.inspector
        pin = self._book.pin(batch, session=session, gtin=gtin)
        mine = self._profile(gtin, pin)
        running: dict[str, str] = {}
        faults: tuple[Reason, ...] = ()
        if mine is None:
            faults = self._missing(gtin, pin)
        else:
            try:
                running = {**inspector.parts(mine, gtin), PROFILE: mine.digest}
            except ArtefactRefusedError as error:
                log.warning("set refused", gtin=gtin, error=str(error))
                faults = (Reason("profile_other_set", {"product": gtin}),)
        known = batch is not None and (batch in pins.told or batch in pins.begun)
        if not running and not known:
            return Choice(gtin, Course(Way.REVIEW), inspector, faults=faults)
        course = decide(
            batch, pins, running, self._has(gtin, pins, batch, running), may_ask=may_ask
        )
        # A batch that was begun without the hub is asked about with whoever began it.
        began = pins.begun.get(batch, running) if batch else running
        gone = tuple(each for each in course.reasons if not faults or each.params["use"] != PROFILE)
        choice = Choice(gtin, course, inspector, began, faults=(*faults, *gone))
        digest = choice.parts.get(PROFILE, "")
        found = mine if mine is not None and mine.digest == digest else None
        if digest and found is None:
            found = self._profiles.pinned(digest)
        return replace(choice, profile=found)

    def see(self, frame: Frame, choice: Choice) -> Inspected | Looked:
        """Look at the goods; what is nothing to look at comes back as looked at already. Blocks.

        Raises OSError when the disk does not take the profile that begins to judge the batch.
        """
        if choice.profile is None:
            return Looked(faults=choice.faults)
        self._profiles.keep(choice.profile)
        try:
            return choice.inspector.inspect(
                frame.image,
                choice.profile,
                name=frame.name,
                gtin=choice.gtin,
                under=choice.parts,
            )
        except ArtefactRefusedError as error:
            log.warning("profile refused", gtin=choice.gtin, error=str(error))
            return Looked(faults=(Reason("profile_other_set", {"product": choice.gtin}),))

    def settle(self, frame: Frame, choice: Choice, seen: Inspected | Looked) -> Looked:
        """What the carton's own judge says, with the drift watch and the newer profile heard. Once
        a carton, after its judge is sure. Blocks.
        """
        profile = choice.profile
        if isinstance(seen, Looked) or profile is None:
            return seen if isinstance(seen, Looked) else Looked(faults=choice.faults)
        watch = self._watch_for(frame.camera, profile)
        if watch is not None:
            settled = watch.settle(seen.inspection, seen.seen)
            seen = replace(seen, inspection=settled)
        if any(reason.code == "view_unfamiliar" for reason in seen.inspection.reasons):
            named = name_other(seen.inspection, seen.seen, self._profiles.others(profile))
            seen = replace(seen, inspection=named)
        looked = Looked(
            seen.inspection,
            profile,
            steady=watch is None or watch.steady,
            parts=choice.parts,
            under=choice.course.under,
        )
        if seen.inspection.decision is not InspectDecision.PASS:
            return replace(looked, shown=seen)
        return self._second(frame, choice, looked)

    def _has(
        self, gtin: str, pins: PinBook, batch: BatchKey | None, running: Mapping[str, str]
    ) -> Callable[[str], bool]:
        told = pins.told.get(batch) if batch else None
        begun = pins.begun.get(batch, {}) if batch else {}
        known = {running.get(PROFILE), begun.get(PROFILE), told.parts.get(PROFILE) if told else ""}

        def has(digest: str) -> bool:
            if digest not in known:
                return self._sets.has(digest)
            newest = self._profiles.get(gtin)
            mine = newest is not None and newest.digest == digest
            return mine or self._profiles.pinned(digest) is not None

        return has

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

    def _second(self, frame: Frame, choice: Choice, looked: Looked) -> Looked:
        gtin = choice.gtin
        newer = self._newer(gtin, looked.profile)
        if newer is None:
            return looked
        try:
            second = choice.inspector.inspect(frame.image, newer, name=frame.name, gtin=gtin)
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
