"""The rules see the same of a message however many series it has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contracts.telemetry import SeriesKey
from telemetry.ingest.judging import judge_of
from tests.support.sensors import Plant, Rules

VALUES = st.none() | st.floats(-50, 50)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), max_size=8), st.integers(1, 4))
def test_each_value_is_the_newest_of_its_series_and_seen_beyond_its_limit(
    messages: list[tuple[float | None, ...]], width: int
) -> None:
    plant = Plant()
    numbers = [plant.series.put(SeriesKey(f"d{n}", "temperature"), "Cel") for n in range(4)]
    rules = Rules(plant, limit=8.0)
    rules.extend()
    judge = judge_of(rules, numbers[:width])
    for at_us, values in enumerate(messages, start=1):
        judge(values[:width], at_us)

    said = [
        (number, at_us, value)
        for at_us, values in enumerate(messages, start=1)
        for number, value in zip(numbers, values[:width], strict=False)
        if value is not None
    ]
    newest = {number: (value, at_us) for number, at_us, value in said}
    for number in numbers[:width]:
        if number in newest:
            assert (rules.latest[number], rules.latest_us[number]) == newest[number]
        else:
            assert rules.latest_us[number] == 0
    told = [(one.series.device, one.at_us, one.value) for one in rules.take_changes()]
    assert told == [(f"d{number}", at_us, value) for number, at_us, value in said if value > 8.0]
