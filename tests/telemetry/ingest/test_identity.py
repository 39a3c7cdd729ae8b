"""A message that comes again is known; one that only looks like it is not (I2)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest.counts import Counts
from telemetry.ingest.identity import Steps
from telemetry.ingest.sieve import Sieve
from telemetry.ingest.sifting.ledger import Ledger, thin_out
from tests.support.sensors import Plant, Rules, reading

NOW_US = 1_795_000_000_000_000
NOW_MS = NOW_US // 1000


class Stream:
    """One sieve over the plant, fed message by message."""

    def __init__(self, limit: float = 8.0) -> None:
        plant = Plant()
        self.rules = Rules(plant, limit)
        self.counts = Counts()
        self.sieve = Sieve(plant, self.rules, self.counts)
        self.now_us = NOW_US

    def take(self, payload: bytes, address: str = "plant/a") -> bool:
        """Whether it is new."""
        fresh, refused = self.sieve.sift([(address, payload)], self.now_us)
        assert not refused
        return bool(fresh)


def test_the_same_number_again_counts_once() -> None:
    stream = Stream()
    assert [stream.take(reading(n)) for n in (1, 2, 2, 1, 3, 3, 4)] == [
        True, True, False, False, True, False, True,
    ]  # fmt: skip
    assert stream.counts.duplicates == 3


def test_a_whole_window_sent_again_is_known_and_what_was_missing_in_it_is_new() -> None:
    stream = Stream()
    sent = [n for n in range(1, 200) if n % 7]
    for number in sent:
        assert stream.take(reading(number))
    assert [n for n in range(1, 200) if stream.take(reading(n))] == list(range(7, 200, 7))


def test_a_device_that_was_restarted_counts_from_anew_and_loses_nothing() -> None:
    stream = Stream()
    first = [reading(n, 4.0, NOW_MS - 5_000 + n) for n in range(1, 60)]
    second = [reading(n, 4.0, NOW_MS + n) for n in range(1, 60)]
    stream.now_us += 1_000_000
    assert all(stream.take(one) for one in first)
    assert all(stream.take(one) for one in second)
    assert not any(stream.take(one) for one in first + second)


def test_time_and_values_are_an_identity_where_there_is_no_sequence() -> None:
    stream = Stream()
    assert stream.take(reading(None, 4.0, NOW_MS))
    assert not stream.take(reading(None, 4.0, NOW_MS))
    assert stream.take(reading(None, 4.1, NOW_MS))
    assert stream.take(reading(None, 4.0, NOW_MS + 1))


def test_without_sequence_and_time_nothing_is_dropped() -> None:
    stream = Stream()
    assert stream.take(reading(None))
    assert stream.take(reading(None))
    assert stream.counts.duplicates == 0


def test_two_devices_with_the_same_number_are_two() -> None:
    stream = Stream()
    assert stream.take(reading(1), "plant/a")
    assert stream.take(reading(1), "plant/b")


@given(st.lists(st.integers(0, 30), max_size=80))
def test_each_of_a_devices_messages_counts_exactly_once_in_any_order(numbers: list[int]) -> None:
    stream = Stream()
    taken = [n for n in numbers if stream.take(reading(n, 4.0, NOW_MS - n))]
    assert sorted(taken) == sorted(set(numbers))
    assert stream.counts.duplicates == len(numbers) - len(taken)


def test_numbers_left_out_and_a_new_count_are_told() -> None:
    memory, steps = Ledger().open(), Steps()

    def came(number: int) -> None:
        assert memory.admit(number, number + 1_000 * steps.restarts, steps, timed=True)

    for number in (1, 2, 5):
        came(number)
    assert (steps.gaps, steps.restarts) == (2, 0)
    came(3)
    assert (steps.gaps, steps.restarts) == (1, 0)
    came(0)
    assert (steps.gaps, steps.restarts) == (1, 1)


def test_a_sensor_that_joins_anew_has_not_lost_a_trillion_messages() -> None:
    memory, steps = Ledger().open(), Steps()
    for join in (5, 9, 2, 1 << 30):
        for number in range(3):
            assert memory.admit(join << 32 | number, hash((join, number)), steps, timed=True)
    assert (steps.gaps, steps.restarts) == (0, 3)


def test_a_sensor_that_numbers_all_its_messages_minus_one_counts_each_once() -> None:
    stream = Stream()
    for second in range(6):
        message = reading(-1, 4.0, NOW_MS + second)
        assert stream.take(message)
        assert not stream.take(message)


def test_one_degree_below_zero_is_not_two_degrees_below() -> None:
    stream = Stream()
    assert stream.take(reading(None, -1.0, NOW_MS))
    assert stream.take(reading(None, -2.0, NOW_MS)), "of the same second"
    assert not stream.take(reading(None, -1.0, NOW_MS))


def test_a_counter_of_eight_bits_that_begins_anew_loses_no_reading_of_a_door_that_is_shut() -> None:
    stream = Stream()
    for _ in range(3):
        assert all(stream.take(reading(n)) for n in range(256))
    assert stream.counts.duplicates == 0
    assert not stream.take(reading(255)), "sent again it is known all the same"


def test_a_narrow_counter_without_a_clock_forgets_after_some_minutes() -> None:
    stream = Stream()
    for number in (10, 20, 30):
        assert stream.take(reading(number))
    stream.sieve.tidy(1_000, 1_000.0)
    assert not stream.take(reading(10))
    stream.sieve.tidy(1_000, 1_700.0)
    assert stream.take(reading(10)), "it can only be the next turn of the counter"


def test_a_wide_counter_or_a_clock_is_known_for_as_long_as_there_is_memory() -> None:
    stream = Stream()
    for number in (10, 20, 30):
        assert stream.take(reading(number, 4.0, NOW_MS))
        assert stream.take(reading(70_000 + number), "plant/wide")
    for minute in range(100):
        stream.sieve.tidy(1_000, 60.0 * minute)
    assert not stream.take(reading(10, 4.0, NOW_MS))
    assert not stream.take(reading(70_010), "plant/wide")


def test_memory_is_shared_by_need_and_the_newest_stay_known() -> None:
    ledger = Ledger()
    quiet, busy = ledger.open(), ledger.open()
    quiet.marks.extend(range(10))
    busy.marks.extend(range(1_000, 2_000))
    assert thin_out([busy, quiet], 110) == 110
    assert len(quiet.marks) == 10
    assert busy.knows(1_999)
    assert busy.knows(1_900)
    assert not busy.knows(1_899)


def test_late_readings_reach_the_rules_and_do_not_become_the_newest() -> None:
    stream = Stream()
    stream.take(reading(2, 4.0, NOW_MS))
    stream.take(reading(1, 9.0, NOW_MS - 60_000))
    assert stream.rules.latest[0] == 4.0
    assert len(stream.rules.take_changes()) == 1
