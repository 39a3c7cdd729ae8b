"""A usage decision signed in a real browser, over the real core and the real accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts import routes
from appliance.accounts.store import Accounts
from appliance.live.memory import MemoryLiveView
from appliance.web.app import create_app
from appliance.web.core_records import CoreRecords
from appliance.web.gate import AccountsGate
from appliance.web.live import live_router
from appliance.web.quality import quality_router
from appliance.web.quality.core_desk import CoreDesk
from contracts.clock import SystemClock
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, UsageDecision
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality

pytestmark = pytest.mark.chromium

PASSWORD = "a long pass phrase of the dock"  # noqa: S105 -- the story's password
WATER = BatchKey("ACME", "06933132577789", "8842-740")
SMELL = Reason("held_by_hand", {"note": "smell"})
TWO = frozenset({UsageDecision.SCRAP})


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    opened = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def quality(core: Core) -> Quality:
    return Quality(core, DecisionPolicy(two_people=TWO))


@pytest.fixture
def url(tmp_path: Path, core: Core, quality: Quality, serve) -> Iterator[str]:
    accounts = Accounts.open(
        tmp_path / "accounts.db",
        clock=SystemClock(),
        session_key=Ed25519PrivateKey.generate(),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    for name in ("mara", "jun"):
        accounts.add_user(name, PASSWORD, ["quality", "operator"])
    app = create_app("Tallyman")
    app.state.sessions = accounts
    app.include_router(routes.router(accounts, app.state.pages.render))
    app.include_router(
        quality_router(CoreRecords(core), AccountsGate(), CoreDesk(quality, accounts))
    )
    app.include_router(live_router(MemoryLiveView(), AccountsGate(), clock=SystemClock()))
    yield serve(app).url
    accounts.close()


@pytest.fixture
def ticket(core: Core) -> str:
    core.receive(WATER, 10, location="A-01-1", by="op")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    assert hold.ticket_id is not None
    return hold.ticket_id


def sign_in(page: Any, name: str) -> None:
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button.button-main")
    page.wait_for_selector("body[data-signing]", state="attached")


def enrol(page: Any, *, password: str = PASSWORD) -> None:
    page.fill("[name=label]", "Office laptop")
    page.fill("[data-enrol] [name=password]", password)
    page.click("[data-enrol] button")


def decide(page: Any, decision: str, reason: str) -> None:
    page.check(f"[name=decision][value={decision}]")
    page.fill("[name=reason]", reason)
    page.click("[data-sign-button]")


def test_a_release_is_signed_with_a_key_that_never_leaves_the_browser(
    url, core, quality, ticket, open_page, page_errors
) -> None:
    page = open_page(f"{url}/tickets/{ticket}")
    sign_in(page, "mara")
    assert page.locator("[data-sign-button]").is_disabled()
    enrol(page, password="not the one she has")  # noqa: S106 -- a wrong one
    page.wait_for_selector("#enrol-told:not([hidden])")
    assert quality.keys() == []
    enrol(page)
    page.wait_for_selector('body[data-signing="key"]', state="attached")
    (key,) = quality.keys("mara")
    assert key.label == "Office laptop"

    # A hold comes while she reads: nothing is signed until she has seen it.
    newer = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    decide(page, "release", "opened three, all sound\nsecond line")
    page.wait_for_selector("#sign-told:not([hidden])")
    assert newer.hold_id in page.inner_text("#sign-told")
    assert quality.decisions(ticket) == []

    page.reload()
    page.wait_for_selector('body[data-signing="key"]', state="attached")
    decide(page, "release", "opened three, all sound\nsecond line")
    page.wait_for_selector(".made .sealed")
    (made,) = quality.decisions(ticket)
    assert made.reason == "opened three, all sound\nsecond line"
    assert [each.holds for each in made.signatures] == [True]
    assert set(made.holds_seen) == {newer.hold_id, *core.ticket(ticket).hold_ids}
    kept = page.evaluate(
        """async () => {
          const keys = await import("/static/keystore.js");
          const key = await keys.keyOf("mara");
          try { await crypto.subtle.exportKey("pkcs8", key.privateKey); return "exported"; }
          catch { return "stays"; }
        }"""
    )
    assert kept == "stays"
    assert [error for error in page_errors if "403" not in error] == []


def test_two_people_scrap_a_part_and_it_is_carried_out(
    url, core, quality, ticket, open_page, page_errors
) -> None:
    pages = {}
    for name in ("mara", "jun"):
        pages[name] = open_page(f"{url}/signing-keys")
        sign_in(pages[name], name)
        enrol(pages[name])
        pages[name].wait_for_selector('body[data-signing="key"]', state="attached")
    mara, jun = pages["mara"], pages["jun"]
    mara.goto(f"{url}/tickets/{ticket}")
    mara.wait_for_selector('body[data-signing="key"]', state="attached")
    mara.check("[name=part][value=part]")
    mara.fill("[name=quantity]", "6")
    decide(mara, "release", "six are sound")
    mara.wait_for_selector(".made a")
    with mara.expect_navigation():
        mara.click(".made a")
    mara.wait_for_selector('body[data-signing="key"]', state="attached")
    decide(mara, "scrap", "four leak")
    mara.wait_for_selector(".made-waiting")
    rest = quality.decisions(ticket)[0].child_ticket
    jun.goto(f"{url}/tickets/{rest}")
    jun.wait_for_selector('body[data-signing="key"]', state="attached")
    jun.click("[data-sign-button]")
    jun.wait_for_selector("form[action$='carry-out'] button")
    jun.click("form[action$='carry-out'] button")
    jun.wait_for_selector("text=closed")
    (batch,) = core.batches()
    assert (batch.unrestricted, batch.on_hand) == (6, 6)
    (made,) = quality.decisions(rest)
    assert [each.person for each in made.signatures] == ["mara", "jun"]
    assert page_errors == []
