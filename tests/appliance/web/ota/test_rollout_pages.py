"""Drafting a rollout with its boxes in sight, watching its gate, commanding it."""

from __future__ import annotations

import httpx
import pytest

from appliance.ota.console.curves import MOST, Curves
from appliance.web.ports import Viewer
from contracts.reason import Reason
from ota.rollout import events as e
from tests.support.pages import CSRF, FakeGate
from tests.support.updates import READER_BAD, READER_NEW, Updates, point, rolling, show

FORM = {"csrf_token": CSRF}
DRAFT = {
    **FORM,
    "candidate": READER_NEW,
    "why": "reads faded labels",
    "wave1": "10%",
    "wave2": "100%",
    "by": "box",
    "strata": "cell",
    "shadow": "yes",
    "certify": "yes",
    "soak": "10",
    "most_failed": "25",
}


async def test_the_form_shows_which_boxes_come_when_before_anything_happens(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    blank = (await client.get("/ota/rollouts/new?lang=en")).text
    assert "Choose a model set" in blank
    shown = (
        await client.get("/ota/rollouts/new", params={"lang": "en", "candidate": READER_NEW})
    ).text
    assert "19 boxes in 3 waves" in shown
    assert "74 frames without one bad one" in shown
    assert "Away now: 2 of its boxes" in shown
    assert updates.desk.kept == {}
    wrong = await client.get(
        "/ota/rollouts/new", params={"lang": "zh", "candidate": READER_NEW, "wave1": "box-77"}
    )
    assert wrong.status_code == 200
    assert "没有名为 box-77" in wrong.text


async def test_a_withdrawn_set_is_not_offered(client: httpx.AsyncClient) -> None:
    text = (await client.get("/ota/rollouts/new")).text
    assert READER_NEW in text
    assert READER_BAD not in text


async def test_a_draft_needs_its_reason_and_keeps_what_was_typed(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    refused = await client.post("/ota/rollouts?lang=en", data=DRAFT | {"why": "", "wave1": "15%"})
    assert refused.status_code == 422
    assert 'value="15%"' in refused.text
    assert updates.desk.kept == {}
    made = await client.post("/ota/rollouts", data=DRAFT | {"cells": "line-2", "decide": "yes"})
    assert (made.status_code, made.headers["location"]) == (303, "/ota/rollouts/R-7")
    plan = updates.desk.rollout("R-7").plan
    assert plan.scope.cells == ("line-2",)
    assert plan.decide
    assert plan.lane == "read"


async def test_who_drafted_it_does_not_approve_it(
    client: httpx.AsyncClient, gate: FakeGate, updates: Updates
) -> None:
    await client.post("/ota/rollouts", data=DRAFT)
    own = (await client.get("/ota/rollouts/R-7?lang=en")).text
    assert "whoever drafted it does not approve it" in own
    assert "/approve" not in own
    assert (await client.post("/ota/rollouts/R-7/approve", data=FORM)).status_code == 409
    gate.who = Viewer("ida", frozenset({"quality"}), CSRF)
    assert "/ota/rollouts/R-7/approve" in (await client.get("/ota/rollouts/R-7")).text
    assert (await client.post("/ota/rollouts/R-7/approve", data=FORM)).status_code == 303
    assert updates.desk.rollout("R-7").approved_by == "ida"


async def test_the_gate_is_shown_with_both_limits_and_the_worst_finding_in_words(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    name = rolling(updates, harm=24, frames=140)
    text = (await client.get(f"/ota/rollouts/{name}?lang=en")).text
    assert "Harmful: stopped." in text
    assert "Most speaks against it on box-" in text
    assert "harmful disagreement, 24 of 140 frames" in text
    assert "stops at 200" in text
    assert "each passes at 20" in text
    told = (await client.get(f"/ota/rollouts/{name}/points")).json()
    assert (told["abort_at"], told["promote_at"]) == (200.0, 20.0)
    assert told["frames"] == sorted(told["frames"])
    assert len(told["frames"]) == len(told["against"]) == len(told["good"]) > 5
    assert told["against"][-1] > 200


async def test_boxes_of_a_rollout_are_found_by_state_wave_and_name(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    name = rolling(updates)
    first = (await client.get(f"/ota/rollouts/{name}?wave=1&lang=en")).text
    assert first.count('<li id="rb-') == 3
    assert first.count("in shadow") >= 3
    one = (await client.get(f"/ota/rollouts/{name}?q=box-18")).text
    assert one.count('<li id="rb-') == 1


@pytest.mark.parametrize(
    ("command", "event"),
    [("pause", e.Paused), ("abort", e.Aborted), ("retry", e.Retried), ("skip", e.Skipped)],
)
async def test_commands_ask_why_where_it_matters_and_are_done(
    client: httpx.AsyncClient, updates: Updates, command: str, event: type
) -> None:
    name = rolling(updates)
    failed = Reason("ota_golden_differs", {"engine": "openvino-cpu"})
    updates.desk.add(name, e.SYSTEM, e.BoxFailed("box-18", failed))
    address = f"/ota/rollouts/{name}/{command}"
    if command != "retry":
        assert (await client.post(address, data=FORM)).status_code == 409
    assert (await client.post(address, data=FORM | {"why": "looked at it"})).status_code == 303
    assert isinstance(updates.desk.history(name)[-1].event, event)
    story = (await client.get(f"/ota/rollouts/{name}?lang=en")).text
    assert "mara" in story


async def test_what_may_not_be_is_said_and_changes_nothing(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    name = rolling(updates)
    await client.post(f"/ota/rollouts/{name}/abort", data=FORM | {"why": "harm"})
    again = await client.post(f"/ota/rollouts/{name}/abort?lang=en", data=FORM | {"why": "harm"})
    assert again.status_code == 409
    assert "is not under way" in again.text
    assert (await client.post(f"/ota/rollouts/{name}/explode", data=FORM)).status_code == 404
    assert (await client.get("/ota/rollouts/R-404")).status_code == 404


async def test_the_list_says_what_is_under_way_and_what_was(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    assert "Nothing was rolled out yet" in (await client.get("/ota/rollouts?lang=en")).text
    name = rolling(updates)
    text = (await client.get("/ota/rollouts?lang=zh")).text
    assert name in text
    assert "影子运行" in text
    assert name not in (await client.get("/ota/rollouts?show=done")).text


def test_a_curve_keeps_its_ends_and_stays_small(tmp_path) -> None:
    curves = Curves(tmp_path / "curves.db")
    for frames in range(1, MOST + 400):
        assert curves.note("R-7", point(frames, against=1 / frames))
    assert not curves.note("R-7", point(MOST + 399, against=1 / (MOST + 399))), "nothing new"
    kept = curves.of("R-7", 0)
    assert len(kept) <= MOST
    assert kept[0].frames == 1
    assert kept[-1].frames == MOST + 399
    assert curves.of("R-7", 1) == []
    curves.close()


def test_evidence_that_changes_with_the_same_frames_is_drawn_anew(updates: Updates) -> None:
    name = rolling(updates, harm=0, frames=60)
    boxes = [m.device for m in updates.desk.rollout(name).of_wave(0)]
    before = updates.rollouts.points(name, gate=0)
    show(updates, name, boxes, frames=56, harm=9)
    after = updates.rollouts.points(name, gate=0)
    assert len(after) == len(before)
    assert after[-1].against > before[-1].against
