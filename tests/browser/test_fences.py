"""A fence made without code in a real browser: tried out, dragged, signed, and what its alarm shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts import routes
from appliance.accounts.store import Accounts
from appliance.fences.guard import FenceGuard
from appliance.fences.office import FenceOffice
from appliance.fences.store import FenceStore
from appliance.live.memory import MemoryLiveView
from appliance.teaching.office import QualityOffice
from appliance.teaching.trust import TrustedKeys
from appliance.web.alarms import alarms_router
from appliance.web.app import create_app
from appliance.web.core_records import CoreRecords
from appliance.web.fences import fences_router
from appliance.web.fences.trials import GatewayTrials
from appliance.web.gate import AccountsGate
from appliance.web.live import live_router
from appliance.web.quality import quality_router
from appliance.web.quality.core_desk import CoreDesk
from contracts.clock import FixedClock, SystemClock
from contracts.telemetry import AlarmChange
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms
from erp_link.service.quality.desk import Quality
from telemetry.watching.trials.api import watching_router
from tests.erp_link.excursions.cold_room import Gateway
from tests.support.charts import fill, gateway_app

pytestmark = pytest.mark.chromium

PASSWORD = "a long pass phrase of the dock"  # noqa: S105 -- the story's password
WORDS = "seven cold rooms and one door"


class House:
    """A hub's pages of fences over the real core, office and history."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        fill(folder / "history")
        self.read_port, self.history = gateway_app(folder / "history")
        self.read_port.include_router(watching_router(self.history))
        self.core = Core(f"sqlite:///{folder / 'core.db'}", clock=clock)
        self.quality = Quality(self.core)
        self.lead = QualityOffice(folder / "quality.db", clock=clock)
        self.lead.make_key(WORDS, holder="Lin")
        self.store = FenceStore(folder / "fences.db")
        self.office = FenceOffice(self.store, self.lead, self.quality, clock)
        self.accounts = Accounts.open(
            folder / "accounts.db",
            clock=clock,
            session_key=Ed25519PrivateKey.generate(),
            hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
        )
        self.accounts.add_user("mara", PASSWORD, ["quality", "operator"])
        self.trials = GatewayTrials("http://gateway", self.core)
        self.trials.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.read_port), base_url="http://gateway"
        )

    def app(self) -> Any:
        app = create_app("Tallyman")
        app.state.sessions = self.accounts
        gate = AccountsGate()
        app.include_router(routes.router(self.accounts, app.state.pages.render))
        desk = CoreDesk(self.quality, self.accounts)
        app.include_router(quality_router(CoreRecords(self.core), gate, desk))
        app.include_router(fences_router(self.office, self.trials, gate))
        app.include_router(alarms_router(Alarms(self.core), gate))
        app.include_router(live_router(MemoryLiveView(), gate, clock=SystemClock()))
        return app

    def close(self) -> None:
        self.history.close()
        self.accounts.close()
        self.store.close()
        self.lead.close()
        self.core.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def sign_in(page: Any) -> None:
    page.fill("[name=name]", "mara")
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("button.button-main")


