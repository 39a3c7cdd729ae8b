"""Reserve, pick, ship, hold, decide: nothing held leaves (I1), on both databases."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    HeldError,
    InsufficientStockError,
    NotFoundError,
)
from contracts.reason import Reason
from contracts.stock import AtRisk, HoldKind, StockStatus, TicketState, UsageDecision
from contracts.verdict import Decision
from erp_link.service.core import Core
from tests.erp_link.story import JUICE, LATER, WATER, Station
from tests.support.deciding import decided

DENT = Reason("defect_seen")


def summary(core: Core, key=WATER):
    return next(b for b in core.batches() if b.key == key)


def stock_up(core: Core, quantity: int = 10, batch=WATER, location: str = "A-01-1") -> None:
    core.receive(batch, quantity, location=location, expiry=LATER, by="op")


def test_goods_are_reserved_picked_and_shipped(core: Core) -> None:
    stock_up(core, 4)
    stock_up(core, 4, location="A-01-2")
    first, second = core.reserve("SO-1", WATER, 6, by="op")
    assert (first.location, first.quantity, second.quantity) == ("A-01-1", 4, 2)
    assert summary(core).reserved == 6
    for reservation in (first, second):
        core.pick(reservation.reservation_id, by="op")
        core.ship(reservation.reservation_id, by="op")
    assert (summary(core).on_hand, summary(core).reserved) == (2, 0)
    with pytest.raises(ConflictError):
        core.ship(first.reservation_id, by="op")
    assert "shipped" in {e.what for e in core.batch_story(WATER)}


def test_no_more_is_reserved_than_is_there(core: Core) -> None:
    stock_up(core, 4)
    core.reserve("SO-1", WATER, 3, by="op")
    with pytest.raises(InsufficientStockError) as caught:
        core.reserve("SO-2", WATER, 2, by="op")
    assert caught.value.data["free"] == 1
    assert summary(core).reserved == 3
    with pytest.raises(BadInputError):
        core.reserve("SO-2", WATER, 0, by="op")
    with pytest.raises(NotFoundError):
        core.reserve("SO-2", JUICE, 1, by="op")
    with pytest.raises(NotFoundError):
        core.pick(999, by="op")


def test_a_hold_beats_what_was_reserved_and_lists_what_was_picked(core: Core) -> None:
    stock_up(core, 6)
    (picked,) = core.reserve("SO-1", WATER, 2, by="op")
    core.pick(picked.reservation_id, by="op")
    (reserved,) = core.reserve("SO-2", WATER, 3, by="op")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="quality")
    assert hold.at_risk == (AtRisk("picked", "SO-1", 2),)
    assert (summary(core).reserved, summary(core).blocked) == (0, 4)
    for command in (
        lambda: core.ship(picked.reservation_id, by="op"),
        lambda: core.pick(reserved.reservation_id, by="op"),
        lambda: core.reserve("SO-3", WATER, 1, by="op"),
        lambda: core.move(
            WATER, 1, source="A-01-1", target="A-01-2", status=StockStatus.BLOCKED, by="op"
        ),
    ):
        with pytest.raises(HeldError) as caught:
            command()
        assert caught.value.data["hold_ids"] == [hold.hold_id]
    core.return_picked(picked.reservation_id, by="op")
    core.move(WATER, 4, source="A-01-1", target="QUARANTINE", status=StockStatus.BLOCKED, by="op")
    assert {(s.location, s.quantity) for s in core.stock_by_location()} == {("QUARANTINE", 6)}


def test_what_comes_in_under_a_hold_comes_in_blocked(core: Core) -> None:
    stock_up(core, 1)
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    assert core.receive(WATER, 5, location="D", by="op") is StockStatus.BLOCKED
    assert summary(core).unrestricted == 0


def test_a_supplier_hold_covers_what_comes_later(core: Core) -> None:
    stock_up(core, 1)
    core.add_hold(HoldKind.SUPPLIER, supplier="ACME", reason=DENT, by="q")
    stock_up(core, 2, JUICE)
    for key in (WATER, JUICE):
        assert not summary(core, key).may_leave
        with pytest.raises(HeldError):
            core.reserve("SO", key, 1, by="op")
    assert core.expectations().held == (WATER, JUICE)
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="audited")
    assert summary(core, JUICE).unrestricted == 2
    core.reserve("SO", WATER, 1, by="op")


def test_a_location_hold_stops_that_place_only(core: Core) -> None:
    stock_up(core, 2)
    stock_up(core, 2, location="A-01-2")
    core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=Reason("flood"), by="q")
    (reservation,) = core.reserve("SO", WATER, 2, by="op")
    assert reservation.location == "A-01-2"
    with pytest.raises(InsufficientStockError):
        core.reserve("SO", WATER, 1, by="op")
    with pytest.raises(HeldError):
        core.move(WATER, 1, source="A-01-1", target="A-01-3", by="op")
    core.move(WATER, 1, source="A-01-1", target="QUARANTINE", by="op")


def test_named_cartons_are_held_by_themselves(core: Core, station: Station) -> None:
    station.receives()
    for carton in ("C1", "C2", "C3"):
        station.accepts(carton)
    core.reserve("SO", WATER, 3, by="op")
    hold = core.add_hold(HoldKind.CARTONS, cartons=["C2"], reason=DENT, by="q")
    assert hold.cartons == ("C2",)
    assert (summary(core).unrestricted, summary(core).blocked) == (2, 1)
    assert summary(core).reserved <= 2
    (order,) = [o for o in core.pending_transport() if o.load_id == "C2"]
    assert order.target == "QUARANTINE"
    decided(
        core,
        core.tickets()[0].ticket_id,
        UsageDecision.RELEASE,
        by="q",
        role="quality",
        reason="fine",
    )
    assert summary(core).unrestricted == 3


def test_a_hold_must_say_what_it_covers(core: Core) -> None:
    with pytest.raises(BadInputError):
        core.add_hold(HoldKind.LOCATION, reason=DENT, by="q")
    with pytest.raises(NotFoundError):
        core.add_hold(HoldKind.CARTONS, cartons=["nope"], reason=DENT, by="q")
    with pytest.raises(NotFoundError):
        core.add_hold(HoldKind.BATCH, batch=JUICE, reason=DENT, by="q")


def test_expired_goods_go_to_quarantine_only(core: Core) -> None:
    stock_up(core, 3)
    core.receive(WATER, 1, location="D", expiry=date(2026, 11, 20), by="op")
    assert summary(core).expiry == date(2026, 11, 20)
    with pytest.raises(HeldError, match="stock_expired"):
        core.reserve("SO", WATER, 1, by="op")
    with pytest.raises(HeldError):
        core.move(WATER, 1, source="A-01-1", target="A-01-2", by="op")
    core.move(WATER, 1, source="A-01-1", target="QUARANTINE", by="op")
    assert not summary(core).may_leave


def test_a_mistyped_date_does_not_block_a_batch_for_ever(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.judges("C2", Decision.HOLD)
    station.judges("C3", Decision.ACCEPT, expiry="2021-03-31")
    with pytest.raises(HeldError):
        core.reserve("SO", WATER, 1, by="op")
    with pytest.raises(ForbiddenError):
        core.correct_expiry(WATER, LATER, reason="mistyped", by="op", role="operator")
    core.correct_expiry(WATER, LATER, reason="mistyped", by="q", role="quality")
    water = summary(core)
    assert (water.expiry, water.unrestricted, water.blocked) == (LATER, 2, 1)
    states = {x.carton_id: x.state for x in core.tickets()}
    assert states == {"C2": TicketState.OPEN, "C3": TicketState.DECIDED}
    assert core.batch_story(WATER)[-1].what in ("transport", "freed")
    assert "story_expiry_corrected" in {e.text.code for e in core.batch_story(WATER)}
    assert {o.load_id: o.target for o in core.pending_transport()} == {
        "C1": "A-01-1",
        "C2": "QUARANTINE",
        "C3": "A-01-1",
    }
    core.reserve("SO", WATER, 2, by="op")


def test_a_corrected_date_lifts_no_hold(core: Core) -> None:
    stock_up(core, 1)
    core.receive(WATER, 1, location="D", expiry=date(2026, 11, 20), by="op")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    core.correct_expiry(WATER, LATER, reason="mistyped", by="q", role="quality")
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 2)
    core.correct_expiry(WATER, date(2026, 11, 1), reason="was right", by="q", role="quality")
    assert {r.code for r in summary(core).reasons} == {
        "stock_held",
        "stock_expired",
        "stock_blocked",
    }


def test_quality_releases_with_a_reason(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.finds_defect("C2")
    station.finds_defect("C3")
    first, second = reversed(core.tickets())
    with pytest.raises(ForbiddenError):
        decided(core, first.ticket_id, UsageDecision.RELEASE, by="op", role="operator", reason="ok")
    with pytest.raises(BadInputError):
        decided(core, first.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason=" ")
    decided(
        core, first.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="label only"
    )
    assert len(core.holds()) == 1, "the other carton is not decided yet"
    told = decided(
        core, second.ticket_id, UsageDecision.SCRAP, by="q", role="quality", reason="leaks"
    )
    assert told.decision is UsageDecision.SCRAP
    assert core.holds() == []
    (hold,) = core.holds(open_only=False)
    assert (hold.released_by, hold.release_reason) == ("q", "leaks")
    assert (summary(core).unrestricted, summary(core).blocked) == (2, 1)
    targets = {o.load_id: o.target for o in core.pending_transport()}
    assert targets == {"C1": "A-01-1", "C2": "A-01-1", "C3": "QUARANTINE"}
    with pytest.raises(ConflictError):
        decided(core, first.ticket_id, UsageDecision.SCRAP, by="q", role="quality", reason="again")


def test_a_ticket_lives_its_life(core: Core, station: Station) -> None:
    station.receives()
    station.finds_defect("C1")
    (ticket,) = core.tickets()
    core.assign_ticket(ticket.ticket_id, "li", by="q")
    with pytest.raises(ConflictError):
        core.close_ticket(ticket.ticket_id, by="q")
    core.contain_ticket(ticket.ticket_id, by="q", note="set apart")
    decided(
        core,
        ticket.ticket_id,
        UsageDecision.RETURN,
        by="q",
        role="quality",
        reason="supplier agreed",
    )
    closed = core.close_ticket(ticket.ticket_id, by="q")
    assert closed.state is TicketState.CLOSED
    assert closed.owner == "li"
    assert [e.what for e in closed.history] == [
        "opened",
        "assigned",
        "contained",
        "decided",
        "closed",
    ]
    assert len(core.holds()) == 1, "returned goods stay held"
    with pytest.raises(NotFoundError):
        core.ticket("nope")


def test_a_repeated_command_gives_its_first_outcome(core: Core) -> None:
    stock_up(core, 5)
    first = core.reserve("SO", WATER, 2, by="op", key="k1")
    assert core.reserve("SO", WATER, 2, by="op", key="k1") == first
    assert summary(core).reserved == 2
    with pytest.raises(ConflictError):
        core.reserve("SO", WATER, 3, by="op", key="k1")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q", key="k2")
    again = core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q", key="k2")
    assert again == hold
    assert len(core.holds()) == 1


def test_a_release_keeps_the_other_hold(core: Core) -> None:
    stock_up(core, 2)
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=DENT, by="q")
    ticket = core.tickets()[0]
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="x")
    assert len(core.holds()) == 1
    assert summary(core).unrestricted == 0


def test_a_review_of_a_held_batch_stays_blocked_when_settled(core: Core, station: Station) -> None:
    station.receives()
    station.judges("C1", Decision.REVIEW)
    station.finds_defect("C2")
    station.settles("C1", "candidate")
    assert (summary(core).unrestricted, summary(core).blocked) == (0, 2)
