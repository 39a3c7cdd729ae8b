"""When an alarm begins, goes on and is over."""

from math import isfinite

import pytest

from contracts.telemetry import AlarmChange, AlarmEffect, Calibration, SeriesKey
from telemetry.describing.series import SeriesBook
from telemetry.watching.engine import Engine
from telemetry.watching.fences import Scope, ScopeKind, Severity, Step
from telemetry.watching.hours import Hours, Span
from telemetry.watching.places import Whereabouts
from tests.telemetry.watching.stream import DOOR, H1, MINUTE, SECOND, START, T1, T2, Gateway, warm


def test_above_the_limit_an_alarm_is_raised_once_and_cleared_below_the_hysteresis():
    gateway = Gateway([warm(hysteresis=1.0)])
    for at, value in enumerate([5.0, 8.0, 8.1, 9.5, 7.5, 8.2, 7.1, 7.0, 6.0]):
        gateway.hears(at, (T1, value))
    assert gateway.story == [("raised", 2), ("cleared", 7)]
    raised, cleared = gateway.told
    assert (raised.kind, raised.limit, raised.value, raised.place) == ("above", 8.0, 8.1, "COLD-1")
    assert (cleared.worst, cleared.value, cleared.alarm_id) == (9.5, 7.0, raised.alarm_id)
    assert (raised.number, cleared.number) == (0, 1)


def test_below_is_its_mirror():
    gateway = Gateway([warm(above=None, below=2.0, hysteresis=0.5)])
    for at, value in enumerate([3.0, 1.9, -4.0, 2.4, 2.5]):
        gateway.hears(at, (T1, value))
    assert gateway.story == [("raised", 1), ("cleared", 4)]
    assert gateway.told[1].worst == -4.0


def test_each_sensor_has_an_alarm_of_its_own_and_both_limits_too():
    gateway = Gateway([warm(below=2.0)])
    gateway.hears(1, (T1, 9.0), (T2, 1.0))
    assert [(each.series, each.kind) for each in gateway.told] == [(T1, "above"), (T2, "below")]
    assert len({each.alarm_id for each in gateway.told}) == 2
    assert [each.alarm_id for each in gateway.engine.open_alarms()] == [
        each.alarm_id for each in gateway.told
    ]


def test_what_is_short_is_no_alarm():
    gateway = Gateway([warm(for_s=60)])
    for at in (0, 30, 59):
        gateway.hears(at, (T1, 9.0))
    gateway.hears(59.5, (T1, 7.9))
    gateway.hears(60, (T1, 9.0))
    gateway.waits(119)
    assert gateway.story == []
    gateway.waits(120)
    assert gateway.story == [("raised", 120)]
    assert gateway.told[0].since_us == START + 60 * SECOND


def test_a_door_that_says_open_once_is_told_by_the_timer():
    gateway = Gateway([warm(quantity="door_open", unit="state", above=0.5, for_s=300)])
    gateway.hears(10, (DOOR, 1.0))
    gateway.waits(3600)
    assert gateway.story == [("raised", 310)]


def test_a_logger_that_tells_hours_later_is_judged_by_its_own_times():
    gateway = Gateway([warm(for_s=600)])
    for minute in range(30):
        value = 9.0 if 5 <= minute < 20 else 5.0
        gateway.hears(7200 + minute / 1000, (T1, value), own=minute * 60)
    assert gateway.story == [("raised", 15 * 60), ("cleared", 20 * 60)]
    assert gateway.told[0].since_us == START + 5 * MINUTE


def test_an_older_reading_that_comes_late_ends_nothing():
    gateway = Gateway([warm()])
    gateway.hears(100, (T1, 9.0))
    gateway.hears(101, (T1, 5.0), own=50)
    assert gateway.story == [("raised", 100)]
    gateway.hears(102, (T1, 5.0))
    assert gateway.story == [("raised", 100), ("cleared", 102)]


def test_a_sensor_whose_clock_is_ahead_has_measured_by_now():
    gateway = Gateway([warm()])
    gateway.hears(10, (T1, 9.0), own=200)
    assert gateway.story == [("raised", 10)]


