"""The console of updates in a real browser: live, by keys, on a phone, for a thousand boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.live.memory import MemoryLiveView
from appliance.web.app import create_app
from appliance.web.live import live_router
from appliance.web.ports import Viewer
from contracts.clock import SystemClock
from contracts.ota import BoxStep
from ota.rollout import events as e
from tests.support.pages import CSRF, FakeGate
from tests.support.updates import (
    READER_NEW,
    READER_NEXT,
    Updates,
    many_views,
    report,
    rolling,
    show,
    side_by_side,
    site,
    view,
)

pytestmark = pytest.mark.chromium


@pytest.fixture
def updates(tmp_path: Path) -> Updates:
    return site(tmp_path)


@pytest.fixture
def url(updates: Updates, serve: Callable[[Any], Any]) -> str:
    clock = SystemClock()
    app = create_app("Tallyman", clock=clock)
    gate = FakeGate(Viewer("mara", frozenset({"ops", "quality"}), CSRF))
    app.include_router(updates.router(gate))
    app.include_router(live_router(MemoryLiveView(), gate, clock=clock))
    return str(serve(app).url)


def first_wave(updates: Updates, name: str) -> list[str]:
    return [member.device for member in updates.desk.rollout(name).of_wave(0)]


def test_a_box_that_begins_to_drift_turns_red_without_being_asked(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    updates.desk.views = [view("box-01", said=report("box-01"))]
    page = open_page(f"{url}/ota")
    page.locator("#b-box-01", has_text="As desired").wait_for()
    page.locator("#line[data-state=live]").wait_for()
    updates.desk.views = [view("box-01", said=report("box-01"), wanted=READER_NEW)]
    updates.rollouts.look()
    row = page.locator("#b-box-01", has_text="Drifts")
    row.wait_for()
    assert "should be" in row.inner_text()
    colour = row.locator(".ota-differs").evaluate("each => getComputedStyle(each).color")
    assert colour == page.locator(".badge-hold").first.evaluate(
        "each => getComputedStyle(each).color"
    )
    assert page_errors == []


def test_a_thousand_boxes_are_found_by_keys(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    updates.desk.views, updates.devices.states = many_views(), {}
    page = open_page(f"{url}/ota")
    assert "1000 boxes" in page.locator("#list .count").inner_text()
    page.locator("body[data-keys=heard]").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("box-0777")
    page.locator("#b-box-0001").wait_for(state="detached")
    assert page.locator("#list .queue li").count() == 1
    assert "q=box-0777" in page.url
    page.locator("#b-box-0777 a").click()
    page.wait_for_url("**/ota/boxes/box-0777")
    assert "label_reader 1.2.0" in page.locator("#live").inner_text()
    page.goto(f"{url}/ota")
    page.select_option("select[name=cell]", "cell-08")
    page.locator("#list .count", has_text="25 of").wait_for()
    assert page_errors == []


def test_the_gates_curve_grows_while_one_looks_and_the_rollout_is_stopped_from_its_page(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    name = rolling(updates, harm=0, frames=56)
    boxes = first_wave(updates, name)
    page = open_page(f"{url}/ota/rollouts/{name}")
    page.locator("#curve[data-drawn='4'] canvas").wait_for()
    page.locator("#line[data-state=live]").wait_for()
    show(updates, name, boxes, frames=68, harm=9)
    page.locator("#curve[data-drawn='5'] canvas").wait_for()
    ink = page.evaluate(
        """() => { const c = document.querySelector("#curve canvas");
        const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let red = 0; for (let i = 0; i < d.length; i += 4)
          if (d[i + 3] > 200 && d[i] > d[i + 1] + 60 && d[i] > d[i + 2] + 60) red++;
        return red; }"""
    )
    assert ink > 100, "the evidence against it is drawn in the colour of what is held"
    page.locator(".ota-verdict", has_text="harmful disagreement, 9 of 68").wait_for()
    # The stop stays in sight, however far one scrolls.
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert page.locator(".ota-bar-do .button-stop").first.is_visible()
    assert page.locator(".ota-bar-do").bounding_box()["y"] < 120
    asking = page.locator(".ota-bar-do details", has_text="Abort")
    asking.locator("summary").click()
    asking.locator("input[name=why]").fill("reads 8 for B")
    asking.locator("button").click()
    page.locator(".ota-now", has_text="Going back").wait_for()
    assert isinstance(updates.desk.history(name)[-1].event, e.Aborted)
    assert page_errors == []


def test_a_form_that_is_open_stays_open_while_the_page_lives(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    name = rolling(updates, harm=0, frames=56)
    page = open_page(f"{url}/ota/rollouts/{name}")
    page.locator("#line[data-state=live]").wait_for()
    asking = page.locator(".ota-bar-do details", has_text="Abort")
    asking.locator("summary").click()
    asking.locator("input[name=why]").fill("half a sent")
    show(updates, name, first_wave(updates, name), frames=68, harm=0)
    page.locator("#curve[data-drawn='5'] canvas").wait_for()
    assert asking.evaluate("each => each.open")
    assert asking.locator("input[name=why]").input_value() == "half a sent"
    assert page_errors == []


def test_a_rollout_is_drafted_while_its_waves_are_in_sight(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/ota/rollouts/new")
    page.locator("#preview", has_text="Choose a model set").wait_for()
    page.select_option("select[name=candidate]", READER_NEW)
    page.locator("#preview", has_text="19 boxes in 3 waves").wait_for()
    page.fill("input[name=wave1]", "line-2")
    page.locator("#preview .ota-preview", has_text="box-05").first.wait_for()
    page.fill("input[name=wave1]", "line-3")
    page.locator("#preview", has_text="No box, cell or site is called line-3").wait_for()
    page.fill("input[name=wave1]", "line-2")
    page.locator("input[name=decide]").check()
    page.fill("input[name=why]", "reads faded labels")
    page.locator(".ota-plan-form > button").click()
    page.wait_for_url("**/ota/rollouts/R-7")
    plan = updates.desk.rollout("R-7").plan
    assert plan.waves[0].cells == ("line-2",)
    assert plan.decide
    assert page_errors == []


def test_a_set_is_found_in_its_lineage_approved_and_published(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    page = open_page(f"{url}/ota/sets")
    page.locator("a.ota-node", has_text="1.3.0").click()
    page.wait_for_url(f"**/ota/sets/{READER_NEXT.removeprefix('sha256:')}")
    page.locator("summary", has_text="Approve").click()
    page.locator("details[open] input[name=why]").fill("figures hold")
    page.locator("details[open] form button").click()
    page.locator("summary", has_text="Publish").click()
    page.locator("details[open] input[name=passphrase]").fill("correct horse")
    page.locator("details[open] form button").click()
    page.locator(".page-head .badge-accept", has_text="Published").wait_for()
    assert page_errors == []


def test_an_updating_box_says_how_far_it_is(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    said = report("box-01", step=BoxStep.FETCHING, progress_bytes=1, wanted_bytes=4, staged=())
    updates.desk.views = [view("box-01", said=said, wanted=READER_NEW)]
    page = open_page(f"{url}/ota")
    page.locator("#b-box-01", has_text="fetching 25 %").wait_for()
    page.locator("#line[data-state=live]").wait_for()
    updates.desk.views = [view("box-01", said=replace(said, progress_bytes=3), wanted=READER_NEW)]
    updates.rollouts.look()
    page.locator("#b-box-01", has_text="fetching 75 %").wait_for()
    assert page_errors == []


def test_a_phone_shows_every_page_in_both_languages(
    updates: Updates, url: str, open_page: Callable[..., Any], page_errors: list[str]
) -> None:
    name = rolling(updates)
    side_by_side(updates)
    addresses = (
        "/ota", "/ota/boxes/box-05", "/ota/rollouts", f"/ota/rollouts/{name}",
        f"/ota/rollouts/new?candidate={READER_NEW}", "/ota/sets",
        f"/ota/sets/{READER_NEXT.removeprefix('sha256:')}", "/ota/acceptance",
        f"/ota/acceptance/{name}", "/ota/approvals", "/ota/audit?at=2026-11-22T12:00",
    )  # fmt: skip
    page = open_page(f"{url}/ota", width=390, height=844)
    for language, word in (("en", "Updates"), ("zh", "更新")):
        for address in addresses:
            page.goto(f"{url}{address}{'&' if '?' in address else '?'}lang={language}")
            assert word in page.locator(".nav").inner_text(), address
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert page_errors == []
