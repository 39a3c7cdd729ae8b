"""A site's broker, for the tests of whom it lets in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.services.nats import EmbeddedNats
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry
from tests.support.vehicles import QC, A, B, Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    registry = VehicleRegistry(tmp_path / "vehicles.json")
    passwords = {name: registry.enrol_vehicle(name, by="ida") for name in (A, B)}
    passwords[QC] = registry.enrol_station(QC, by="ida")
    broker = EmbeddedNats(tmp_path / "broker", members=registry.members)
    await broker.start()
    try:
        yield Site(broker, registry, VehicleOffice(registry, broker.folder), passwords)
    finally:
        await broker.stop()
