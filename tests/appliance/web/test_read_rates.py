"""The read-rate pages over a real core: what they show, who may see them, where numbers lead."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest

from appliance.web.ports import Viewer
from appliance.words import LANGUAGES
from contracts.events import CartonJudged, CartonSettled
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from tests.support.reads import NOW, Dock, a_dock, a_reading

MILK = BatchKey("=cmd|'/c calc'!A1", "04006381333931", "M-1")
SHA = "ab" * 32


@pytest.fixture
def dock(tmp_path: Path) -> Iterator[Dock]:
    with a_dock(tmp_path) as made:
        yield made


@pytest.fixture
async def client(dock: Dock) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=dock.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def carton(
    dock: Dock,
    name: str,
    *reasons: str,
    hours: float = 1.0,
    lot: str = MILK.lot,
    audit: bool = False,
) -> None:
    """A carton judged some hours ago: read, or left to a person for `reasons`."""
    told = tuple(Reason(code) for code in (*reasons, *(("audit",) if audit else ())))
    reading = a_reading(
        BatchKey(MILK.supplier, MILK.gtin, lot),
        0.97,
        accepted=not reasons,
        reasons=tuple(Reason(code) for code in reasons),
    )
    at = NOW - timedelta(hours=hours)
    dock.says(
        at,
        CartonJudged(
            carton_id=name,
            station="dock-1",
            session=None,
            opened_at=at,
            opened_by="trigger",
            verdict=Verdict(Decision.REVIEW if told else Decision.ACCEPT, told, batch=MILK),
            reading=reading,
            inspection=None,
            evidence=(Evidence("label", SHA, camera="label"),),
            model_sets={"read": "sha256:1"},
            variant="cpu",
        ),
    )


def settle(dock: Dock, name: str, *, lot: str = MILK.lot) -> None:
    said = CartonSettled(name, "dock-1", None, "mara", MILK.gtin, lot, "2027-03-31", 1, "keyed")
    dock.says(NOW, said)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/read-rates", "/read-rates/cartons", "/read-rates?days=90"])
async def test_an_empty_house_tells_what_to_do_next(client, path: str, language: str) -> None:
    answer = await client.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


async def test_every_number_leads_to_its_cartons_and_their_pictures(dock, client) -> None:
    for number in range(4):
        carton(dock, f"C{number}")
    carton(dock, "C5", audit=True, lot="M-7")
    settle(dock, "C5")
    carton(dock, "C6", "glare")
    carton(dock, "C7", "off_list", "blurred")
    page = await client.get("/read-rates")
    assert "71.4" in page.text
    links = {
        unescape(found) for found in re.findall(r'href="(/read-rates/cartons[^"]*)"', page.text)
    }
    assert len(links) == 8
    for link in links:
        answer = await client.get(link)
        assert answer.status_code == 200, link
    misread = next(link for link in links if "what=misread" in link and "camera" not in link)
    answer = await client.get(misread)
    assert "C5" in answer.text
    assert "C6" not in answer.text
    assert f'href="/evidence/{SHA}"' in answer.text
    assert re.search(r"<del[^>]*>M-7</del>\s*<ins[^>]*>M-1</ins>", answer.text)


async def test_a_misread_rate_that_nobody_measured_is_not_zero(dock, client) -> None:
    carton(dock, "C1")
    page = await client.get("/read-rates")
    assert "policy.audit_one_in" in page.text
    assert "0 of" not in page.text.partition('class="defs"')[0]


async def test_filters_stay_in_the_address_and_narrow_the_cartons(dock, client) -> None:
    carton(dock, "C1")
    carton(dock, "C2", "damaged")
    carton(dock, "C3", "damaged", hours=30)
    found = await client.get("/read-rates/cartons?days=1&cause=damaged&camera=dock-1+label")
    assert "C2" in found.text
    assert "C3" not in found.text
    nobody = await client.get("/read-rates/cartons?camera=dock-9")
    assert 'class="empty"' in nobody.text
    unnamed = await client.get("/read-rates/cartons?carrier=-")
    assert "C1" in unnamed.text


async def test_many_cartons_come_in_pages(dock, client) -> None:
    for number in range(30):
        carton(dock, f"C{number:02d}", hours=1 + number / 60)
    first = await client.get("/read-rates/cartons")
    last = await client.get("/read-rates/cartons?page=2")
    assert "C00" in first.text
    assert "C29" not in first.text
    assert "C29" in last.text
    beyond = await client.get("/read-rates/cartons?page=999999")
    assert beyond.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "from=x",
        "from=2026-11-21&to=2026-01-01",
        "what=x",
        "hour=99",
        "hour=00000000099",
        f"days={'0' * 5000}7",
        "days=-1",
        "camera=%00",
    ],
    ids=lambda query: query[:20],
)
@pytest.mark.parametrize("path", ["/read-rates", "/read-rates/cartons", "/read-rates.csv"])
async def test_a_question_that_cannot_be_read_says_how_to_ask(client, path, query) -> None:
    answer = await client.get(f"{path}?{query}")
    assert answer.status_code == 422


@pytest.mark.parametrize("page", ["0", "x", "-1", "1000000000000", "1" * 5000], ids=lambda p: p[:9])
async def test_a_page_that_is_none_is_refused(client, page: str) -> None:
    assert (await client.get(f"/read-rates/cartons?page={page}")).status_code == 422


@pytest.mark.parametrize("role", ["operator", "quality", "ops"])
async def test_who_works_here_sees_the_rates(dock, client, role: str) -> None:
    dock.gate.who = Viewer("eve", frozenset({role}))
    assert (await client.get("/read-rates")).status_code == 200


@pytest.mark.parametrize("path", ["/read-rates", "/read-rates/cartons", "/read-rates.csv"])
async def test_others_do_not(dock, client, path: str) -> None:
    dock.gate.who = Viewer("eve", frozenset({"viewer"}))
    assert (await client.get(path)).status_code == 403
    dock.gate.who = None
    assert (await client.get(path)).status_code in {303, 401}


async def test_tables_go_to_a_spreadsheet_without_formulas(dock, client) -> None:
    carton(dock, "C1")
    carton(dock, "C2", "glare")
    answer = await client.get("/read-rates.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    whole = rows[0]
    assert (whole["by"], whole["cartons"], whole["read"], whole["review"]) == (
        "total",
        "2",
        "1",
        "1",
    )
    assert whole["misread_share"] == ""
    assert (whole["misread_low"], whole["misread_high"]) == ("0.000000", "1.000000")
    suppliers = [row["value"] for row in rows if row["by"] == "supplier"]
    assert suppliers == ["'" + MILK.supplier]
    assert [row["value"] for row in rows if row["by"] == "cause"] == ["glare"]


async def test_names_that_try_to_be_markup_stay_text(dock, client) -> None:
    carton(dock, "<script>alert(1)</script>")
    for path in ("/read-rates", "/read-rates/cartons"):
        assert "<script>alert" not in (await client.get(path)).text


async def test_the_api_tells_the_same_and_its_bounds(dock, client) -> None:
    carton(dock, "C1", audit=True)
    settle(dock, "C1")
    carton(dock, "C2", "glare")
    report = (await client.get("/api/v1/read-rates?days=2")).json()
    assert report["total"]["cartons"] == 2
    assert report["total"]["misread"] == {
        "hits": 0,
        "total": 1,
        "value": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.7935, abs=1e-4),
    }
    assert report["by"]["camera"][0]["value"] == "dock-1 label"
    assert report["causes"][0]["value"] == "glare"
    assert report["calibration"][0]["state"] == "few"
    found = (await client.get("/api/v1/read-rates/cartons?what=review&most=5")).json()
    assert [each["carton_id"] for each in found["cartons"]] == ["C2"]
    assert found["cartons"][0]["cause"] == "glare"
    assert (await client.get("/api/v1/read-rates?days=x")).status_code == 422


async def test_drift_is_told_on_the_page(dock, client) -> None:
    for number in range(60):
        carton(dock, f"C{number}", "damaged", lot="M-9", hours=60 - number)
        settle(dock, f"C{number}")
    page = await client.get("/read-rates")
    assert 'class="drift"' in page.text
    assert "Right less often than stated" in page.text
