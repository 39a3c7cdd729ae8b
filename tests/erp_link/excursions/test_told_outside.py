"""An excursion is part of the record, and partners read it as a sensor report (EPCIS 2.0)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.clock import FixedClock
from contracts.telemetry import AlarmChange
from erp_link.epcis.query import Query
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.epcis import Repository
from erp_link.service.excursions.desk import Excursions
from erp_link.service.proof.verify import verify
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import LATER, WATER


@pytest.fixture
def warmed(core: Core, gateway: Gateway, clock: FixedClock) -> Core:
    core.receive(WATER, 10, location="COLD-01", by="op", expiry=LATER)
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[16.0] * 20)
    alarm.says(AlarmChange.CLEARED, 5.0)
    return core


def test_the_books_with_excursions_are_proven_row_by_row(warmed: Core) -> None:
    proven = verify(warmed.engine)
    assert proven.findings == ()
    assert proven.holds


def test_partners_read_a_sensor_report(warmed: Core) -> None:
    repository = Repository(warmed, Site(gln="4012345000009"))
    while repository.project():
        pass
    events = repository.query(Query()).events
    (report,) = [each for each in events if each["bizStep"] == "sensor_reporting"]
    (element,) = report["sensorElementList"]
    (told,) = element["sensorReport"]
    assert (told["type"], told["uom"], told["maxValue"]) == ("Temperature", "CEL", 16.0)
    assert told["exception"] == "ALARM_CONDITION"
    assert element["sensorMetadata"]["startTime"].startswith("2026-")
    assert report["quantityList"][0]["epcClass"].endswith(WATER.lot)
    assert [each["bizStep"] for each in events].count("holding") >= 1


def test_a_report_is_the_same_after_the_books_were_made_again(
    warmed: Core, tmp_path, clock: FixedClock
) -> None:
    from erp_link.adapters.database import open_engine
    from erp_link.service.proof.rebuild import rebuild

    (line,) = Excursions(warmed).excursions()
    url = f"sqlite:///{tmp_path / 'again.db'}"
    target = open_engine(url)
    rebuild(warmed.engine, target)
    target.dispose()
    again = Core(url, clock=clock)
    assert Excursions(again).report(line.excursion_id) == Excursions(warmed).report(
        line.excursion_id
    )
    again.close()
