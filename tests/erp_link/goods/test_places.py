"""Goods go where their temperature is kept, beside their own batch, fast movers near; and a carton
of 24 bottles is 24 bottles wherever it goes.
"""

from __future__ import annotations

import pytest

from contracts.errors import BadInputError, ConflictError, HeldError
from contracts.reason import Reason
from contracts.stock import (
    HoldKind,
    TransportProgress,
    TransportState,
    UsageDecision,
)
from erp_link.domain.places import QUARANTINE
from erp_link.domain.products import Mover, Product, Temperature
from erp_link.domain.slots import SlotState, allocate
from erp_link.service.core import Core
from erp_link.service.goods.places import Places
from erp_link.service.goods.products import Products
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided

COLD = Temperature.CHILLED


def test_why_a_slot_was_chosen() -> None:
    slots = [
        SlotState("A", 8, 0, None),
        SlotState("B", 8, 3, 7),
        SlotState("C", 8, 0, None, COLD),
        SlotState("D", 8, 0, None),
    ]
    chosen = [
        allocate(slots, 7),
        allocate(slots, 9, mover=Mover.FAST),
        allocate(slots, 9, mover=Mover.SLOW),
        allocate(slots, 9, temperature=COLD),
        allocate(slots, 9, temperature=Temperature.FROZEN),
    ]
    assert [(each.code, each.reason.code) for each in chosen] == [
        ("B", "slot_same_batch"),
        ("A", "slot_near"),
        ("D", "slot_far"),
        ("C", "slot_next"),
        (None, "slot_none_of_class"),
    ]


def chilled(core: Core, *codes: str) -> None:
    for position, code in enumerate(codes):
        Places(core).plan_slot(code, capacity=1, temperature=COLD, position=position, by="ops")


def test_chilled_goods_wait_rather_than_stand_warm(core: Core, station: Station) -> None:
    Products(core).describe(Product(WATER.gtin, temperature=COLD), by="mei")
    station.receives(water=3, juice=0)
    station.accepts("C-1")
    assert core.pending_transport() == []
    assert [e.text.code for e in core.batch_story(WATER) if e.what == "no_slot"] == [
        "story_slot_none_of_class"
    ]
    chilled(core, "COLD-1")
    station.accepts("C-2")
    station.accepts("C-3")
    assert [order.target for order in core.pending_transport()] == ["COLD-1"]
    assert core.batch_story(WATER)[-1].text.code == "story_slot_none_free"
    assert Places(core).suggestion(WATER).reason.code == "slot_none_free"


def test_a_slot_in_use_keeps_its_class(core: Core, station: Station) -> None:
    station.receives(water=1, juice=0)
    station.accepts("C-1")
    (order,) = core.pending_transport()
    with pytest.raises(ConflictError, match="cartons stand in"):
        chilled(core, order.target)
    with pytest.raises(ConflictError, match="quarantine"):
        chilled(core, QUARANTINE)
    for code in ("", "@customer", "x" * 41):
        with pytest.raises(BadInputError):
            chilled(core, code)


def quantities(core: Core) -> dict[tuple[str, str], int]:
    return {
        (line.location, line.status.value): line.quantity
        for line in core.stock_by_location()
        if line.batch == WATER and line.quantity
    }


@pytest.fixture
def cases(core: Core, station: Station) -> Station:
    """Four cartons of 24 bottles each are received at the dock."""
    Products(core).describe(Product(WATER.gtin, base_unit="bottle", units={"case": 24}), by="mei")
    for carton in ("C-1", "C-2", "C-3", "C-4"):
        station.accepts(carton)
    return station


def test_a_carton_held_by_name_blocks_all_that_is_in_it(core: Core, cases: Station) -> None:
    assert cases.log
    dock = "DOCK/dock-1"
    assert quantities(core) == {(dock, "unrestricted"): 96}
    hold = core.add_hold(HoldKind.CARTONS, cartons=["C-2"], reason=Reason("defect_seen"), by="q")
    assert quantities(core) == {(dock, "unrestricted"): 72, (dock, "blocked"): 24}
    assert hold.ticket_id is not None
    decided(core, hold.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")
    assert quantities(core) == {(dock, "unrestricted"): 96}


def test_a_vehicle_moves_what_is_in_a_carton(core: Core, cases: Station) -> None:
    order = core.pending_transport()[0]
    for state in (TransportState.SENT, TransportState.PICKED, TransportState.DROPPED):
        core.transport_progress(
            TransportProgress(order.order_id, state, "agv-1", cases.clock.now())
        )
    assert quantities(core)[order.target, "unrestricted"] == 24
    (slot,) = [row for row in Places(core).places() if row.code == order.target]
    assert slot.used == 4


def test_bottles_are_taken_out_of_an_opened_carton(core: Core, cases: Station) -> None:
    assert cases.log
    (reservation,) = core.reserve("SO-1", WATER, 30, by="op")
    core.pick(reservation.reservation_id, by="op")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("defect_seen"), by="q")
    core.return_picked(reservation.reservation_id, by="op")
    found = quantities(core)
    assert found == {("DOCK/dock-1", "blocked"): 66, (QUARANTINE, "blocked"): 30}
    for ticket in core.tickets():
        release = UsageDecision.RELEASE
        decided(core, ticket.ticket_id, release, by="q", role="quality", reason="sound")
    assert sum(quantities(core).values()) == 96
    assert {status for _, status in quantities(core)} == {"unrestricted"}


def test_a_carton_on_hold_is_never_opened_for_an_order(core: Core, cases: Station) -> None:
    assert cases.log
    (reservation,) = core.reserve("SO-1", WATER, 90, by="op")
    core.add_hold(HoldKind.CARTONS, cartons=["C-1"], reason=Reason("defect_seen"), by="q")
    with pytest.raises((HeldError, ConflictError)):
        core.pick(reservation.reservation_id, by="op")
    assert quantities(core)["DOCK/dock-1", "blocked"] == 24


def test_moved_to_quarantine_by_the_carton(core: Core, cases: Station) -> None:
    assert cases.log
    core.move(WATER, 48, source="DOCK/dock-1", target=QUARANTINE, by="op")
    assert quantities(core)[QUARANTINE, "blocked"] == 48
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="k")
    assert quantities(core)[QUARANTINE, "unrestricted"] == 48
