"""Whose word frees goods: the batch's one judge's. Others are kept, may hold, and free nothing (I3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import HeldError, InsufficientStockError
from contracts.events import CartonJudged
from contracts.judging import Pin, Standing, Watermark, judge_digest
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, UsageDecision
from contracts.verdict import Decision
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.goods.products import Products
from erp_link.service.judging.desk import Judging
from erp_link.service.proof.verify import verify
from tests.erp_link.judging.conftest import DEFECT, NEW, OLD, PASS, REVIEW, Box
from tests.erp_link.story import WATER
from tests.support.deciding import decided

# The same questions are asked of PostgreSQL by the contracts and the generations beside this file.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stock(core: Core) -> tuple[int, int, int]:
    """Free, in inspection, blocked."""
    water = core.batch(WATER)
    return water.unrestricted, water.inspection, water.blocked


def test_the_first_box_gets_the_batch_and_its_cartons_are_free(
    core: Core, judging: Judging, box: Box
) -> None:
    box.looks("C1")
    assert judging.find(WATER) == Pin(WATER, 1, judge_digest(OLD), OLD)
    assert stock(core) == (1, 0, 0)
    assert [order.load_id for order in core.pending_transport()] == ["C1"]


def test_a_box_with_another_set_frees_nothing_and_its_cartons_are_judged_again(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    other.looks("C2")
    assert stock(core) == (1, 1, 0)
    with pytest.raises(InsufficientStockError):
        core.reserve("SO-1", WATER, 2, by="op")
    assert [order.load_id for order in core.pending_transport()] == ["C1"]
    (task,) = core.expectations("dock-2").rejudge
    assert (task.carton_id, task.pin) == ("C2", judging.find(WATER))
    assert task.picture == f"{1:064x}"
    assert core.expectations("dock-1").rejudge == ()
    other.rejudges("C2", pin=task.pin)
    assert stock(core) == (2, 0, 0)
    assert core.expectations("dock-2").rejudge == ()
    assert judging.mixed() == []
    standings = [(each.carton_id, each.standing) for each in judging.said_of(WATER)]
    assert standings == [
        ("C1", Standing.COUNTS),
        ("C2", Standing.OTHER_JUDGE),
        ("C2", Standing.COUNTS),
    ]


def test_a_defect_holds_whoever_found_it(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2", DEFECT, freezes=True)
    assert stock(core) == (0, 0, 2)
    (hold,) = core.holds()
    assert hold.batch == WATER


def test_two_boxes_offline_the_first_heard_is_the_judge(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    other.looks("C2", under=other.offline())
    box.looks("C1", under=box.offline())
    assert judging.find(WATER) == Pin(WATER, 1, judge_digest(NEW), NEW)
    assert stock(core) == (1, 1, 0)
    assert [t.carton_id for t in core.expectations("dock-1").rejudge] == ["C1"]


def test_what_an_older_station_wrote_is_weighed_by_the_sets_it_names(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1", marked=False)
    assert judging.find(WATER) == Pin(WATER, 1, judge_digest(OLD), OLD)
    other.looks("C2", marked=False)
    assert stock(core) == (1, 1, 0)


def test_a_watermark_that_its_own_sets_contradict_counts_for_nothing(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    other.looks("C2", under=Watermark(judge_digest(OLD)))
    assert stock(core) == (1, 1, 0)
    assert judging.said_of(WATER)[-1].standing is Standing.OTHER_JUDGE


def test_a_forged_watermark_pins_no_batch(core: Core, judging: Judging, box: Box) -> None:
    box.looks("C1", under=Watermark(judge_digest(NEW)))
    assert judging.find(WATER) is None
    assert stock(core) == (0, 1, 0)
    assert [t.reason.code for t in core.tickets()] == ["judge_by_person"], "no machine may"


def test_a_doubtful_label_pins_no_neighbour(core: Core, judging: Judging, box: Box) -> None:
    box.looks("C1", verdict=Decision.REVIEW)
    assert judging.find(WATER) is None
    box.settles("C1", "candidate")
    assert stock(core) == (1, 0, 0), "a person had it in hand"


def test_a_person_settles_what_the_wrong_set_looked_at(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2", REVIEW)
    other.settles("C2", "candidate")
    assert stock(core) == (2, 0, 0)
    assert core.expectations("dock-2").rejudge == ()


def test_a_carton_that_comes_by_again_under_the_judge_is_free(
    core: Core, box: Box, other: Box
) -> None:
    box.looks("C1")
    other.looks("C2")
    box.looks("C2")
    assert stock(core) == (2, 0, 0)
    assert core.expectations("dock-2").rejudge == ()
    assert {order.load_id for order in core.pending_transport()} == {"C1", "C2"}


def test_a_hold_stays_when_the_judge_passes_what_waited(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("smell"), by="q")
    other.looks("C3")
    assert stock(core) == (0, 2, 1)
    (task, _) = core.expectations("dock-2").rejudge
    other.rejudges("C2", pin=task.pin)
    assert stock(core) == (0, 1, 2)
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="aired")
    assert stock(core) == (2, 1, 0), "the release says nothing of what nobody judged"
    other.rejudges("C3", pin=task.pin)
    assert stock(core) == (3, 0, 0)


def test_what_came_in_under_a_hold_waits_for_its_judge_once_it_is_lifted(
    core: Core, box: Box, other: Box
) -> None:
    box.looks("C1")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("smell"), by="q")
    other.looks("C2", verdict=Decision.HOLD, reasons=(Reason("batch_held"),))
    assert stock(core) == (0, 0, 2)
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="aired")
    assert stock(core) == (1, 1, 0)


def test_a_defect_found_by_the_judge_blocks_the_carton_with_a_ticket(
    core: Core, box: Box, other: Box
) -> None:
    session = str(box.session)
    box.looks("C1")
    other.looks("C2")
    (task,) = core.expectations("dock-2").rejudge
    other.rejudges("C2", DEFECT, pin=task.pin)
    assert stock(core) == (1, 0, 1)
    (ticket,) = core.tickets()
    assert (ticket.carton_id, ticket.station, ticket.score) == ("C2", "dock-2", 0.3)
    assert core.session_report(session).lines[0].damaged == 1
    assert core.session_report(session).lines[0].counted == 2
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="dust")
    assert stock(core) == (2, 0, 0)


def test_where_frame_or_set_is_gone_a_person_looks(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    for name in ("C2", "C3", "C4"):
        other.looks(name)
    other.looks("C5", picture=False)
    tasks = core.expectations("dock-2").rejudge
    assert [task.carton_id for task in tasks] == ["C2", "C3", "C4"]
    other.rejudges("C2", gone=True, pin=tasks[0].pin)
    other.rejudges("C3", REVIEW, pin=tasks[0].pin)
    (ticket,) = core.tickets()
    assert ticket.reason.code == "judge_by_person"
    assert core.expectations("dock-2").rejudge == tasks[2:]
    other.rejudges("C4", pin=tasks[0].pin)
    assert stock(core) == (2, 3, 0)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="looked")
    assert stock(core) == (5, 0, 0)
    assert verify(core.engine).findings == ()


def test_what_a_person_does_not_release_is_blocked(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2", picture=False)
    (ticket,) = core.tickets()
    decided(core, ticket.ticket_id, UsageDecision.SCRAP, by="q", role="quality", reason="crushed")
    assert stock(core) == (1, 0, 1)


def test_an_answer_of_another_set_frees_nothing_and_a_person_is_asked(
    core: Core, box: Box, other: Box
) -> None:
    box.looks("C1")
    other.looks("C2")
    (task,) = core.expectations("dock-2").rejudge
    other.rejudges("C2", pin=task.pin, parts=dict(NEW))
    assert stock(core) == (1, 1, 0)
    assert [t.reason.code for t in core.tickets()] == ["judge_by_person"]


def test_a_delivery_that_waits_for_acceptance_waits_for_its_judge_too(
    core: Core, box: Box, other: Box
) -> None:
    Products(core).describe(Product(WATER.gtin, name="Water", acceptance=True), by="ops")
    box.looks("C1")
    other.looks("C2")
    desk = Acceptances(core)
    (waits,) = desk.waiting()
    assert waits.in_inspection == 2
    desk.accept(waits.acceptance_id, by="op", roles=["operator"])
    assert stock(core) == (1, 1, 0)
    (task,) = core.expectations("dock-2").rejudge
    other.rejudges("C2", pin=task.pin)
    assert stock(core) == (2, 0, 0)


def test_a_station_hears_of_pins_reader_and_a_bounded_number_of_tasks(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C0")
    before = core.expectations("dock-2")
    assert before.pins == (judging.find(WATER),)
    assert before.reads is None, "nobody has read a label yet"
    judging.pin_session(str(box.session), "sha256:reader", by="edge-1")
    for i in range(20):
        other.looks(f"C1{i:02d}")
    told = core.expectations("dock-2")
    assert told.version > before.version
    assert told.reads is not None
    assert (told.reads.model_set, len(told.rejudge)) == ("sha256:reader", 16)
    for task in told.rejudge:
        other.rejudges(task.carton_id, pin=task.pin)
    assert len(core.expectations("dock-2").rejudge) == 4
    (waiting,) = judging.waiting()
    assert (waiting.cartons, waiting.asked, waiting.person) == (4, 4, 0)


def test_pinned_sets_are_kept_while_a_batch_may_go_on(
    core: Core, judging: Judging, box: Box
) -> None:
    box.looks("C1")
    assert judging.pinned_sets() == frozenset(OLD.values())
    core.close_session(str(box.session), by="op")
    assert judging.pinned_sets() == frozenset(OLD.values())
    box.clock.at += timedelta(days=8)
    assert judging.pinned_sets() == frozenset()


def test_another_suppliers_lot_has_its_own_judge(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    namesake = BatchKey("BOLT", WATER.gtin, WATER.lot)
    other.looks("C2", batch=namesake, line=None)
    assert judging.find(namesake) == Pin(namesake, 1, judge_digest(NEW), NEW)
    assert core.batch(namesake).unrestricted == 1


def test_nothing_that_waits_is_shipped(core: Core, box: Box, other: Box) -> None:
    box.looks("C1")
    other.looks("C2")
    (reservation,) = core.reserve("SO-1", WATER, 1, by="op")
    core.pick(reservation.reservation_id, by="op")
    core.ship(reservation.reservation_id, by="op")
    with pytest.raises((HeldError, InsufficientStockError)):
        core.reserve("SO-2", WATER, 1, by="op")
    assert verify(core.engine).findings == ()


def test_a_pass_under_a_generation_that_is_over_frees_nothing(
    core: Core, judging: Judging, box: Box
) -> None:
    box.looks("C1", PASS)
    judging.next_generation(WATER, NEW, after=1, by="ops", why="")
    box.looks("C2", PASS)
    assert stock(core) == (0, 2, 0)


def test_where_the_box_with_the_frames_is_lost_a_person_looks(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    other.looks("C2")
    other.looks("C3")
    assert judging.ask_people(WATER, by="q") == 2
    assert judging.ask_people(WATER, by="q") == 0
    assert core.expectations("dock-2").rejudge == ()
    (ticket,) = core.tickets()
    (waiting,) = judging.waiting()
    assert (waiting.asked, waiting.person) == (0, 2)
    decided(core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="looked")
    assert stock(core) == (3, 0, 0)


def test_what_an_operator_is_to_settle_no_second_person_is_asked_about(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    box.looks("C2", REVIEW)
    pin = judging.find(WATER)
    assert pin is not None
    other.rejudges("C2", REVIEW, pin=pin)
    other.rejudges("C2", pin=pin)
    assert core.tickets() == []
    assert stock(core) == (1, 1, 0), "the operator has it on the screen"
    box.settles("C2", "candidate")
    assert stock(core) == (2, 0, 0)
    assert verify(core.engine).findings == ()


def test_goods_let_in_unseen_by_policy_stay_free_whoever_looks_later(
    core: Core, judging: Judging, box: Box, other: Box
) -> None:
    box.looks("C1")
    box.sends(replace(_last(box), carton_id="C2", inspection=None, under=None))
    other.looks("C2")
    assert stock(core) == (2, 0, 0)
    other.looks("C2", DEFECT)
    assert stock(core) == (1, 0, 1)
    assert verify(core.engine).findings == ()


def _last(box: Box) -> CartonJudged:
    body = box.log[-1][1]
    assert isinstance(body, CartonJudged)
    return body
