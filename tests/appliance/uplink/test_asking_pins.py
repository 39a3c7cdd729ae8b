"""A station asks its hub who judges a batch, over the device port as it is (I3)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.ota import pins_port
from appliance.pinning.desk import PinDesk
from appliance.pinning.kept import KeptPins
from appliance.uplink.client import HubRefusedError
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from contracts.judging import judge_digest
from contracts.stock import BatchKey
from ota.judging.memory import MemoryPins
from tests.appliance.uplink.hub import MemoryCore, build, serving

BATCH = BatchKey("Acme", "06291041500213", "LOT-7")
MINE = {"inspect": "sha256:" + "a" * 64, "profile": "sha256:" + "b" * 64}
THEIRS = {"inspect": "sha256:" + "a" * 64, "profile": "sha256:" + "c" * 64}


async def test_the_first_to_ask_judges_and_the_other_station_is_told(tmp_path: Path, until) -> None:
    hub = build(tmp_path / "hub", MemoryCore())
    pins = MemoryPins()
    pins.pin(BATCH, THEIRS, by="edge-02")
    hub.app.include_router(pins_port.router(pins, registry=hub.registry, clock=SystemClock()))
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "edge-01")
    hub.enrol(identity)
    clock = SystemClock()
    with (
        Journal.open(tmp_path / "journal.db", identity=identity, clock=clock) as journal,
        serving(hub) as url,
    ):
        uplink = make_uplink(tmp_path, identity, url, journal)
        with pytest.raises(UnavailableError):
            await uplink.ask_pins([(BATCH, MINE)])
        job = asyncio.create_task(uplink.run())
        await until(lambda: uplink.online, "the hub answers")
        desk = PinDesk(KeptPins(tmp_path / "pins.json"), uplink, deadline_s=10)
        await desk.ask(BATCH, MINE)
        await desk.ask_reads("RS-1", MINE["inspect"])
        with pytest.raises(HubRefusedError, match="judge"):
            await uplink.ask_pins([(BATCH, {})])
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    hub.registry.close()
    assert desk.book.told[BATCH].judge == judge_digest(THEIRS)
    assert desk.reads("RS-1") == MINE["inspect"]
    assert desk.reads_are_told("RS-1")


def make_uplink(folder: Path, identity: DeviceIdentity, url: str, journal: Journal) -> Uplink:
    return Uplink(
        journal,
        EvidenceStore(folder / "pictures"),
        url,
        identity,
        folder=folder / "uplink",
        clock=SystemClock(),
        poll_s=0.02,
    )
