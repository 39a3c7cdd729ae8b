"""Falls and races: what was acknowledged is booked once, whoever books it and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.device_log import Held, Moved
from contracts.errors import BadInputError
from contracts.stock import HoldKind, StockStatus
from erp_link.service.merge import logbook
from erp_link.service.merge.desk import MOST_ENTRIES, OfflineLogs
from tests.erp_link.merge.conftest import SHELF, House
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import JUICE, WATER

FREE, INSPECTION = StockStatus.UNRESTRICTED, StockStatus.INSPECTION


def test_the_hub_falls_between_keeping_a_log_and_booking_it(house: House) -> None:
    mei = house.phone("phone-1")
    mei.adjusts(WATER, -1)
    mei.writes(Held(HoldKind.BATCH, "wet", JUICE))
    house.core.write(lambda work: logbook.take_in(work, mei.entries), by="Mei")
    assert house.stands(WATER) == {FREE: 10}
    again = OfflineLogs(house.core)
    assert again.settle() == 2
    assert again.settle() == 0
    assert house.stands(WATER) == {FREE: 9}
    assert len(house.core.holds()) == 1


def test_phones_come_back_all_at_once_and_send_everything_twice(house: House) -> None:
    team = [house.phone(f"phone-{n}", by=f"P{n}") for n in range(4)]
    for phone in team:
        phone.adjusts(WATER, -1)
        phone.writes(Moved(JUICE, 1, SHELF, "A-02-1"))
        phone.receives(WATER, 2, "DOCK/1")

    def sends(phone: Phone) -> None:
        house.desk.upload(phone.entries[1:], by=phone.by)
        house.desk.upload(phone.entries, by=phone.by)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sends, [*team, *team]))
    assert house.stands(WATER) == {FREE: 6}
    assert house.stands(JUICE) == {FREE: 2}
    assert house.stands(JUICE, "A-02-1") == {INSPECTION: 4}
    assert house.stands(WATER, "DOCK/1") == {INSPECTION: 8}
    assert house.kinds() == []


def test_a_clock_that_jumps_changes_nothing(house: House) -> None:
    mei = house.phone("phone-1")
    for at_us in (2**52, 0, 1):
        mei.clock_us = at_us
        mei.adjusts(WATER, -1)
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(WATER) == {FREE: 7}


def test_a_log_comes_in_parts(house: House) -> None:
    mei = house.phone("phone-1")
    one = mei.adjusts(WATER, -1)
    with pytest.raises(BadInputError):
        house.desk.upload([one] * (MOST_ENTRIES + 1), by="Mei")