def test_a_fence_is_made_tried_and_signed_without_code(
    house, serve, open_page, page_errors, tmp_path
) -> None:
    url = serve(house.app()).url
    page = open_page(f"{url}/signing-keys")
    sign_in(page)
    page.fill("[name=label]", "Office laptop")
    page.fill("[data-enrol] [name=password]", PASSWORD)
    page.click("[data-enrol] button")
    page.wait_for_selector('body[data-signing="key"]', state="attached")

    # What an hour ago was too warm would have been told, and a limit is dragged in the chart.
    page.goto(f"{url}/fences/new")
    page.fill("[name=title]", "Cold room too warm")
    page.fill("[name=above]", "7")
    page.select_option("[name=effect]", "excursion")
    page.fill("[name=tell_min]", "10")
    page.select_option("[name=days]", "1")
    page.click("#try")
    page.wait_for_selector("[data-alarms='1']")
    limit = page.locator("[data-limit=above] rect").bounding_box()
    plot = page.locator("svg.trial-plot").bounding_box()
    middle = plot["x"] + plot["width"] / 2
    page.mouse.move(middle, limit["y"] + limit["height"] / 2)
    page.mouse.down()
    page.mouse.move(middle, plot["y"] + 4)
    page.mouse.up()
    page.wait_for_selector("[data-alarms='0']")
    assert float(page.input_value("[name=above]")) > 7.7
    page.fill("[name=above]", "7")

    # An unknown name is told with its place, and nothing that was typed is lost.
    page.locator("summary", has_text="Expression").click()
    page.fill("[name=expression]", "temprature > 9")
    with page.expect_navigation():
        page.click("text=Save as draft")
    assert "»temprature" in page.inner_text("#fence-error")
    assert page.input_value("[name=above]") == "7"
    page.fill("[name=expression]", "")
    with page.expect_navigation():
        page.click("text=Save as draft")
    assert re.search(r"/fences/cold-room-too-warm$", page.url)

    # Her key may not sign yet; the lead lets it.
    page.wait_for_selector("[data-when=no-key]:not([hidden])")
    page.goto(f"{url}/fences")
    page.fill("[name=passphrase]", WORDS)
    with page.expect_navigation():
        page.click("text=Let this key sign fences")
    page.goto(f"{url}/fences/cold-room-too-warm")
    page.wait_for_selector("[data-when=key]:not([hidden])")
    page.fill("[data-fence-sign] [name=reason]", "the last week was looked at")
    with page.expect_navigation():
        page.click("text=Sign and put in force")
    assert "in force" in page.inner_text("main")

    guard = FenceGuard(tmp_path / "gateway", TrustedKeys(tmp_path / "trust"))
    guard.take(house.office.told())
    assert [each.above for each in guard.fences()] == [7.0]

    # Another draft shows what it changes; the fence ends by a signature too.
    page.fill("[name=above]", "7.5")
    with page.expect_navigation():
        page.click("text=Save as draft")
    assert "7.5" in page.inner_text(".changes ins")
    page.click("text=End this fence")
    form = page.locator("[data-fence-sign]", has=page.locator("input[value=retired]"))
    form.locator("[name=reason]").fill("the room is given up")
    with page.expect_navigation():
        form.locator("button").click()
    guard.take(house.office.told())
    assert guard.fences() == ()
    assert [error for error in page_errors if "422" not in error] == []


def test_without_a_gateway_a_file_is_tried(house, serve, open_page, page_errors) -> None:
    async def silent(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody")

    house.trials.client = httpx.AsyncClient(
        transport=httpx.MockTransport(silent), base_url="http://gateway"
    )
    page = open_page(f"{serve(house.app()).url}/fences/new", width=390, height=844, language="zh")
    sign_in(page)
    page.fill("[name=title]", "冷库")
    page.fill("[name=below]", "2")
    page.click("#try")
    page.wait_for_selector("#tried .gate-error")
    page.set_input_files(
        "[name=file]",
        {
            "name": "logger.csv",
            "mimeType": "text/csv",
            "buffer": b"time,value\n2026-11-20T08:00,5\n2026-11-20T08:10,1.5\n2026-11-20T09:00,4\n",
        },
    )
    page.click("#try")
    page.wait_for_selector("[data-alarms='1']")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page_errors == []


def test_an_alarm_is_seen_to_and_says_from_which_sensor(
    house, serve, open_page, page_errors
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    alarm = Gateway(house.core, FixedClock(now)).alarm(now - timedelta(hours=1))
    alarm.says(AlarmChange.RAISED, *(8.2 + n * 0.1 for n in range(12)))
    page = open_page(f"{serve(house.app()).url}/alarms")
    sign_in(page)
    page.fill(".alarm [name=note]", "somebody went there")
    with page.expect_navigation():
        page.click(".alarm button")
    assert "seen by mara" in page.inner_text(".alarm")
    page.click(".alarm header a")
    page.wait_for_selector("svg.alarm-plot polyline")
    assert "CNAS-118" in page.inner_text("main")
    assert "12 minutes measured" in page.inner_text("main")
    (row,) = Alarms(house.core).open()
    assert (row.acknowledged_by, row.note) == ("mara", "somebody went there")
    assert page_errors == []
