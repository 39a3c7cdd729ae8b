"""A gateway that was offline tells its alarms; the hub holds what was in the room, once (I1, I2, I6)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from contracts.errors import BadInputError, HeldError, UnavailableError
from contracts.telemetry import AlarmChange, AlarmEffect
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms
from erp_link.service.excursions.desk import Excursions
from erp_link.service.goods.products import Products
from tests.appliance.journal.bodies import carton
from tests.appliance.uplink.hub import build, serving
from tests.appliance.uplink.test_intake import Dock
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


async def test_an_alarm_that_the_hub_cannot_book_stops_none_behind_it_and_has_a_ticket(
    core_url: str, tmp_path: Path, until
) -> None:
    core = Core(core_url, clock=SystemClock())
    hub = build(tmp_path / "hub", core)
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "gateway-01")
    hub.enrol(identity)
    door = Alarm(None, time.time_ns() // 1000, effect=AlarmEffect.NONE, alarm_id="door")
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=SystemClock()) as journal:
        await journal.append(door.body(AlarmChange.RAISED, 12.0))
        for name in ("strange-1", "strange-2"):
            strange = Alarm(None, time.time_ns() // 1000, alarm_id=name, number=1 << 70)
            await journal.append(strange.body(AlarmChange.RAISED, 12.0))
        await journal.append(door.body(AlarmChange.CLEARED, 6.0))
        with serving(hub) as url:
            await _sent(journal, url, identity, tmp_path / "up", until)
    (closed,) = Alarms(core).history()
    assert (closed.alarm_id, Alarms(core).open()) == ("door", [])
    (ticket,) = core.tickets()
    assert ticket.reason.code == "entry_set_aside"
    assert (ticket.reason.params["device"], ticket.reason.params["seq"]) == ("gateway-01", 2)
    notes = [each.note for each in ticket.history if each.what == "set_aside"]
    assert len(notes) == 2
    assert "strange-1" in notes[0]
    assert "strange-2" in notes[1]
    hub.registry.close()
    core.close()


async def test_a_verdict_that_the_hub_cannot_book_is_not_gone_past(
    identity: DeviceIdentity, journal: Journal, hub, tmp_path: Path
) -> None:
    def refuse(entry, body):
        raise BadInputError("the core has no such dock")

    hub.core.apply = refuse
    await journal.append(carton("C-1"))
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        dock = Dock(http, identity)
        for _ in range(5):
            answer = await dock.send(journal.entries())
            assert answer.status_code == 422
    assert hub.core.device_head(identity.device)[0] == 0


async def test_an_alarm_waits_for_a_database_that_is_away(
    identity: DeviceIdentity, journal: Journal, hub
) -> None:
    errors = [UnavailableError("away")] * 4 + [BadInputError("no")] * 2

    def refuse(entry, body):
        raise errors.pop(0)

    hub.core.apply = refuse
    await journal.append(Alarm(None, 5).body(AlarmChange.RAISED, 12.0))
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        dock = Dock(http, identity)
        codes = [(await dock.send(journal.entries())).status_code for _ in range(6)]
        assert codes == [503] * 4 + [422] * 2
        assert hub.core.device_head(identity.device)[0] == 0
        errors.append(BadInputError("no"))
        assert (await dock.send(journal.entries())).status_code == 200
    assert hub.core.device_head(identity.device)[0] == 1
