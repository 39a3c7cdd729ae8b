"""A candidate looks when nobody waits, and whatever it does changes no verdict (I3)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from appliance.goods import PROFILE
from appliance.shadow.runner import WAITING, ShadowRunner
from contracts.errors import ArtefactRefusedError
from contracts.events import ShadowJudged
from contracts.inspection import InspectDecision
from contracts.ota import Shadow
from contracts.verdict import Decision
from tests.support.docks import DOUBTFUL, READ, Dock, PaperInspector, PaperReader, carton

PASS, DEFECT = InspectDecision.PASS, InspectDecision.DEFECT
READS = Shadow("R1", "read", "sha256:b")
LOOKS = Shadow("R2", "inspect", "sha256:c")


@dataclass
class Candidates:
    """Opens paper engines; those in `broken` cannot be opened."""

    reader: PaperReader = field(default_factory=PaperReader)
    inspector: PaperInspector = field(default_factory=PaperInspector)
    broken: set[str] = field(default_factory=set)
    opened: list[dict] = field(default_factory=list)

    def open(self, wanted, running=None):
        self.opened.append(dict(wanted))
        if self.broken & set(wanted.values()):
            raise ArtefactRefusedError("it does not hold")
        return SimpleNamespace(reader=self.reader, judging=self.inspector)


@dataclass
class Shadowed:
    dock: Dock
    runner: ShadowRunner
    candidates: Candidates

    def said(self) -> list[ShadowJudged]:
        return [body for body in self.dock.bodies() if isinstance(body, ShadowJudged)]

    async def until(self, there: Callable[[], bool]) -> None:
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop = self.dock.journal.listen(lambda _: loop.call_soon_threadsafe(heard.set))
        job = asyncio.ensure_future(self.runner.run())
        try:
            async with asyncio.timeout(10):
                while not there():
                    heard.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await heard.wait()
        finally:
            stop()
            job.cancel()
            with suppress(asyncio.CancelledError):
                await job


@pytest.fixture
def shadowed(dock) -> Callable[..., Shadowed]:
    def make(candidates: Candidates, **parts) -> Shadowed:
        d = dock(**parts)

        async def idle() -> None:
            await d.station.between_cartons(lambda: None)

        runner = ShadowRunner(
            candidates,
            SimpleNamespace(engines=SimpleNamespace(wanted={})),
            d.journal,
            station="dock-1",
            budget_ms=600.0,
            idle=idle,
            cartons=lambda: d.station.begun,
        )
        d.station.judged = runner.offer
        return Shadowed(d, runner, candidates)

    return make


async def test_a_candidate_that_reads_worse_is_told_frame_by_frame(shadowed) -> None:
    s = shadowed(Candidates(PaperReader(DOUBTFUL)))
    s.runner.follow((READS,))
    card = await s.dock.station.judge_carton(carton("C1"))
    await s.dock.station.judge_carton(carton("C2"))
    await s.until(lambda: len(s.said()) == 2)
    assert card.verdict.decision is Decision.ACCEPT
    first = s.said()[0]
    assert (first.carton_id, first.rollout, first.lane) == ("C1", "R1", "read")
    assert (first.said, first.stood, first.harmful) == ("review", "accept", True)
    assert (first.running, first.model_set) == ("sha256:read", "sha256:b")
    (report,) = s.runner.reports()
    assert report.signals["harm"].bad == 2


async def test_a_candidate_that_breaks_is_an_error_and_no_more(shadowed) -> None:
    s = shadowed(Candidates(PaperReader(RuntimeError("shape"))))
    s.runner.follow((READS,))
    await s.dock.station.judge_carton(carton())
    await s.until(lambda: bool(s.said()))
    (said,) = s.said()
    assert (said.said, said.harmful, said.error) == ("", False, "RuntimeError: shape")


async def test_goods_are_looked_at_under_the_candidates_sets(shadowed) -> None:
    candidate = PaperInspector(DEFECT)
    candidate.model_set = "sha256:c"
    s = shadowed(Candidates(inspector=candidate))
    s.runner.follow((LOOKS,))
    await s.dock.station.judge_carton(carton())
    await s.until(lambda: bool(s.said()))
    (said,) = s.said()
    assert (said.said, said.stood, said.harmful) == ("defect", "pass", True)
    assert said.running == PaperInspector.model_set


async def test_a_candidate_that_would_not_judge_these_goods_says_nothing_of_them(shadowed) -> None:
    s = shadowed(Candidates())
    s.runner.follow((LOOKS, READS))
    await s.dock.station.judge_carton(carton())
    await s.until(lambda: bool(s.said()))
    assert [said.lane for said in s.said()] == ["read"]
    assert s.dock.bodies()[0].under is not None
    assert PROFILE not in s.dock.bodies()[0].model_sets


async def test_a_candidate_that_never_has_anything_to_say_is_told_so_that_no_rollout_waits_for_it(
    shadowed,
) -> None:
    s = shadowed(Candidates())
    s.runner.follow((LOOKS,))
    job = asyncio.ensure_future(s.runner.run())
    async with asyncio.timeout(20):
        while not s.runner.refused:
            await s.dock.station.judge_carton(carton(f"C{s.dock.station.begun}"))
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
    assert s.runner.refused["sha256:c"].code == "candidate_judges_nothing"
    assert s.said() == []


async def test_a_candidate_that_cannot_be_opened_is_told_and_not_tried_for_a_while(
    shadowed,
) -> None:
    s = shadowed(Candidates(broken={"sha256:b"}))
    s.runner.follow((READS,))
    await s.dock.station.judge_carton(carton("C1"))
    await s.dock.station.judge_carton(carton("C2"))
    await s.until(lambda: bool(s.runner.refused))
    assert s.runner.refused["sha256:b"].code == "set_not_loaded"
    assert len(s.candidates.opened) == 1
    s.runner.follow(())
    assert s.runner.refused == {}


async def test_a_station_with_more_to_do_drops_what_candidates_would_see(shadowed) -> None:
    s = shadowed(Candidates())
    s.runner.follow((READS,))
    for number in range(WAITING + 2):
        await s.dock.station.judge_carton(carton(f"C{number}"))
    assert s.runner.dropped == 2
    await s.until(lambda: len(s.said()) == WAITING)


async def test_a_slow_candidate_delays_no_carton(shadowed) -> None:
    """The candidate's thread stands still while cartons are judged on."""
    stands = asyncio.Event()
    loop = asyncio.get_running_loop()
    release = threading.Event()

    class Slow(PaperReader):
        def read(self, frames, expected, *, name):
            loop.call_soon_threadsafe(stands.set)
            release.wait(30)
            return replace(READ, frame=name)

    s = shadowed(Candidates(Slow()))
    s.runner.follow((READS,))
    await s.dock.station.judge_carton(carton("C1"))
    job = asyncio.ensure_future(s.runner.run())
    await stands.wait()
    card = await s.dock.station.judge_carton(carton("C2"))
    assert card.verdict.decision is Decision.ACCEPT
    assert s.said() == []
    release.set()
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
