"""A program decides over HTTP as a person does: it asks for the statement and signs it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import ForbiddenError, TallymanError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.api import router
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality
from tests.support.signing import Pen

WATER = BatchKey("ACME", "06933132577789", "8842-740")


@dataclass(frozen=True)
class Bot:
    name: str
    roles: frozenset[str]


def auth(*roles: str):
    def who(request: Request) -> Bot:
        bot = Bot(request.headers["x-name"], frozenset(request.headers["x-roles"].split()))
        if bot.roles.isdisjoint(roles):
            raise ForbiddenError("not your role")
        return bot

    return who


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock, sqlite_template: Path) -> Iterator[Core]:
    shutil.copy(sqlite_template, tmp_path / "core.db")
    opened = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
async def client(core: Core) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(router(lambda: core, auth))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code} | error.data, status_code=400)

    headers = {"x-name": "bot", "x-roles": "quality operator"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://core", headers=headers
    ) as opened:
        yield opened


@pytest.fixture
def bot(core: Core) -> Pen:
    return Pen("bot").registers(Quality(core))


async def test_a_program_signs_a_release(client: httpx.AsyncClient, core: Core, bot: Pen) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    smell = Reason("held_by_hand", {"note": "smell"})
    ticket = core.add_hold(HoldKind.BATCH, batch=WATER, reason=smell, by="op").ticket_id
    about = (await client.get(f"/api/v1/tickets/{ticket}/scope")).json()
    assert about["scope"]["units"] == 5
    wanted = {"decision": "release", "reason": "tasted", "key": bot.key_id}
    unsigned = await client.post(f"/api/v1/tickets/{ticket}/decision", json=wanted)
    assert unsigned.json()["code"] == "forbidden"
    said = (await client.post(f"/api/v1/tickets/{ticket}/statement", json=wanted)).json()
    newer = core.add_hold(HoldKind.BATCH, batch=WATER, reason=smell, by="op")
    text = said["statement"]
    signed = {
        "statement": text,
        "signature": bot.sign(bytes.fromhex(said["purpose_hex"]) + text.encode()),
    }
    stale = (await client.post(f"/api/v1/tickets/{ticket}/decision", json=signed)).json()
    assert (stale["code"], stale["new_holds"]) == ("stale_signature", [newer.hold_id])
    text = (await client.post(f"/api/v1/tickets/{ticket}/statement", json=wanted)).json()[
        "statement"
    ]
    signed = {"statement": text, "signature": bot.signs(text)}
    decided = (await client.post(f"/api/v1/tickets/{ticket}/decision", json=signed)).json()
    assert decided["state"] == "decided"
    (made,) = (await client.get(f"/api/v1/tickets/{ticket}/decisions")).json()
    assert made["signatures"][0]["holds"] is True
    named = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}
    assert (await client.get("/api/v1/batches/decisions", params=named)).json() == [made]
    later = {"due_at": "2030-01-01T08:00:00+08:00"}
    due = (await client.post(f"/api/v1/tickets/{newer.ticket_id}/due", json=later)).json()
    assert due["due_at"].startswith("2030-01-01T00:00:00")
    (key,) = (await client.get("/api/v1/signing-keys")).json()
    assert (await client.post(f"/api/v1/signing-keys/{key['key_id']}/revoke")).status_code == 204
    assert (await client.get("/api/v1/signing-keys")).json()[0]["revoked_at"]


async def test_only_quality_signs(client: httpx.AsyncClient) -> None:
    client.headers["x-roles"] = "operator"
    for path in ("tickets/T/statement", "tickets/T/decision", "tickets/T/carry-out"):
        body = {"decision": "release", "reason": "x", "key": "k"}
        assert (await client.post(f"/api/v1/{path}", json=body)).json()["code"] == "forbidden"
