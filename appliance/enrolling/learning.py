"""Learning cracks in the background: one product after the other, begun again after a restart (I6).

What is to be learned stands in the drafts, so this job has no memory of its own but how far it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from appliance.enrolling.draft import Draft, Phase
from appliance.enrolling.drafts import Drafts
from appliance.enrolling.ports import Candidates, Learner, LearningFailedError, Shot
from appliance.enrolling.product import Learning
from contracts.errors import TallymanError
from contracts.reason import Reason
from vision.defects.facts import Lesson
from vision.defects.profile import Profile

_MOST_RESTARTS = 5
_TELL_EVERY = 0.01
log = structlog.get_logger()

MakeCandidate = Callable[[Draft, Profile, str], Awaitable[None]]
"""Draft, profile, operator."""
TeachAgain = Callable[[Profile, Sequence[Lesson]], Profile]
"""The profile with these lessons taught to it. Raises LearningFailedError."""


@dataclass(slots=True)
class _Now:
    """The learning that goes on."""

    gtin: str
    task: asyncio.Task[Profile]
    share: float = 0.0
    since: float = 0.0


class CrackLearning:
    """`run` is a side job; `one_at_a_time` keeps it and an enrolment from replacing each other."""

    def __init__(
        self,
        drafts: Drafts,
        candidates: Candidates,
        learner: Learner,
        *,
        make_candidate: MakeCandidate,
        teach_again: TeachAgain,
        publish: Callable[[str], Awaitable[None]],
    ) -> None:
        self._drafts = drafts
        self._candidates = candidates
        self._learner = learner
        self._make_candidate = make_candidate
        self._teach_again = teach_again
        self._publish = publish
        self._wake = asyncio.Event()
        self._now: _Now | None = None
        self._telling: asyncio.Future[None] | None = None
        self.one_at_a_time = asyncio.Lock()

    def of(self, draft: Draft | None) -> Learning | None:
        """How far it is; None where no cracks are being learned."""
        if draft is None or draft.phase is not Phase.LEARNING:
            return None
        now = self._now
        if now is None or now.gtin != draft.gtin:
            return Learning(None, None)
        spent = time.monotonic() - now.since
        left = spent * (1 - now.share) / now.share if now.share >= _TELL_EVERY else None
        return Learning(now.share, left)

    def wake(self) -> None:
        """A draft waits for its cracks to be learned."""
        self._wake.set()

    async def stop(self, gtin: str) -> None:
        """The profile that stands goes on standing."""
        await self._settle(gtin, Phase.QUICK, only=Phase.LEARNING)
        if self._now is not None and self._now.gtin == gtin:
            self._now.task.cancel()

    async def again(self, gtin: str) -> None:
        """Learn from the pictures that were enrolled."""
        await self._settle(gtin, Phase.LEARNING)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self._count_restarts)
        while True:
            self._wake.clear()
            drafts = await asyncio.to_thread(self._drafts.all)
            waiting = [draft for draft in drafts if draft.phase is Phase.LEARNING]
            if waiting:
                await self._learn(waiting[0])
            else:
                await self._wake.wait()

    def _count_restarts(self) -> None:
        """What was being learned when the last process ended begins again; what ended it every
        time is not tried for ever.
        """
        for draft in self._drafts.all():
            if draft.phase is Phase.LEARNING:
                self._drafts.change(draft.gtin, _restarted)

    async def _learn(self, draft: Draft) -> None:
        """Ends with the draft in another phase than LEARNING, or with this job cancelled."""
        try:
            await self._refine(draft)
        except LearningFailedError as error:
            await self._settle(draft.gtin, Phase.QUICK, error.reason, only=Phase.LEARNING)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        except (TallymanError, OSError) as error:
            log.warning("cracks not learned", gtin=draft.gtin, why=str(error))
            reason = Reason("enrol_failed", {"why": str(error)})
            await self._settle(draft.gtin, Phase.QUICK, reason, only=Phase.LEARNING)
        finally:
            self._now = None

    async def _refine(self, draft: Draft) -> None:
        try:
            base = await asyncio.to_thread(self._drafts.profile, draft)
        except TallymanError as error:
            raise LearningFailedError(Reason("enrol_profile_gone")) from error
        refined = await self._learned(draft, base)
        async with self.one_at_a_time:
            newest = await asyncio.to_thread(self._drafts.find, draft.gtin)
            if newest is None or newest.phase is not Phase.LEARNING:
                return
            whole = await asyncio.to_thread(self._taught_too, draft.gtin, base, refined)
            await self._make_candidate(newest.of_enrolled(), whole, newest.operator)
            await self._settle(draft.gtin, Phase.DONE, profile=whole.digest)

    def _taught_too(self, gtin: str, base: Profile, refined: Profile) -> Profile:
        """`refined` with the lessons that were taught since the enrolment: none is lost."""
        newest = self._candidates.candidate(gtin) or self._candidates.signed(gtin)
        if newest is None or newest.facts.enrolled.items != base.facts.enrolled.items:
            raise LearningFailedError(Reason("enrol_profile_gone"))
        return self._teach_again(refined, newest.facts.lessons)

    async def _learned(self, draft: Draft, base: Profile) -> Profile:
        shots = [
            Shot(str(self._drafts.path(draft, picture)), str(picture.item))
            for picture in draft.of_enrolled().pictures
        ]
        if not shots:
            raise LearningFailedError(Reason("enrol_pictures_gone"))
        task = asyncio.create_task(
            self._learner.learn(base, shots, progress=lambda share: self._tell(draft.gtin, share))
        )
        self._now = _Now(draft.gtin, task, since=time.monotonic())
        try:
            await self._publish(draft.gtin)
            return await task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TallymanError, OSError):
                await task

    def _tell(self, gtin: str, share: float) -> None:
        now = self._now
        if now is None or now.gtin != gtin:
            return
        before, now.share = now.share, min(1.0, max(now.share, share))
        if int(before / _TELL_EVERY) != int(now.share / _TELL_EVERY):
            self._telling = asyncio.ensure_future(self._publish(gtin))

    async def _settle(
        self,
        gtin: str,
        phase: Phase,
        trouble: Reason | None = None,
        *,
        only: Phase | None = None,
        profile: str = "",
    ) -> None:
        def settled(draft: Draft) -> Draft:
            if only is not None and draft.phase is not only:
                return draft
            digest = profile or draft.profile
            return replace(draft, phase=phase, trouble=trouble, profile=digest, restarts=0)

        if await asyncio.to_thread(self._drafts.find, gtin) is None:
            return
        await asyncio.to_thread(self._drafts.change, gtin, settled)
        await self._publish(gtin)


def _restarted(draft: Draft) -> Draft:
    if draft.restarts < _MOST_RESTARTS:
        return replace(draft, restarts=draft.restarts + 1)
    return replace(draft, phase=Phase.QUICK, trouble=Reason("enrol_cut_off"), restarts=0)
