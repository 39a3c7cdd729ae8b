"""The fleet view's memory: what vehicles show, what the site gives, what outlives a restart."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agv_bridge.fleet.places import Source
from agv_bridge.missions.vehicles import Vehicle
from agv_bridge.vda5050.codec import encode
from agv_bridge.vda5050.messages import (
    Factsheet,
    Power,
    State,
    TypeSpecification,
    Visualization,
)
from agv_bridge.vda5050.topics import VehicleAddress
from appliance.fleet.given import read_given
from appliance.fleet.notebook import Notebook
from appliance.fleet.watch import FleetWatch
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from appliance.web.fleet.feed import FleetFeed
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import TransportProgress, TransportState
from tests.support.fleet import FakeBridge, Fleet, where

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ADDRESS = VehicleAddress("uagv", "v2", "acme", "7")
HEAD = {"version": "2.1.0", "manufacturer": "acme", "serial_number": "7", "timestamp": NOW}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


async def until(met) -> None:
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110 -- a board tells nobody of what it takes in
            await asyncio.sleep(0.01)


async def test_what_vehicles_show_of_themselves_is_taken_from_the_broker(tmp_path, clock) -> None:
    broker = MemoryBroker()
    async with MemoryBus(broker) as hub, MemoryBus(broker) as vehicle:
        watch = FleetWatch(hub, Notebook(tmp_path / "fleet.db"), clock=clock)
        watch.follow(FakeBridge(clock, {"acme/7": Vehicle(ADDRESS)}))
        sheet = Factsheet(**HEAD, type_specification=TypeSpecification(series_name="Tug 3"))
        await vehicle.publish(ADDRESS.topic("factsheet"), encode(sheet, "v2"), retain=True)
        running = asyncio.create_task(watch.run())
        await until(lambda: watch.board.factsheet("acme/7") is not None)
        seen = Visualization(**HEAD, position=where(3.0, 4.0))
        await vehicle.publish(ADDRESS.topic("visualization"), encode(seen, "v2"))
        await until(lambda: watch.board.too_soon("acme/7", at=NOW))
        # One that comes too soon is not even read; the next one is, and says nothing.
        await vehicle.publish(ADDRESS.topic("visualization"), b"{nonsense")
        clock.at += timedelta(seconds=1)
        await vehicle.publish(ADDRESS.topic("visualization"), b"{nonsense")
        await until(lambda: watch.unreadable > 0)
        (row,) = watch.rows()
        assert (row.x, row.y, row.map_id) == (3.0, 4.0, "hall")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_learned_places_and_told_steps_outlive_a_restart(tmp_path: Path, clock) -> None:
    fleet = Fleet(tmp_path, clock)
    running = asyncio.create_task(fleet.watch.run())
    fleet.says("acme/7", State(position=where(3, 4), last_node_id="A-01-1"))
    step = TransportProgress(
        "TO-1", TransportState.PICKED, "acme/7", NOW, load_id="RFID-9", reason="agv_load_mismatch"
    )
    fleet.watch.told(step)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    fleet.notebook.close()

    again = Notebook(tmp_path / "fleet.db")
    assert [(each.code, each.x, each.y) for each in again.places()] == [("A-01-1", 3.0, 4.0)]
    (kept,) = again.steps("TO-1")
    assert (kept.at, kept.load_id, kept.reason) == (NOW, "RFID-9", "agv_load_mismatch")
    assert again.orders_of("acme/7", most=5) == ["TO-1"]
    assert again.forget(NOW + timedelta(seconds=1)) == 1
    assert again.steps("TO-1") == []
    again.close()


async def test_a_full_disk_ends_no_view_and_nothing_told_is_lost(tmp_path: Path, clock) -> None:
    class Full(Notebook):
        full = True

        def keep(self, places, told):
            if self.full:
                raise OSError(28, "No space left on device")
            super().keep(places, told)

    notebook = Full(tmp_path / "fleet.db")
    watch = FleetWatch(None, notebook, clock=clock)
    watch.told(TransportProgress("TO-1", TransportState.SENT, "acme/7", NOW))
    await watch._write()
    notebook.full = False
    await watch._write()
    assert [each.state for each in notebook.steps("TO-1")] == [TransportState.SENT]
    notebook.close()


def test_a_damaged_notebook_is_put_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    file.write_bytes(b"this was a database once" * 100)
    notebook = Notebook(file)
    assert notebook.places() == []
    notebook.close()
    assert (tmp_path / "fleet.db.damaged").read_bytes().startswith(b"this was")
    Notebook(file).close()


# The site's own places


def test_the_sites_own_places_stand_before_what_is_learned(tmp_path: Path, clock) -> None:
    file = tmp_path / "places.csv"
    file.write_text('\ufeffmap,place,x,y\nhall,A-01-1,12.5,4\nhall,"DOCK, 1",0,0\n')
    watch = FleetWatch(None, Notebook(tmp_path / "fleet.db"), clock=clock, given=file)
    place = watch.board.places()["hall", "A-01-1"]
    assert (place.x, place.source) == (12.5, Source.GIVEN)
    assert ("hall", "DOCK, 1") in watch.board.places()
    feed = FleetFeed(watch, ticking=iter(range(100)).__next__)
    feed.refresh()
    seen = feed.version
    file.write_text("map,place,x,y\nhall,A-01-1,13,4\n")
    os.utime(file, ns=(1, 1))
    watch._read_given()
    feed.refresh()
    assert feed.since(seen)["places"] == [("hall", "A-01-1", 13.0, 4.0, "given")]
    assert feed.since(seen)["places_anew"]
    file.write_text("map,place,x,y\nhall,A-01-1,far,4\n")
    os.utime(file, ns=(2, 2))
    watch._read_given()
    assert watch.trouble is not None
    assert "line 2, x: 'far'" in str(watch.trouble)
    assert watch.board.places()["hall", "A-01-1"].x == 13.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"map,place,x\n", "line 1: no column y"),
        (b"", "no column"),
        (b"map,place,x,y\nhall,,1,2\n", "line 2, place"),
        (b"map,place,x,y\nhall,A,1,inf\n", "line 2, y"),
        (b"map,place,x,y\nhall,A,1\n", "line 2, y: ''"),
        (b"map,place,x,y\nhall,A,1,2\nhall,A,1,2\n", "line 3: A stands there already"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text, says) -> None:
    file = tmp_path / "places.csv"
    file.write_bytes(text)
    with pytest.raises(BadInputError, match=says):
        read_given(file)


def test_no_file_means_no_given_places(tmp_path: Path) -> None:
    assert read_given(tmp_path / "places.csv") == ()


# The stream


def test_only_what_changed_goes_out_and_a_new_page_gets_everything(tmp_path, clock) -> None:
    fleet = Fleet(tmp_path, clock)
    for serial in ("1", "2"):
        fleet.says(f"acme/{serial}", State(position=where(1, 1), power=Power(charge_percent=50)))
    feed = FleetFeed(fleet.watch, ticking=iter(range(100)).__next__)
    feed.refresh()
    first = feed.whole()
    assert [row[0] for row in first["rows"]] == ["acme/1", "acme/2"]
    seen = feed.version
    feed.refresh()
    assert feed.since(seen) == {"rows": []}
    clock.at += timedelta(seconds=1)
    fleet.says("acme/2", State(position=where(2, 1), power=Power(charge_percent=50), driving=True))
    feed.refresh()
    (row,) = feed.since(seen)["rows"]
    assert row[:6] == ("acme/2", "idle", 2.0, 1.0, 0.0, "hall")
    assert feed.whole()["trails"] == {"acme/2": [(1.0, 1.0), (2.0, 1.0)]}
    seen = feed.version
    del fleet.bridge.known["acme/1"]
    fleet.mission(7, "acme/2")
    clock.at += timedelta(seconds=1)
    feed.refresh()
    assert feed.since(seen) == {"rows": [], "gone": ["acme/1"]}
    assert feed.missions_changed(seen)
    assert not feed.missions_changed(feed.version)
