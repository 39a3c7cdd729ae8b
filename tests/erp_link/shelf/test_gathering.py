"""What a phone carries is what the books say: where goods stand, what holds cover, what is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.shelf import ExpiryLimits, ShelfCell
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.places import dock_of
from erp_link.domain.products import Product
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.shelf.lists import ListKind
from erp_link.service import holding
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.shelf.news import mark, news
from tests.erp_link.merge.logs import Phone
from tests.erp_link.shelf.conftest import EXPIRY, OTHER, SHELF, House
from tests.erp_link.story import JUICE, WATER, Station, delivery


def test_goods_stand_where_the_books_have_them(house: House) -> None:
    carried = house.carried()
    assert (carried.site, carried.zone, carried.base) == ("Dock", "Asia/Shanghai", 0)
    assert carried.version > 0
    assert [each.gtin for each in carried.products] == sorted({WATER.gtin, JUICE.gtin})
    batch = house.batch()
    assert batch.expiry == EXPIRY.isoformat()
    assert batch.cells == (ShelfCell(SHELF, free=10),)
    assert house.batch(JUICE).expiry == ""


def test_what_an_order_reserved_stands_there_and_is_promised(house: House) -> None:
    house.core.reserve("SO-1", WATER, 4, by="op")
    assert house.batch().cells == (ShelfCell(SHELF, free=10, reserved=4),)


def test_goods_picked_for_an_order_stand_in_staging(house: House) -> None:
    (reserved,) = house.core.reserve("SO-1", WATER, 4, by="op")
    house.core.pick(reserved.reservation_id, by="op")
    assert set(house.batch().cells) == {
        ShelfCell(SHELF, free=6),
        ShelfCell("STAGING", free=4, reserved=4),
    }


def test_a_hold_on_a_batch_is_told_with_its_reason_and_its_ticket(house: House) -> None:
    hold = house.holds(HoldKind.BATCH, "dented", batch=WATER)
    assert house.batch().cells == (ShelfCell(SHELF, held=10),)
    assert house.batch().holds == (hold,)
    (told,) = house.carried().holds
    assert (told.id, told.kind, told.note) == (hold, "batch", "dented")
    assert told.ticket in {each.id for each in house.carried().tickets}
    assert house.batch(JUICE).holds == ()


def test_in_a_place_on_hold_nothing_is_free(house: House) -> None:
    hold = house.holds(HoldKind.LOCATION, "leak", location=SHELF)
    assert house.batch().cells == (ShelfCell(SHELF, held=10),)
    assert house.batch().holds == (hold,)
    assert house.batch(JUICE).cells == (ShelfCell(OTHER, free=6),)


def test_a_hold_on_a_supplier_covers_goods_whose_supplier_nobody_could_name(house: House) -> None:
    nameless = BatchKey("", WATER.gtin, WATER.lot)
    house.core.receive(nameless, 2, location=OTHER, by="op")
    hold = house.holds(HoldKind.SUPPLIER, "recall", supplier="ACME")
    assert house.batch(nameless).holds == (hold,)
    assert house.batch(JUICE).holds == (hold,)


def test_a_released_hold_is_told_no_more(house: House) -> None:
    house.holds(HoldKind.BATCH, "dented", batch=WATER)
    (hold,) = house.carried().holds
    house.core.write(lambda work: holding.lift(work, hold.id, reason="looked at"), by="mara")
    assert house.carried().holds == ()
    assert house.batch().cells == (ShelfCell(SHELF, free=10),)


def test_names_units_and_limits_come_from_the_master_data(house: House) -> None:
    described = Product(WATER.gtin, "Still water", expiry=ExpiryPolicy(60, 20, 5))
    Products(house.core).describe(described, by="ops")
    water = house.product()
    assert (water.name, water.unit) == ("Still water", "carton")
    assert water.limits == ExpiryLimits(60, 20, 5)
    assert house.product(JUICE.gtin).limits is None


def test_what_was_only_announced_is_known_by_the_name_in_its_list(
    core: Core, clock: FixedClock
) -> None:
    core.import_asn(delivery(), by="ops")
    house = House(core, clock)
    assert house.product().name == "Still water"
    assert house.product().batches == ()
    assert house.product().suppliers == ("ACME",)


def test_who_delivered_last_stands_first(house: House) -> None:
    house.core.receive(BatchKey("ZENITH", WATER.gtin, "Z-1"), 1, location=SHELF, by="op")
    assert house.product().suppliers == ("ZENITH", "ACME")
    house.core.receive(BatchKey("ACME", WATER.gtin, "A-2"), 1, location=SHELF, by="op")
    assert house.product().suppliers == ("ACME", "ZENITH")


def test_places_come_in_walking_order(house: House) -> None:
    usual = house.carried().locations
    assert usual[:2] == (SHELF, OTHER)
    assert usual[-2:] == ("QUARANTINE", "STAGING")
    house.lists.take_file(
        ListKind.PLACES, b"place,name\nB-01-1,Door\nA-01-2,\nA,Aisle A\n", name="p.csv", by="ops"
    )
    carried = house.carried()
    assert carried.locations[:3] == ("B-01-1", OTHER, SHELF)
    assert set(carried.locations) == set(usual)
    assert carried.words == {"B-01-1": "Door", "A": "Aisle A"}


def test_it_says_which_of_a_phones_entries_are_in_it(house: House) -> None:
    logs, mei = OfflineLogs(house.core), Phone("phone-1")
    logs.enrol("phone-1", mei.public_key, roles=["operator"], by="Mei")
    mei.is_told({}, house.carried().version)
    mei.counts(WATER, 8, of=10)
    logs.upload(mei.entries, by="Mei")
    assert house.carried().seen == {"phone-1": 2}
    assert house.batch().cells == (ShelfCell(SHELF, free=8),)


def test_the_day_is_the_sites(house: House) -> None:
    house.clock.at = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    assert house.carried().today == "2026-11-22"
    house.clock.at += timedelta(minutes=2)
    assert house.carried().today == "2026-11-23"


def test_a_finding_of_the_station_is_told_where_the_carton_stands(
    core: Core, station: Station
) -> None:
    station.receives(water=2, juice=0)
    station.finds_defect("C-1")
    house = House(core, station.clock)
    (ticket,) = [each for each in house.carried().tickets if each.kind == "finding"]
    assert ticket.gtins == (WATER.gtin,)
    assert ticket.locations == (dock_of("dock-1"),)
    assert ticket.reason == Reason("defect_seen", {"score": 0.9})


def test_whatever_changes_what_a_phone_carries_is_seen(house: House) -> None:
    logs, mei = OfflineLogs(house.core), Phone("phone-1")
    logs.enrol("phone-1", mei.public_key, roles=["operator"], by="Mei")
    mei.is_told({}, house.carried().version)
    for name, act in {
        "a reservation": lambda: house.core.reserve("SO-1", WATER, 1, by="op"),
        "a hold": lambda: house.holds(HoldKind.LOCATION, "leak", location=OTHER),
        "a ticket's life": lambda: house.core.contain_ticket(
            house.carried().tickets[0].id, by="mara"
        ),
        "master data": lambda: Products(house.core).describe(
            Product(JUICE.gtin, "Juice"), by="ops"
        ),
        "a list": lambda: house.lists.take_file(
            ListKind.PLACES, b"place,name\nA,Aisle\n", name="p.csv", by="ops"
        ),
        "an entry of a log": lambda: logs.upload(mei.entries, by="Mei"),
        "a new place": lambda: house.core.receive(JUICE, 1, location="C-77", by="op"),
    }.items():
        before, content = house.core.read(mark), house.carried()
        assert not house.core.read(lambda c, seen=before: news(c, seen)).anything, name
        act()
        assert house.carried() != content, name
        assert house.core.read(lambda c, seen=before: news(c, seen)).anything, name


def test_what_a_phone_does_not_carry_asks_for_no_reading(house: House) -> None:
    before = house.core.read(mark)
    Reorder(house.core).set_policy(WATER.gtin, ReorderPolicy(lead_days=9), by="ops")
    assert not house.core.read(lambda c: news(c, before)).anything
