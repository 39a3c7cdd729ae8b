"""Two docks receive at the same time, and each station is told of its own delivery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from erp_link.service.core import Core
from tests.appliance.uplink.hub import build, serving
from tests.appliance.uplink.test_sender import running
from tests.erp_link.story import delivery


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    yield made
    made.close()


async def test_each_station_hears_of_the_delivery_at_its_own_dock(
    core: Core, tmp_path: Path, until: Callable[..., Awaitable[None]]
) -> None:
    docks = {"north gate": "DESP-1", "dock/2": "DESP-2"}
    sessions = {}
    for dock, number in docks.items():
        core.import_asn(delivery(number), by="ops")
        sessions[dock] = core.open_session(number, dock=dock, by="op")
    hub = build(tmp_path / "hub", core)
    with serving(hub) as url:
        for dock, session in sessions.items():
            name = dock.replace("/", "-").replace(" ", "-")
            identity = DeviceIdentity.open_or_create(tmp_path / f"{name}-identity", name)
            hub.enrol(identity)
            with Journal.open(
                tmp_path / f"{name}.db", identity=identity, clock=SystemClock()
            ) as journal:
                link = Uplink(
                    journal,
                    EvidenceStore(tmp_path / f"{name}-pictures"),
                    url,
                    identity,
                    folder=tmp_path / name,
                    clock=SystemClock(),
                    poll_s=0.02,
                    station=dock,
                )
                async with running(link):
                    await until(
                        lambda link=link, session=session: link.expectations.session == session,
                        dock,
                    )
                assert link.expectations.asn == docks[dock]
    hub.registry.close()
    assert core.expectations("elsewhere").session is None, "two are open: which one, nobody can say"
