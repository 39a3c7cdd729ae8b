"""What goods went through is measured by the same rules however it was told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.telemetry import TracePoint
from erp_link.domain.excursions.exposure import (
    BRIDGED_US,
    MINUTE_US,
    Exposure,
    exposure,
    merged,
    stretches,
)
from erp_link.domain.excursions.judging import judge
from erp_link.domain.excursions.kinetics import mean_kinetic
from erp_link.domain.excursions.limits import OF_CLASS, Limits, checked
from erp_link.domain.products import Temperature

CHILLED = OF_CLASS[Temperature.CHILLED]
_celsius = st.floats(-40, 60)


def points(*celsius: float, every: int = 1) -> list[TracePoint]:
    return [
        TracePoint(at * every * MINUTE_US, each, each, each, 60) for at, each in enumerate(celsius)
    ]


def measured(
    told: list[TracePoint], *present: tuple[int, int], until: int, limits: Limits = CHILLED
) -> Exposure:
    """Times in minutes."""
    end = until * MINUTE_US
    spans = [(a * MINUTE_US, b * MINUTE_US) for a, b in present]
    return exposure(stretches(merged(told), 0, end), spans, limits, begun_us=0, ended_us=end)


# Mean kinetic temperature


def test_half_a_day_at_five_and_half_at_fifteen_did_the_harm_of_more_than_eleven_degrees() -> None:
    # 10,000 K / -ln((exp(-10,000/278.15) + exp(-10,000/288.15)) / 2), worked out by hand.
    assert mean_kinetic([(5.0, 12), (15.0, 12)]) == pytest.approx(11.387, abs=0.001)


@given(st.lists(st.tuples(_celsius, st.floats(1, 1e6)), min_size=1, max_size=12))
def test_it_lies_between_the_plain_mean_and_the_warmest(parts: list[tuple[float, float]]) -> None:
    found = mean_kinetic(parts)
    mean = math.fsum(c * s for c, s in parts) / math.fsum(s for _, s in parts)
    assert mean - 1e-6 <= found <= max(c for c, _ in parts) + 1e-6
    assert found == pytest.approx(mean_kinetic(parts[::-1]), abs=1e-9)
    halves = [(c, s / 2) for c, s in parts for _ in range(2)]
    assert found == pytest.approx(mean_kinetic(halves), abs=1e-9)


@pytest.mark.parametrize("parts", [[], [(5.0, 0.0)], [(-300.0, 1.0)], [(float("nan"), 1.0)]])
def test_of_nothing_and_of_what_cannot_be_there_is_none(parts: list[tuple[float, float]]) -> None:
    with pytest.raises(BadInputError):
        mean_kinetic(parts)


# Time out of range


def test_only_the_minutes_when_the_batch_was_there_count() -> None:
    found = measured(points(*[10.0] * 60), (10, 25), (50, 99), until=60)
    assert (found.present_s, found.outside_s, found.unmeasured_s) == (25 * 60, 25 * 60, 0)


def test_a_minute_counts_by_its_worst_reading() -> None:
    spike = [TracePoint(0, 7.0, 8.5, 7.1, 60), TracePoint(MINUTE_US, 7.0, 8.0, 7.5, 60)]
    found = measured(spike, (0, 2), until=2)
    assert (found.outside_s, found.most) == (60, 8.5)


def test_between_two_readings_goods_had_the_worse_of_both() -> None:
    told = points(5.0, 10.0, 5.0, every=10)
    found = measured(told, (0, 21), until=21)
    assert (found.outside_s, found.unmeasured_s) == (19 * 60, 0)


def test_a_longer_silence_is_unmeasured() -> None:
    told = [*points(10.0), *[TracePoint(40 * MINUTE_US, 10.0, 10.0, 10.0, 1)]]
    found = measured(told, (0, 41), until=41)
    assert (found.outside_s, found.unmeasured_s) == (120, 39 * 60)
    assert BRIDGED_US == 30 * MINUTE_US


def test_a_minute_told_in_two_parts_is_one_minute() -> None:
    told = [TracePoint(0, 4.0, 6.0, 5.0, 30), TracePoint(30_000_000, 7.0, 9.0, 8.0, 10)]
    (one,) = merged(told)
    assert (one.least, one.most, one.mean, one.count) == (4.0, 9.0, 5.75, 40)


_traces = st.lists(
    st.tuples(st.integers(0, 200), _celsius, st.floats(0, 5)), min_size=0, max_size=30
)
_spans = st.lists(st.integers(0, 220), min_size=2, max_size=8, unique=True).map(
    lambda ends: [(a, b) for a, b in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)]
)


def _told(trace: list[tuple[int, float, float]]) -> list[TracePoint]:
    return [
        TracePoint(at * MINUTE_US, c, c + more, c + more / 2, 1 + at % 7) for at, c, more in trace
    ]


@given(_traces, _spans, st.randoms(use_true_random=False))
def test_time_adds_up_in_whatever_order_minutes_were_told(trace, spans, shuffled) -> None:
    told = _told(trace)
    found = measured(told, *spans, until=210)
    there = sum(min(b, 210) - min(a, 210) for a, b in spans)
    assert found.present_s == there * 60
    assert 0 <= found.outside_s <= found.present_s - found.unmeasured_s
    shuffled.shuffle(told)
    again = measured(told, *spans, until=210)
    assert (again.outside_s, again.least, again.most) == (found.outside_s, found.least, found.most)


@given(_traces, _spans)
def test_stays_that_are_told_apart_make_up_the_whole(trace, spans) -> None:
    told = _told(trace)
    whole = measured(told, *spans, until=210)
    parts = [measured(told, span, until=210) for span in spans]
    assert sum(part.outside_s for part in parts) == whole.outside_s
    assert sum(part.unmeasured_s for part in parts) == whole.unmeasured_s


# The verdict


def verdict(limits: Limits = CHILLED, **more: float) -> str:
    values = {"present_s": 0, "outside_s": 0, "unmeasured_s": 0, "least": 5.0, "most": 5.0,
              "kinetic": 5.0}  # fmt: skip
    found = judge(Exposure(**(values | more)), limits)
    return found.reason.code if found.beyond else "within"


def test_at_the_limit_is_within_and_past_it_beyond() -> None:
    day = 24 * 3600
    assert verdict(outside_s=day) == "within"
    assert verdict(outside_s=day + 1) == "excursion_too_long"
    assert verdict(most=15.0) == "within"
    assert verdict(most=15.01) == "excursion_too_high"
    assert verdict(least=0.0) == "within"
    assert verdict(least=-0.01) == "excursion_too_low"
    assert verdict(outside_s=day - 60, unmeasured_s=61) == "excursion_unmeasured"
    assert verdict(kinetic=8.0) == "within"
    assert verdict(kinetic=8.01) == "excursion_kinetic"


def test_an_hour_of_heat_is_borne_by_time_and_not_by_harm() -> None:
    """Six hours at 14.5 degrees: 24 h out of range are allowed, but the harm is too much."""
    warm = measured(points(*[14.5] * 600), (0, 600), until=600)
    assert judge(warm, CHILLED).reason.code == "excursion_kinetic"
    short = measured(points(*[14.5] * 60), (0, 60), until=60)
    assert not judge(short, CHILLED).beyond
    assert short.assumed_s == 23 * 3600


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_more_of_what_is_bad_is_never_better(warmer: float, colder: float) -> None:
    low, high = sorted((warmer, colder))
    mild = measured(points(*[low] * 45), (0, 45), until=45)
    hot = measured(points(*[high] * 45), (0, 45), until=45)
    if low > CHILLED.low and judge(mild, CHILLED).beyond:
        assert judge(hot, CHILLED).beyond


def test_the_houses_own_limits_are_usable() -> None:
    for limits in OF_CLASS.values():
        assert checked(limits) == limits
