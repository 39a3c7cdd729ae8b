"""Enrolling at a station: from good pictures to a candidate profile in seconds, to one that has
learned cracks in minutes (I5, I6, I7).

Rules:
- What is enrolled here is a candidate. It judges when the quality lead has signed it, not before.
- The quick profile stands before cracks are learned, and goes on standing if they never are.
- Learning cracks is one process at low priority, written down before it begins (learning.py).
- Nothing here asks the hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from appliance.enrolling.collecting import Camera, Collecting
from appliance.enrolling.draft import Draft, Phase, Source
from appliance.enrolling.drafts import Drafts
from appliance.enrolling.learning import CrackLearning
from appliance.enrolling.ports import Candidates, Enroller, Learner, LearningFailedError
from appliance.enrolling.product import Product
from contracts.clock import Clock
from contracts.errors import BadInputError, NotFoundError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from contracts.stock import Evidence
from vision.defects.facts import Lesson
from vision.defects.profile import Profile
from vision.frames import decode_frame

GOOD = "good"
"""The kind of an enrolled picture among a record's evidence."""
log = structlog.get_logger()


class Enrolling:
    """One for a station. `cracks.run` is its side job; everything else answers the page."""

    def __init__(
        self,
        drafts: Drafts,
        enroller: Enroller,
        candidates: Candidates,
        learner: Learner,
        camera: Camera,
        *,
        keep: Callable[[bytes], str],
        clock: Clock,
        expected: Callable[[], Sequence[tuple[str, str]]] = tuple,
        publish: Callable[[str], Awaitable[None]],
        drift: Callable[[str], tuple[Reason, ...]] = lambda _gtin: (),
    ) -> None:
        """`keep` stores a picture as evidence, `expected` gives GTIN and description of what is
        announced, `publish` tells the pages that a product changed, `drift` says why freezing is
        suspended for one.
        """
        self.drafts = drafts
        self.collecting = Collecting(drafts, camera, clock=clock)
        self.cracks = CrackLearning(
            drafts,
            candidates,
            learner,
            make_candidate=self._make_candidate,
            teach_again=self._teach_again,
            publish=publish,
        )
        self._camera = camera
        self._clock = clock
        self._enroller = enroller
        self._candidates = candidates
        self._keep = keep
        self._expected = expected
        self._publish = publish
        self._drift = drift

    def products(self) -> list[Product]:
        """Every product with pictures, a candidate or a profile, by name."""
        drafts = {draft.gtin: draft for draft in self.drafts.all()}
        gtins = {*drafts, *self._candidates.gtins()}
        found = [self._product(gtin, drafts.get(gtin)) for gtin in gtins]
        return sorted(found, key=lambda one: (one.name.casefold(), one.gtin))

    def product(self, gtin: str) -> Product:
        """Raises NotFoundError, BadInputError for what is no GTIN."""
        number = normalise_gtin(gtin)
        found = self._product(number, self.drafts.find(number))
        if found.draft is None and found.newest is None and not found.refused:
            raise NotFoundError(
                f"Nothing is known of {number} at this station",
                mend="Begin with it on the page Products",
            )
        return found

    def unknown(self) -> list[tuple[str, str]]:
        """GTIN and description of announced goods that this station has nothing of yet."""
        known = {*(draft.gtin for draft in self.drafts.all()), *self._candidates.gtins()}
        return [(gtin, name) for gtin, name in self._announced().items() if gtin not in known]

    def begin(self, gtin: str, name: str) -> Draft:
        """Begin to gather pictures of a product. Raises BadInputError for what is no GTIN."""
        number = normalise_gtin(gtin)
        known = self._candidates.candidate(number) or self._candidates.signed(number)
        return self.drafts.begin(
            number, name or self._announced().get(number, "") or (known.product if known else "")
        )

    def _announced(self) -> dict[str, str]:
        return dict(self._expected())

    def _product(self, gtin: str, draft: Draft | None) -> Product:
        candidate, signed = self._candidates.candidate(gtin), self._candidates.signed(gtin)
        newest = candidate or signed
        told = newest.product if newest and newest.product != gtin else ""
        name = draft.product if draft else told or self._announced().get(gtin, "") or gtin
        return Product(
            gtin=gtin,
            name=name,
            draft=draft,
            candidate=candidate,
            signed=signed,
            refused=self._candidates.refused(gtin),
            learning=self.cracks.of(draft),
            drift=self._drift(gtin),
        )

    async def enrol(self, gtin: str, *, by: str, leave_out_odd: bool = False) -> Profile:
        """The quick profile from the pictures that are here; then cracks begin to be learned.
        `leave_out_odd` learns from the items that look like the rest, and the bound speaks of those.

        Raises BadInputError where there are no pictures, JournalError.
        """
        draft = await asyncio.to_thread(self.drafts.get, gtin)
        if not draft.pictures:
            raise BadInputError(
                f"There is no picture of {draft.product} yet",
                mend="Take at least one picture of good goods",
            )
        await self.cracks.stop(draft.gtin)
        async with self.cracks.one_at_a_time:
            profile = await asyncio.to_thread(self._quick, draft, leave_out_odd=leave_out_odd)
            await self._make_candidate(draft, profile, by)
            await asyncio.to_thread(self.drafts.change, draft.gtin, _enrolled(draft, profile, by))
        await self._publish(draft.gtin)
        self.cracks.wake()
        log.info("enrolled", gtin=draft.gtin, items=len(draft.items), profile=profile.digest)
        return profile

    def _quick(self, draft: Draft, *, leave_out_odd: bool) -> Profile:
        images = [self.drafts.image(draft, one) for one in draft.pictures]
        items = [str(picture.item) for picture in draft.pictures]
        sent = any(picture.source is Source.UPLOAD for picture in draft.pictures)
        profile = self._enroller.enrol(
            images,
            product=draft.product,
            items=items,
            camera="" if sent else self.collecting.camera,
            at=self._clock.now().isoformat(timespec="seconds"),
            leave_out_odd=leave_out_odd,
        )
        self.drafts.keep_profile(draft, profile)
        return profile

    def _teach_again(self, profile: Profile, lessons: Sequence[Lesson]) -> Profile:
        for lesson in lessons:
            data = self._camera.picture(lesson.picture) if lesson.picture else None
            if data is None:
                raise LearningFailedError(Reason("enrol_lesson_gone"))
            profile = self._enroller.teach(
                profile,
                decode_frame(data, name=f"picture {lesson.picture[:12]}"),
                kind=lesson.kind,
                defect=lesson.defect,
                picture=lesson.picture,
            )
        return profile

    async def _make_candidate(self, draft: Draft, profile: Profile, by: str) -> None:
        shown = await asyncio.to_thread(self._shown, draft)
        await self._candidates.enrolled(draft.gtin, profile, operator=by, shown=shown)

    def _shown(self, draft: Draft) -> list[Evidence]:
        """The good pictures as evidence: whoever signs sees what was taken for good (I4)."""
        return [
            Evidence(
                GOOD,
                self._keep(self.drafts.data(draft, one)),
                one.media_type,
                "" if one.source is Source.UPLOAD else self.collecting.camera,
                one.width_px,
                one.height_px,
            )
            for one in draft.pictures
        ]

    async def stop(self, gtin: str) -> None:
        """Stop learning cracks; the profile that stands goes on standing. Raises BadInputError."""
        await self.cracks.stop(normalise_gtin(gtin))

    async def learn(self, gtin: str) -> None:
        """Learn cracks again, from the pictures that were enrolled. Raises BadInputError."""
        draft = await asyncio.to_thread(self.drafts.get, gtin)
        if draft.phase is Phase.COLLECTING:
            raise BadInputError(f"{draft.product} is not enrolled yet", mend="Enrol it first")
        await self.cracks.again(draft.gtin)

    async def discard(self, gtin: str) -> None:
        """Forget the pictures; the profile and the candidate stay."""
        number = normalise_gtin(gtin)
        await self.cracks.stop(number)
        await asyncio.to_thread(self.drafts.discard, number)
        await self._publish(number)


def _enrolled(draft: Draft, profile: Profile, by: str) -> Callable[[Draft], Draft]:
    """Pictures that came while it was being enrolled stay: only what was learned is replaced."""

    def learned(newest: Draft) -> Draft:
        return replace(
            newest,
            phase=Phase.LEARNING,
            enrolled=tuple(picture.sha256 for picture in draft.pictures),
            profile=profile.digest,
            operator=by,
            trouble=None,
            restarts=0,
        )

    return learned
