"""Teaching over ASGI: who may, what is offered, what is refused, and in both languages."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from appliance.web.ports import Viewer
from contracts.events import DefectTaught, LessonUndone
from contracts.reason import Reason
from contracts.verdict import Decision
from tests.support.pages import CSRF, card

HELD, PASSED = "C-00013", "C-00005"
PART = {"hx-request": "true"}
WORDS = "four good words here"


def lesson(kind: str = "miss", defect: str = "crack", **more: str) -> dict[str, str]:
    return {"csrf_token": CSRF, "lesson": kind, "defect": defect, **more}


async def test_a_stopped_carton_may_be_good_and_a_passed_one_may_be_defective(house, client):
    held = (await client.get("/station")).text
    assert 'data-teach="miss"' in held
    assert 'data-teach="false_alarm"' in held
    passed = (await client.get(f"/station/cartons/{PASSED}")).text
    assert 'value="miss"' in passed
    assert 'value="false_alarm"' not in passed


async def test_two_clicks_teach_and_the_page_says_so(house, client):
    dialog = await client.get(f"/station/cartons/{HELD}/teach?lesson=miss", headers=PART)
    assert "What is wrong with it?" in dialog.text
    assert dialog.text.count("data-teach-form") == 7
    said = await client.post(
        f"/station/cartons/{HELD}/teach", data=lesson(defect="dent"), headers=PART
    )
    assert said.status_code == 200
    assert "Learned: Dent" in said.text
    (body,) = house.teaching.told
    assert isinstance(body, DefectTaught)
    assert (body.carton_id, body.defect, body.operator) == (HELD, "dent", "mara")
    board = (await client.get("/station/board")).text
    assert f'data-taught="{HELD}"' in board
    assert 'data-teach="miss"' not in board


async def test_without_scripts_the_cartons_own_page_teaches(house, client):
    answer = await client.post(f"/station/cartons/{PASSED}/teach", data=lesson())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/station/cartons/{PASSED}")
    page = (await client.get(f"/station/cartons/{PASSED}")).text
    assert "Crack" in page
    assert "waits for the quality lead" in page


async def test_only_the_newest_lesson_is_taken_back(house, client):
    await client.post(f"/station/cartons/{PASSED}/teach", data=lesson())
    await client.post(f"/station/cartons/{HELD}/teach", data=lesson("false_alarm", ""))
    page = (await client.get("/station/lessons")).text
    assert page.count('class="lesson-undo"') == 1
    history = house.teaching.histories()[0]
    old = {"csrf_token": CSRF, "gtin": history.gtin, "after": history.steps[0].after}
    assert (await client.post("/station/lessons/undo", data=old)).status_code == 409
    new = {**old, "after": history.steps[1].after}
    assert (await client.post("/station/lessons/undo", data=new)).status_code == 303
    assert isinstance(house.teaching.told[-1], LessonUndone)
    page = (await client.get("/station/lessons")).text
    assert "taken back" in page
    assert "Good goods" in page, "the history keeps it"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (lesson("guess"), 422),
        (lesson("false_alarm", "crack"), 422),
        ({**lesson(), "csrf_token": "another"}, 403),
    ],
)
async def test_what_is_no_lesson_is_refused(house, client, form, status):
    answer = await client.post(f"/station/cartons/{HELD}/teach", data=form)
    assert answer.status_code == status
    assert house.teaching.told == []


async def test_a_viewer_sees_and_does_not_teach(house, client):
    house.gate.who = Viewer("eve", frozenset({"viewer"}), CSRF)
    page = (await client.get("/station")).text
    assert 'data-teach="miss"' not in page
    assert (await client.post(f"/station/cartons/{HELD}/teach", data=lesson())).status_code == 403
    assert (await client.get("/station/lessons")).status_code == 200
    key = {"csrf_token": CSRF, "how": "make", "new_passphrase": WORDS, "again": WORDS}
    assert (await client.post("/lessons/key", data=key)).status_code == 403


async def test_nothing_is_offered_where_nobody_looked_or_nothing_can_learn(house, client):
    house.teaching.knows = {"00000000000000"}
    assert 'data-teach="' not in (await client.get("/station")).text
    house.teaching.knows = set()
    unread = card(20, Decision.REVIEW, house.pictures, reasons=(Reason("no_label_picture"),))
    house.desk.judge(replace(unread, product=""))
    assert 'data-teach="' not in (await client.get("/station")).text


async def test_the_lead_makes_a_key_signs_and_goes_back(house, client):
    await client.post(f"/station/cartons/{HELD}/teach", data=lesson(defect="dent"))
    page = (await client.get("/lessons")).text
    assert "Make your key first" in page
    key = {"csrf_token": CSRF, "how": "make", "new_passphrase": WORDS, "again": WORDS + "!"}
    assert (await client.post("/lessons/key", data=key)).status_code == 422
    assert (await client.post("/lessons/key", data={**key, "again": WORDS})).status_code == 303
    step = house.teaching.histories()[0].steps[0]
    form = {
        "csrf_token": CSRF,
        "station": "dock-1",
        "gtin": house.teaching.histories()[0].gtin,
        "digest": step.after,
        "reason": "it was there",
        "passphrase": "wrong words entirely",
    }
    refused = await client.post("/lessons/sign", data=form)
    assert refused.status_code == 403
    assert "passphrase is wrong" in refused.text
    signed = await client.post("/lessons/sign", data={**form, "passphrase": WORDS})
    assert signed.headers["location"] == "/lessons?signed=1"
    page = (await client.get("/lessons?signed=1")).text
    assert "Signed under number 1" in page
    assert "on its way to the station" in page
    assert WORDS not in page
    house.teaching.activate(house.book.signatures()[0])
    page = (await client.get("/lessons")).text
    assert "on its way" not in page
    assert "Go back to an earlier profile" in page
    assert "in force" in page


async def test_trouble_at_the_station_is_told(house, client):
    house.teaching.trouble = "The profile of 1 may not judge: its signature does not hold"
    assert "its signature does not hold" in (await client.get("/station/lessons")).text


async def test_the_pages_speak_chinese(house, client):
    await client.post(f"/station/cartons/{HELD}/teach", data=lesson(defect="wet"))
    for address, word in (
        ("/station/lessons", "受潮"),
        ("/lessons", "等待您签名"),
        (f"/station/cartons/{PASSED}/teach", "是什么缺陷"),
        (f"/station/cartons/{PASSED}", "这是缺陷"),
    ):
        page = await client.get(f"{address}?lang=zh")
        assert word in page.text, address


async def test_empty_pages_say_what_to_do(fakes):
    house = fakes.build(furnished=False)
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        assert "Nothing has been taught yet" in (await opened.get("/station/lessons")).text
        assert "No station has taught" in (await opened.get("/lessons")).text
        assert (await opened.get("/lessons?q=oats")).status_code == 200
