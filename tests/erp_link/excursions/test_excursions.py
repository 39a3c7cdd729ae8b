"""A cold room got warm: the batches that were in it at that time are measured, and held or told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from contracts.clock import FixedClock
from contracts.errors import HeldError
from contracts.stock import BatchKey, TicketState, UsageDecision
from contracts.telemetry import AlarmChange, AlarmEffect
from erp_link.adapters import alarm_tables as a
from erp_link.adapters import tables as t
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from tests.erp_link.excursions.cold_room import Gateway, sqlite_only
from tests.erp_link.story import JUICE, LATER, WATER
from tests.support.deciding import decided


def stands(core: Core, batch: BatchKey, place: str, quantity: int = 10) -> None:
    core.receive(batch, quantity, location=place, by="op", expiry=LATER)


def found(core: Core) -> dict[str, tuple[int, int, str]]:
    """Minutes there, minutes out of range and the verdict's code, by lot."""
    query = select(a.excursion_batch, t.batch.c.lot).join(
        t.batch, t.batch.c.id == a.excursion_batch.c.batch_id
    )
    rows = core.read(lambda c: c.execute(query).all())
    return {row.lot: (row.present_s // 60, row.outside_s // 60, row.code) for row in rows}


def test_what_stood_in_the_warm_room_is_held_and_what_stood_elsewhere_is_not(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "DRY-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[12.0] * 10)
    assert core.holds() == []
    alarm.says(AlarmChange.CONTINUES, *[16.5] * 5)
    (hold,) = core.holds()
    assert (hold.batch, hold.reason.code) == (WATER, "excursion_too_high")
    (ticket,) = core.tickets()
    assert (ticket.hold_ids, ticket.batch, ticket.device) == ((hold.hold_id,), WATER, "probe-7")
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="s")
    core.reserve("SO-1", JUICE, 1, by="s")
    alarm.says(AlarmChange.CLEARED, 9.0, 7.0)
    assert found(core) == {WATER.lot: (17, 16, "excursion_too_high")}
    assert len(core.holds()) == len(core.tickets()) == 1


@sqlite_only
def test_goods_that_bear_it_are_reported_as_within(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[10.0] * 30)
    alarm.says(AlarmChange.CLEARED, 7.5)
    assert found(core) == {WATER.lot: (31, 30, "excursion_within")}
    assert core.holds() == core.tickets() == []
    core.reserve("SO-1", WATER, 1, by="s")
    story = core.batch_story(WATER)
    assert [each.text.code for each in story if each.what == "excursion"] == [
        "story_excursion_within"
    ]


def test_a_batch_answers_only_for_the_time_when_it_was_there(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    """Water left before the end, juice arrived midway."""
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "DOCK-1")
    clock.at += timedelta(hours=1)
    since = clock.at
    alarm = gateway.alarm(since)
    clock.at = since + timedelta(minutes=10)
    core.move(WATER, 10, source="COLD-01", target="DRY-01", by="op")
    clock.at = since + timedelta(minutes=45)
    core.move(JUICE, 4, source="DOCK-1", target="COLD-02", by="op")
    clock.at = since + timedelta(hours=1)
    alarm.says(AlarmChange.RAISED, *[10.0] * 60)
    assert found(core) == {
        WATER.lot: (10, 10, "excursion_within"),
        JUICE.lot: (15, 15, "excursion_within"),
    }
    rows = core.read(lambda c: c.execute(select(a.excursion_batch.c.quantity)).scalars().all())
    assert sorted(rows) == [4, 10]


@sqlite_only
def test_too_long_is_too_long_only_for_what_was_there_so_long(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    stands(core, JUICE, "DOCK-1")
    clock.at += timedelta(hours=1)
    since = clock.at
    alarm = gateway.alarm(since)
    clock.at = since + timedelta(hours=20)
    core.move(JUICE, 10, source="DOCK-1", target="COLD-02", by="op")
    clock.at = since + timedelta(hours=25)
    alarm.says(AlarmChange.RAISED, *[8.2] * (25 * 60))
    assert found(core) == {
        WATER.lot: (1500, 1500, "excursion_too_long"),
        JUICE.lot: (300, 300, "excursion_within"),
    }
    assert [hold.batch for hold in core.holds()] == [WATER]


def test_a_gateway_that_was_offline_for_days_tells_of_goods_that_left_meanwhile(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    clock.at += timedelta(days=3)
    core.move(WATER, 10, source="COLD-01", target="DRY-01", by="op")
    alarm.says(AlarmChange.RAISED, *[20.0] * 30)
    alarm.says(AlarmChange.CLEARED, 5.0)
    assert [hold.batch for hold in core.holds()] == [WATER]
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="s")


def test_the_same_change_told_twice_counts_once(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[20.0] * 30)
    before = found(core)
    # A gateway that lost its journal's head tells it in an entry of another number.
    gateway.sends(alarm.told[0])
    assert found(core) == before
    assert len(core.holds()) == len(core.tickets()) == 1


def test_changes_that_come_out_of_order_end_alike(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    raised = alarm.body(AlarmChange.RAISED, *[12.0] * 10)
    cleared = alarm.body(AlarmChange.CLEARED, *[9.0] * 5)
    gateway.sends(cleared)
    gateway.sends(raised)
    assert found(core) == {WATER.lot: (15, 15, "excursion_within")}
    state = core.read(lambda c: c.execute(select(a.excursion.c.state)).scalar_one())
    assert state == "closed"


def test_a_release_by_quality_stands_while_the_room_is_still_warm(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at)
    alarm.says(AlarmChange.RAISED, *[20.0] * 30)
    (ticket,) = core.tickets()
    release = UsageDecision.RELEASE
    decided(core, ticket.ticket_id, release, by="q", role="quality", reason="stable to 25")
    alarm.says(AlarmChange.CONTINUES, *[20.0] * 5)
    assert core.holds() == []
    core.reserve("SO-1", WATER, 1, by="s")


@sqlite_only
def test_silence_counts_against_the_goods(core: Core, gateway: Gateway, clock: FixedClock) -> None:
    """Readings are missing for a day and a half: nobody can say that it was cold."""
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at, kind="missing", limit=None)
    end = alarm.since_us + 36 * 3600 * 1_000_000
    clock.at += timedelta(hours=36)
    alarm.says(AlarmChange.RAISED, at_us=end)
    (hold,) = core.holds()
    assert (hold.batch, hold.reason.code) == (WATER, "excursion_unmeasured")


@sqlite_only
def test_a_sensor_that_stands_nowhere_is_a_persons_question(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    alarm = gateway.alarm(clock.at, place="")
    alarm.says(AlarmChange.RAISED, 20.0)
    alarm.says(AlarmChange.CLEARED, 5.0)
    (ticket,) = core.tickets()
    assert ticket.reason.code == "excursion_nowhere"


@sqlite_only
def test_a_humid_room_is_measured_by_the_fence_itself(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at, quantity="humidity", unit="%RH", limit=70.0)
    alarm.says(AlarmChange.RAISED, *[82.0] * 3)
    (hold,) = core.holds()
    assert hold.reason.code == "excursion_too_long"


@sqlite_only
@pytest.mark.parametrize("kind", ["rate", "expression"])
def test_what_no_single_value_is_beyond_is_out_of_range_while_it_goes_on(
    core: Core, gateway: Gateway, clock: FixedClock, kind: str
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at, kind=kind, quantity="humidity", unit="%RH", limit=None)
    alarm.says(AlarmChange.RAISED, *[82.0] * 3)
    (hold,) = core.holds()
    assert (hold.batch, hold.reason.code) == (WATER, "excursion_too_long")


@sqlite_only
@pytest.mark.parametrize(
    ("effect", "start"), [(AlarmEffect.TICKET, "QC-"), (AlarmEffect.WORK_ORDER, "WO-")]
)
def test_a_ticket_or_a_work_order_lives_as_long_as_its_alarm(
    core: Core, gateway: Gateway, clock: FixedClock, effect: AlarmEffect, start: str
) -> None:
    alarm = gateway.alarm(clock.at, effect=effect)
    alarm.says(AlarmChange.RAISED, 12.0)
    (ticket,) = core.tickets()
    assert ticket.ticket_id.startswith(start)
    assert (ticket.state, ticket.reason.code) == (TicketState.OPEN, "alarm_above")
    alarm.says(AlarmChange.ESCALATED, 14.0, severity="critical")
    alarm.says(AlarmChange.CLEARED, 5.0)
    (ticket,) = core.tickets()
    assert ticket.state is TicketState.CLOSED
    assert [each.what for each in ticket.history] == ["opened", "escalated", "decided", "closed"]
    assert core.holds() == []


@sqlite_only
def test_an_alarm_without_effect_is_only_shown(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    gateway.alarm(clock.at, effect=AlarmEffect.NONE).says(AlarmChange.RAISED, 12.0)
    assert core.tickets() == []
    assert core.read(lambda c: c.execute(select(a.alarm.c.state)).scalars().all()) == ["open"]


def test_what_goods_bear_they_bear_in_all(core: Core, gateway: Gateway, clock: FixedClock) -> None:
    """Fifteen hours out of range twice: each is borne, both together are not."""
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    first = gateway.alarm(clock.at)
    clock.at += timedelta(hours=15)
    first.says(AlarmChange.RAISED, *[8.2] * (15 * 60))
    first.says(AlarmChange.CLEARED, 5.0)
    assert core.holds() == []
    clock.at += timedelta(days=2)
    stands(core, JUICE, "COLD-02")
    clock.at += timedelta(minutes=1)
    second = gateway.alarm(clock.at, alarm_id="alarm-2")
    clock.at += timedelta(hours=15)
    second.says(AlarmChange.RAISED, *[8.2] * (15 * 60))
    (hold,) = core.holds()
    assert (hold.batch, hold.reason.code) == (WATER, "excursion_too_long_again")
    assert hold.reason.params["earlier"] == 15 * 60


@sqlite_only
def test_two_sensors_that_tell_of_one_heat_do_not_count_it_twice(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarms = [gateway.alarm(clock.at, alarm_id=name) for name in ("left", "right")]
    clock.at += timedelta(hours=15)
    for alarm in alarms:
        alarm.says(AlarmChange.RAISED, *[8.2] * (15 * 60))
        alarm.says(AlarmChange.CLEARED, 5.0)
    clock.at += timedelta(days=2)
    gateway.alarm(clock.at, alarm_id="later").says(AlarmChange.RAISED, *[8.2] * (8 * 60))
    assert core.holds() == []


@sqlite_only
@pytest.mark.parametrize("celsius", [-300.0, -273.15, 9.9e299, 1e6])
def test_a_probe_that_says_what_cannot_be_stops_no_log(
    core: Core, gateway: Gateway, clock: FixedClock, celsius: float
) -> None:
    """Goods beside it are held: nobody knows how warm they were."""
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    alarm = gateway.alarm(clock.at, kind="below", limit=2.0)
    alarm.says(AlarmChange.RAISED, *[celsius] * 3, 9.0)
    alarm.says(AlarmChange.CLEARED, 5.0)
    (hold,) = core.holds()
    assert hold.batch == WATER
    assert Excursions(core).report(Excursions(core).excursions()[0].excursion_id).batches


@sqlite_only
def test_two_sensors_in_a_room_make_one_excursion_that_ends_with_the_last(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    stands(core, WATER, "COLD-01")
    clock.at += timedelta(hours=1)
    begun = clock.at
    left = gateway.alarm(clock.at, alarm_id="left")
    left.says(AlarmChange.RAISED, *[9.0] * 5)
    right = gateway.alarm(clock.at + timedelta(minutes=3), alarm_id="right")
    right.says(AlarmChange.RAISED, *[16.0] * 20)
    desk = Excursions(core)
    (line,) = desk.excursions()
    assert line.alarm.alarm_id == "left"
    left.says(AlarmChange.CLEARED, 5.0)
    (line,) = desk.excursions()
    assert line.open, "the other one goes on"
    right.says(AlarmChange.CLEARED, 5.0)
    (line,) = desk.excursions()
    assert (line.open, line.beyond) == (False, 1)
    assert line.begun == begun
    assert line.ended - begun >= timedelta(minutes=24)
    report = desk.report(line.excursion_id)
    assert [each.alarm_id for each in report.others] == ["right"]
    assert max(point.most for point in report.trace) == 16.0
    # Of each minute the warmer one counts: 3 at nine degrees, then twenty at sixteen.
    (water,) = report.batches
    assert (water.exposure.outside_s, water.exposure.most) == (23 * 60, 16.0)
    assert len(core.holds()) == 1
    assert len(core.tickets()) == 1


@sqlite_only
def test_another_room_another_fence_or_a_later_day_is_another_excursion(
    core: Core, gateway: Gateway, clock: FixedClock
) -> None:
    clock.at += timedelta(hours=1)
    gateway.alarm(clock.at, alarm_id="a").says(AlarmChange.RAISED, 9.0)
    gateway.alarm(clock.at, alarm_id="b", place="FRZ").says(AlarmChange.RAISED, 9.0)
    gateway.alarm(clock.at, alarm_id="c", kind="below", limit=2.0).says(AlarmChange.RAISED, 1.0)
    over = gateway.alarm(clock.at, alarm_id="d", quantity="humidity", unit="%RH")
    over.says(AlarmChange.RAISED, 90.0)
    over.says(AlarmChange.CLEARED, 50.0)
    clock.at += timedelta(days=1)
    gateway.alarm(clock.at, alarm_id="e", quantity="humidity", unit="%RH").says(
        AlarmChange.RAISED, 90.0
    )
    assert len(Excursions(core).excursions()) == 5
