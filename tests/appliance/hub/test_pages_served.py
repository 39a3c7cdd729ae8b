"""Whatever the navigation names, the hub serves."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Match

from appliance.config import Config
from appliance.hub.web import hub_app
from appliance.live.memory import MemoryLiveView
from appliance.web.navigation import GROUPS
from contracts.clock import FixedClock
from erp_link.service.core import Core


class Idle:
    """Stands for whatever is not asked before a request comes."""

    def __getattr__(self, name: str) -> Idle:
        return self


async def test_every_page_of_the_navigation_is_served(tmp_path: Path, clock: FixedClock) -> None:
    core, idle = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock), Idle()
    app, forwarding = hub_app(
        Config(), core, accounts=idle, evidence=idle, live=MemoryLiveView(), health=idle,
        rates=idle, lessons=idle, erp=idle, exchange=idle, signer=idle, fences=idle, sensors=idle,
        fleet=idle, access=idle, updates=idle, lines=idle, silent=lambda _: None, clock=clock,
        phones=idle,
    )  # fmt: skip

    def served(address: str) -> bool:
        scope = {"type": "http", "method": "GET", "path": address, "root_path": "", "headers": []}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    named = [page.address for group in GROUPS for page in group.pages]
    missing = [address for address in named if not served(address)]
    invented = served("/a-page-of-nobody")
    await forwarding.aclose()
    core.close()
    assert missing == []
    assert not invented
