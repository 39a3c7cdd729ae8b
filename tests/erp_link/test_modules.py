"""What check stations and storage say, booked once each, on both databases (I1)."""

from __future__ import annotations

import pytest

from contracts.errors import HeldError
from contracts.modules import FailedCheck, ModuleEvent, ModuleWord
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportProgress, TransportState, UsageDecision
from contracts.verdict import Decision
from erp_link.domain.places import QUARANTINE
from erp_link.service.core import Core
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided


def says(
    core: Core,
    station: Station,
    what: ModuleWord,
    *,
    load: str = "C1",
    number: str = "1",
    place: str = "",
    failed_check: FailedCheck = FailedCheck.CARTON,
) -> None:
    core.module_event(
        ModuleEvent(
            "CHECK-1",
            number,
            what,
            load,
            station.clock.now(),
            place=place,
            detail="seal is torn" if what is ModuleWord.CHECK_FAILED else "",
            message='{"task": {"verdict": "NOT_OK"}}',
            sha256="ab" * 32,
        ),
        failed_check=failed_check,
    )


def put_away(core: Core, station: Station, *states: TransportState) -> str:
    """A vehicle has the order of the one carton that waits; the order's number."""
    (order,) = core.pending_transport()
    for state in (TransportState.SENT, *states):
        core.transport_progress(
            TransportProgress(order.order_id, state, "agv-1", station.clock.now())
        )
    return order.order_id


