"""What waits for a yes, what was done, what ran then; and site acceptance side by side."""

from __future__ import annotations

import httpx
import pytest

from appliance.ota.console.acceptance import figures, sides
from erp_link.service.judging.compared import BoxWords, Compared
from ota.rollout.plan import Plan
from tests.support.pages import CSRF
from tests.support.updates import READER, READER_NEW, Updates, rolling, side_by_side

FORM = {"csrf_token": CSRF}


async def test_everything_that_waits_for_a_person_is_in_one_place(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    updates.desk.draft(Plan("read", READER_NEW, why="better"), by="ida")
    text = (await client.get("/ota/approvals?lang=en")).text
    for words in ("R-7", "label_reader 1.3.0", "defect_backbone 1.2.0", "box-21", "SN-7781"):
        assert words in text, words
    assert "enrolled on SN-1142" in text


async def test_a_box_is_let_in_by_its_key_or_turned_away_with_a_reason(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    key_id = updates.devices.at_the_door[0].key_id
    asked = FORM | {"device": "box-21", "key_id": key_id}
    assert (await client.post("/ota/approvals/turn-away", data=asked)).status_code == 409
    await client.post("/ota/approvals/turn-away", data=asked | {"why": "not ours"})
    await client.post("/ota/approvals/let-in", data=asked)
    moved = FORM | {"device": "box-10", "key_id": key_id, "new_machine": "yes"}
    await client.post("/ota/approvals/let-in", data=moved)
    assert updates.devices.asked == [
        ("refuse", "box-21", key_id, "mara", "not ours"),
        ("approve", "box-21", key_id, "mara", "False"),
        ("approve", "box-10", key_id, "mara", "True"),
    ]
    updates.sets.records = []
    assert "Nothing waits for a yes" in (await client.get("/ota/approvals?lang=en")).text


async def test_the_audit_says_who_did_what_and_finds_it_by_word(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    rolling(updates)
    text = (await client.get("/ota/audit?lang=en")).text
    for words in ("Model set approved", "Drafted", "Locked out", "stolen from the yard", "ida"):
        assert words in text, words
    found = (await client.get("/ota/audit?q=stolen&lang=en")).text
    assert "1 of" in found
    assert "Model set approved" not in found.split('id="list"')[1].split("</nav>")[1]
    people = (await client.get("/ota/audit?kind=people&lang=en")).text
    assert "Boxes of a wave fetch it" not in people


async def test_what_ran_at_a_moment_is_told_as_the_boxes_told_it(
    client: httpx.AsyncClient,
) -> None:
    now = (await client.get("/ota/audit?at=2099-01-01T00:00&lang=en")).text
    assert "label_reader 1.2.0" in now.split("What ran at a moment")[1]
    long_ago = (await client.get("/ota/audit?at=2020-01-01T00:00&lang=en")).text
    assert "No box told of anything" in long_ago
    assert (await client.get("/ota/audit?at=yesterday")).status_code == 200


def told(said: str, stood: str, frames: int, *, harmful: int = 0, device: str = "a") -> Compared:
    return Compared(device, READER_NEW, READER, said, stood, frames, harmful, 1, 0, 100.0)


def test_both_sides_are_counted_on_the_same_frames() -> None:
    rows = [
        told("accept", "accept", 90),
        told("accept", "review", 6),
        told("review", "accept", 3, harmful=3, device="b"),
        told("", "accept", 1),
        Compared("a", READER, READER_NEW, "accept", "accept", 500, 0, 0, 0, 90.0),
    ]
    both = sides(rows, READER_NEW)
    assert both.frames == 100, "the watch after it went live is another story"
    assert (both.running.passed.hits, both.candidate.passed.hits) == (94, 96)
    assert (both.running.left.hits, both.candidate.left.hits) == (6, 3)
    assert both.candidate.rejected.hits == 0
    assert (both.alike.hits, both.harmful.hits) == (90, 3)
    assert [(box.device, box.harmful.hits) for box in both.boxes] == [("a", 0), ("b", 3)]


def test_nothing_judged_is_no_figure() -> None:
    empty = sides([], READER_NEW)
    assert empty.frames == 0
    assert empty.candidate.passed.value is None
    assert empty.candidate.elapsed_ms is None


def test_a_new_box_stands_beside_the_others_with_bounds() -> None:
    words = [BoxWords("new", "pass", 9), BoxWords("new", "review", 3), BoxWords("old", "pass", 900)]
    new, old = figures(words)
    assert (new.cartons, new.left.hits) == (12, 3)
    assert new.passed.high - new.passed.low > old.passed.high - old.passed.low


async def test_a_candidate_is_seen_beside_the_running_set_with_pictures(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    assert "No set is being tried" in (await client.get("/ota/acceptance?lang=en")).text
    name = rolling(updates)
    assert "has judged no frame yet" in (await client.get(f"/ota/acceptance/{name}?lang=en")).text
    side_by_side(updates, "ab" * 32)
    text = (await client.get(f"/ota/acceptance/{name}?lang=en")).text
    assert "838 frames" in text
    assert "95.0 %" in text
    assert "98.3 %" in text
    assert f"/evidence/{'ab' * 32}" in text
    assert "harmful disagreement" in text
    assert "keyed in" in text
    some = (await client.get(f"/ota/acceptance/{name}?box=box-18&said=review&stood=accept")).text
    assert some.count('<li class="ota-carton-harm"') == 1


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_page_is_whole_in_both_languages(
    client: httpx.AsyncClient, updates: Updates, language: str
) -> None:
    name = rolling(updates)
    side_by_side(updates)
    hex_of = READER_NEW.removeprefix("sha256:")
    for address in (
        "/ota",
        "/ota/boxes/box-05",
        "/ota/rollouts",
        f"/ota/rollouts/{name}",
        "/ota/rollouts/new",
        "/ota/sets",
        f"/ota/sets/{hex_of}",
        "/ota/acceptance",
        f"/ota/acceptance/{name}",
        "/ota/approvals",
        "/ota/audit",
    ):
        answer = await client.get(f"{address}?lang={language}")
        assert answer.status_code == 200, address
        assert "<script>" not in answer.text
        assert 'style="' not in answer.text
