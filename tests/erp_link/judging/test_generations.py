"""A bad set is taken back: its batches get another judge, and what it freed is judged again (I1, I3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.errors import BadInputError, HeldError
from contracts.judging import Pin, judge_digest
from contracts.stock import TransportProgress, TransportState, UsageDecision
from erp_link.service.commands import read_reservations
from erp_link.service.core import Core
from erp_link.service.judging.desk import Judging
from erp_link.service.orders.desk import Orders
from erp_link.service.proof.verify import verify
from tests.erp_link.judging.conftest import BAD, DEFECT, NEW, OLD, Box
from tests.erp_link.judging.test_counting import stock
from tests.erp_link.story import JUICE, WATER
from tests.support.deciding import decided


@pytest.fixture
def bad(box: Box) -> Box:
    """The box whose set passes everything."""
    box.parts = dict(BAD)
    return box


def back(judging: Judging, *, why: str = "misses dents") -> object:
    return judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why=why)


def test_what_a_bad_set_freed_waits_again_and_comes_free_under_the_other_judge(
    core: Core, judging: Judging, bad: Box
) -> None:
    for name in ("C1", "C2", "C3"):
        bad.looks(name)
    opened = judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why="misses dents")
    second = Pin(WATER, 2, judge_digest(OLD), OLD)
    assert (opened.pins, opened.cartons, opened.left) == ((second,), 3, ())
    assert stock(core) == (0, 3, 0)
    assert core.pending_transport() == [], "what waits stays where it is"
    told = core.expectations("dock-1")
    assert told.pins == (second,)
    assert [task.carton_id for task in told.rejudge] == ["C1", "C2", "C3"]
    bad.rejudges("C1", pin=second)
    bad.rejudges("C2", DEFECT, pin=second)
    bad.rejudges("C3", gone=True, pin=second)
    assert stock(core) == (1, 1, 1)
    assert [order.load_id for order in core.pending_transport()] == ["C1", "C2"]
    assert {t.reason.code for t in core.tickets()} == {"defect_seen", "judge_by_person"}
    assert judging.mixed() == []
    assert verify(core.engine).findings == ()


def test_taking_a_set_back_twice_opens_one_generation(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    first = back(judging)
    again = judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why="misses dents")
    assert first != again
    assert again.pins == ()
    assert len(judging.history(WATER)) == 2


def test_other_batches_keep_their_judge(core: Core, judging: Judging, bad: Box, other: Box) -> None:
    other.looks("J1", batch=JUICE, line=2)
    bad.looks("C1")
    back(judging)
    assert [pin.generation for pin in judging.history(JUICE)] == [1]
    assert core.batch(JUICE).unrestricted == 1


def test_reservations_give_way_and_what_is_picked_is_not_shipped(
    core: Core, judging: Judging, bad: Box
) -> None:
    for name in ("C1", "C2", "C3"):
        bad.looks(name)
    (first,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(first.reservation_id, by="op")
    (second,) = core.reserve("SO-2", WATER, 2, by="op")
    back(judging)
    assert stock(core) == (0, 2, 0)
    with pytest.raises(HeldError) as refused:
        core.ship(first.reservation_id, by="op")
    assert refused.value.data["reasons"] == ["stock_unjudged"]
    (given_up,) = core.read(lambda c: read_reservations(c, [second.reservation_id]))
    assert given_up.state == "released"
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", pin=pin)
    core.ship(first.reservation_id, by="op")
    assert core.batch(WATER).on_hand == 2
    assert verify(core.engine).findings == ()


def test_a_picked_carton_found_defective_is_held_by_name(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    (taken,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(taken.reservation_id, by="op")
    back(judging)
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", DEFECT, pin=pin)
    (hold,) = core.holds()
    assert hold.cartons == ("C1",)
    with pytest.raises(HeldError):
        core.ship(taken.reservation_id, by="op")
    core.return_picked(taken.reservation_id, by="op")
    assert stock(core) == (0, 0, 1)


def test_what_was_shipped_is_at_risk_and_judged_again_too(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    bad.looks("C2")
    (taken,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(taken.reservation_id, by="op")
    core.ship(taken.reservation_id, by="op")
    back(judging)
    (risk,) = core.tickets()
    assert (risk.reason.code, risk.reason.params["quantity"]) == ("recall_rejudged_shipped", 1)
    assert [t.carton_id for t in core.expectations("dock-1").rejudge] == ["C1", "C2"]
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", DEFECT, pin=pin)
    assert {t.reason.code for t in core.tickets()} == {
        "recall_rejudged_shipped",
        "recall_rejudged_defect",
    }
    assert stock(core) == (0, 1, 0)
    assert verify(core.engine).findings == ()


def test_a_batch_that_left_wholly_is_told_once(core: Core, judging: Judging, bad: Box) -> None:
    bad.looks("C1")
    (taken,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(taken.reservation_id, by="op")
    core.ship(taken.reservation_id, by="op")
    core.close_session(str(bad.session), by="op")
    opened = judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why="misses dents")
    assert (opened.pins, opened.left) == ((), (WATER,))
    assert [t.reason.code for t in core.tickets()] == ["recall_judged_badly"]
    again = judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why="misses dents")
    assert (again.left, len(core.tickets())) == ((), 1)


def test_a_quota_that_a_device_may_ship_offline_is_called_back(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    until = bad.clock.now() + timedelta(hours=8)
    quota = Orders(core).grant_quota("phone-1", WATER, 1, until, by="ops")
    back(judging)
    (risk,) = core.tickets()
    assert (risk.reason.code, risk.reason.params["reference"]) == (
        "recall_rejudged_quota",
        quota.quota_id,
    )


def test_a_hold_that_was_there_before_stays(core: Core, judging: Judging, bad: Box) -> None:
    bad.looks("C1")
    bad.looks("C2", DEFECT, freezes=True)
    back(judging)
    assert stock(core) == (0, 0, 2)
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", pin=pin)
    assert stock(core) == (0, 0, 2)
    assert len(core.holds()) == 1
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="label")
    assert stock(core) == (2, 0, 0)


def test_a_release_after_a_rollback_frees_only_what_somebody_judged(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    bad.looks("C2", DEFECT, freezes=True)
    back(judging)
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="label")
    assert stock(core) == (1, 1, 0), "C2 was looked at by quality, C1 by nobody who counts"


def test_what_an_operator_settled_on_the_bad_sets_word_is_judged_again(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1", verdict=None)
    bad.settles("C9", "keyed")
    back(judging)
    assert stock(core) == (1, 1, 0), "no machine looked at C9"


def test_a_vehicle_on_its_way_to_the_slot_brings_goods_that_wait(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    (order,) = core.pending_transport()

    def step(state: TransportState, action: str, where: str = "") -> None:
        core.transport_progress(
            TransportProgress(order.order_id, state, "agv-1", bad.clock.now(), action, "C1", where)
        )

    step(TransportState.SENT, "sent")
    step(TransportState.PICKED, "pick")
    back(judging)
    step(TransportState.DROPPED, "drop", order.target)
    assert core.pending_transport() == [], "it waits in its slot, not in quarantine"
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", pin=pin)
    assert stock(core) == (1, 0, 0)


def test_generation_after_generation(core: Core, judging: Judging, bad: Box) -> None:
    bad.looks("C1")
    first = judging.find(WATER)
    second = judging.next_generation(WATER, NEW, after=1, by="ops", why="one")
    third = judging.next_generation(WATER, OLD, after=2, by="ops", why="two")
    assert first is not None
    bad.rejudges("C1", pin=second)
    assert stock(core) == (0, 1, 0), "late for its generation"
    assert [t.pin for t in core.expectations("dock-1").rejudge] == [third]
    bad.rejudges("C1", pin=third)
    assert stock(core) == (1, 0, 0)
    assert [pin.generation for pin in judging.history(WATER)] == [1, 2, 3]


def test_sets_that_replace_each_other_replace_nothing(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    ring = {BAD["inspect"]: NEW["inspect"], NEW["inspect"]: BAD["inspect"]}
    nobody = {BAD["inspect"]: "", "p1": ""}
    for wrong in (ring, nobody, {BAD["inspect"]: BAD["inspect"]}):
        with pytest.raises(BadInputError):
            judging.replace(wrong, by="ops", why="")
    assert stock(core) == (1, 0, 0)
    chain = {BAD["inspect"]: NEW["inspect"], NEW["inspect"]: OLD["inspect"]}
    (pin,) = judging.replace(chain, by="ops", why="both are bad").pins
    assert pin.parts == OLD


def test_a_rollback_goes_on_where_it_was_killed(core: Core, judging: Judging, bad: Box) -> None:
    bad.looks("C1")
    bad.looks("J1", batch=JUICE, line=2)
    judging.next_generation(WATER, OLD, after=1, by="ops", why="misses dents")
    opened = judging.replace({BAD["inspect"]: OLD["inspect"]}, by="ops", why="misses dents")
    assert [pin.batch for pin in opened.pins] == [JUICE]
    assert [pin.generation for pin in judging.history(WATER)] == [1, 2]
    assert core.batch(JUICE).inspection == 1


def test_what_comes_back_from_a_quota_waits_for_its_judge_behind_its_hold(
    core: Core, judging: Judging, bad: Box
) -> None:
    bad.looks("C1")
    until = bad.clock.now() + timedelta(hours=8)
    quota = Orders(core).grant_quota("phone-1", WATER, 1, until, by="ops")
    back(judging)
    Orders(core).end_quota(quota.quota_id, by="ops")
    (hold,) = core.holds()
    assert hold.cartons == ("C1",), "the carton is where its goods are"
    ticket = next(t for t in core.tickets() if t.hold_ids)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="there")
    assert stock(core) == (0, 1, 0), "it was counted, not looked at"
    pin = judging.find(WATER)
    assert pin is not None
    bad.rejudges("C1", pin=pin)
    assert stock(core) == (1, 0, 0)
    assert verify(core.engine).findings == ()
