"""What the hub tells gateways of the places in which sensors stand."""

from __future__ import annotations

import pytest

from appliance.hub.sensors import places_of
from contracts.clock import FixedClock
from contracts.telemetry import SeriesKey
from erp_link.service.core import Core
from erp_link.service.excursions.whereabouts import Whereabouts
from telemetry.describing.book import Device, Family, SensorBook
from telemetry.describing.series import Series
from telemetry.watching.fences import Scope, ScopeKind
from telemetry.watching.places import Whereabouts as Told
from telemetry.watching.places import covers

DOOR = SeriesKey("d", "door_open")


@pytest.mark.parametrize(("place", "watched"), [("COLD-DOOR", True), ("DOCK-DOOR", False)])
def test_a_sensor_where_no_goods_ever_stood_is_in_the_zone_of_its_place(
    core_url: str, clock: FixedClock, place: str, *, watched: bool
) -> None:
    """Else a fence about the zone would pass it over and nobody would know."""
    book = SensorBook(
        (Device("d", "json-door", place=place),), (Family("f/{device}", "json-door"),)
    )
    core = Core(core_url, clock=clock)
    told = Told(Whereabouts(core).zones(places_of(book)))
    series = Series(0, DOOR, "Cel", place=place)
    assert covers(Scope(ScopeKind.ZONE, "COLD"), series, told) is watched
    core.close()
