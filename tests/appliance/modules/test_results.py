"""contracts.modules.ModuleResults: the fake of the stories keeps to the same as the core's adapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.hub.news import HubNews
from appliance.live.memory import MemoryLiveView
from appliance.modules.listener import CoreModules
from contracts.clock import FixedClock
from contracts.modules import FailedCheck, ModuleEvent, ModuleResults, ModuleWord
from erp_link.service.core import Core
from tests.agv_bridge.bridge.test_modules import ResultsInMemory


class Counted:
    """Either kind, and how many events it has booked."""

    def __init__(self, results: ModuleResults, core: Core | None) -> None:
        self.results = results
        self.core = core

    def booked(self) -> int:
        if self.core is None:
            return len(self.results.booked)
        return len(self.core.tickets())


@pytest.fixture(params=["memory", "core"])
def either(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Counted]:
    if request.param == "memory":
        yield Counted(ResultsInMemory(), None)
        return
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    news = HubNews(MemoryLiveView(), wake=lambda: None)
    yield Counted(CoreModules(core, news, failed_check=FailedCheck.CARTON), core)
    core.close()


async def test_an_event_counts_once_and_is_never_refused(either: Counted, clock: FixedClock):
    """Of loads that nobody here knows: each is a task."""
    stored = ModuleEvent("STORE-1", "1", ModuleWord.STORED, "C1", clock.now(), place="A-01-1")
    for event in (
        stored,
        stored,
        replace(stored, at=clock.now()),
        replace(stored, event_id="2"),
        replace(stored, station="STORE-2"),
        replace(stored, what=ModuleWord.RETRIEVED),
    ):
        await either.results.module_event(event)
    assert either.booked() == 4
