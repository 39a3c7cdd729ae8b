"""A site in memory with its console, asked through ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from tests.support.pages import CSRF, NOW, FakeGate
from tests.support.updates import Updates, site


@pytest.fixture
def updates(tmp_path: Path) -> Updates:
    return site(tmp_path, clock=FixedClock(NOW))


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"ops", "quality"}), CSRF))


@pytest.fixture
async def client(updates: Updates, gate: FakeGate) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=FixedClock(NOW))
    app.include_router(updates.router(gate))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub.test",
        headers={"accept": "text/html"},
    ) as opened:
        yield opened
