"""Putting new users in force: what happens when the broker does not take them, or is not there."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.services.nats import EmbeddedNats, is_in_force, put_in_force, running
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry
from contracts.errors import UnavailableError
from tests.support.vehicles import A, Site, is_refused


async def test_a_broker_that_goes_on_with_its_old_users_is_told_as_such(site: Site):
    configuration = site.broker.folder / "nats.conf"
    good = configuration.read_text()
    configuration.write_text(good + "no such setting {\n")
    site.registry.revoke(A, by="ida", why="stolen")
    with pytest.raises(UnavailableError, match="did not take up the new users") as told:
        await put_in_force(site.broker.folder, site.registry.members, within_s=1.0)
    assert "nats.log" in told.value.mend
    assert not site.office.is_in_force()
    async with site.client(A):
        pass
    configuration.write_text(good)
    assert await site.office.apply()
    assert site.office.is_in_force()
    assert await is_refused(site.client(A))


async def test_the_number_of_a_broker_that_is_gone_is_not_taken_for_it(tmp_path: Path):
    broker = EmbeddedNats(tmp_path)
    await broker.start()
    pid = running(tmp_path)
    assert broker.child is not None
    assert pid == broker.child.pid
    await broker.stop()
    # Its number is another program's by now: this one's.
    (tmp_path / "nats.pid").write_text(str(os.getpid()))
    assert running(tmp_path) is None
    assert not await put_in_force(tmp_path, tuple)


async def test_a_start_takes_the_newest_list(site: Site):
    await site.broker.stop()
    site.registry.revoke(A, by="ida", why="sold")
    assert not is_in_force(site.broker.folder, site.registry.members())
    await site.broker.start()
    assert site.office.is_in_force()
    assert await is_refused(site.client(A))


async def test_the_brokers_log_is_read_in_any_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        broker = EmbeddedNats(tmp_path)
        await broker.start()
        try:
            registry = VehicleRegistry(tmp_path / "vehicles.json")
            site = Site(broker, registry, VehicleOffice(registry, tmp_path))
            assert await is_refused(site.client("hub", password="guess"))  # noqa: S106 -- a wrong one
            (one,) = site.office.refused()
        finally:
            await broker.stop()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert abs(datetime.now(UTC) - one.at) < timedelta(hours=1)
