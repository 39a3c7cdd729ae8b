"""Goods judged again from the frames that were kept, when the hub asks (I3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from appliance.pinning.open_frames import open_frames
from appliance.pinning.rejudging import Rejudger
from contracts.events import CartonRejudged
from contracts.inspection import InspectDecision
from contracts.judging import Pin, RejudgeTask, Watermark, judge_digest
from tests.support.docks import DELIVERY, LINE, Dock, PaperInspector, carton, frame, paper_profile
from tests.support.enrolling import jpeg

PASS, DEFECT = InspectDecision.PASS, InspectDecision.DEFECT
PARTS = {"inspect": PaperInspector.model_set, "profile": "second"}
PIN = Pin(LINE.key, 2, judge_digest(PARTS), PARTS)


@pytest.fixture
def asked(dock) -> Callable:
    """A dock that judged one carton and is asked to judge it again under another generation."""

    async def make(*, pin: Pin = PIN, patience_s: float = 900.0, **said) -> tuple[Dock, Rejudger]:
        d = dock(inspector=PaperInspector(PASS, **said))
        view = carton()
        picture = replace(frame("inspect"), jpeg=jpeg(np.full((240, 320, 3), 128, np.uint8)))
        await d.station.judge_carton(replace(view, frames={**view.frames, "inspect": (picture,)}))
        seen = next(e for e in d.bodies()[0].evidence if e.kind == "inspect")
        d.delivery = replace(DELIVERY, rejudge=(RejudgeTask("C1", "dock-1", pin, seen.sha256),))
        return d, rejudger(d, patience_s)

    return make


def rejudger(d: Dock, patience_s: float = 900.0) -> Rejudger:
    async def idle() -> None:
        pass

    return Rejudger(
        "dock-1",
        d.station.here,
        d.journal,
        d.evidence,
        expectations=lambda: d.delivery,
        idle=idle,
        patience_s=patience_s,
    )


def answers(d: Dock) -> list[CartonRejudged]:
    return [body for body in d.bodies() if isinstance(body, CartonRejudged)]


async def test_a_carton_is_judged_again_by_the_new_generations_judge(asked) -> None:
    d, again = await asked(second=DEFECT)
    d.profiles.keep(paper_profile("second"))
    await again.work()
    (said,) = answers(d)
    assert said.under == Watermark(PIN.judge, 2)
    assert (said.decision, said.inspection.profile) == (DEFECT, "second")
    assert said.model_sets == {"inspect": PaperInspector.model_set}
    assert [e.kind for e in said.evidence] == ["heatmap"]


async def test_a_task_is_answered_once_also_over_a_restart(asked) -> None:
    d, again = await asked()
    d.profiles.keep(paper_profile("second"))
    await again.work()
    await again.work()
    after = rejudger(d)
    after._remember()
    await after.work()
    assert len(answers(d)) == 1


async def test_a_profile_that_comes_later_is_waited_for(asked) -> None:
    d, again = await asked()
    await again.work()
    assert answers(d) == []
    d.profiles.keep(paper_profile("second"))
    await again.work()
    assert answers(d)[0].decision is PASS


async def test_a_set_that_never_comes_leaves_the_goods_to_a_person(asked) -> None:
    d, again = await asked(patience_s=0.0)
    await again.work()
    (said,) = answers(d)
    assert said.inspection is None
    assert said.decision is InspectDecision.REVIEW
    assert [reason.code for reason in said.reasons] == ["pinned_set_gone"]


async def test_a_frame_that_is_gone_leaves_the_goods_to_a_person(asked) -> None:
    d, again = await asked()
    d.evidence.path(d.delivery.rejudge[0].picture).unlink()
    await again.work()
    (said,) = answers(d)
    assert said.inspection is None
    assert [reason.code for reason in said.reasons] == ["rejudge_frame_gone"]


async def test_a_pin_whose_sets_are_not_its_judge_is_refused(asked) -> None:
    d, again = await asked(pin=replace(PIN, judge="sha256:else"), patience_s=0.0)
    d.profiles.keep(paper_profile("second"))
    await again.work()
    assert [reason.code for reason in answers(d)[0].reasons] == ["rejudge_refused"]


async def test_a_frame_that_breaks_the_engine_keeps_no_other_waiting(asked, monkeypatch) -> None:
    d, again = await asked()
    d.profiles.keep(paper_profile("second"))
    (task,) = d.delivery.rejudge
    d.delivery = replace(d.delivery, rejudge=(task, replace(task, carton_id="C2")))
    inspect = PaperInspector.inspect

    def breaks(self, image, profile, *, name: str, **more):
        if name == "C1":
            raise RuntimeError
        return inspect(self, image, profile, name=name, **more)

    monkeypatch.setattr(PaperInspector, "inspect", breaks)
    await again.work()
    broken, sound = answers(d)
    assert (broken.inspection, [reason.code for reason in broken.reasons]) == (
        None,
        ["rejudge_refused"],
    )
    assert sound.decision is PASS


async def test_another_stations_task_is_not_ours(asked) -> None:
    d, again = await asked()
    (task,) = d.delivery.rejudge
    d.delivery = replace(d.delivery, rejudge=(replace(task, station="dock-2"),))
    await again.work()
    assert answers(d) == []


async def test_frames_of_open_batches_are_known_by_the_journal(asked) -> None:
    d, _ = await asked()
    (task,) = d.delivery.rejudge
    assert open_frames(d.journal, lambda batch: batch == LINE.key, ()) == {task.picture}
    assert open_frames(d.journal, lambda _: False, ()) == frozenset()
    assert open_frames(d.journal, lambda _: False, (task,)) == {task.picture}
