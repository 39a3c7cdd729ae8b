"""The text of a fence: one spelling, and everything that cannot be is told at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadInputError
from contracts.telemetry import AlarmEffect
from telemetry.watching.fences import (
    Fence,
    Scope,
    ScopeKind,
    Severity,
    Step,
    check_fence,
    number_of,
    number_text,
    read_fence,
)
from telemetry.watching.hours import Hours, Span
from tests.telemetry.watching.stream import warm

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@settings(max_examples=100)
@given(
    above=numbers,
    gap=st.floats(1, 100),
    for_s=st.integers(0, 86_400),
    effect=st.sampled_from(AlarmEffect),
    steps=st.lists(st.integers(1, 10**5), max_size=5, unique=True).map(sorted),
)
def test_a_fence_is_read_as_it_was_written(above, gap, for_s, effect, steps):
    fence = warm(
        above=above, below=above - gap, for_s=for_s, tell_s=600, effect=effect,
        scope=Scope(ScopeKind.BATCH, "s/06933132577789/L/1"),
        escalation=tuple(Step(each, Severity.CRITICAL) for each in steps),
        hours=Hours("Asia/Shanghai", (Span("12345", "18:00", "06:00"),)),
    )  # fmt: skip
    assert read_fence(fence.text()) == fence
    assert len(fence.sha256) == 64
    assert fence.sha256 != warm(above=above + 1).sha256


@given(numbers)
def test_a_number_has_one_spelling(value):
    assert number_of(number_text(value)) == value


@pytest.mark.parametrize("text", ["8.0", "08", "1e3", "-0", "nan", "8,5", " 8"])
def test_another_spelling_of_a_number_is_refused(text):
    with pytest.raises(ValueError, match=r"spelled|number"):
        number_of(text)


@pytest.mark.parametrize(
    "change",
    [
        {"above": 8},
        {"above": "8.0"},
        {"extra": 1},
        {"title": None},
        {"expression": 7},
        {"hours": {"zone": 7, "spans": [{"days": 1, "begins": 2, "ends": 3}]}},
        {"scope": {"kind": "planet", "name": ""}},
        {"for_s": "60"},
        {"escalation": [{"after_s": "x", "severity": "info"}]},
        {"hours": {"zone": "Europe/Berlin", "spans": [{"days": "1"}]}},
        {"v": 2},
        {"version": True},
    ],
)
def test_what_is_no_fence_is_refused(change):
    said = json.loads(warm().text()) | change
    with pytest.raises(BadInputError):
        read_fence(json.dumps(said, sort_keys=True, separators=(",", ":")))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"v":1}', "x" * 70_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(BadInputError):
        read_fence(text)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"fence": "Cold Room"}, "fence"),
        ({"title": " "}, "title"),
        ({"above": None}, "above"),
        ({"above": float("nan")}, "above"),
        ({"below": 9.0}, "below"),
        ({"below": 7.0, "hysteresis": 0.5}, "hysteresis"),
        ({"hysteresis": -1.0}, "hysteresis"),
        ({"rise": 3.0}, "within_s"),
        ({"rise": 0.0, "within_s": 60}, "rise"),
        ({"for_s": 90_000}, "for_s"),
        ({"tell_s": 5}, "tell_s"),
        ({"effect": AlarmEffect.EXCURSION}, "tell_s"),
        ({"scope": Scope(ScopeKind.ZONE, "")}, "scope"),
        ({"scope": Scope(ScopeKind.SITE, "x")}, "scope"),
        ({"scope": Scope(ScopeKind.BATCH, "-/06933132577789/L\x00")}, "scope"),
        ({"escalation": (Step(60, Severity.INFO), Step(60, Severity.INFO))}, "escalation"),
        ({"hours": Hours("Europe/Nowhere", (Span("1", "08:00", "09:00"),))}, "hours"),
        ({"hours": Hours("Europe/Berlin", (Span("8", "08:00", "09:00"),))}, "hours"),
        ({"hours": Hours("Europe/Berlin", (Span("1", "8:00", "24:00"),))}, "hours"),
        ({"hours": Hours("Europe/Berlin", ())}, "hours"),
        ({"expression": "x" * 2001}, "expression"),
    ],
)
def test_what_cannot_watch_names_its_field(wrong, field):
    fence: Fence = warm(**wrong)
    with pytest.raises(BadInputError) as error:
        check_fence(fence)
    assert error.value.data["field"] == field
