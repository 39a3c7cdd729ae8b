"""The list of boxes, one box, and the stop for the whole fleet."""

from __future__ import annotations

import re

import httpx
import pytest

from appliance.web.ota.stream import stream
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from tests.support.pages import CSRF, NOW, FakeGate
from tests.support.updates import READER_NEW, Updates, many_views, rolling

FORM = {"csrf_token": CSRF}


def names(text: str) -> list[str]:
    return re.findall(r'<li id="b-([^"]+)"', text)


async def test_drift_and_trouble_stand_on_top_with_a_word(client: httpx.AsyncClient) -> None:
    text = (await client.get("/ota?lang=en")).text
    assert names(text)[:5] == ["box-09", "box-08", "box-05", "box-06", "box-03"]
    assert "Drifts" in text
    assert "should be" in text
    assert "20 boxes" in text
    assert "No report yet" in text


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("drift", {"box-03", "box-05"}),
        ("trouble", {"box-05", "box-06"}),
        ("updating", {"box-04"}),
        ("offline", {"box-07"}),
        ("locked", {"box-08", "box-09"}),
    ],
)
async def test_each_tab_lists_its_boxes(
    client: httpx.AsyncClient, show: str, expected: set[str]
) -> None:
    assert set(names((await client.get(f"/ota?show={show}")).text)) == expected


async def test_boxes_are_found_by_cell_by_set_and_by_word(client: httpx.AsyncClient) -> None:
    cell = names((await client.get("/ota?cell=dock-3")).text)
    assert cell == ["box-14", "box-18"]
    by_set = names((await client.get(f"/ota?q={READER_NEW}")).text)
    assert set(by_set) == {"box-02", "box-03", "box-04", "box-05"}
    nothing = await client.get("/ota?q=xyzzy&lang=en")
    assert names(nothing.text) == []


async def test_a_thousand_boxes_come_a_page_at_a_time(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    updates.desk.views = many_views()
    updates.devices.states = {}
    first = (await client.get("/ota?lang=en")).text
    assert len(names(first)) == 100
    assert "1000 boxes" in first
    assert "of 10" in first
    assert len(names((await client.get("/ota?show=drift")).text)) == 10
    assert len(names((await client.get("/ota?page=10")).text)) == 100


async def test_nothing_enrolled_tells_what_to_do(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    updates.desk.views, updates.devices.states = [], {}
    assert "tallyman device claim" in (await client.get("/ota?lang=en")).text
    assert "tallyman device claim" in (await client.get("/ota?lang=zh")).text


async def test_the_stop_asks_why_stops_and_is_seen_everywhere(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    rolling(updates)
    assert (await client.post("/ota/stop", data=FORM)).status_code == 422
    done = await client.post("/ota/stop", data=FORM | {"why": "misreads on line 2"})
    assert done.status_code == 303
    assert updates.desk.asked[-1] == ("stop", "mara", "misreads on line 2")
    for page in ("/ota", "/ota/rollouts", "/ota/rollouts/R-7", "/ota/boxes/box-01"):
        text = (await client.get(f"{page}?lang=en")).text
        assert "The fleet is stopped" in text, page
        assert "misreads on line 2" in text, page
    await client.post("/ota/clear-stop", data=FORM | {"why": "mended"})
    assert "The fleet is stopped" not in (await client.get("/ota?lang=en")).text


async def test_only_operations_command_and_only_from_their_own_form(
    client: httpx.AsyncClient, gate: FakeGate, updates: Updates
) -> None:
    refused = await client.post("/ota/stop", data={"why": "x", "csrf_token": "made up"})
    assert refused.status_code == 403
    gate.who = Viewer("vic", frozenset({"viewer"}), CSRF)
    page = await client.get("/ota?lang=en")
    assert page.status_code == 200
    assert "Stop everything" not in page.text
    for address in (
        "/ota/stop",
        "/ota/clear-stop",
        "/ota/boxes/box-01/lock-out",
        "/ota/boxes/box-01/place",
        "/ota/boxes/box-08/readmit",
        "/ota/rollouts",
        "/ota/approvals/let-in",
    ):
        assert (await client.post(address, data=FORM | {"why": "x"})).status_code == 403, address
    assert (await client.get("/ota/rollouts/new")).status_code == 403
    assert updates.desk.asked == []
    assert updates.devices.asked == []


async def test_one_box_tells_what_it_runs_ran_and_should_run(client: httpx.AsyncClient) -> None:
    text = (await client.get("/ota/boxes/box-03?lang=en")).text
    for words in ("label_reader 1.2.0", "should be", "goes back to", "What ran when", "11.5 GiB"):
        assert words in text, words
    assert "judges open batches" in text
    assert (await client.get("/ota/boxes/box-99")).status_code == 404
    silent = (await client.get("/ota/boxes/box-10?lang=zh")).text
    assert "尚未上报" in silent


async def test_a_box_is_placed_locked_out_and_let_in_again_with_a_reason(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    await client.post("/ota/boxes/box-01/place", data=FORM | {"cell": "line-7", "site": "Bremen"})
    assert updates.desk.asked[-1] == ("place", "box-01", "line-7", "Bremen", "mara")
    assert (await client.post("/ota/boxes/box-01/lock-out", data=FORM)).status_code == 409
    await client.post("/ota/boxes/box-01/lock-out", data=FORM | {"why": "stolen"})
    await client.post("/ota/boxes/box-08/readmit", data=FORM | {"why": "log compared"})
    assert updates.devices.asked == [
        ("revoke", "box-01", "stolen", "mara"),
        ("readmit", "box-08", "log compared", "mara"),
    ]


async def test_the_stream_tells_that_something_changed(updates: Updates) -> None:
    told = stream(updates.rollouts.version, FixedClock(NOW), beat_s=0)
    assert "event: beat" in await anext(told)
    assert "event: beat" in await anext(told)
    rolling(updates)
    assert "event: ota" in await anext(told)
    assert "event: beat" in await anext(told)
    await told.aclose()
