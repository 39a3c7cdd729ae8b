"""A gateway that was offline tells its alarms; the hub holds what was in the room, once (I1, I2, I6)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from contracts.errors import HeldError
from contracts.telemetry import AlarmChange
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from erp_link.service.goods.products import Products
from tests.appliance.uplink.hub import build, serving
from tests.erp_link.excursions.cold_room import Alarm
from tests.erp_link.story import LATER, WATER


async def _sent(journal: Journal, url: str, identity: DeviceIdentity, folder: Path, until) -> None:
    link = Uplink(
        journal,
        EvidenceStore(folder / "pictures"),
        url,
        identity,
        folder=folder / "uplink",
        clock=SystemClock(),
        poll_s=0.02,
        most_backoff_s=0.2,
    )
    job = asyncio.create_task(link.run())
    try:
        await until(lambda: link.online and link.lag == 0, "the backlog is sent")
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_alarms_of_an_outage_hold_goods_once(core_url: str, tmp_path: Path, until) -> None:
    core = Core(core_url, clock=SystemClock())
    Products(core).describe(Product(WATER.gtin, temperature=Temperature.CHILLED), by="q")
    core.receive(WATER, 10, location="COLD-01", expiry=LATER, by="op")
    hub = build(tmp_path / "hub", core)
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "gateway-01")
    hub.enrol(identity)
    alarm = Alarm(None, time.time_ns() // 1000)
    path = tmp_path / "journal.db"
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        for change, celsius in (
            (AlarmChange.RAISED, 12.0),
            (AlarmChange.CONTINUES, 16.0),
            (AlarmChange.CLEARED, 6.0),
        ):
            await journal.append(alarm.body(change, *[celsius] * 10))
        with serving(hub) as url:
            await _sent(journal, url, identity, tmp_path / "first", until)
    (line,) = Excursions(core).excursions()
    (hold,) = core.holds()
    assert (line.open, line.beyond, hold.batch) == (False, 1, WATER)
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="s")
    # The gateway lost what it knew of the hub and sends everything once more.
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal, serving(hub) as url:
        await _sent(journal, url, identity, tmp_path / "again", until)
    assert Excursions(core).excursions() == [line]
    assert core.holds() == [hold]
    assert len(core.tickets()) == 1
    hub.registry.close()
    core.close()
