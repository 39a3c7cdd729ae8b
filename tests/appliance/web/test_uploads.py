"""Nobody whom nobody knows has the hub read much, whatever the route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.config import Config
from appliance.hub.web import hub_app
from appliance.live.memory import MemoryLiveView
from appliance.shelf.phones.desk import Phones
from appliance.web.uploads import FILES_BYTES, KNOWN_BYTES, STRANGERS_BYTES
from contracts.clock import FixedClock
from contracts.errors import UnavailableError
from erp_link.service.core import Core
from tests.support.phones import Roster

ADDRESS = "http://dock.example"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PASSWORD = "four words in a row"  # noqa: S105 -- a story's password
PART = b" " * 65536
OPEN = (
    "/api/v1/shelf/phones",
    "/api/v1/shelf/phones/invitations",
    "/api/v1/shelf/phones/invitations/seen",
    "/api/v1/shelf/phones/phone-0000000000000000/session",
    "/api/v1/shelf/phones/phone-0000000000000000/last-words",
    "/api/v1/shelf/phones/phone-0000000000000000/wiped",
    "/api/v1/offline/logs",
)
"""Routes that read a body before anybody is known, of the phones and of others."""


class Idle:
    """Stands for whatever is not asked here."""

    def __getattr__(self, name: str) -> Idle:
        return self


@dataclass
class Sent:
    """A body that comes in parts; how much of it was taken."""

    parts: int
    taken: int = field(default=0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.parts):
            self.taken += len(PART)
            yield PART


@dataclass(frozen=True, slots=True)
class Hub:
    app: FastAPI
    accounts: Accounts


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, clock, idle = tmp_path_factory.mktemp("hub"), FixedClock(NOON), Idle()
    accounts = Accounts.open(
        folder / "accounts.db",
        clock=clock,
        session_key=Ed25519PrivateKey.generate(),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    accounts.add_user("mei", PASSWORD, ["operator"])
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=clock)
    phones = Phones(folder / "phones.db", clock=clock, roster=Roster(), people=accounts)
    app, clients = hub_app(
        Config(), core, accounts=accounts, evidence=idle, live=MemoryLiveView(), health=idle,
        rates=idle, lessons=idle, erp=idle, exchange=idle, signer=idle, fences=idle, sensors=idle,
        fleet=idle, access=idle, updates=idle, lines=idle, silent=lambda _: None, clock=clock,
        phones=phones,
    )  # fmt: skip
    yield Hub(app, accounts)
    asyncio.run(clients.aclose())
    for each in (phones, core, accounts):
        each.close()


@pytest.fixture
async def browser(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    json = {"content-type": "application/json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(hub.app), base_url=ADDRESS, headers=json
    ) as opened:
        yield opened


def signed_in(accounts: Accounts) -> dict[str, str]:
    token = accounts.sign_in("mei", PASSWORD, address="")
    user = accounts.read(token)
    assert user is not None
    return {"cookie": f"{COOKIE}={token}", "x-csrf-token": user.csrf}


@pytest.mark.parametrize("path", OPEN)
async def test_of_a_stranger_no_more_is_read_than_an_enrolment_needs(
    browser: httpx.AsyncClient, path: str
) -> None:
    body = Sent(1024)
    refused = await browser.post(path, content=body)
    assert refused.status_code == 413
    assert (refused.json()["code"], refused.json()["status"]) == ("too_large", 413)
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert body.taken <= STRANGERS_BYTES + len(PART)


async def test_what_is_announced_too_large_is_not_begun(browser: httpx.AsyncClient) -> None:
    body = Sent(1)
    announced = {"content-length": str(STRANGERS_BYTES + 1)}
    refused = await browser.post(OPEN[0], content=body, headers=announced)
    assert (refused.status_code, body.taken) == (413, 0)


async def test_a_session_that_does_not_count_is_told_so(browser: httpx.AsyncClient) -> None:
    for made_up in ({"cookie": f"{COOKIE}=mine"}, {"authorization": "Bearer mine"}):
        body = Sent(1024)
        refused = await browser.post(OPEN[0], content=body, headers=made_up)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
        assert body.taken <= STRANGERS_BYTES + len(PART)


async def test_where_nobody_can_be_known_now_it_is_to_be_tried_again(
    browser: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(token: str) -> None:
        raise UnavailableError(f"The accounts are locked ({len(token)})", mend="Wait")

    headers = signed_in(hub.accounts)
    monkeypatch.setattr(hub.accounts, "read", locked)
    refused = await browser.post(OPEN[0], content=Sent(1024), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")


async def test_a_ticket_takes_twenty_pictures_at_once(browser: httpx.AsyncClient, hub: Hub) -> None:
    headers = signed_in(hub.accounts) | {"content-type": "multipart/form-data; boundary=x"}
    for announced, is_bound in ((20 * (4 << 20), False), (FILES_BYTES + 1, True)):
        sent = {**headers, "content-length": str(announced)}
        answer = await browser.post("/tickets/T-1/evidence", content=Sent(1), headers=sent)
        assert (answer.status_code == 413) is is_bound


async def test_a_person_in_a_browser_reads_it_on_a_page(browser: httpx.AsyncClient) -> None:
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(STRANGERS_BYTES + 1),
        "accept": "text/html",
    }
    page = await browser.post("/sign-in", content=Sent(1), headers=headers)
    assert page.status_code == 413
    assert "<html" in page.text


async def test_whoever_is_known_may_bring_a_file_and_not_a_flood(
    browser: httpx.AsyncClient, hub: Hub
) -> None:
    taken = Sent(2 * STRANGERS_BYTES // len(PART))
    answer = await browser.post(OPEN[0], content=taken, headers=signed_in(hub.accounts))
    assert answer.status_code == 422, "blanks alone are no JSON"
    flood = {"content-length": str(KNOWN_BYTES + 1), **signed_in(hub.accounts)}
    assert (await browser.post(OPEN[0], content=Sent(1), headers=flood)).status_code == 413
