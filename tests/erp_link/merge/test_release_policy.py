"""What the site asks of a decision at the hub it asks of a release offline too (I1)."""

from __future__ import annotations

import pytest

from contracts.device_log import Held
from contracts.errors import HeldError
from contracts.stock import HoldKind, StockStatus
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.merge.desk import OfflineLogs
from tests.erp_link.merge.conftest import House
from tests.erp_link.merge.worlds import TWO_PEOPLE
from tests.erp_link.story import WATER


def under(house: House, policy: DecisionPolicy) -> House:
    return House(house.core, OfflineLogs(house.core, policy), house.clock)


def test_a_second_person_has_to_release_offline_too(house: House) -> None:
    site = under(house, TWO_PEOPLE)
    mei, wang = site.phone("phone-1"), site.phone("lead", "quality", by="Wang")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    wang.releases(mei.hold_id(held))
    site.desk.upload([*mei.entries, *wang.entries], by="Wang")
    assert site.open_holds() == {mei.hold_id(held)}
    assert site.kinds() == ["release_second"]
    with pytest.raises(HeldError):
        site.core.reserve("SO-1", WATER, 1, by="op")
    li = site.phone("phone-2", "quality", by="Li")
    li.releases(mei.hold_id(held))
    site.desk.upload(li.entries, by="Li")
    assert not site.open_holds()
    assert not site.kinds()
    assert site.stands(WATER) == {StockStatus.UNRESTRICTED: 10}


def test_one_person_with_two_devices_is_one_person(house: House) -> None:
    site = under(house, TWO_PEOPLE)
    mei = site.phone("phone-1")
    phone, tablet = (site.phone(name, "quality", by="Wang") for name in ("lead", "tablet"))
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    for device in (phone, tablet):
        device.releases(mei.hold_id(held))
    site.desk.upload([*mei.entries, *phone.entries, *tablet.entries], by="Wang")
    assert site.open_holds() == {mei.hold_id(held)}
    assert site.kinds() == ["release_second"] * 2


def test_a_borrowed_device_releases_nothing_where_decisions_are_signed(house: House) -> None:
    mei, wang = house.phone("phone-1"), house.phone("lead", "quality", by="Wang")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    wang.by = "Mei"
    wang.releases(mei.hold_id(held))
    house.desk.upload([*mei.entries, *wang.entries], by="Mei")
    assert house.open_holds() == {mei.hold_id(held)}
    assert house.kinds() == ["release_refused"]
