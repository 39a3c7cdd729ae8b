"""Goods judged again from frames that were kept, as the hub asks (I3).

Rules: with exactly the pin's sets and from exactly the frame that is named; only while no carton is
judged; each task is answered once, in the journal, whatever the answer; a set or profile that is not
here yet is waited for, a frame that is gone is not: then a person looks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from appliance.evidence import EvidenceStore
from appliance.goods import PROFILE
from appliance.goods_ports import Profiles, Sets
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from contracts.asn import Expectations
from contracts.errors import ArtefactRefusedError, BadFrameError, JournalError
from contracts.events import KIND_OF, CartonRejudged
from contracts.inspection import InspectDecision
from contracts.judging import GOODS_PARTS, RejudgeTask, judge_digest
from contracts.reason import Reason
from contracts.stock import Evidence
from ota.judging.station import Course, Way, rejudge
from vision.defects.evidence import heatmap_jpeg
from vision.defects.inspector import Inspected
from vision.frames import decode_frame

PATIENCE_S = 900.0
"""So long a set that is not here yet may take to come; afterwards a person looks."""
_LOOK_EVERY_S = 1.0
_LOOK_BACK = 2000
log = structlog.get_logger()

_Key = tuple[str, str, int]


class Here(Protocol):
    """What judges a station's goods, and the profiles it keeps."""

    @property
    def sets(self) -> Sets: ...

    @property
    def profiles(self) -> Profiles: ...


class Rejudger:
    """Start `run` as a side job."""

    def __init__(
        self,
        station: str,
        here: Here,
        journal: Journal,
        evidence: EvidenceStore,
        *,
        expectations: Callable[[], Expectations],
        idle: Callable[[], Awaitable[None]],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._station = station
        self._here = here
        self._journal = journal
        self._evidence = evidence
        self._expectations = expectations
        self._idle = idle
        self._patience_s = patience_s
        self._done: set[_Key] = set()
        self._asked: dict[_Key, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self._remember)
        while True:
            await self.work()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def work(self) -> None:
        """Do what the hub asks for now, as far as it can be done."""
        for task in self._expectations().rejudge:
            if task.station != self._station or _key(task) in self._done:
                continue
            await self._idle()
            body = await asyncio.to_thread(self._judge, task)
            if body is None:
                continue
            try:
                await self._journal.append(body)
            except JournalError as error:
                log.warning("judged again and not recorded", carton=task.carton_id, why=str(error))
                return
            self._done.add(_key(task))
            self._asked.pop(_key(task), None)

    def _judge(self, task: RejudgeTask) -> CartonRejudged | None:
        """None while something is waited for."""
        data = self._evidence.get(task.picture)
        course = rejudge(task, self._has(task), frame_kept=data is not None)
        if course.way is Way.REVIEW or data is None:
            if data is not None and self._waits(task):
                return None
            return self._answer(task, course)
        try:
            return self._look(task, course, data)
        except (ArtefactRefusedError, BadFrameError) as error:
            log.warning("not judged again", carton=task.carton_id, why=str(error))
            refused = Reason("rejudge_refused", {"why": error.message})
            return None if self._waits(task) else self._answer(task, course, refused)
        except (JournalError, OSError):
            raise
        except Exception as error:
            # A frame that an engine cannot bear keeps none of the others waiting.
            log.warning("not judged again", carton=task.carton_id, exc_info=True)
            refused = Reason("rejudge_refused", {"why": type(error).__name__})
            return self._answer(task, course, refused)

    def _look(self, task: RejudgeTask, course: Course, data: bytes) -> CartonRejudged:
        if judge_digest(task.pin.parts) != task.pin.judge:
            raise ArtefactRefusedError(
                "The pin's sets are not its judge", mend="Open another generation of the batch"
            )
        image = decode_frame(data, name=task.carton_id)
        profile = self._here.profiles.pinned(task.pin.parts.get(PROFILE, ""))
        if profile is None:
            raise ArtefactRefusedError(
                "The pin's profile is not here", mend="Sign it for this station"
            )
        seen = self._here.sets.inspector.inspect(
            image, profile, name=task.carton_id, gtin=task.pin.batch.gtin, under=task.pin.parts
        )
        evidence: tuple[Evidence, ...] = ()
        if seen.inspection.decision is not InspectDecision.PASS:
            evidence = (self._heat(seen, data, image.shape[1], image.shape[0]),)
        return self._answer(task, course, seen=seen, evidence=evidence)

    def _heat(self, seen: Inspected, data: bytes, width: int, height: int) -> Evidence:
        image = decode_frame(data, name=seen.inspection.image)
        picture = heatmap_jpeg(image, seen.heatmap, regions=seen.inspection.regions)
        sha256 = self._evidence.put(picture)
        return Evidence("heatmap", sha256, "image/jpeg", "inspect", width, height)

    def _answer(
        self,
        task: RejudgeTask,
        course: Course,
        *more: Reason,
        seen: Inspected | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> CartonRejudged:
        said = seen.inspection if seen else None
        parts = task.pin.parts
        under = course.under
        assert under is not None  # noqa: S101 -- a rejudging has the pin's watermark, always
        inspector = self._here.sets.inspector
        return CartonRejudged(
            carton_id=task.carton_id,
            station=self._station,
            batch=task.pin.batch,
            under=under,
            decision=said.decision if said else InspectDecision.REVIEW,
            reasons=said.reasons if said else (*course.reasons, *more),
            inspection=said,
            picture=task.picture,
            model_sets={use: parts[use] for use in GOODS_PARTS if use in parts and use != PROFILE},
            variant=inspector.variant_of(parts) if said else inspector.variant,
            evidence=evidence,
        )

    def _has(self, task: RejudgeTask) -> Callable[[str], bool]:
        profile = task.pin.parts.get(PROFILE, "")

        def has(digest: str) -> bool:
            if digest == profile:
                return self._here.profiles.pinned(digest) is not None
            return self._here.sets.has(digest)

        return has

    def _waits(self, task: RejudgeTask) -> bool:
        now = time.monotonic()
        return now - self._asked.setdefault(_key(task), now) < self._patience_s

    def _remember(self) -> None:
        """What was answered before a restart and the hub may not have booked yet."""
        after = max(0, self._journal.head().seq - _LOOK_BACK)
        for entry in self._journal.entries(after, _LOOK_BACK):
            if entry.kind == KIND_OF[CartonRejudged]:
                body = decode_body(entry.kind, entry.body)
                if isinstance(body, CartonRejudged):
                    mark = body.under
                    self._done.add((body.carton_id, mark.judge, mark.generation))


def _key(task: RejudgeTask) -> _Key:
    return task.carton_id, task.pin.judge, task.pin.generation