def test_a_failed_check_holds_the_carton_and_opens_a_ticket_with_the_message(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    says(core, station, ModuleWord.CHECK_FAILED)
    (hold,) = core.holds()
    assert (hold.kind, hold.cartons, hold.raised_by) == (HoldKind.CARTONS, ("C1",), "CHECK-1")
    (ticket,) = core.tickets()
    values = {"station": "CHECK-1", "carton": "C1", "detail": "seal is torn"}
    assert ticket.reason == Reason("module_check_failed", values)
    assert (ticket.hold_ids, ticket.carton_id, ticket.device) == ((hold.hold_id,), "C1", "CHECK-1")
    (kept,) = [event for event in ticket.history if event.what == "module"]
    assert "NOT_OK" in kept.note
    assert "ab" * 32 in kept.note
    targets = {order.load_id: order.target for order in core.pending_transport()}
    assert targets["C1"] == QUARANTINE
    assert targets["C2"] != QUARANTINE


def test_where_the_policy_says_so_a_failed_check_holds_the_batch(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    says(core, station, ModuleWord.CHECK_FAILED, failed_check=FailedCheck.BATCH)
    says(core, station, ModuleWord.CHECK_FAILED, load="C2", failed_check=FailedCheck.BATCH)
    (hold,) = core.holds()
    assert (hold.kind, hold.batch) == (HoldKind.BATCH, WATER)
    assert {ticket.hold_ids for ticket in core.tickets()} == {(hold.hold_id,)}
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="ops")


def test_the_same_word_counts_once_and_another_look_adds_to_the_ticket(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    for number in ("1", "1", "2"):
        says(core, station, ModuleWord.CHECK_FAILED, number=number)
    assert len(core.holds()) == 1
    (ticket,) = core.tickets()
    assert [event.what for event in ticket.history].count("module") == 2


def test_a_passed_check_lifts_nothing(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    says(core, station, ModuleWord.CHECK_FAILED)
    says(core, station, ModuleWord.CHECK_PASSED, number="2")
    assert len(core.holds()) == 1
    assert core.batch_story(WATER)[-1].text.code == "story_module_passed"


def test_only_a_decision_sets_the_carton_free(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    says(core, station, ModuleWord.CHECK_FAILED)
    (ticket,) = core.tickets()
    decided(
        core,
        ticket.ticket_id,
        UsageDecision.RELEASE,
        by="qa",
        role="quality",
        reason="sealed again",
    )
    assert core.holds() == []
    (order,) = core.pending_transport()
    assert (order.load_id, order.target) == ("C1", "A-01-1")


def test_a_failed_check_of_what_is_on_a_vehicle_still_holds_it(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    put_away(core, station, TransportState.ACCEPTED, TransportState.PICKED)
    says(core, station, ModuleWord.CHECK_FAILED)
    (hold,) = core.holds()
    assert [risk.what for risk in hold.at_risk]
    assert not core.batch(WATER).unrestricted


def test_a_failed_check_of_what_nobody_knows_is_a_task(core: Core, station: Station) -> None:
    station.receives()
    for number in ("1", "2"):
        says(core, station, ModuleWord.CHECK_FAILED, load="tag-77", number=number)
    assert core.holds() == []
    (ticket,) = core.tickets()
    assert ticket.reason.code == "module_check_unknown"
    assert [event.what for event in ticket.history].count("module") == 2


def test_a_check_that_failed_before_the_dock_told_of_the_carton_blocks_it_when_it_does(
    core: Core, station: Station
) -> None:
    """The dock was offline: its journal comes after the check."""
    says(core, station, ModuleWord.CHECK_FAILED)
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    batch = core.batch(WATER)
    assert (batch.blocked, batch.unrestricted) == (1, 1)
    targets = {order.load_id: order.target for order in core.pending_transport()}
    assert (targets["C1"], targets["C2"]) == (QUARANTINE, "A-01-1")
    (ticket,) = core.tickets()
    assert ticket.batch == WATER
    decided(
        core, ticket.ticket_id, UsageDecision.RELEASE, by="qa", role="quality", reason="looked at"
    )
    assert core.batch(WATER).unrestricted == 2


def test_a_carton_in_review_that_failed_a_check_is_not_free_when_it_is_settled(
    core: Core, station: Station
) -> None:
    station.receives()
    station.judges("C1", Decision.REVIEW, None, line=None)
    says(core, station, ModuleWord.CHECK_FAILED)
    station.settles("C1", "candidate")
    batch = core.batch(WATER)
    assert (batch.blocked, batch.unrestricted) == (1, 0)


def test_a_storage_that_has_the_load_in_the_ordered_slot_books_the_drop(
    core: Core, station: Station
) -> None:
    """The vehicle's last states were lost."""
    station.receives()
    station.accepts("C1")
    order = put_away(core, station, TransportState.ACCEPTED, TransportState.PICKED)
    says(core, station, ModuleWord.STORED, place="A-01-1")
    late = TransportProgress(order, TransportState.DROPPED, "agv-1", station.clock.now())
    core.transport_progress(late)
    assert core.open_transport() == []
    assert {line.location: line.quantity for line in core.stock_by_location()} == {"A-01-1": 1}
    assert [event.what for event in core.batch_story(WATER)].count("moved") == 1
    assert core.tickets() == []


@pytest.mark.parametrize(
    ("what", "place", "code"),
    [
        (ModuleWord.STORED, "B-09-3", "module_stored_unordered"),
        (ModuleWord.STORED, "A-01-1", "module_stored_unordered"),
        (ModuleWord.RETRIEVED, "A-01-1", "module_retrieved_unordered"),
    ],
)
def test_what_nobody_ordered_moves_nothing_and_is_a_task(
    core: Core, station: Station, what: ModuleWord, place: str, code: str
) -> None:
    """The order for A-01-1 waits: no vehicle has it, so nothing can stand there by it."""
    station.receives()
    station.accepts("C1")
    before = core.stock_by_location()
    says(core, station, what, place=place)
    assert core.stock_by_location() == before
    (ticket,) = core.tickets()
    assert (ticket.reason.code, ticket.reason.params["place"]) == (code, place)


def test_a_storage_that_says_what_the_books_say_opens_no_ticket(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    put_away(core, station, TransportState.ACCEPTED, TransportState.PICKED, TransportState.DROPPED)
    says(core, station, ModuleWord.STORED, place="A-01-1")
    says(core, station, ModuleWord.STORED, place="A-01-1", number="2")
    assert core.tickets() == []
    assert [event.what for event in core.batch_story(WATER)].count("moved") == 1


@pytest.mark.parametrize(
    ("what", "place", "code"),
    [
        (ModuleWord.STORED, "A-01-1", "module_stored_unordered"),
        (ModuleWord.RETRIEVED, "", "module_retrieved_unordered"),
    ],
)
def test_an_order_done_long_since_explains_nothing_that_the_books_contradict(
    core: Core, station: Station, what: ModuleWord, place: str, code: str
) -> None:
    """The carton stands in quarantine by a later order; then a station says that it put it into its
    old slot. Or a vehicle set it down again where it had fetched it, and a station took it away.
    """
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()
    seen_at = order.target if what is ModuleWord.STORED else order.source
    place = place or order.source
    for state in (TransportState.SENT, TransportState.PICKED, TransportState.DROPPED):
        core.transport_progress(
            TransportProgress(order.order_id, state, "agv-1", station.clock.now(), location=seen_at)
        )
    if what is ModuleWord.STORED:
        says(core, station, ModuleWord.CHECK_FAILED)
        put_away(core, station, TransportState.PICKED, TransportState.DROPPED)
    before, known = core.stock_by_location(), {t.ticket_id for t in core.tickets()}
    says(core, station, what, place=place, number="77")
    assert core.stock_by_location() == before
    (ticket,) = [t for t in core.tickets() if t.ticket_id not in known]
    assert (ticket.reason.code, ticket.reason.params["place"]) == (code, place)
