"""What the pages show: both languages, filters, empty lists, and names that try to be markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import httpx
import pytest

import appliance.web
from appliance.words import LANGUAGES, read_catalogue
from contracts.reason import Reason
from contracts.stock import BatchEvent, BatchKey, BatchSummary, Hold, HoldKind
from contracts.verdict import Decision

WEB = Path(appliance.web.__file__).parent
PAGES = (
    "/station",
    "/station/board",
    "/station/cartons/C-00013",
    "/batches",
    "/batch?supplier=Nordfeld&gtin=04006381333931&lot=L2611A07",
    "/holds",
    "/tickets",
    "/tickets/T-7",
    "/receiving",
    "/receiving/RS-1",
    "/health",
    "/health/board",
)
EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_speaks_the_language_of_its_reader(
    client: httpx.AsyncClient, path: str, language: str
) -> None:
    answer = await client.get(path, headers={"accept-language": f"{language}-XX,{language};q=0.9"})
    assert answer.status_code == 200
    chinese = re.search(r"[\u4e00-\u9fff]", re.sub(r'lang="zh-Hans".*?</a>', "", answer.text))
    assert bool(chinese) == (language == "zh")


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_house_tells_what_to_do_next(fakes, path: str) -> None:
    house = fakes.build(furnished=False)
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        answer = await client.get(path.partition("?")[0], headers={"accept": "text/html"})
    assert answer.status_code in {200, 404}


async def test_a_language_chosen_once_is_kept(client: httpx.AsyncClient) -> None:
    first = await client.get("/batches?lang=zh")
    assert "批次" in first.text
    assert "批次" in (await client.get("/holds", headers={"accept-language": "en"})).text


async def test_a_language_nobody_knows_changes_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/batches?lang=xx&theme=%22evil")
    assert "set-cookie" not in answer.headers
    assert 'data-theme="auto"' in answer.text


async def test_the_verdict_is_a_word_an_icon_and_a_colour(client: httpx.AsyncClient) -> None:
    board = (await client.get("/station/board")).text
    assert 'data-verdict="hold"' in board
    assert "verdict-hold" in board
    assert "icons.svg#hold" in board
    assert ">HOLD</text>" in board


async def test_the_boxes_are_drawn_in_the_pixels_of_the_judged_picture(client, house) -> None:
    board = (await client.get("/station/board")).text
    label = next(item for item in house.desk.state().current.evidence if item.kind == "label")
    assert f"/station/evidence/{label.sha256}" in board
    assert 'viewBox="0 0 1280 720"' in board
    assert board.count('class="quad"') == 4
    assert board.count('class="region"') == 1


async def test_a_station_that_stopped_accepting_says_why(client, house) -> None:
    house.desk.change(accepting=False, stopped_because="The disk under the journal is full")
    board = (await client.get("/station/board")).text
    assert "The station has stopped accepting." in board
    assert "The disk under the journal is full" in board


async def test_an_absent_hub_is_shown_with_what_waits_for_it(client, house) -> None:
    house.desk.change(hub_online=False, lag=37)
    board = (await client.get("/station/board")).text
    assert "hub away, station keeps working" in board
    assert "37 to send" in board


async def test_the_filter_counts_and_stays_in_the_address(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/batches?q=huang tea")).text
    assert "1 of 2 batches" in answer
    assert 'value="huang tea"' in answer
    assert "HS-0925/B" in answer
    assert "L2611A07" not in answer


async def test_a_filter_without_a_match_says_so(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/holds?q=nothing-like-it")).text
    assert "Nothing matches “nothing-like-it”" in unescape(answer)


async def test_open_holds_stand_first_and_name_what_is_at_risk(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/holds")).text
    assert answer.index("hold-H-7") < answer.index("hold-H-3")
    assert "SO-2204" in answer


async def test_a_delivery_shows_over_short_damaged_and_off_list(client: httpx.AsyncClient) -> None:
    sheet = (await client.get("/receiving/RS-1")).text
    for words in ("1 damaged", "1 over", "1 not on the list", "1 in review", "48 to come"):
        assert words in sheet


async def test_names_from_labels_never_become_markup(client, house, fakes) -> None:
    key = BatchKey(EVIL, EVIL, EVIL)
    reason = Reason("batch_held", {"lot": EVIL})
    house.records.batch_rows.append(
        BatchSummary(key, EVIL, date(2027, 1, 1), 1, 0, 0, 1, 0, may_leave=False, reasons=(reason,))
    )
    house.records.hold_rows.append(
        Hold(EVIL, HoldKind.BATCH, key, reason, EVIL, fakes.NOW, location=EVIL)
    )
    house.records.stories[key] = [BatchEvent(fakes.NOW, EVIL, EVIL, reason, EVIL)]
    evil = fakes.card(99, Decision.HOLD, house.pictures, batch=key, reasons=(reason,))
    house.desk.judge(replace(evil, description=EVIL, slot=EVIL, settled_by=EVIL))
    query = str(httpx.QueryParams({"supplier": EVIL, "gtin": EVIL, "lot": EVIL}))
    for path in ("/batches", "/holds", f"/batch?{query}", "/station", f"/batches?q={EVIL}"):
        answer = await client.get(path)
        assert "<script>alert" not in answer.text, path
        assert "&lt;script&gt;alert" in answer.text, path


def _templates() -> list[tuple[str, str]]:
    return [(path.name, path.read_text("utf-8")) for path in (WEB / "templates").glob("*.html")]


def test_every_sentence_a_template_or_script_asks_for_exists() -> None:
    catalogue = read_catalogue("en")
    texts = [*_templates(), *((p.name, p.read_text("utf-8")) for p in WEB.glob("static/*.js"))]
    literal = re.compile(r"""\bt\(["']([a-z_]+\.[a-z_.]*[a-z_])["'](?!\s*~)""")
    missing = {(name, key) for name, text in texts for key in literal.findall(text)} - {
        (name, key) for name, _ in texts for key in catalogue
    }
    assert missing == set()


def test_every_icon_a_template_asks_for_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([a-z_-]+)"', (WEB / "static/icons.svg").read_text()))
    asked = {name for _, text in _templates() for name in re.findall(r'icon\("([a-z_-]+)"', text)}
    verdicts = {"accept", "review", "hold", "info", "off_list", "waiting"}
    assert (asked | verdicts) - {"nav-", "agv-", "ota-", "shelf-"} <= known


def test_no_template_holds_inline_styles_or_scripts() -> None:
    for name, text in _templates():
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), name
        # A block of JSON is data: no browser runs it, whatever the policy says.
        scripts = [
            tag for tag in re.findall(r"<script[^>]*>", text) if "application/json" not in tag
        ]
        assert all("src=" in tag for tag in scripts), f"{name} has an inline script"


@pytest.mark.parametrize(
    ("ticket", "code", "leads_to"),
    [
        ("QC-EX-gateway-01-5-9", "excursion_beyond", "/excursions/EX-gateway-01-5"),
        ("QC-EX-gateway-01-7", "excursion_nowhere", "/excursions/EX-gateway-01-7"),
        ("WO-gateway-01-8", "alarm_above", "/sensors/coldroom-1"),
    ],
)
async def test_a_ticket_that_a_sensor_opened_awaits_no_picture(
    house, client: httpx.AsyncClient, ticket: str, code: str, leads_to: str
) -> None:
    rows = house.records.ticket_rows
    rows.append(
        replace(rows[0], ticket_id=ticket, evidence=(), device="coldroom-1", reason=Reason(code))
    )
    page = (await client.get(f"/tickets/{ticket}?lang=en")).text
    assert f'href="{leads_to}"' in page
    assert "No picture has arrived" not in page
