"""Errors, headers, forms: what goes out, and what is refused."""

from __future__ import annotations

import re

import httpx
import pytest

from appliance.desk import Settlement
from appliance.web.ports import Viewer
from appliance.web.preferences import accepted_language
from contracts.stock import TicketState, UsageDecision

JSON = {"accept": "application/json"}


async def test_every_answer_carries_the_strict_policy(client: httpx.AsyncClient) -> None:
    for path in ("/station", "/static/tokens.css", "/nope", "/words/en.json", "/livez"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy, path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


async def test_pages_are_not_stored_and_evidence_is_kept_for_good(client, house) -> None:
    assert (await client.get("/station")).headers["cache-control"] == "no-store"
    sha256 = next(iter(house.pictures.stored))
    picture = await client.get(f"/evidence/{sha256}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert "immutable" in picture.headers["cache-control"]
    assert "sandbox" in picture.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["0" * 64, "..%2f..%2fetc%2fpasswd", "A" * 64, "short"])
async def test_a_picture_that_is_not_kept_is_not_found(
    client: httpx.AsyncClient, name: str
) -> None:
    assert (await client.get(f"/evidence/{name}")).status_code == 404


async def test_a_program_gets_a_problem_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tickets/T-404", headers=JSON)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:tallyman:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no ticket T-404",
        "code": "not_found",
        "mend": "Look in the queue",
        "instance": "/tickets/T-404",
    }


async def test_a_person_gets_a_page_that_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tickets/T-404")
    assert answer.status_code == 404
    assert "There is no ticket T-404" in answer.text
    assert "Look in the queue" in answer.text


async def test_a_method_nobody_offers_keeps_its_status(client: httpx.AsyncClient) -> None:
    assert (await client.put("/batches", headers=JSON)).status_code == 405


async def test_a_stranger_is_sent_to_sign_in_and_comes_back(client, house) -> None:
    house.gate.who = None
    answer = await client.get("/batches?q=oats")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fbatches%3Fq%3Doats"
    assert (await client.get("/batches", headers=JSON)).status_code == 401
    part = await client.get("/station/board", headers={"hx-request": "true"})
    assert part.headers["hx-redirect"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", ["/evidence/" + "0" * 64, "/events", "/station/live/label.jpg"])
async def test_strangers_see_no_picture_and_no_event(client, house, path: str) -> None:
    house.gate.who = None
    assert (await client.get(path, headers=JSON)).status_code == 401


async def test_every_form_carries_the_token_of_the_session(client, fakes) -> None:
    for path in ("/station", "/tickets/T-7", "/receiving", "/receiving/RS-1", "/batches"):
        html = (await client.get(path)).text
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", html, re.DOTALL)
        assert forms, path
        for form in forms:
            assert f'name="csrf_token" value="{fakes.CSRF}"' in form, path


async def test_a_form_of_another_site_changes_nothing(client, house) -> None:
    answer = await client.post("/station/cartons/C-00012/settle", data={"how": "refused"})
    assert answer.status_code == 403
    assert house.desk.answers == []


async def test_picking_a_candidate_settles_the_carton(client, house, fakes) -> None:
    form = {"csrf_token": fakes.CSRF, "how": "candidate", "candidate": "2"}
    answer = await client.post("/station/cartons/C-00012/settle", data=form)
    assert answer.status_code == 303
    wanted = Settlement(
        "C-00012", "candidate", "04006381333931", "L2611A01", "2027-03-15", asn_line=2
    )
    assert house.desk.answers == [(wanted, "mara")]


async def test_a_candidate_that_was_not_offered_is_refused(client, house, fakes) -> None:
    form = {"csrf_token": fakes.CSRF, "how": "candidate", "candidate": "4"}
    assert (await client.post("/station/cartons/C-00012/settle", data=form)).status_code == 422
    assert house.desk.answers == []


async def test_a_mistyped_code_is_met_with_what_to_mend(client, house, fakes) -> None:
    form = {
        "csrf_token": fakes.CSRF,
        "how": "keyed",
        "gtin": "4006381333932",
        "batch": "has space",
        "expiry": "31.03.2027",
    }
    answer = await client.post(
        "/station/cartons/C-00012/settle", data=form, headers={"hx-request": "true"}
    )
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#key-mends"
    assert "The last digit is 2, but the others want 1" in answer.text
    assert "no spaces" in answer.text
    assert house.desk.answers == []


async def test_a_keyed_code_is_kept_as_truth(client, house, fakes) -> None:
    form = {
        "csrf_token": fakes.CSRF,
        "how": "keyed",
        "gtin": "4006381333931",
        "batch": "L2611A07",
        "expiry": "2027-03-31",
        "note": "label torn",
    }
    await client.post("/station/cartons/C-00012/settle", data=form)
    (answer, operator) = house.desk.answers[0]
    assert operator == "mara"
    assert answer == Settlement(
        "C-00012", "keyed", "04006381333931", "L2611A07", "2027-03-31", note="label torn"
    )


async def test_a_viewer_may_look_and_not_answer(client, house, fakes) -> None:
    house.gate.who = Viewer("eve", frozenset({"viewer"}), fakes.CSRF)
    board = (await client.get("/station/board")).text
    assert board.count("disabled") >= 5
    form = {"csrf_token": fakes.CSRF, "how": "refused"}
    assert (await client.post("/station/cartons/C-00012/settle", data=form)).status_code == 403


async def test_a_label_is_downloaded_and_sent_to_the_printer(client, house, fakes) -> None:
    zpl = await client.get("/station/cartons/C-00013/label.zpl")
    assert zpl.text.startswith("^XA")
    form = {"csrf_token": fakes.CSRF}
    await client.post("/station/cartons/C-00013/reprint", data=form)
    assert house.desk.printed == ["C-00013"]
    house.desk.printer_answers = False
    failed = await client.post("/station/cartons/C-00013/reprint", data=form)
    assert failed.status_code == 503
    assert "The label printer does not answer" in failed.text


async def test_a_station_without_a_printer_offers_the_download_only(client, house) -> None:
    house.desk.change(printer=False)
    page = (await client.get("/station/cartons/C-00013")).text
    assert "/reprint" not in page
    assert "label.zpl" in page


async def test_a_decision_needs_its_reason_and_the_role(client, house, fakes) -> None:
    form = {"csrf_token": fakes.CSRF, "decision": "release", "reason": " "}
    assert (await client.post("/tickets/T-7/decision", data=form)).status_code == 422
    house.gate.who = Viewer("ola", frozenset({"operator"}), fakes.CSRF)
    form["reason"] = "Opened three cartons, all sound"
    assert (await client.post("/tickets/T-7/decision", data=form)).status_code == 403
    assert house.records.ticket("T-7").state is TicketState.CONTAINED
    house.gate.who = Viewer("mara", frozenset({"quality"}), fakes.CSRF)
    assert (await client.post("/tickets/T-7/decision", data=form)).status_code == 303
    assert house.records.ticket("T-7").decision is UsageDecision.RELEASE


async def test_a_list_is_uploaded_opened_and_closed(client, house, fakes) -> None:
    csv = b"gtin,batch,expiry\n04006381333931,L1,2027-03-31\n"
    token = {"csrf_token": fakes.CSRF}
    sent = await client.post("/asns", data=token, files={"file": ("asn-9.csv", csv, "text/csv")})
    assert sent.status_code == 303
    opened = await client.post("/receiving", data={**token, "asn": "asn-9.csv", "dock": "D2"})
    assert opened.headers["location"] == "/receiving/RS-2"
    await client.post("/receiving/RS-2/close", data=token)
    assert house.records.sheet("RS-2").session.closed_at is not None


async def test_a_bad_list_names_file_line_and_mend(client, house, fakes) -> None:
    before = list(house.records.asns)
    answer = await client.post(
        "/asns",
        data={"csrf_token": fakes.CSRF},
        files={"file": ("bad.csv", b"ean,lot\n", "text/csv")},
    )
    assert answer.status_code == 422
    for words in ("Column `gtin` is missing", "line 1", "Name the columns in line 1"):
        assert words in answer.text
    assert house.records.asns == before


async def test_the_words_are_served_to_scripts(client: httpx.AsyncClient) -> None:
    assert (await client.get("/words/zh.json")).json()["verdict.hold"] == "冻结"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de,en;q=0.5,zh;q=0.7", "zh"),
        ("", "en"),
        ("fr;q=x", "en"),
    ],
)
def test_the_browsers_wish_is_weighed(header: str, language: str) -> None:
    assert accepted_language(header) == language
