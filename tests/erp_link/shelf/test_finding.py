"""What somebody should go and find, in walking order: orders, recounts, goods to fetch back."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.device_log import Flagged, TicketOpened
from contracts.stock import HoldKind
from erp_link.domain.orders import NewLine, NewOrder
from erp_link.domain.shelf.lists import ListKind
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.orders.desk import Orders
from tests.erp_link.merge.logs import Phone
from tests.erp_link.shelf.conftest import OTHER, SHELF, House
from tests.erp_link.story import JUICE, WATER

PHOTO = "ab" * 32


def phone(house: House, name: str, by: str) -> Phone:
    made = Phone(name, by=by)
    OfflineLogs(house.core).enrol(name, made.public_key, roles=["operator"], by=by)
    return made


def test_an_orders_goods_are_to_be_found_the_one_due_first_first(house: House) -> None:
    orders = Orders(house.core)
    for name, due in (("SO-2", date(2026, 12, 2)), ("SO-1", date(2026, 12, 1)), ("SO-3", None)):
        lines = (NewLine(WATER.gtin, 2), NewLine(JUICE.gtin, 1))
        orders.place(NewOrder(name, lines, "Shop", due), by="ops")
        orders.plan(name, by="ops")
    found = house.desk.find_lists()
    assert [(each.title, each.due) for each in found] == [
        ("SO-1", "2026-12-01"),
        ("SO-2", "2026-12-02"),
        ("SO-3", ""),
    ]
    assert [(line.location, line.lot, line.quantity) for line in found[0].lines] == [
        (SHELF, WATER.lot, 2),
        (OTHER, JUICE.lot, 1),
    ]
    house.lists.take_file(ListKind.PLACES, b"place\nA-01-2\n", name="walk.csv", by="ops")
    assert [line.location for line in house.desk.find_lists()[0].lines] == [OTHER, SHELF]


def test_counts_that_disagree_are_a_round_of_recounts(house: House) -> None:
    mei, li = phone(house, "phone-1", "Mei"), phone(house, "phone-2", "Li")
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 7, of=10)
    OfflineLogs(house.core).upload([*mei.entries, *li.entries], by="Mei")
    (round_,) = house.desk.find_lists()
    assert round_.kind == "recount"
    assert [(line.gtin, line.location) for line in round_.lines] == [(WATER.gtin, SHELF)]


def test_goods_that_a_hold_came_too_late_for_are_to_be_fetched(house: House) -> None:
    (reserved,) = house.core.reserve("SO-9", WATER, 4, by="op")
    house.core.pick(reserved.reservation_id, by="op")
    house.holds(HoldKind.BATCH, "dented", batch=WATER)
    recalls = [each for each in house.desk.find_lists() if each.kind == "recall"]
    assert recalls
    assert {line.gtin for each in recalls for line in each.lines} == {WATER.gtin}


def test_photos_that_a_log_names_stand_on_the_ticket(house: House) -> None:
    mei = phone(house, "phone-1", "Mei")
    mei.writes(Flagged("wrong_price", SHELF, WATER.gtin, note="1.99", photos=(PHOTO,)))
    mei.writes(TicketOpened("leaks", WATER, SHELF, photos=(PHOTO, "cd" * 32)))
    done = OfflineLogs(house.core).upload(mei.entries, by="Mei")
    assert not done.refused
    tickets = {each.ticket_id[:2]: each for each in house.core.tickets()}
    assert [each.sha256 for each in tickets["FL"].evidence] == [PHOTO]
    assert [each.kind for each in tickets["QC"].evidence] == ["photo", "photo"]
    told = {each.id[:2]: each for each in house.carried().tickets}
    assert (told["FL"].gtins, told["FL"].locations) == ((WATER.gtin,), (SHELF,))


@pytest.mark.parametrize("photos", [("short",), (PHOTO, PHOTO), (PHOTO.upper(),)])
def test_photos_that_are_none_are_told(house: House, photos: tuple[str, ...]) -> None:
    mei = phone(house, "phone-1", "Mei")
    mei.writes(TicketOpened("leaks", WATER, SHELF, photos=photos))
    OfflineLogs(house.core).upload(mei.entries, by="Mei")
    assert [each.kind.value for each in OfflineLogs(house.core).disputes()] == ["unreadable"]
