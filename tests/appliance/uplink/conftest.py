"""A hub over a core in memory and over the real one, and an enrolled device beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.uplink.ports import AppliesEntries
from contracts.clock import SystemClock
from erp_link.service.core import Core
from tests.appliance.uplink.hub import Hub, MemoryCore, build


@pytest.fixture(params=["memory", "real"])
def core(request: pytest.FixtureRequest) -> Iterator[AppliesEntries]:
    if request.param == "memory":
        yield MemoryCore()
        return
    real = Core(request.getfixturevalue("core_url"), clock=SystemClock())
    yield real
    real.close()


@pytest.fixture
def hub(core: AppliesEntries, tmp_path: Path) -> Iterator[Hub]:
    hub = build(tmp_path / "hub", core)
    yield hub
    hub.registry.close()


@pytest.fixture
def identity(hub: Hub, tmp_path: Path) -> DeviceIdentity:
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "dock-1")
    hub.enrol(identity)
    return identity


@pytest.fixture
def journal(identity: DeviceIdentity, tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=SystemClock()) as journal:
        yield journal


@pytest.fixture
def pictures(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "pictures")


@pytest.fixture
def until() -> Callable[..., object]:
    """Wait for something to become true, with a deadline."""

    async def wait(condition: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 -- other processes and threads make it true
                await asyncio.sleep(0.01)
        assert condition(), what

    return wait
