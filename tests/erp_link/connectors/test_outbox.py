"""The outbox under faults, over both databases, with a simulated Odoo behind it: killed between
database and ERP, an ERP that is down for a day, refusals that a person mends.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from contracts.clock import FixedClock
from contracts.errors import ConflictError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.connectors.names import NameKind
from erp_link.domain.erp.delivery import State
from erp_link.domain.erp.messages import MessageKind
from erp_link.service.core import Core
from erp_link.service.erp.projection import begin_now
from tests.erp_link.story import JUICE, WATER, Station
from tests.support.deciding import decided
from tests.support.erp import House, KilledError
from tests.support.odoo import Odoo


@pytest.fixture
def house(core: Core, clock: FixedClock) -> House:
    erp = Odoo()
    erp.product(WATER.gtin, "Still water")
    erp.partner("ACME")
    erp.partner("Shop")
    made = House(core, clock, erp)
    made.desk.give_name(NameKind.CUSTOMER, "*", "Shop", by="ops")
    return made


def hold(core: Core, batch: BatchKey = WATER) -> str:
    return core.add_hold(HoldKind.BATCH, batch=batch, reason=Reason("held_by_hand"), by="q").hold_id


def release(core: Core, hold_id: str) -> None:
    ticket = next(t for t in core.tickets() if hold_id in t.hold_ids)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="sampled")


@pytest.mark.parametrize(
    "moment",
    ["product.product/search_read", "stock.picking/create", "stock.picking/button_validate"],
)
def test_killed_anywhere_the_next_worker_goes_on_and_nothing_is_told_twice(
    house: House, moment: str
) -> None:
    house.core.receive(WATER, 5, location="D1", by="op")
    house.kill_after = moment
    with pytest.raises(KilledError):
        house.tells()
    house.clock.at += timedelta(minutes=5)
    assert house.tells("hub-2") == 1
    assert house.pickings() == ["done"]
    assert house.erp.on_hand(WATER.lot) == 5


def test_one_hub_talks_at_a_time(house: House) -> None:
    first, second = house.worker("hub-1"), house.worker("hub-2")
    house.core.receive(WATER, 5, location="D1", by="op")
    assert first.step() == 1
    house.core.receive(WATER, 2, location="D1", by="op")
    assert second.step() == 0
    first.close()
    assert second.step() == 1
    assert house.erp.on_hand(WATER.lot) == 7


def test_an_erp_that_is_down_for_a_day_is_told_everything_in_order(house: House) -> None:
    house.away = True
    house.core.receive(WATER, 5, location="D1", by="op")
    house.tells()
    hold_id = hold(house.core)
    for _ in range(48):
        house.clock.at += timedelta(minutes=30)
        house.tells()
    down = house.desk.overview().line
    assert down.down_since is not None
    assert down.trouble is not None
    assert house.clock.at - down.down_since >= timedelta(days=1)
    assert all(state is State.WAITING for _, state in house.states())

    house.away = False
    house.desk.hurry(by="ops")
    release(house.core, hold_id)
    house.tells()
    assert house.desk.overview().line.down_since is None
    assert [kind for kind, state in house.states() if state is State.DONE] == [
        MessageKind.RECEIPT,
        MessageKind.STOP,
        MessageKind.SHIFT,
        MessageKind.SHIFT,
    ]
    assert house.erp.on_hand(WATER.lot) == 5


def test_waits_grow_and_no_try_is_made_before_its_time(house: House) -> None:
    house.away = True
    house.core.receive(WATER, 5, location="D1", by="op")
    house.tells()
    tried = house.desk.overview().line.tries
    house.tells()
    assert house.desk.overview().line.tries == tried
    house.clock.at += timedelta(seconds=3)
    house.tells()
    assert house.desk.overview().line.tries == tried + 1


def test_a_refusal_waits_for_a_person_and_the_rest_goes_on(house: House) -> None:
    house.core.receive(JUICE, 3, location="D1", by="op")
    house.core.receive(WATER, 5, location="D1", by="op")
    house.tells()
    assert house.states() == [
        (MessageKind.RECEIPT, State.DEAD),
        (MessageKind.RECEIPT, State.DONE),
    ]
    dead = house.desk.letters(state=State.DEAD)[0]
    assert dead.trouble is not None
    assert JUICE.gtin in dead.trouble.message
    assert "barcode" in dead.trouble.mend
    ticket = house.core.ticket(f"ERP-{dead.letter}")
    assert ticket.state is TicketState.OPEN

    # What is about the same batch waits behind it; nothing is told out of order.
    hold_id = hold(house.core, JUICE)
    release(house.core, hold_id)
    house.tells()
    waiting = house.desk.letters(state=State.WAITING)
    assert {each.message.kind for each in waiting} == {MessageKind.SHIFT}

    house.erp.product(JUICE.gtin, "Juice")
    for each in house.desk.letters(state=State.DEAD):
        house.desk.again(each.letter, by="ops")
    house.tells()
    assert {state for _, state in house.states()} == {State.DONE}
    assert house.core.ticket(ticket.ticket_id).state is TicketState.CLOSED
    with pytest.raises(ConflictError, match="is done, not dead"):
        house.desk.again(dead.letter, by="ops")


def test_what_was_done_by_hand_is_said_and_not_told(house: House) -> None:
    house.core.receive(JUICE, 3, location="D1", by="op")
    house.tells()
    dead = house.desk.letters(state=State.DEAD)[0]
    house.desk.skip(dead.letter, note="Booked as WH/IN/00077", by="ops")
    house.tells()
    assert house.states() == [(MessageKind.RECEIPT, State.SKIPPED)]
    assert house.desk.letter(dead.letter).ended_by == "ops"


def test_a_stop_overtakes_whatever_waits_behind_a_refusal(house: House) -> None:
    house.core.receive(WATER, 5, location="D1", by="op")
    house.tells()
    house.core.receive(JUICE, 3, location="D1", by="op")
    house.erp.asks = "quality.check.wizard"
    house.core.receive(WATER, 2, location="D1", by="op")
    house.tells()
    name = house.erp.assigned("SO-9", 1, WATER.lot, 1)
    hold(house.core)
    house.tells()
    kinds = [(kind, state) for kind, state in house.states() if kind is not MessageKind.RECEIPT]
    assert kinds == [(MessageKind.STOP, State.DONE), (MessageKind.SHIFT, State.WAITING)]
    states = {row["name"]: row["state"] for row in house.erp.rows("stock.picking")}
    assert states[name] == "confirmed"


def test_an_order_is_told_whole_when_its_last_goods_have_left(
    house: House, station: Station
) -> None:
    house.core.receive(WATER, 5, location="A-01-1", by="op")
    first = house.core.reserve("SO-1", WATER, 2, by="op")[0].reservation_id
    second = house.core.reserve("SO-1", WATER, 1, by="op")[0].reservation_id
    for step in (house.core.pick, house.core.ship):
        step(first, by="op")
    house.tells()
    assert [each.subject for each in house.desk.overview().pending] == ["SO-1"]
    for step in (house.core.pick, house.core.ship):
        step(second, by="op")
    house.tells()
    issues = [x for x in house.desk.letters() if x.message.kind is MessageKind.ISSUE]
    assert [x.message.first.quantity for x in issues] == [3]
    assert house.erp.on_hand(WATER.lot) == 2


def test_a_delivery_is_told_when_it_is_closed_with_what_became_blocked_meanwhile(
    house: House, station: Station
) -> None:
    session = station.receives(water=3, juice=0)
    for carton in "abc":
        station.accepts(carton)
    hold_id = hold(house.core)
    house.tells()
    assert house.pickings() == []
    house.core.close_session(session, by="op")
    house.tells()
    assert (house.erp.on_hand(WATER.lot), house.erp.on_hand(WATER.lot, 2)) == (0, 3)
    release(house.core, hold_id)
    house.tells()
    assert (house.erp.on_hand(WATER.lot), house.erp.on_hand(WATER.lot, 2)) == (3, 0)


def test_one_lot_number_of_two_suppliers_is_two_lots_there(house: House) -> None:
    other = BatchKey("NORD", WATER.gtin, WATER.lot)
    house.erp.partner("NORD")
    house.core.receive(WATER, 5, location="D1", by="op")
    house.core.receive(other, 2, location="D1", by="op")
    hold(house.core)
    house.tells()
    assert house.erp.on_hand(f"{WATER.lot} (NORD)") == 2
    assert (house.erp.on_hand(WATER.lot), house.erp.on_hand(WATER.lot, 2)) == (0, 5)


def test_a_shipment_assigned_again_during_a_hold_is_stopped_again(house: House) -> None:
    house.core.receive(WATER, 5, location="D1", by="op")
    hold(house.core)
    house.tells()
    name = house.erp.assigned("SO-9", 1, WATER.lot, 1)
    house.tells()
    states = {row["name"]: row["state"] for row in house.erp.rows("stock.picking")}
    assert states[name] == "confirmed"
    told = [event.text for event in house.core.batch_story(WATER) if event.what == "erp"]
    assert [(each.code, each.params["document"]) for each in told] == [("erp_unassigned", name)]


def test_an_answer_that_nobody_foresaw_is_a_dead_letter_and_not_the_end(house: House) -> None:
    house.core.receive(WATER, 5, location="D1", by="op")
    handle = house.erp.handle
    house.erp.handle = lambda request: httpx.Response(200, json={"surprise": request.url.path})
    house.tells()
    dead = house.desk.letters(state=State.DEAD)[0]
    assert dead.trouble is not None
    assert "is not understood" in dead.trouble.message
    house.erp.handle = handle
    house.desk.again(dead.letter, by="ops")
    house.tells()
    assert house.erp.on_hand(WATER.lot) == 5


def test_an_erp_connected_later_is_told_what_happens_from_then_on(house: House) -> None:
    house.core.receive(WATER, 5, location="D1", by="op")
    assert begin_now(house.core)
    house.core.receive(WATER, 2, location="D1", by="op")
    assert not begin_now(house.core)
    house.tells()
    assert house.erp.on_hand(WATER.lot) == 2


def test_an_erp_connected_before_anything_happened_is_told_everything(
    database_url: str, clock: FixedClock
) -> None:
    core = Core(database_url, clock=clock)
    assert begin_now(core)
    house = House(core, clock, Odoo())
    house.erp.product(WATER.gtin, "Still water")
    house.erp.partner("ACME")
    core.receive(WATER, 5, location="D1", by="op")
    assert not begin_now(core)
    house.tells()
    assert house.erp.on_hand(WATER.lot) == 5
    core.close()
