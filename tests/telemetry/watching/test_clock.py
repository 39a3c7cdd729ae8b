"""The machine's clock is set while fences watch: nothing stands still, no alarm is told that is none."""

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.watching.fences import Severity, Step
from tests.telemetry.watching.stream import SECOND, START, T1, Gateway, warm

HOURS = 3600


def set_back(gateway, seconds):
    assert gateway.engine.turn_back(START + int(seconds * SECOND))


def test_a_door_open_for_a_minute_is_told_a_minute_after_the_clock_was_set_right():
    gateway = Gateway([warm(for_s=60)])
    gateway.waits(10 * HOURS)
    gateway.hears(10 * HOURS, (T1, 9.0))
    set_back(gateway, 5)
    gateway.waits(64)
    assert gateway.story == []
    gateway.waits(66)
    assert gateway.story == [("raised", 65)]


def test_what_is_missing_is_missed_by_the_clock_as_it_is():
    gateway = Gateway([warm(above=None, missing_s=90)])
    gateway.hears(10 * HOURS, (T1, 5.0))
    gateway.told.clear()
    set_back(gateway, 5)
    gateway.hears(50, (T1, 5.0))
    gateway.waits(139)
    assert gateway.told == []
    gateway.waits(141)
    assert [each.series for each in gateway.told] == [T1]


def test_readings_after_the_clock_was_set_back_are_the_newest_and_end_an_alarm():
    gateway = Gateway([warm(clear_for_s=30)])
    gateway.hears(10 * HOURS, (T1, 9.0))
    set_back(gateway, 5)
    gateway.hears(10, (T1, 5.0))
    gateway.hears(45, (T1, 5.0))
    raised, cleared = gateway.told
    assert (raised.alarm_id, raised.number) == (cleared.alarm_id, cleared.number - 1)
    assert cleared.at_us >= cleared.since_us, "no alarm ends before it began"
    gateway.hears(60, (T1, 9.0))
    assert gateway.told[-1].alarm_id != raised.alarm_id


def test_an_alarm_of_the_same_moment_twice_is_two_alarms():
    gateway = Gateway([warm()])
    gateway.hears(100, (T1, 9.0))
    gateway.hears(110, (T1, 5.0))
    set_back(gateway, 99)
    gateway.hears(100, (T1, 9.0))
    first, _, second = gateway.told
    assert first.since_us == second.since_us
    assert first.alarm_id != second.alarm_id


def test_a_slip_of_a_second_is_no_setting():
    gateway = Gateway([warm()])
    gateway.waits(10)
    assert not gateway.engine.turn_back(START + 9 * SECOND)
    assert gateway.engine.now == START + 10 * SECOND


readings = st.sampled_from([1.0, 5.0, 7.4, 8.1, 12.0])
steps = st.lists(
    st.tuples(st.sampled_from([-9000, -70, 1, 5, 20, 61, 4000]), readings), max_size=12
)
FENCES = [
    warm(hysteresis=0.5, for_s=30, clear_for_s=20, escalation=(Step(40, Severity.CRITICAL),)),
    warm(fence="change", above=None, rise=4.0, within_s=120),
    warm(fence="silent", above=None, missing_s=90),
]


@settings(max_examples=60)
@given(steps)
def test_however_a_clock_is_set_alarms_end_once_it_runs_and_values_are_good(story):
    gateway, now = Gateway(FENCES), 20_000
    gateway.waits(now)
    for step, value in story:
        now += step
        gateway.engine.turn_back(START + now * SECOND)
        gateway.hears(now, (T1, value))
    for second in range(now, now + 400, 20):
        gateway.hears(second, (T1, 5.0))
    mine = [each for each in gateway.engine.open_alarms() if each.series == T1]
    assert mine == []
    told = [(each.alarm_id, each.number) for each in gateway.told]
    assert len(told) == len(set(told))
    assert all(each.at_us >= each.since_us for each in gateway.told)
