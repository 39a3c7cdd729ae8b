"""Logs of offline devices come in and are booked: counts, holds, releases, quotas, conflicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.device_log import (
    GENESIS,
    Adjusted,
    Flagged,
    Held,
    Moved,
    Observed,
    Released,
    TicketOpened,
)
from contracts.errors import BadInputError, ConflictError, HeldError, InsufficientStockError
from contracts.reason import Reason
from contracts.stock import HoldKind, StockStatus, TicketState
from erp_link.domain.places import dock_of
from erp_link.domain.products import Product
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.goods.products import Products
from erp_link.service.merge.proving import OtherKeyError
from erp_link.service.orders.quotas import account_of
from tests.erp_link.merge.conftest import SHELF, House
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import JUICE, WATER, Station

FREE, BLOCKED, INSPECTION = (
    StockStatus.UNRESTRICTED,
    StockStatus.BLOCKED,
    StockStatus.INSPECTION,
)


def test_a_count_changes_the_books_by_what_was_missing(house: House) -> None:
    mei = house.phone("phone-1")
    told = house.desk.carry("phone-1")
    mei.is_told(told.seen, told.version)
    mei.counts(WATER, 8, of=10)
    done = house.desk.upload(mei.entries, by="Mei")
    assert (done.new, done.known, done.refused) == (2, 0, ())
    assert house.stands(WATER) == {FREE: 8}
    again = house.desk.upload(mei.entries, by="Mei")
    assert (again.new, again.known) == (0, 2)
    assert house.stands(WATER) == {FREE: 8}
    assert not house.desk.disputes()


def test_two_counts_open_a_recount_with_both_sides_and_the_recount_settles_it(
    house: House,
) -> None:
    mei, li = house.phone("phone-1"), house.phone("phone-2", by="Li")
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 7, of=10)
    house.desk.upload(li.entries, by="Li")
    house.desk.upload(mei.entries, by="Mei")
    (dispute,) = house.desk.disputes()
    assert dispute.kind == "counts_differ"
    assert {(side.by, side.device) for side in dispute.sides} == {
        ("Mei", "phone-1"),
        ("Li", "phone-2"),
    }
    assert house.core.ticket(dispute.ticket_id).state is TicketState.OPEN
    assert house.stands(WATER) == {FREE: 7}
    house.desk.recount(WATER, SHELF, 8, by="Zhao")
    assert not house.desk.disputes()
    assert house.core.ticket(dispute.ticket_id).state is TicketState.CLOSED
    assert house.stands(WATER) == {FREE: 7, INSPECTION: 1}
    assert house.desk.confirm(WATER, SHELF, by="Zhao") == 1
    assert house.stands(WATER) == {FREE: 8}


def test_goods_that_the_core_moved_beside_a_count_want_a_recount(house: House) -> None:
    mei = house.phone("phone-1")
    told = house.desk.carry("phone-1", [SHELF])
    assert {cell.batch for cell in told.cells} == {WATER, JUICE}
    mei.is_told(told.seen, told.version)
    mei.counts(WATER, 8, of=10)
    house.core.move(WATER, 2, source=SHELF, target="A-02-1", by="op")
    house.desk.upload(mei.entries, by="Mei")
    assert house.kinds() == ["count_crossed"]


def test_more_taken_than_there_was_is_owed_until_it_turns_up(house: House) -> None:
    mei = house.phone("phone-1")
    mei.adjusts(JUICE, -8)
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(JUICE) == {}
    assert house.kinds() == ["short"]
    mei.adjusts(JUICE, 3)
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(JUICE) == {INSPECTION: 1}
    assert house.kinds() == []


def test_goods_carried_by_hand_stand_in_inspection_until_somebody_confirms(house: House) -> None:
    mei = house.phone("phone-1")
    mei.receives(WATER, 4, "DOCK/1")
    mei.writes(Moved(WATER, 4, "DOCK/1", "A-02-1"))
    house.desk.upload(list(reversed(mei.entries)), by="Mei")
    assert house.stands(WATER, "A-02-1") == {INSPECTION: 4}
    with pytest.raises(InsufficientStockError):
        house.desk.confirm(WATER, "A-02-1", quantity=5, by="Mei")
    house.desk.confirm(WATER, "A-02-1", quantity=3, by="Mei", key="confirm-1")
    house.desk.confirm(WATER, "A-02-1", quantity=3, by="Mei", key="confirm-1")
    assert house.stands(WATER, "A-02-1") == {FREE: 3, INSPECTION: 1}
    assert [each.quantity for each in house.desk.unconfirmed()] == [1]


def test_confirmed_goods_of_a_held_batch_are_blocked(house: House) -> None:
    mei = house.phone("phone-1")
    mei.adjusts(WATER, 2)
    mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    house.desk.upload(mei.entries, by="Mei")
    house.desk.confirm(WATER, SHELF, by="Mei")
    assert house.stands(WATER) == {BLOCKED: 12}


def test_goods_set_apart_stay_blocked_wherever_they_are_carried_offline(house: House) -> None:
    leak = Reason("held_by_hand", {"note": "leak"})
    house.core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=6, reason=leak, by="Zhao")
    mei = house.phone("phone-1")
    mei.writes(Moved(WATER, 9, SHELF, "A-02-1"))
    house.desk.upload(mei.entries, by="Mei")
    assert house.desk.confirm(WATER, "A-02-1", by="Mei") == 9
    # One of the six still stands on the shelf; the other five may be any of the nine.
    assert house.stands(WATER) == {BLOCKED: 1}
    assert house.stands(WATER, "A-02-1") == {FREE: 4, BLOCKED: 5}


def test_a_carton_held_by_name_stays_blocked_wherever_it_is_carried_offline(
    house: House, station: Station
) -> None:
    station.receives()
    station.accepts("C-1")
    station.accepts("C-2")
    leak = Reason("held_by_hand", {"note": "leak"})
    house.core.add_hold(HoldKind.CARTONS, cartons=["C-1"], reason=leak, by="Zhao")
    mei = house.phone("phone-1")
    mei.writes(Moved(WATER, 2, dock_of("dock-1"), "A-02-1"))
    house.desk.upload(mei.entries, by="Mei")
    assert house.desk.confirm(WATER, "A-02-1", by="Mei") == 2
    assert house.stands(WATER, "A-02-1") == {FREE: 1, BLOCKED: 1}


def test_what_needs_an_acceptance_waits_for_it_though_it_came_in_offline(house: House) -> None:
    Products(house.core).describe(Product(WATER.gtin, acceptance=True), by="Zhao")
    mei = house.phone("phone-1")
    mei.receives(WATER, 4, "DOCK/9")
    house.desk.upload(mei.entries, by="Mei")
    assert house.desk.confirm(WATER, "DOCK/9", by="Mei") == 4
    assert house.stands(WATER, "DOCK/9") == {INSPECTION: 4}
    assert not house.desk.unconfirmed()
    desk = Acceptances(house.core)
    (waits,) = desk.waiting()
    desk.accept(waits.acceptance_id, by="op", roles=["operator"])
    assert house.stands(WATER, "DOCK/9") == {FREE: 4}


def test_a_recount_sent_twice_counts_once(house: House) -> None:
    house.desk.recount(WATER, SHELF, 9, by="Zhao", key="recount-1")
    house.core.move(WATER, 2, source=SHELF, target="A-02-1", by="op")
    house.desk.recount(WATER, SHELF, 9, by="Zhao", key="recount-1")
    assert house.stands(WATER) == {FREE: 7}


def test_a_reservation_gives_way_to_what_was_counted(house: House) -> None:
    (reservation,) = house.core.reserve("SO-1", WATER, 9, by="op")
    mei = house.phone("phone-1")
    mei.counts(WATER, 8, of=10)
    house.desk.upload(mei.entries, by="Mei")
    with pytest.raises(ConflictError):
        house.core.pick(reservation.reservation_id, by="op")


def test_a_hold_made_offline_stops_the_goods_when_it_comes_in(house: House) -> None:
    mei = house.phone("phone-1")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    house.desk.upload(mei.entries, by="Mei")
    with pytest.raises(HeldError):
        house.core.reserve("SO-1", WATER, 1, by="op")
    assert house.open_holds() == {mei.hold_id(held)}
    assert house.core.tickets()[0].hold_ids == (mei.hold_id(held),)


def test_cartons_that_cannot_be_told_apart_mean_the_whole_batch(house: House) -> None:
    mei = house.phone("phone-1")
    mei.writes(Held(HoldKind.CARTONS, "dented", WATER, cartons=("C-1",)))
    house.desk.upload(mei.entries, by="Mei")
    assert house.core.holds()[0].kind is HoldKind.BATCH


@pytest.mark.parametrize("release_first", [True, False])
def test_a_release_lifts_the_holds_it_names_and_no_other(
    house: House, *, release_first: bool
) -> None:
    mei, li = house.phone("phone-1"), house.phone("phone-2", by="Li")
    lead = house.phone("lead", "quality", by="Wang")
    first = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.is_told({"phone-1": 1})
    lead.releases(mei.hold_id(first))
    logs = [lead.entries, mei.entries] if release_first else [mei.entries, lead.entries]
    for log in logs:
        house.desk.upload(log, by="Wang")
    assert house.open_holds() == set()
    assert house.stands(WATER) == {FREE: 10}
    second = li.writes(Held(HoldKind.BATCH, "dented", WATER))
    house.desk.upload(li.entries, by="Li")
    assert house.open_holds() == {li.hold_id(second)}
    assert house.kinds() == ["release_overtaken"]


def test_a_hold_added_at_the_core_meanwhile_survives_the_release_and_is_told(
    house: House,
) -> None:
    lead = house.phone("lead", "quality", by="Wang")
    wet = house.core.add_hold(
        HoldKind.BATCH, reason=Reason("held_by_hand", {"note": "wet"}), by="q", batch=WATER
    )
    told = house.desk.carry("lead")
    lead.is_told(told.seen, told.version)
    lead.releases(wet.hold_id)
    dented = house.core.add_hold(
        HoldKind.BATCH, reason=Reason("held_by_hand", {"note": "dented"}), by="q", batch=WATER
    )
    house.desk.upload(lead.entries, by="Wang")
    assert house.open_holds() == {dented.hold_id}
    assert house.kinds() == ["release_overtaken"]
    with pytest.raises(HeldError):
        house.core.reserve("SO-1", WATER, 1, by="op")


def test_a_release_by_somebody_who_may_not_is_a_task(house: House) -> None:
    mei = house.phone("phone-1")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    mei.releases(mei.hold_id(held))
    house.desk.upload(mei.entries, by="Mei")
    assert house.open_holds() == {mei.hold_id(held)}
    assert house.kinds() == ["release_refused"]


def test_a_copied_key_is_quarantined_and_what_it_released_is_on_hold_again(house: House) -> None:
    mei, lead = house.phone("phone-1"), house.phone("lead", "quality", by="Wang")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    lead.releases(mei.hold_id(held))
    house.desk.upload([*mei.entries, *lead.entries], by="Wang")
    assert house.open_holds() == set()
    stray = lead.makes(Adjusted(JUICE, SHELF, -1, "broken"), 1, GENESIS)
    (standing,) = house.desk.upload([stray], by="Wang").logs
    assert (standing.state, standing.suspect_from) == ("quarantined", 1)
    assert house.stands(WATER) == {BLOCKED: 10}
    assert house.stands(JUICE) == {FREE: 5}
    assert house.kinds() == ["device_suspect", "release_refused"]
    assert house.desk.readmit("lead", reason="Restored from a backup", by="Zhao").state == "active"
    assert house.stands(WATER) == {FREE: 10}
    assert house.kinds() == []


def test_a_gap_waits_and_is_told(house: House) -> None:
    mei = house.phone("phone-1")
    for _ in range(3):
        mei.adjusts(WATER, -1)
    (standing,) = house.desk.upload([mei.entries[2], mei.entries[0]], by="Mei").logs
    assert (standing.expected, standing.waiting, standing.state) == (2, 1, "active")
    assert house.stands(WATER) == {FREE: 9}
    house.desk.upload([mei.entries[1]], by="Mei")
    assert house.stands(WATER) == {FREE: 7}


def test_an_entry_changed_on_its_way_quarantines_its_device_and_is_kept(house: House) -> None:
    mei = house.phone("phone-1")
    good = mei.adjusts(WATER, -1)
    broken = replace(good, body={**good.body, "change": -9})
    forged = replace(Phone("phone-1", spoken="stolen").sign(good), seq=good.seq)
    done = house.desk.upload([broken, forged], by="Mei")
    assert [refusal.code for refusal in done.refused] == ["broken_entry", "bad_signature"]
    assert done.logs[0].state == "quarantined"
    house.desk.upload([good], by="Mei")
    assert house.stands(WATER) == {FREE: 9}
    assert house.desk.device("phone-1").refused == 2
    assert house.kinds() == ["device_suspect"]


def test_the_log_of_an_unknown_device_is_kept_and_counts_once_it_is_enrolled(house: House) -> None:
    mei = Phone("phone-9")
    mei.adjusts(WATER, -2)
    done = house.desk.upload(mei.entries, by="Mei")
    assert done.refused[0].code == "unknown_device"
    assert house.desk.device("phone-9").state == "unknown"
    assert house.kinds() == ["device_suspect"]
    house.desk.enrol("phone-9", mei.public_key, roles=("operator",), by="Mei")
    assert house.stands(WATER) == {FREE: 8}
    assert house.kinds() == []
    with pytest.raises(OtherKeyError):
        house.desk.enrol("phone-9", Phone("x").public_key, roles=(), by="Li")


def test_an_entry_that_says_nothing_usable_stops_nothing_after_it(house: House) -> None:
    mei = house.phone("phone-1")
    mei.writes(Moved(WATER, -3, SHELF, "A-02-1"))
    mei.adjusts(WATER, -1)
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(WATER) == {FREE: 9}
    assert house.kinds() == ["unreadable"]


def test_shipped_under_a_quota_and_beyond_it(house: House) -> None:
    mei = house.phone("phone-1")
    quota = house.grant("phone-1", WATER, 4)
    assert [each.quota_id for each in house.desk.carry("phone-1").quotas] == [quota]
    mei.clock_us = house.now_us()
    mei.ships(WATER, 3, quota=quota)
    mei.ships(WATER, 3, quota=quota, location=SHELF)
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(WATER) == {FREE: 4}
    assert house.account(WATER, "@customer") == {StockStatus.IN_TRANSIT: 4, BLOCKED: 2}
    assert house.account(WATER, account_of("phone-1").location) == {}
    assert house.kinds() == ["quota_overused"]


def test_goods_on_hold_that_were_shipped_offline_are_recalled(house: House) -> None:
    mei = house.phone("phone-1")
    quota = house.grant("phone-1", WATER, 4)
    li = house.phone("phone-2", by="Li")
    li.writes(Held(HoldKind.BATCH, "wet", WATER))
    mei.clock_us = house.now_us()
    mei.ships(WATER, 3, quota=quota)
    house.desk.upload(mei.entries, by="Mei")
    assert house.kinds() == []
    house.desk.upload(li.entries, by="Li")
    assert house.kinds() == ["shipped_held"]


def test_told_late_of_a_shipment_whose_quota_has_ended(house: House) -> None:
    mei = house.phone("phone-1")
    quota = house.grant("phone-1", WATER, 4)
    mei.clock_us = house.now_us()
    mei.ships(WATER, 3, quota=quota)
    house.clock.at += timedelta(days=3)
    house.end_quotas()
    assert house.stands(WATER) == {FREE: 6, BLOCKED: 4}
    house.desk.upload(mei.entries, by="Mei")
    assert house.stands(WATER) == {FREE: 6, BLOCKED: 1}
    assert house.account(WATER, "@customer") == {StockStatus.IN_TRANSIT: 3}


def test_flags_tickets_and_dates_come_in(house: House) -> None:
    mei = house.phone("phone-1")
    mei.writes(Flagged("price", SHELF, WATER.gtin, note="shows 3.50"))
    mei.writes(TicketOpened("smells odd", WATER))
    mei.writes(Observed(WATER, "2027-02-28"))
    mei.writes(Observed(WATER, "2027-06-30"))
    house.desk.upload(mei.entries, by="Mei")
    assert sorted(ticket.reason.code for ticket in house.core.tickets()) == [
        "flagged_offline",
        "ticket_offline",
    ]
    (water,) = [row for row in house.core.batches() if row.key == WATER]
    assert str(water.expiry) == "2027-02-28"


def test_a_release_of_a_hold_with_an_open_finding_waits(house: House) -> None:
    lead = house.phone("lead", "quality", by="Wang")
    hold = house.core.add_hold(
        HoldKind.BATCH, reason=Reason("held_by_hand", {"note": "wet"}), by="q", batch=WATER
    )
    house.add_finding(hold.hold_id)
    lead.writes(Released((hold.hold_id,), "checked"))
    house.desk.upload(lead.entries, by="Wang")
    assert house.open_holds() == {hold.hold_id}
    assert house.kinds() == ["release_waits"]


def test_bad_requests_say_how_to_mend_them(house: House) -> None:
    with pytest.raises(BadInputError):
        house.desk.enrol("phone 1", "ab" * 32, roles=(), by="Mei")
    with pytest.raises(BadInputError):
        house.desk.enrol("phone-1", "no key", roles=(), by="Mei")
    house.phone("phone-1")
    with pytest.raises(ConflictError):
        house.desk.readmit("phone-1", reason="why not", by="Mei")
    with pytest.raises(BadInputError):
        house.desk.readmit("phone-1", reason=" ", by="Mei")
    with pytest.raises(BadInputError):
        house.desk.recount(WATER, SHELF, -1, by="Mei")