def test_missing_readings_are_told_by_the_timer_and_end_with_the_next_one():
    gateway = Gateway([warm(above=None, missing_s=300)])
    gateway.hears(0, (T1, 5.0), (T2, 5.0))
    gateway.hears(200, (T2, 5.0))
    gateway.waits(299)
    assert gateway.story == []
    gateway.waits(10_000)
    assert [(each.series, str(each.change)) for each in gateway.told] == [
        (T1, "raised"), (T2, "raised"),
    ]  # fmt: skip
    assert gateway.story == [("raised", 300), ("raised", 500)]
    assert (gateway.told[0].value, gateway.told[0].since_us) == (None, START)
    gateway.hears(10_001, (T1, 5.0))
    assert gateway.story[-1] == ("cleared", 10_001)


def test_readings_that_are_missing_in_an_excursion_are_told_while_they_are_missing():
    """Goods beside a probe that died are not judged only when somebody mends it."""
    gateway = Gateway([warm(above=None, missing_s=300, tell_s=3600, effect=AlarmEffect.EXCURSION)])
    gateway.hears(0, (T1, 5.0))
    gateway.hears(10_000, (T2, 5.0))
    gateway.waits(10_001)
    of_probe = [
        (str(c.change), (c.at_us - START) // SECOND) for c in gateway.told if c.series == T1
    ]
    assert of_probe == [("raised", 300), ("continues", 3900), ("continues", 7500)]
    quiet = Gateway([warm(above=None, missing_s=300, tell_s=3600)])
    quiet.waits(10_000)
    assert {str(each.change) for each in quiet.told} == {"raised"}


def test_one_that_was_never_heard_is_missed_as_well():
    gateway = Gateway([warm(above=None, missing_s=300)])
    gateway.waits(300)
    assert {each.series for each in gateway.told} == {T1, T2}


def test_while_the_gateway_was_away_nothing_could_be_heard():
    gateway = Gateway([warm(above=None, missing_s=300)])
    gateway.hears(0, (T1, 5.0), (T2, 5.0))
    gateway.restarts()
    gateway.engine.resume(START + 86_400 * SECOND)
    gateway.told += gateway.engine.take_changes()
    assert gateway.story == []
    gateway.waits(86_400 + 299)
    assert gateway.story == []
    gateway.waits(86_400 + 300)
    assert [each[0] for each in gateway.story] == ["raised", "raised"]


def test_a_rise_within_a_time_is_told_and_a_slow_one_is_not():
    gateway = Gateway([warm(above=None, rise=3.0, within_s=600, hysteresis=1.0)])
    for minute in range(60):
        gateway.hears(minute * 60, (T1, 2.0 + minute * 0.2))
    assert gateway.story == []
    for minute in range(60, 75):
        gateway.hears(minute * 60, (T1, 14.0 + min(minute - 59, 5)))
    # 14 degrees are left behind after ten minutes: the window holds 18 and 19 only.
    assert [each[0] for each in gateway.story] == ["raised", "cleared"]
    assert gateway.told[0].kind == "rate"
    assert gateway.told[1].worst == pytest.approx(5.2, abs=1.0)


def test_a_fall_is_a_rise_upside_down():
    gateway = Gateway([warm(above=None, fall=3.0, within_s=600)])
    gateway.hears(0, (T1, 9.0))
    gateway.hears(60, (T1, 5.9))
    assert gateway.story == [("raised", 60)]


def test_an_expression_sees_what_stands_in_the_same_place():
    text = "temperature > degF(50) && door_open < 0.5 && humidity > pct_RH(60)"
    gateway = Gateway([warm(above=None, expression=text)])
    gateway.hears(0, (T1, 10.5), (DOOR, 1.0))
    assert gateway.story == []  # Nothing is known of the humidity.
    gateway.hears(1, (H1, 70.0))
    gateway.hears(2, (DOOR, 0.0))
    assert gateway.story == [("raised", 2)]
    assert (gateway.told[0].kind, gateway.told[0].series) == ("expression", T1)
    gateway.hears(3, (H1, 50.0))
    assert gateway.story[-1] == ("cleared", 3)


def test_what_stands_in_another_place_or_was_said_long_ago_says_nothing():
    gateway = Gateway([warm(above=None, expression="temperature > 8 && door_open < 0.5")])
    gateway.hears(0, (DOOR, 0.0))
    gateway.hears(1, (T2, 10.0))
    gateway.hears(1000, (T1, 10.0))
    assert gateway.story == []


def test_an_alarm_may_last_until_the_door_is_shut():
    gateway = Gateway([warm(clear_when="door_open < 0.5")])
    gateway.hears(0, (DOOR, 1.0), (T1, 9.0))
    gateway.hears(1, (T1, 5.0))
    assert gateway.story == [("raised", 0)]
    gateway.hears(2, (DOOR, 0.0))
    assert gateway.story == [("raised", 0), ("cleared", 2)]


def test_flutter_is_one_alarm():
    gateway = Gateway([warm(clear_for_s=60)])
    for at in range(0, 300, 10):
        gateway.hears(at, (T1, 9.0 if at % 20 else 5.0))
    gateway.hears(300, (T1, 5.0))
    gateway.waits(500)
    assert gateway.story == [("raised", 10), ("cleared", 360)]


def test_between_two_alarms_there_is_a_pause():
    gateway = Gateway([warm(rearm_s=600)])
    gateway.hears(0, (T1, 9.0))
    gateway.hears(1, (T1, 5.0))
    gateway.hears(2, (T1, 9.0))
    gateway.hears(300, (T1, 9.9))
    gateway.waits(700)
    assert gateway.story == [("raised", 0), ("cleared", 1), ("raised", 601)]
    assert gateway.told[2].worst == 9.9


def test_an_alarm_that_nobody_sees_to_becomes_more_severe():
    steps = (Step(300, Severity.WARNING), Step(900, Severity.CRITICAL))
    gateway = Gateway([warm(severity=Severity.INFO, escalation=steps)])
    gateway.hears(0, (T1, 9.0))
    gateway.waits(600)
    assert [(each.change, each.severity) for each in gateway.told] == [
        (AlarmChange.RAISED, "info"), (AlarmChange.ESCALATED, "warning"),
    ]  # fmt: skip
    gateway.engine.acknowledge({gateway.told[0].alarm_id})
    gateway.waits(9000)
    assert len(gateway.told) == 2


def test_an_excursion_is_told_minute_by_minute_and_each_minute_once():
    gateway = Gateway([warm(for_s=120, tell_s=300, effect=AlarmEffect.EXCURSION)])
    for second in range(0, 900, 10):
        gateway.hears(second, (T1, 9.0 + second / 900))
    gateway.hears(901, (T1, 5.0))
    assert gateway.story == [
        ("raised", 120), ("continues", 420), ("continues", 720), ("cleared", 901),
    ]  # fmt: skip
    points = [point for each in gateway.told for point in each.trace]
    assert len({point.at_us for point in points}) == len(points) == 16
    assert sum(point.count for point in points) == 91
    assert points[0].least == 9.0
    assert [len(each.trace) for each in gateway.told] == [2, 5, 5, 4]


def test_a_fence_holds_at_its_hours_only():
    night = Hours("Europe/Berlin", (Span("12345", "18:00", "06:00"),))  # 08:30 UTC is 09:30 there
    gateway = Gateway([warm(quantity="door_open", unit="state", above=0.5, hours=night)])
    hour = 3600
    gateway.hears(0, (DOOR, 1.0))
    gateway.hears(48 * hour, (DOOR, 1.0))
    assert gateway.story == []
    # START is a Saturday: the next night begins on Monday at 18:00, 17:00 UTC.
    begins = (2 * 24 + 8.5) * hour
    gateway.waits(begins - 1)
    assert gateway.story == []
    gateway.waits(begins + 20 * hour)
    assert gateway.story == [("raised", begins), ("cleared", begins + 12 * hour)]


def test_which_sensors_a_fence_is_about():
    where = Whereabouts(
        zones={"COLD-1": "COLD", "COLD-2": "COLD", "A-01-1": "AMBIENT"},
        products={"06933132577789": ("COLD-2",)},
        batches={"s/06933132577789/L1": ("COLD-1",)},
    )
    about = {
        Scope(): {T1, T2},
        Scope(ScopeKind.ZONE, "COLD"): {T1, T2},
        Scope(ScopeKind.ZONE, "AMBIENT"): set(),
        Scope(ScopeKind.PLACE, "COLD-1"): {T1},
        Scope(ScopeKind.DEVICE, "probe-2"): {T2},
        Scope(ScopeKind.PRODUCT, "06933132577789"): {T2},
        Scope(ScopeKind.BATCH, "s/06933132577789/L1"): {T1},
        Scope(ScopeKind.BATCH, "s/06933132577789/L2"): set(),
    }
    for scope, expected in about.items():
        gateway = Gateway([warm(scope=scope)], where)
        gateway.hears(0, (T1, 9.0), (T2, 9.0))
        assert {each.series for each in gateway.told} == expected, scope


def test_a_fence_follows_its_batch():
    scope = Scope(ScopeKind.BATCH, "s/06933132577789/L1")
    gateway = Gateway([warm(scope=scope)], Whereabouts(batches={scope.name: ("COLD-1",)}))
    gateway.hears(0, (T1, 9.0), (T2, 9.0))
    gateway.engine.swap(whereabouts=Whereabouts(batches={scope.name: ("COLD-2",)}))
    gateway.waits(1)
    assert [(each.series, str(each.change)) for each in gateway.told] == [
        (T1, "raised"), (T1, "cleared"), (T2, "raised"),
    ]  # fmt: skip
    assert gateway.told[0].batch == scope.name


def moved(gateway, place):
    book = SeriesBook(gateway.book)
    book.put(T1, "Cel", site="s1", place=place)
    return book


@pytest.mark.parametrize("killed", [False, True])
def test_a_sensor_that_is_moved_ends_its_alarm_and_begins_anew_where_it_stands(killed):
    """Else goods would be measured in a room where it stands no more, and none where it does."""
    gateway = Gateway([warm(), warm(fence="slow", for_s=120)])
    gateway.hears(0, (T1, 9.0))
    if killed:
        saved, gateway.book = gateway.engine.save(), moved(gateway, "DOCK-1")
        gateway.engine = Engine(gateway.fences, book=gateway.book, now_us=0)
        gateway.engine.restore(saved)
    else:
        gateway.book = moved(gateway, "DOCK-1")
        gateway.engine.swap(book=gateway.book)
    gateway.waits(100)
    assert [(each.fence, str(each.change), each.place) for each in gateway.told] == [
        ("warm", "raised", "COLD-1"), ("warm", "cleared", "COLD-1"),
    ]  # fmt: skip
    gateway.hears(200, (T1, 10.0))
    gateway.waits(400)
    assert [(each.fence, str(each.change), each.place) for each in gateway.told[2:]] == [
        ("warm", "raised", "DOCK-1"), ("slow", "raised", "DOCK-1"),
    ]  # fmt: skip
    assert gateway.told[3].since_us == START + 200 * SECOND
    assert len({each.alarm_id for each in gateway.told}) == 3


def test_a_sensor_that_is_moved_while_it_is_missed_is_missed_there_from_then_on():
    gateway = Gateway([warm(above=None, missing_s=300)])
    gateway.hears(0, (T1, 5.0))
    gateway.waits(1000)
    gateway.book = moved(gateway, "DOCK-1")
    gateway.engine.swap(book=gateway.book)
    gateway.waits(2000)
    of_probe = [each for each in gateway.told if each.series == T1]
    assert [(str(c.change), c.place, (c.since_us - START) // SECOND) for c in of_probe] == [
        ("raised", "COLD-1", 0), ("cleared", "COLD-1", 0), ("raised", "DOCK-1", 1000),
    ]  # fmt: skip


def test_other_fences_leave_those_that_stay_alone():
    gateway = Gateway([warm(), warm(fence="hot", above=20.0)])
    gateway.hears(0, (T1, 25.0))
    gateway.engine.swap([warm(), warm(fence="hot", above=30.0, version=2)])
    gateway.waits(1)
    assert [(each.fence, each.fence_version, str(each.change)) for each in gateway.told] == [
        ("hot", 1, "raised"), ("warm", 1, "raised"), ("hot", 1, "cleared"),
    ]  # fmt: skip
    gateway.hears(2, (T1, 5.0))
    assert gateway.told[-1].alarm_id == gateway.told[1].alarm_id


def test_a_fence_in_another_unit_watches_nothing_and_says_so():
    gateway = Gateway([warm(unit="K", above=281.0)])
    gateway.hears(0, (T1, 300.0))
    assert gateway.told == []
    assert {each.code for each in gateway.engine.troubles} == {"fence_unit"}


def test_what_is_no_number_is_counted_and_changes_nothing():
    gateway = Gateway([warm()])
    gateway.hears(0, (T1, float("nan")), (T1, float("inf")))
    assert (gateway.told, gateway.engine.unusable) == ([], 2)


def test_what_no_journal_could_take_is_counted_and_holds_up_no_other_alarm():
    """The mean of two such readings is no number."""
    gateway = Gateway([warm(), warm(fence="fast", above=None, rise=3.0, within_s=600)])
    gateway.hears(0, (T1, -1.7e308), (T1, 1.7e308), (T1, 1.7e308), (T2, 9.0))
    gateway.engine.swap([warm(version=2), warm(fence="fast", above=None, rise=3.0, within_s=600)])
    gateway.hears(1, (T1, 1.7e308))
    gateway.hears(2, (T1, 9.0))
    gateway.hears(3, (T1, 5.0), (T2, 5.0))
    assert gateway.engine.unusable == 4
    assert {each.worst for each in gateway.told} == {9.0}
    assert all(isfinite(point.mean) for each in gateway.told for point in each.trace)


def test_a_sensor_that_is_new_is_watched_from_its_first_reading():
    gateway = Gateway([warm()])
    key = SeriesKey("probe-9", "temperature")
    gateway.book.put(key, "Cel", place="COLD-9")
    gateway.engine.extend()
    gateway.hears(0, (key, 9.0))
    assert [each.series for each in gateway.told] == [key]


def test_a_sensor_that_was_taken_away_is_missed_by_nobody():
    gateway = Gateway([warm(above=None, missing_s=300)])
    gateway.hears(0, (T1, 5.0), (T2, 5.0))
    book = SeriesBook(gateway.book)
    book.retire_all_but({book.find(T1)})
    gateway.engine.swap(book=book)
    gateway.waits(1000)
    assert {each.series for each in gateway.told} == {T1}
    gateway.restarts()
    gateway.waits(90_000)
    assert {each.series for each in gateway.told} == {T1}


def test_the_calibration_is_the_one_of_now_also_after_a_restart():
    gateway = Gateway([warm()])
    worth = Calibration("K-1", "2026-01-01", "2027-01-01", 0.2)
    gateway.book.put(T1, "Cel", site="s1", place="COLD-1", calibration=worth)
    gateway.restarts()
    gateway.hears(0, (T1, 9.0))
    assert gateway.told[0].calibration == worth
    newer = Calibration("K-2", "2026-11-01", "2027-11-01", 0.1)
    gateway.book.put(T1, "Cel", site="s1", place="COLD-1", calibration=newer)
    gateway.hears(1, (T1, 5.0))
    gateway.hears(2, (T1, 9.0))
    assert gateway.told[2].calibration == newer


def test_a_late_reading_is_no_fast_change():
    gateway = Gateway([warm(above=None, rise=3.0, within_s=600)])
    gateway.hears(0, (T1, 5.0))
    gateway.hears(60, (T1, 5.0))
    gateway.hears(61, (T1, 30.0), own=10)
    assert gateway.story == []


def test_what_was_said_days_ago_is_not_taken_to_be_so_still():
    gateway = Gateway([])
    gateway.hears(0, (T1, 30.0))
    gateway.hears(3 * 86_400, (T2, 30.0))
    gateway.engine.swap([warm()])
    gateway.waits(3 * 86_400 + 1)
    assert [each.series for each in gateway.told] == [T2]
