"""Whatever is killed and whenever: the same readings give the same alarms (I2)."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.telemetry import AlarmEffect
from telemetry.watching.fences import Severity, Step
from telemetry.watching.hours import Hours, Span
from tests.telemetry.watching.stream import DOOR, H1, SECOND, START, T1, T2, Gateway, warm

FENCES = [
    warm(hysteresis=0.5, for_s=30, clear_for_s=20, tell_s=60, effect=AlarmEffect.EXCURSION,
         escalation=(Step(90, Severity.CRITICAL),)),
    warm(fence="cold", above=None, below=2.0, rearm_s=100, clear_when="door_open < 0.5"),
    warm(fence="change", above=None, rise=4.0, fall=5.0, within_s=120, hysteresis=1.0),
    warm(fence="silent", above=None, missing_s=90),
    warm(fence="damp", above=None, expression="temperature > 7 && humidity > 60", for_s=15),
    warm(fence="door", quantity="door_open", unit="state", above=0.5, for_s=45,
         hours=Hours("Europe/Berlin", (Span("6", "09:32", "09:36"),))),
]  # fmt: skip

readings = st.one_of(
    st.tuples(st.sampled_from([T1, T2]), st.sampled_from([0.0, 1.9, 5.0, 7.4, 8.0, 8.1, 12.0])),
    st.tuples(st.just(H1), st.sampled_from([50.0, 70.0])),
    st.tuples(st.just(DOOR), st.sampled_from([0.0, 1.0])),
)
measured = st.tuples(readings, st.sampled_from([0, 0, 0, -3, -40, -200, 5]))
groups = st.lists(st.tuples(st.integers(0, 80), st.lists(measured, max_size=4)), max_size=25)


def timed(story):
    """Groups with their times of arrival, in microseconds, and readings with their own."""
    now, found = START, []
    for wait, batch in story:
        now += wait * SECOND
        found.append((now, [(key, now + off * SECOND, v) for (key, v), off in batch]))
    return found


def without_restart(story, until):
    gateway = Gateway(FENCES)
    for received, batch in story:
        gateway.group(received, batch)
    gateway.engine.tick(until)
    return gateway.told + gateway.engine.take_changes()


@settings(max_examples=80)
@given(groups, st.integers(0, 2**32))
def test_any_split_into_restarts_gives_the_same_changes(story, seed):
    chance = random.Random(seed)  # noqa: S311 -- a story, no secret
    story = timed(story)
    until = story[-1][0] + 1000 * SECOND if story else START + 1000 * SECOND
    expected = without_restart(story, until)
    gateway = Gateway(FENCES)
    saved_at, saved = 0, gateway.engine.save()
    position, told = 0, {}
    for _ in range(chance.randint(0, 4)):
        stop = chance.randint(position, len(story))
        while position < stop:
            gateway.group(*story[position])
            position += 1
            # A timer looks as often as it likes, and a state is saved now and then.
            if chance.random() < 0.5 and position < len(story):
                now, then = story[position - 1][0], story[position][0]
                gateway.engine.tick(chance.randint(now, then))
            if chance.random() < 0.5:
                gateway.told += gateway.engine.take_changes()
                saved_at, saved = position, gateway.engine.save()
        remember(told, gateway)
        gateway.restarts(saved)
        position = saved_at
    for received, batch in story[position:]:
        gateway.group(received, batch)
    gateway.engine.tick(until)
    gateway.told += gateway.engine.take_changes()
    remember(told, gateway)
    assert sorted(told) == sorted((each.alarm_id, each.number) for each in expected)
    for each in expected:
        assert told[each.alarm_id, each.number] == each


def remember(told, gateway):
    """As the journal does: what it has stands, what is told again must be the same."""
    for each in gateway.told:
        assert told.setdefault((each.alarm_id, each.number), each) == each
    gateway.told = []


@settings(max_examples=40)
@given(groups)
def test_alarms_are_told_in_order_from_raised_to_cleared(story):
    story = timed(story)
    until = story[-1][0] + 1000 * SECOND if story else START
    by_alarm = {}
    for each in without_restart(story, until):
        by_alarm.setdefault(each.alarm_id, []).append(each)
    for changes in by_alarm.values():
        assert [each.number for each in changes] == list(range(len(changes)))
        kinds = [str(each.change) for each in changes]
        assert kinds[0] == "raised"
        assert set(kinds[1:-1]) <= {"continues", "escalated"}
        minutes = [point.at_us for each in changes for point in each.trace]
        # A reading that comes late reopens its minute.
        late = any(at < received for received, batch in story for _, at, _ in batch)
        assert late or len(minutes) == len(set(minutes))


def test_an_alarm_whose_fence_is_gone_after_a_restart_is_over():
    gateway = Gateway([warm()])
    gateway.hears(0, (T1, 9.0))
    gateway.restarts(fences=[warm(version=2, above=12.0)])
    assert gateway.story == [("raised", 0), ("cleared", 0)]
    assert gateway.told[1].alarm_id == gateway.told[0].alarm_id
    assert gateway.engine.open_alarms() == []


def test_an_alarm_of_a_sensor_that_is_not_described_yet_goes_on_after_a_restart():
    gateway = Gateway([warm(tell_s=60)])
    gateway.hears(0, (T1, 9.0))
    gateway.restarts()
    gateway.waits(120)
    assert gateway.story == [("raised", 0), ("continues", 60), ("continues", 120)]
    assert gateway.told[2].place == "COLD-1"


@pytest.mark.parametrize("data", [b"", b"\x00", msgspec.msgpack.encode({"now": "then"})])
def test_a_state_that_cannot_be_read_says_how_to_go_on(data):
    with pytest.raises(BadInputError, match="from their beginning"):
        Gateway([]).engine.restore(data)
