"""A journey's time line: the same whatever the order in which its steps are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agv_bridge.fleet.journey import Step, journey_of
from contracts.reason import Reason
from contracts.stock import BatchKey, TransportOrder, TransportState

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ORDER = TransportOrder("TO-1", "SSCC-1", "DOCK", "A-01-1", BatchKey("N", "04006381333931", "L1"))
S = TransportState


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


SMOOTH = (
    Step(S.REQUESTED, at(0)),
    Step(S.SENT, at(5), "acme/1"),
    Step(S.ACCEPTED, at(6), "acme/1"),
    Step(S.PICKED, at(30), "acme/1", place="DOCK"),
    Step(S.DROPPED, at(90), "acme/1", place="A-01-1"),
)
BUMPY = (
    Step(S.REQUESTED, at(0)),
    Step(S.SENT, at(5), "acme/1"),
    Step(S.REQUESTED, at(35), "acme/1", reason="agv_no_answer"),
    Step(S.SENT, at(36), "acme/2"),
    Step(S.ACCEPTED, at(37), "acme/2"),
    Step(S.PICKED, at(50), "acme/2", reason="agv_load_mismatch", load_id="RFID-9"),
    Step(S.FAILED, at(80), "acme/2", reason="agv_drop_failed"),
)


def test_a_smooth_journey_has_five_stages_and_says_how_long_each_took():
    journey = journey_of(ORDER, S.DROPPED, SMOOTH)
    assert [stage.at for stage in journey.stages] == [step.at for step in SMOOTH]
    assert [stage.lasted and stage.lasted.total_seconds() for stage in journey.stages] == [
        None, 5, 1, 24, 60,
    ]  # fmt: skip
    assert journey.troubles == ()
    assert journey.ended_at == at(90)
    assert not journey.read_another


def test_a_bumpy_journey_says_who_had_it_what_went_wrong_and_what_was_read():
    journey = journey_of(ORDER, S.FAILED, BUMPY)
    assert journey.vehicles == ("acme/1", "acme/2")
    assert [each.code for each in journey.troubles] == [
        "agv_no_answer", "agv_load_mismatch", "agv_drop_failed",
    ]  # fmt: skip
    assert journey.troubles[0] == Reason("agv_no_answer", {"vehicle": "acme/1", "order": "TO-1"})
    assert journey.load_read == "RFID-9"
    assert journey.read_another
    assert [stage.vehicle for stage in journey.stages] == ["", "acme/2", "acme/2", "acme/2", ""]
    assert journey.stages[-1].at is None


def test_given_back_to_the_queue_nothing_is_sent_yet():
    journey = journey_of(ORDER, S.REQUESTED, BUMPY[:3])
    assert [stage.at is not None for stage in journey.stages] == [True, False, False, False, False]
    assert journey.ended_at is None


@given(st.permutations(BUMPY * 2))
def test_steps_told_twice_and_in_any_order_make_the_same_line(steps):
    assert journey_of(ORDER, S.FAILED, steps) == journey_of(ORDER, S.FAILED, BUMPY)


@given(st.permutations((Step(S.PICKED, at(50), "acme/2"), *BUMPY)))
def test_the_fuller_telling_counts(steps):
    assert journey_of(ORDER, S.FAILED, steps).load_read == "RFID-9"
