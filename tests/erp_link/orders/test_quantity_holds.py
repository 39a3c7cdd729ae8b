"""Holds on so many units of a batch: the rest stays free (I1). On both databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError, InsufficientStockError
from contracts.reason import Reason
from contracts.stock import HoldKind, StockStatus, UsageDecision
from erp_link.domain.holds import Part, set_apart, stays_blocked
from erp_link.service.core import Core
from tests.erp_link.story import LATER, WATER, Station
from tests.support.deciding import decided

DENT = Reason("defect_seen")
PLACES = st.dictionaries(st.sampled_from(["A", "B", "QUARANTINE"]), st.integers(0, 20))


def amounts(core: Core) -> tuple[int, int, int]:
    row = next(b for b in core.batches() if b.key == WATER)
    return row.unrestricted, row.blocked, row.reserved


def release(core: Core, hold_id: str) -> None:
    ticket = next(x for x in core.tickets() if hold_id in x.hold_ids)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="ok")


def test_more_than_any_house_holds_is_no_quantity(core: Core) -> None:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    with pytest.raises(BadInputError, match="10000000000"):
        core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=10**10, reason=DENT, by="q")
    assert not core.holds()


def test_so_many_units_are_blocked_and_the_rest_may_leave(core: Core) -> None:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    core.receive(WATER, 4, location="A-01-2", expiry=LATER, by="op")
    (first,) = core.reserve("SO-1", WATER, 9, by="op")
    hold = core.add_hold(
        HoldKind.QUANTITY, batch=WATER, quantity=3, location="A-01-1", reason=DENT, by="q"
    )
    assert (hold.kind, hold.quantity, hold.location) == (HoldKind.QUANTITY, 3, "A-01-1")
    assert amounts(core) == (11, 3, 0), "the reservation gave way: 7 are left in its place"
    again = core.reserve("SO-1", WATER, 11, by="op")
    for part in again:
        core.pick(part.reservation_id, by="op")
        core.ship(part.reservation_id, by="op")
    with pytest.raises(InsufficientStockError):
        core.reserve("SO-2", WATER, 1, by="op")
    release(core, hold.hold_id)
    assert amounts(core) == (3, 0, 0)
    assert first.reservation_id not in [part.reservation_id for part in again]


def test_where_not_so_many_are_there_the_whole_batch_is_held(core: Core) -> None:
    core.receive(WATER, 5, location="A-01-1", expiry=LATER, by="op")
    (picked,) = core.reserve("SO-1", WATER, 3, by="op")
    core.pick(picked.reservation_id, by="op")
    hold = core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=4, reason=DENT, by="q")
    assert (hold.kind, hold.quantity) == (HoldKind.BATCH, 4)
    assert [risk.reference for risk in hold.at_risk] == ["SO-1"]
    assert "hold_widened" in {event.text.code for event in core.batch_story(WATER)}
    assert amounts(core)[0] == 0


def test_a_release_of_the_batch_leaves_the_units_that_another_hold_set_apart(core: Core) -> None:
    core.receive(WATER, 10, location="A-01-1", expiry=LATER, by="op")
    part = core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=3, reason=DENT, by="q")
    whole = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    core.move(WATER, 3, source="A-01-1", target="QUARANTINE", status=StockStatus.BLOCKED, by="op")
    release(core, whole.hold_id)
    assert amounts(core) == (7, 3, 0)
    blocked = [s.location for s in core.stock_by_location() if s.status is StockStatus.BLOCKED]
    assert blocked == ["QUARANTINE"]
    release(core, part.hold_id)
    assert amounts(core) == (10, 0, 0)


def test_cartons_in_the_books_stand_for_the_units(core: Core, station: Station) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    hold = core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=2, reason=DENT, by="q")
    assert hold.cartons == ("C1", "C2")
    orders = {order.load_id: order.target for order in core.pending_transport()}
    assert orders["C1"] == orders["C2"] == "QUARANTINE"
    assert orders["C3"] != "QUARANTINE"
    (part,) = core.reserve("SO", WATER, 1, by="op")
    core.pick(part.reservation_id, by="op")
    core.ship(part.reservation_id, by="op")
    release(core, hold.hold_id)
    assert amounts(core) == (2, 0, 0)


def test_a_quantity_must_be_said(core: Core) -> None:
    core.receive(WATER, 5, location="A-01-1", expiry=LATER, by="op")
    for quantity in (0, -1):
        with pytest.raises(BadInputError):
            core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=quantity, reason=DENT, by="q")
    with pytest.raises(BadInputError):
        core.add_hold(HoldKind.QUANTITY, quantity=3, reason=DENT, by="q")


@given(PLACES, st.integers(1, 40))
def test_all_of_a_quantity_is_set_apart_or_none(there, quantity) -> None:
    result = set_apart(quantity, [Part(*item) for item in there.items()])
    assert result.there == sum(there.values())
    assert sum(part.quantity for part in result.parts) in (0, quantity)
    assert bool(result.parts) == (result.there >= quantity)
    assert all(part.quantity <= there[part.location] for part in result.parts)


@given(PLACES, PLACES, st.lists(st.builds(Part, st.sampled_from("AB"), st.integers(0, 10))))
def test_what_is_held_stays_blocked_as_far_as_it_is_there(blocked, kept, holds) -> None:
    stays = stays_blocked(blocked, kept, holds)
    own = {place: min(kept.get(place, 0), there) for place, there in blocked.items()}
    wanted = sum(own.values()) + sum(hold.quantity for hold in holds)
    assert sum(stays.values()) == min(sum(blocked.values()), wanted)
    for place, there in blocked.items():
        assert own[place] <= stays.get(place, 0) <= there
