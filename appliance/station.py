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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from appliance.cartons.view import CartonView
from appliance.desk import CartonCard
from appliance.edge.card import card_of
from appliance.goods import GoodsJudge, Looked
from appliance.judge import BatchTally, batch_of, drawn_for_audit, is_held, judge, product_of
from appliance.outside import Outside
from appliance.pinning.stages import GoodsStage, Read, ReadingStage
from appliance.station_parts import StationParts
from appliance.station_pictures import INSPECT, LABEL, CartonPictures
from contracts.asn import Expectations
from contracts.errors import ArtefactRefusedError, JournalError, TallymanError
from contracts.events import CartonJudged
from contracts.reading import LabelReading
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict

READ = "read"
# More frames than these cost time and add little: the tracker keeps the sharpest.
LABEL_FRAMES = 3

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Judged:
    """A carton whose verdict is durable and told, with what it was judged from."""

    view: CartonView
    body: CartonJudged
    expectations: Expectations
    looked: Looked
    elapsed_ms: float
    read_cpu_ms: float = 0.0
    """As Read.cpu_ms; that of the goods is with `looked`."""


class Station:
    """Judges cartons one after the other. `stopped_because` is set while the journal is full."""

    def __init__(self, name: str, parts: StationParts) -> None:
        self.name = name
        self._parts = parts
        self.stopped_because = ""
        self.commit_ms: deque[float] = deque(maxlen=200)
        """How long the last verdicts took to become durable."""
        self._frozen_here: set[BatchKey] = set()
        goods = GoodsJudge(parts.sets, parts.profiles, parts.book, watch_for=parts.watch_for)
        self._goods = GoodsStage(goods, parts.pins)
        self._labels = ReadingStage(parts.sets, parts.pins)
        self._pictures = CartonPictures(parts.evidence)
        self._turn = asyncio.Lock()
        self.begun = 0
        """Cartons whose judging began."""
        self.judged: Callable[[Judged], None] = lambda _: None
        """Hears of each carton after its verdict is told: a candidate may look at it too."""

    @property
    def here(self) -> StationParts:
        """What this station is made of."""
        return self._parts

    async def between_cartons(self, change: Callable[[], None]) -> None:
        """Change what judges while no carton is being judged: none is judged by halves (I3)."""
        async with self._turn:
            change()

    def remember_frozen(self, batch: BatchKey) -> None:
        """A batch frozen here is held here at once, also before the hub says so (I1, I6)."""
        self._frozen_here.add(batch)

    def _expected_now(self) -> Expectations:
        """What the hub expects, and what this station froze that the hub does not tell yet. Once
        it does, the hold is the hub's to lift.
        """
        expectations = self._parts.expectations()
        self._parts.pins.learn(expectations)
        self._frozen_here.difference_update(expectations.held)
        return replace(expectations, held=(*expectations.held, *sorted(self._frozen_here)))

    async def judge_carton(self, view: CartonView) -> CartonCard:
        """From frames to durable verdict, lane and card.

        Raises JournalError when the verdict or its pictures could not be kept: the lane has
        then been told review, and the station says that it stopped.
        """
        async with self._turn:
            self.begun += 1
            return await self._judge_now(view)

    async def _judge_now(self, view: CartonView) -> CartonCard:
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
        self._parts.sets.counted(body.model_sets, failed=(READ,), late=False)
        await self._keep(body)
        await self._tell_lane(view, verdict.decision)
        return card_of(body, at=view.closed_at, expectations=expectations)

    async def _judge(self, view: CartonView) -> CartonCard:
        started = time.perf_counter()
        parts = self._parts
        expectations = self._expected_now()

        faults = list(view.faults)
        read, label_evidence = await self._read(view, expectations, faults)
        reading = read.reading if read else None
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
        body = self._body(view, expectations, verdict, read, looked, evidence)
        body = replace(body, condition=outside.condition)
        await self._keep(body)
        if verdict.freezes is not None:
            self.remember_frozen(verdict.freezes)
        await self._tell_lane(view, verdict.decision)
        elapsed_ms = 1000 * (time.perf_counter() - started)
        late = elapsed_ms > parts.budget_ms
        read_cpu_ms = read.cpu_ms if read else 0.0
        work = {READ: read_cpu_ms, INSPECT: looked.cpu_ms}
        parts.sets.counted(body.model_sets, failed=_failed(faults), late=late, cpu_ms=work)
        self.judged(Judged(view, body, expectations, looked, elapsed_ms, read_cpu_ms))
        return card_of(
            body,
            at=datetime.fromtimestamp(stamp.at_us / 1e6, tz=view.opened_at.tzinfo),
            expectations=expectations,
            elapsed_ms=elapsed_ms,
        )

    def _body(
        self,
        view: CartonView,
        expectations: Expectations,
        verdict: Verdict,
        read: Read | None,
        looked: Looked,
        evidence: tuple[Evidence, ...],
    ) -> CartonJudged:
        sets = self._parts.sets
        reads = read or sets.reader
        inspector = sets.inspector
        inspects = inspector.variant_of(looked.parts) if looked.parts else inspector.variant
        return CartonJudged(
            carton_id=view.carton_id,
            station=self.name,
            session=expectations.session,
            opened_at=view.opened_at,
            opened_by=view.opened_by,
            verdict=verdict,
            reading=read.reading if read else None,
            inspection=looked.inspection,
            candidate=looked.candidate,
            evidence=evidence,
            model_sets={READ: reads.model_set, **looked.model_sets(inspector)},
            variant=_variant(reads.variant, inspects),
            frames=sum(len(frames) for frames in view.frames.values()),
            name=view.name,
            under=looked.under,
        )

    async def _read(
        self, view: CartonView, expectations: Expectations, faults: list[Reason]
    ) -> tuple[Read | None, list[Evidence]]:
        frames = view.frames.get(LABEL, ())[:LABEL_FRAMES]
        if not frames:
            return None, []

        async def read() -> Read | None:
            try:
                return await self._labels.read(
                    frames, expectations.lines, session=expectations.session
                )
            except ArtefactRefusedError as error:
                log.warning("no reader for the session", session=expectations.session, why=error)
                faults.append(Reason("pinned_reader_gone"))
            except OSError:
                raise
            except Exception:
                log.warning("reader failed", carton=view.carton_id, exc_info=True)
                faults.append(Reason("engine_failed", {"engine": "reader"}))
            return None

        return await asyncio.gather(read(), asyncio.to_thread(self._pictures.frames, LABEL, frames))

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
        evidence = await asyncio.to_thread(self._pictures.frames, INSPECT, frames)
        batch, sure = batch_of(reading, expectations)
        gtin = product_of(reading, expectations)
        if gtin is None:
            return Looked(), evidence
        try:
            looked = await self._goods.look(
                frames[0], gtin, batch=batch if sure else None, session=expectations.session
            )
        except OSError:
            raise
        except Exception:
            log.warning("inspector failed", carton=view.carton_id, exc_info=True)
            faults.append(Reason("engine_failed", {"engine": "inspector"}))
            return Looked(), evidence
        faults += looked.faults
        if looked.shown is not None:
            evidence += await asyncio.to_thread(self._pictures.heat, looked.shown, frames[0])
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
        return outside, await asyncio.to_thread(self._pictures.outside, outside, frames[0])

    def _tally(
        self, reading: LabelReading | None, looked: Looked, expectations: Expectations
    ) -> BatchTally | None:
        batch, sure = batch_of(reading, expectations)
        if batch is None or not sure or is_held(batch, expectations.held) or not looked.profile:
            return None
        counted = self._parts.book.counting(batch, looked.inspection, looked.under)
        if counted is None:
            return None
        percent = self._parts.policy.freeze_percent
        needed = None
        if looked.by_profile:
            needed = self._parts.needed_to_freeze(looked.profile, counted.judged, percent)
        return BatchTally(counted.judged, counted.defective, needed, percent, steady=looked.steady)

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


def _failed(faults: Iterable[Reason]) -> list[str]:
    """The uses whose engine raised instead of answering."""
    engines = [each.params.get("engine") for each in faults if each.code == "engine_failed"]
    return [use for engine, use in (("reader", READ), ("inspector", INSPECT)) if engine in engines]


def _variant(reads: str, inspects: str) -> str:
    """What a result names: one engine, or the reader's and the inspector's where they differ."""
    return reads if reads == inspects else f"{reads}+{inspects}"
