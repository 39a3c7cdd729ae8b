"""The queue of doubtful lines as a page: seen, answered with and without a script, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from appliance.web.ports import Viewer
from tests.support.pages import CSRF, NOW
from tests.support.settled import Queue, a_queue, carton

JSON = {"accept": "application/json"}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path, next_run=NOW + timedelta(days=2)) as queue:
        queue.take_in(carton(1, read="B10O1"), carton(2), carton(3, sure=0.99), carton(4, sure=0.7))
        yield queue


@pytest.fixture
async def client(queue: Queue) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=queue.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def keys(queue: Queue) -> dict[str, str]:
    queue.desk.look()
    return {each.text: str(each.key) for each in queue.desk.waiting(most=50)}


def form(key: str | list[str], said: str, text: str = "") -> dict[str, object]:
    return {"csrf_token": CSRF, "key": key, "said": said, "text": text}


async def test_the_page_shows_what_is_in_doubt_with_what_was_read(queue, client):
    shown = (await client.get("/labelling")).text
    assert shown.count('class="crop"') == 3, "what was read surely is nobody's work"
    assert "B10<mark>O</mark>1" in shown, "what the reader made of it"
    assert "3 waiting · 0 answered" in shown
    key = keys(queue)["B1001"]
    picture = await client.get(f"/labelling/lines/{key}.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"] == "no-store", "a carton may be erased"


async def test_a_card_is_a_plain_form_where_no_script_runs(queue, client):
    key = keys(queue)["B1002"]
    answer = await client.post(
        "/labelling",
        data=form(key, "right"),
        headers={"referer": "http://hub.test/labelling?show=waiting&field=batch"},
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/labelling?show=waiting&field=batch"
    assert "B1002" not in keys(queue)
    listed = (await client.get("/labelling?show=answered")).text
    assert "mara" in listed
    assert listed.count('class="crop"') == 1
    back = await client.post("/labelling/undo", data={"csrf_token": CSRF})
    assert (back.status_code, back.headers["location"]) == (303, "/labelling")
    assert "B1002" in keys(queue)


async def test_a_script_is_told_what_stands(queue, client):
    all_keys = keys(queue)
    told = (
        await client.post(
            "/labelling", data=form(all_keys["B1001"], "text", " B1OO1 "), headers=JSON
        )
    ).json()
    assert told == {
        "waiting": 2,
        "answered": 1,
        "lines": [{"key": all_keys["B1001"], "said": "text", "text": "B1OO1"}],
    }
    rest = [all_keys["B1002"], all_keys["B1004"]]
    many = (await client.post("/labelling", data=form(rest, "right"), headers=JSON)).json()
    assert (many["waiting"], many["answered"]) == (0, 3)
    undone = (await client.post("/labelling/undo", data={"csrf_token": CSRF}, headers=JSON)).json()
    assert [each["said"] for each in undone["lines"]] == ["", ""]
    assert undone["waiting"] == 2
    empty = await client.get("/labelling?field=gtin")
    assert "Nothing is in doubt" in empty.text


@pytest.mark.parametrize(
    "data",
    [
        {"said": "right"},
        {"key": "nonsense", "said": "right"},
        {"key": "a" * 64 + ".0.0", "said": "perhaps"},
        {"key": ["a" * 64 + ".0.0"] * 1, "said": "text", "text": " "},
    ],
)
async def test_what_says_nothing_is_refused_with_a_mend(queue, client, data):
    answer = await client.post("/labelling", data={"csrf_token": CSRF} | data, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["mend"]


async def test_a_line_that_was_erased_meanwhile_is_told(queue, client):
    answer = await client.post("/labelling", data=form("a" * 64 + ".0.0", "right"), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_nobody_answers_without_the_role_or_the_form_of_the_session(queue, client):
    key = keys(queue)["B1002"]
    foreign = await client.post("/labelling", data=form(key, "right") | {"csrf_token": "x"})
    assert foreign.status_code == 403
    queue.gate.who = Viewer("vic", frozenset({"viewer"}), CSRF)
    for method, path in (
        ("GET", "/labelling"),
        ("POST", "/labelling"),
        ("POST", "/labelling/undo"),
        ("GET", f"/labelling/lines/{key}.png"),
    ):
        answer = await client.request(method, path, headers=JSON)
        assert answer.status_code == 403, path
    assert "B1002" in keys(queue)


async def test_both_languages_say_everything(queue, client):
    shown = (await client.get("/labelling?lang=zh")).text
    assert "存疑" in shown or "待看 3" in shown
    assert "labelling." not in shown.replace("labelling.css", "").replace("labelling.js", "")


async def test_new_cartons_join_as_the_page_is_opened_and_erased_ones_leave(queue, client):
    queue.take_in(carton(7, read="B1O07"))
    assert "B1<mark>O</mark>07" in (await client.get("/labelling")).text
    queue.dataset.remove(name for name in queue.dataset.names())
    assert "Nothing is in doubt" in (await client.get("/labelling")).text


def test_unseen_characters_are_marked():
    from appliance.learning.labels.records import LineId, QueueLine
    from appliance.web.labelling.pages import characters, read

    line = QueueLine(
        LineId("a" * 64, 0, 0), "batch", "B12", "B2", (True, False, True), 0.4, False, 0
    )
    assert characters(line) == [("B", True), ("1", False), ("2", True)]
    assert read(line) == [("B", True), ("2", True)]
    assert read(replace(line, read="B72")) == [("B", True), ("7", False), ("2", True)]
    assert characters(replace(line, seen=())) == [("B", True), ("1", True), ("2", True)]
