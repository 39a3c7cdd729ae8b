"""Pages over fakes, asked through ASGI."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

_SUPPORT = Path(__file__).resolve().parents[2] / "support" / "pages.py"


def _support() -> ModuleType:
    known = sys.modules.get("tallyman_page_fakes")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location("tallyman_page_fakes", _SUPPORT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tallyman_page_fakes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    return _support()


@pytest.fixture
def house(fakes: ModuleType):
    return fakes.build()


@pytest.fixture
async def client(house) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened
