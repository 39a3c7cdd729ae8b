"""A decision about a part: the rest stays on hold, and what was decided leaves or is judged again."""

from __future__ import annotations

import pytest

from contracts.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    HeldError,
    InsufficientStockError,
)
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.service.core import Core
from tests.erp_link.story import WATER

RELEASE, RETURN = UsageDecision.RELEASE, UsageDecision.RETURN
SCRAP, SORT, REWORK = UsageDecision.SCRAP, UsageDecision.SORT, UsageDecision.REWORK
SMELL = Reason("held_by_hand", {"note": "smell"})


@pytest.fixture
def ticket(station) -> str:
    """Three cartons of water, the last one dented."""
    station.receives()
    station.accepts("C-1")
    station.accepts("C-2")
    station.finds_defect("C-3")
    return station.core.tickets()[0].ticket_id


def stock(core: Core, batch: BatchKey = WATER) -> dict[str, int]:
    (row,) = [each for each in core.batches() if each.key == batch]
    return {
        "free": row.unrestricted,
        "inspection": row.inspection,
        "blocked": row.blocked,
    }


def test_the_sound_cartons_are_released_and_the_dented_one_stays(core, desk, mara, ticket) -> None:
    made = mara.decides(desk, ticket, RELEASE, cartons=("C-1", "C-2"))
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 1}
    with pytest.raises(InsufficientStockError):
        core.reserve("SO-1", WATER, 3, by="op")
    rest = core.ticket(made.child_ticket)
    assert (rest.state, rest.decision, rest.carton_id) == (TicketState.OPEN, None, "C-3")
    (hold,) = core.holds()
    assert (hold.kind, hold.cartons, hold.ticket_id) == (HoldKind.CARTONS, ("C-3",), rest.ticket_id)
    assert rest.evidence == core.ticket(ticket).evidence
    mara.decides(desk, rest.ticket_id, RELEASE)
    assert stock(core) == {"free": 3, "inspection": 0, "blocked": 0}


def test_one_carton_goes_back_and_the_others_are_released(core, desk, mara, ticket) -> None:
    made = mara.decides(desk, ticket, RETURN, cartons=("C-3",))
    assert core.ticket(made.child_ticket).decision is RETURN
    mara.decides(desk, ticket, RELEASE)
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 1}
    with pytest.raises(ForbiddenError):
        desk.carry_out(made.child_ticket, by="op", role="operator")
    assert desk.carry_out(made.child_ticket, by="mara", role="quality") == 1
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 0}
    assert core.holds() == []
    assert core.ticket(made.child_ticket).state is TicketState.CLOSED
    assert desk.decisions(ticket)[0].done_at is not None
    assert core.batch_story(WATER)[-1].what in {"sent_back", "released"}
    with pytest.raises(ConflictError):
        desk.carry_out(made.child_ticket, by="mara", role="quality")


def test_a_whole_batch_goes_back_to_its_supplier(core, desk, mara, ticket) -> None:
    mara.decides(desk, ticket, RETURN)
    assert desk.carry_out(ticket, by="mara", role="quality", key="return-0001") == 3
    assert desk.carry_out(ticket, by="mara", role="quality", key="return-0001") == 3
    assert stock(core) == {"free": 0, "inspection": 0, "blocked": 0}
    # What comes later of this batch is still on hold.
    assert core.receive(WATER, 1, location="A-01-1", by="op").value == "blocked"


def test_nothing_leaves_under_a_hold_that_nobody_has_decided_on(core, desk, mara, ticket) -> None:
    mara.decides(desk, ticket, SCRAP)
    other = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    with pytest.raises(HeldError) as refused:
        desk.carry_out(ticket, by="mara", role="quality")
    assert refused.value.data["hold_ids"] == [other.hold_id]
    assert other.ticket_id is not None
    mara.decides(desk, other.ticket_id, SCRAP)
    assert desk.carry_out(ticket, by="mara", role="quality") == 3


def test_an_undecided_ticket_sends_nothing_away(core, desk, mara, ticket) -> None:
    with pytest.raises(ConflictError):
        desk.carry_out(ticket, by="mara", role="quality")
    mara.decides(desk, ticket, RELEASE)
    with pytest.raises(ConflictError):
        desk.carry_out(ticket, by="mara", role="quality")


def test_reworked_goods_are_judged_again(core, desk, mara, ticket) -> None:
    made = mara.decides(desk, ticket, REWORK)
    assert stock(core) == {"free": 0, "inspection": 3, "blocked": 0}
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="op")
    mara.decides(desk, made.child_ticket, RELEASE)
    assert stock(core) == {"free": 3, "inspection": 0, "blocked": 0}
    assert core.reserve("SO-1", WATER, 3, by="op")


def test_rework_that_did_not_help_is_scrapped(core, desk, mara, ticket) -> None:
    made = mara.decides(desk, ticket, REWORK, cartons=("C-3",))
    assert stock(core) == {"free": 0, "inspection": 1, "blocked": 2}
    mara.decides(desk, made.child_ticket, SCRAP)
    mara.decides(desk, ticket, RELEASE)
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 1}
    assert desk.carry_out(made.child_ticket, by="mara", role="quality") == 1
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 0}


def test_after_sorting_the_question_is_asked_again(core, desk, mara, ticket) -> None:
    made = mara.decides(desk, ticket, SORT)
    assert stock(core) == {"free": 0, "inspection": 0, "blocked": 3}
    again = core.ticket(made.child_ticket)
    assert again.hold_ids == core.ticket(ticket).hold_ids
    sorted_out = mara.decides(desk, again.ticket_id, RELEASE, cartons=("C-1", "C-2"))
    assert stock(core) == {"free": 2, "inspection": 0, "blocked": 1}
    mara.decides(desk, sorted_out.child_ticket, RELEASE)
    assert stock(core) == {"free": 3, "inspection": 0, "blocked": 0}


def test_units_set_apart_are_divided_by_quantity(core, desk, mara) -> None:
    core.receive(WATER, 10, location="QUARANTINE", by="op")
    ticket = core.tickets()[0].ticket_id
    made = mara.decides(desk, ticket, RELEASE, quantity=4)
    assert stock(core) == {"free": 4, "inspection": 0, "blocked": 6}
    scrapped = mara.decides(desk, made.child_ticket, SCRAP, quantity=1)
    mara.decides(desk, made.child_ticket, RELEASE)
    assert stock(core) == {"free": 9, "inspection": 0, "blocked": 1}
    assert desk.carry_out(scrapped.child_ticket, by="mara", role="quality") == 1
    assert stock(core) == {"free": 9, "inspection": 0, "blocked": 0}


def test_units_of_a_held_batch_are_released_by_number(core, desk, mara) -> None:
    core.receive(WATER, 10, location="A-01-1", by="op")
    ticket = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op").ticket_id
    assert ticket is not None
    with pytest.raises(BadInputError):
        mara.decides(desk, ticket, RETURN, quantity=4)
    made = mara.decides(desk, ticket, RELEASE, quantity=6)
    assert stock(core) == {"free": 6, "inspection": 0, "blocked": 4}
    (hold,) = core.holds()
    assert (hold.kind, hold.quantity) == (HoldKind.QUANTITY, 4)
    again = mara.decides(desk, made.child_ticket, RELEASE, quantity=1)
    assert stock(core) == {"free": 7, "inspection": 0, "blocked": 3}
    mara.decides(desk, again.child_ticket, RETURN)
    assert desk.carry_out(again.child_ticket, by="mara", role="quality") == 3
    assert stock(core) == {"free": 7, "inspection": 0, "blocked": 0}
    assert core.holds() == []


def test_a_part_that_cannot_be_told_is_refused_whole(core, desk, mara, ticket) -> None:
    before = stock(core)
    parts: list[dict[str, object]] = [
        {"cartons": ("C-9",)},
        {"quantity": 1},
        {"quantity": -1},
        {"reason": " "},
    ]
    for part in parts:
        with pytest.raises(BadInputError):
            mara.decides(desk, ticket, RELEASE, **part)
    assert (stock(core), core.ticket(ticket).decision) == (before, None)


def test_a_part_waits_for_the_other_question_about_the_same_hold(
    core, station, desk, mara, ticket
) -> None:
    station.finds_defect("C-4")
    second = next(each for each in core.tickets() if each.carton_id == "C-4")
    if second.hold_ids == core.ticket(ticket).hold_ids:
        with pytest.raises(ConflictError):
            mara.decides(desk, ticket, RELEASE, cartons=("C-1",))
    else:
        mara.decides(desk, ticket, RELEASE, cartons=("C-1",))
        with pytest.raises(HeldError):
            core.reserve("SO-1", WATER, 1, by="op")


def test_a_place_is_decided_as_a_whole(core, desk, mara, ticket) -> None:
    hold = core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=SMELL, by="op")
    assert hold.ticket_id is not None
    with pytest.raises(BadInputError):
        mara.decides(desk, hold.ticket_id, RELEASE, cartons=("C-1",))
    mara.decides(desk, hold.ticket_id, RELEASE)


def test_units_without_a_carton_wait_for_the_decision_on_the_place_where_they_stand(
    core, desk, mara
) -> None:
    core.receive(WATER, 5, location="A-01-1", by="op")
    batch = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    mara.decides(desk, batch.ticket_id, RETURN)
    place = core.add_hold(HoldKind.LOCATION, location="A-01-1", reason=SMELL, by="op")
    with pytest.raises(HeldError, match=place.hold_id):
        desk.carry_out(batch.ticket_id, by="mara", role="quality")
    assert stock(core) == {"free": 0, "inspection": 0, "blocked": 5}
    mara.decides(desk, place.ticket_id, RELEASE)
    assert desk.carry_out(batch.ticket_id, by="mara", role="quality") == 5
