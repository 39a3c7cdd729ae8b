"""The whole story of one carton, in one file (I1, I2, I4, I6, I7).

Frames come in with the carton they belong to; they are read against what was announced, the goods
are looked at, the verdict is judged, kept durably in the device's journal, and only then told to
the lane, the page and (through the uplink, which listens to the journal) the hub. Whatever fails
on the way, the carton goes to review: nothing is accepted that is not on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import structlog

from appliance.cameras.frame import Frame
from appliance.cartons.view import CartonView
from appliance.desk import CartonCard
from appliance.edge.card import card_of
from appliance.goods import GoodsJudge, Looked
from appliance.judge import BatchTally, batch_of, drawn_for_audit, is_held, judge, product_of
from appliance.outside import Outside
from appliance.station_parts import StationParts
from contracts.asn import Expectations
from contracts.errors import JournalError, TallymanError
from contracts.events import CartonJudged
from contracts.reading import LabelReading
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from vision.defects.evidence import heatmap_jpeg
from vision.defects.inspector import Inspected

LABEL, INSPECT = "label", "inspect"
# More frames than these cost time and add little: the tracker keeps the sharpest.
_LABEL_FRAMES = 3

log = structlog.get_logger()


class Station:
    """Judges cartons one after the other. `stopped_because` is set while the journal is full."""

    def __init__(self, name: str, parts: StationParts) -> None:
        self.name = name
        self._parts = parts
        self.stopped_because = ""
        self.commit_ms: deque[float] = deque(maxlen=200)
        """How long the last verdicts took to become durable."""
        self._frozen_here: set[BatchKey] = set()
        self._goods = GoodsJudge(
            parts.inspector, parts.profiles, parts.book, watch_for=parts.watch_for
        )

    def remember_frozen(self, batch: BatchKey) -> None:
        """A batch frozen here is held here at once, also before the hub says so (I1, I6)."""
        self._frozen_here.add(batch)

    def _expected_now(self) -> Expectations:
        """What the hub expects, and what this station froze that the hub does not tell yet. Once
        it does, the hold is the hub's to lift.
        """
        expectations = self._parts.expectations()
        self._frozen_here.difference_update(expectations.held)
        return replace(expectations, held=(*expectations.held, *sorted(self._frozen_here)))

    async def judge_carton(self, view: CartonView) -> CartonCard:
        """From frames to durable verdict, lane and card.

        Raises JournalError when the verdict or its pictures could not be kept: the lane has
        then been told review, and the station says that it stopped.
        """
        try:
            card = await self._judge(view)
        except (JournalError, OSError) as error:
            if not self.stopped_because:
                log.warning("station stopped: the disk does not take it", station=self.name)
            self.stopped_because = str(error)
            await self._tell_lane(view, Decision.REVIEW)
            if isinstance(error, JournalError):
                raise
            raise JournalError(
                f"The pictures of {view.carton_id} could not be kept: {error.strerror}",
                mend="Check the disk under the data folder",
            ) from error
        except Exception:
            log.warning("carton could not be judged", carton=view.carton_id, exc_info=True)
            card = await self._set_aside(view)
        if self.stopped_because:
            log.info("the disk takes entries again", station=self.name)
        self.stopped_because = ""
        return card

    async def _set_aside(self, view: CartonView) -> CartonCard:
        """Record a carton that nothing could be said about."""
        expectations = self._parts.expectations()
        verdict = Verdict(Decision.REVIEW, (Reason("engine_failed", {"engine": "station"}),))
        body = self._body(view, expectations, verdict, None, Looked(), ())
        await self._keep(body)
        await self._tell_lane(view, verdict.decision)
        return card_of(body, at=view.closed_at, expectations=expectations)

    async def _judge(self, view: CartonView) -> CartonCard:
        started = time.perf_counter()
        parts = self._parts
        expectations = self._expected_now()

        faults = list(view.faults)
        reading, label_evidence = await self._read(view, expectations, faults)
        (looked, goods_evidence), (outside, outside_evidence) = await asyncio.gather(
            self._inspect(view, reading, expectations, faults),
            self._look_outside(view, reading, expectations, faults),
        )

        stamp = parts.journal.time()
        today = datetime.fromtimestamp(stamp.at_us / 1e6, parts.time_zone).date()
        verdict = judge(
            reading,
            looked.inspection,
            expectations=expectations,
            today=today,
            clock_is_sure=stamp.trusted and parts.clock_is_kept(),
            policy=parts.policy,
            tally=self._tally(reading, looked, expectations),
            condition=outside.condition,
            condition_may_hold=outside.may_hold,
            faults=faults,
            audit=drawn_for_audit(view.carton_id, parts.policy.audit_one_in),
        )
        evidence = (*label_evidence, *goods_evidence, *outside_evidence)
        body = self._body(view, expectations, verdict, reading, looked, evidence)
        body = replace(body, condition=outside.condition)
        await self._keep(body)
        if verdict.freezes is not None:
            self.remember_frozen(verdict.freezes)
        await self._tell_lane(view, verdict.decision)
        return card_of(
            body,
            at=datetime.fromtimestamp(stamp.at_us / 1e6, tz=view.opened_at.tzinfo),
            expectations=expectations,
            elapsed_ms=1000 * (time.perf_counter() - started),
        )

    def _body(
        self,
        view: CartonView,
        expectations: Expectations,
        verdict: Verdict,
        reading: LabelReading | None,
        looked: Looked,
        evidence: tuple[Evidence, ...],
    ) -> CartonJudged:
        parts = self._parts
        return CartonJudged(
            carton_id=view.carton_id,
            station=self.name,
            session=expectations.session,
            opened_at=view.opened_at,
            opened_by=view.opened_by,
            verdict=verdict,
            reading=reading,
            inspection=looked.inspection,
            candidate=looked.candidate,
            evidence=evidence,
            model_sets={"read": parts.reader.model_set, **looked.model_sets(parts.inspector)},
            variant=_variant(parts.reader.variant, parts.inspector.variant),
            frames=sum(len(frames) for frames in view.frames.values()),
            name=view.name,
        )

    async def _read(
        self, view: CartonView, expectations: Expectations, faults: list[Reason]
    ) -> tuple[LabelReading | None, list[Evidence]]:
        frames = view.frames.get(LABEL, ())[:_LABEL_FRAMES]
        if not frames:
            return None, []

        def read() -> LabelReading | None:
            images = [frame.image for frame in frames]
            try:
                return self._parts.reader.read(images, expectations.lines, name=frames[0].name)
            except Exception:
                log.warning("reader failed", carton=view.carton_id, exc_info=True)
                faults.append(Reason("engine_failed", {"engine": "reader"}))
                return None

        return await asyncio.gather(
            asyncio.to_thread(read), asyncio.to_thread(self._store, LABEL, frames)
        )

    async def _inspect(
        self,
        view: CartonView,
        reading: LabelReading | None,
        expectations: Expectations,
        faults: list[Reason],
    ) -> tuple[Looked, list[Evidence]]:
        frames = view.frames.get(INSPECT, ())[:1]
        if not frames:
            return Looked(), []
        evidence = await asyncio.to_thread(self._store, INSPECT, frames)
        batch, sure = batch_of(reading, expectations)
        try:
            looked = await asyncio.to_thread(
                self._goods.look,
                frames[0],
                gtin=product_of(reading, expectations),
                batch=batch if sure else None,
                session=expectations.session,
            )
        except OSError:
            raise
        except Exception:
            log.warning("inspector failed", carton=view.carton_id, exc_info=True)
            faults.append(Reason("engine_failed", {"engine": "inspector"}))
            return Looked(), evidence
        faults += looked.faults
        if looked.shown is not None:
            evidence += await asyncio.to_thread(self._store_heat, looked.shown, frames[0])
        return looked, evidence

    async def _look_outside(
        self,
        view: CartonView,
        reading: LabelReading | None,
        expectations: Expectations,
        faults: list[Reason],
    ) -> tuple[Outside, list[Evidence]]:
        frames = view.frames.get(LABEL, ())[:1]
        if not frames or self._parts.outside is None:
            return Outside(), []
        gtin = product_of(reading, expectations)
        try:
            outside = await asyncio.to_thread(
                self._parts.outside.look, frames[0], gtin=gtin, reading=reading
            )
        except Exception:
            log.warning("carton's outside not judged", carton=view.carton_id, exc_info=True)
            faults.append(Reason("engine_failed", {"engine": "condition"}))
            return Outside(), []
        faults += outside.faults
        if not outside.regions:
            return outside, []
        return outside, await asyncio.to_thread(self._store_outside, outside, frames[0])

    def _tally(
        self, reading: LabelReading | None, looked: Looked, expectations: Expectations
    ) -> BatchTally | None:
        batch, sure = batch_of(reading, expectations)
        if batch is None or not sure or is_held(batch, expectations.held) or not looked.profile:
            return None
        counted = self._parts.book.counting(batch, looked.inspection)
        if counted is None:
            return None
        percent = self._parts.policy.freeze_percent
        needed = None
        if looked.by_profile:
            needed = self._parts.needed_to_freeze(looked.profile, counted.judged, percent)
        return BatchTally(counted.judged, counted.defective, needed, percent, steady=looked.steady)

    def _store_heat(self, seen: Inspected, frame: Frame) -> list[Evidence]:
        picture = heatmap_jpeg(frame.image, seen.heatmap, regions=seen.inspection.regions)
        heat = self._parts.evidence.put(picture)
        return [_evidence("heatmap", heat, frame)]

    def _store_outside(self, outside: Outside, frame: Frame) -> list[Evidence]:
        nothing = np.zeros(frame.image.shape[:2], np.float32)
        picture = heatmap_jpeg(frame.image, nothing, regions=outside.regions)
        return [_evidence("condition", self._parts.evidence.put(picture), frame)]

    def _store(self, kind: str, frames: Sequence[Frame]) -> list[Evidence]:
        return [_evidence(kind, self._parts.evidence.put(frame.jpeg), frame) for frame in frames]

    async def _keep(self, body: CartonJudged) -> None:
        began = time.perf_counter()
        entry = await self._parts.journal.append(body)
        self._parts.book.take(body, entry.seq)
        self.commit_ms.append(1000 * (time.perf_counter() - began))

    async def _tell_lane(self, view: CartonView, decision: Decision) -> None:
        if self._parts.lane is None:
            return
        try:
            await self._parts.lane.publish(view.carton_id, decision, opened_at=view.opened_at)
        except TallymanError as error:
            # The diverter's default lane is review; the verdict itself is safe in the journal.
            log.warning("lane output failed", carton=view.carton_id, error=str(error))


def _variant(reads: str, inspects: str) -> str:
    """What a result names: one engine, or the reader's and the inspector's where they differ."""
    return reads if reads == inspects else f"{reads}+{inspects}"


def _evidence(kind: str, sha256: str, frame: Frame) -> Evidence:
    media_type = frame.media_type if kind in (LABEL, INSPECT) else "image/jpeg"
    return Evidence(kind, sha256, media_type, frame.camera, frame.width_px, frame.height_px)
