"""The pages over the real accounts and the real core: the adapters keep what the fakes promise."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from appliance.accounts import routes
from appliance.accounts.store import Accounts
from appliance.web.app import create_app
from appliance.web.core_records import CoreRecords
from appliance.web.gate import AccountsGate
from appliance.web.quality import quality_router
from appliance.web.receiving import receiving_router
from contracts.clock import FixedClock
from contracts.errors import NotFoundError
from contracts.stock import BatchKey
from erp_link.asn.files import parse_asn
from erp_link.service.core import Core

HUB = "http://hub.test"
PASSWORD = "a long pass phrase of the dock"  # noqa: S105 -- the story's password
CSV = b"gtin,batch,expiry,quantity,supplier\n04006381333931,L2611A07,2027-03-31,4,Nordfeld\n"


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    opened = Core(core_url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def accounts(tmp_path: Path, clock: FixedClock) -> Iterator[Accounts]:
    opened = Accounts.open(
        tmp_path / "accounts.db",
        clock=clock,
        session_key=Ed25519PrivateKey.generate(),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    yield opened
    opened.close()


@pytest.fixture
def app(core: Core, accounts: Accounts, clock: FixedClock) -> FastAPI:
    app = create_app("Tallyman", clock=clock)
    app.state.sessions = accounts
    gate, records = AccountsGate(), CoreRecords(core)
    app.include_router(routes.router(accounts, app.state.pages.render))
    app.include_router(quality_router(records, gate))
    app.include_router(
        receiving_router(records, gate, lambda data, name: parse_asn(data, name=name))
    )
    return app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=HUB,
        headers={"origin": HUB, "accept": "text/html"},
    ) as client:
        yield client


def _token(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found is not None
    return found.group(1)


async def _first_visit(browser: httpx.AsyncClient, accounts: Accounts) -> None:
    path = f"/first-sign-in/{accounts.first_sign_in_token()}"
    form = {"name": "Mei", "password": PASSWORD, "password_again": "another"}
    page = await browser.get(path)
    failed = await browser.post(path, data={**form, "csrf_token": _token(page.text)})
    assert 'role="alert"' in failed.text
    form["password_again"] = PASSWORD
    answer = await browser.post(path, data={**form, "csrf_token": _token(failed.text)})
    assert answer.status_code == 303


async def test_a_first_visit_a_list_a_session_and_its_sheet(browser, accounts) -> None:
    assert (await browser.get("/batches")).headers["location"] == "/sign-in?next=%2Fbatches"
    await _first_visit(browser, accounts)
    token = {"csrf_token": _token((await browser.get("/receiving")).text)}
    file = {"file": ("ASN-77.csv", CSV, "text/csv")}
    assert (await browser.post("/asns", data=token, files=file)).status_code == 303
    waiting = (await browser.get("/receiving")).text
    assert "1 line · 4 units" in waiting
    asn = re.search(r'name="asn" value="([^"]+)"', waiting)
    assert asn is not None
    opened = await browser.post("/receiving", data={**token, "asn": asn.group(1), "dock": "D1"})
    sheet = (await browser.get(opened.headers["location"])).text
    assert "4 to come" in sheet
    story = await browser.get(
        "/batch", params={"supplier": "Nordfeld", "gtin": "04006381333931", "lot": "L2611A07"}
    )
    assert "announced" in story.text
    closed = await browser.post(f"{opened.headers['location']}/close", data=token)
    assert closed.status_code == 303
    assert "4 short" in (await browser.get(opened.headers["location"])).text


async def test_a_broken_list_is_told_line_by_line(browser, accounts) -> None:
    await _first_visit(browser, accounts)
    token = {"csrf_token": _token((await browser.get("/receiving")).text)}
    bad = CSV + b"04006381333932,L2,2027-03-31,4,Nordfeld\n"
    answer = await browser.post("/asns", data=token, files={"file": ("bad.csv", bad, "text/csv")})
    assert answer.status_code == 422
    assert "bad.csv" in answer.text
    assert "line 3" in answer.text
    assert "Every announced delivery has been opened" in answer.text


async def test_the_sign_in_page_stands_in_both_languages(browser) -> None:
    assert "Sign in" in (await browser.get("/sign-in")).text
    assert "登录" in (await browser.get("/sign-in?lang=zh")).text


def test_a_batch_nobody_announced_is_not_found(core: Core) -> None:
    with pytest.raises(NotFoundError):
        CoreRecords(core).batch_story(BatchKey("Nordfeld", "04006381333931", "none"))


def test_a_list_waits_until_its_session_is_opened(core: Core) -> None:
    records = CoreRecords(core)
    records.import_asn(parse_asn(CSV, name="ASN-78.csv"), by="mei")
    (row,) = records.waiting_asns()
    assert (row.supplier, row.lines, row.quantity) == ("Nordfeld", 1, 4)
    session = records.open_session(row.number, dock="D1", by="mei")
    assert records.waiting_asns() == []
    sheet = records.sheet(session)
    assert [(line.batch, line.expiry, line.short) for line in sheet.lines] == [
        ("L2611A07", date(2027, 3, 31), 4)
    ]
    records.close_session(session, by="mei")
    assert not records.sessions(skip=0, most=9).rows[0].is_open
