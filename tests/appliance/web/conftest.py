"""Pages over fakes, asked through ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType

import httpx
import pytest

from tests.support import pages


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    return pages


@pytest.fixture
def house() -> pages.House:
    return pages.build()


@pytest.fixture
async def client(house: pages.House) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened
