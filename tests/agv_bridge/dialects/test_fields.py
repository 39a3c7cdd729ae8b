"""Paths and texts of a dialect: where a value stands, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agv_bridge.dialects.fields import (
    FieldError,
    Scope,
    as_text,
    fill,
    look,
    look_at_all,
    parse_path,
    parse_template,
    put,
)

LINE = {
    "job": {"no": 7, "tags": ["a", "b"]},
    "tasks": [{"id": "t1", "steps": [{"s": 1}, {"s": 2}]}, {"id": "t2", "steps": []}],
    "pos.x": "whole",
    "pos": {"x": "part"},
    "none": None,
    "empty": "",
    "yes": True,
    "half": 0.5,
    "whole": 4.0,
}

NAMES = st.text("abcxyz", min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
STEPS = st.lists(
    st.one_of(NAMES.map(lambda name: f".{name}"), st.sampled_from(["[0]", "[1]", "[]"])),
    max_size=5,
)
PATHS = st.builds(lambda name, rest: name + "".join(rest), NAMES, STEPS)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{job.no}", "7"),
        ("{job.tags[1]}", "b"),
        ("{tasks[0].steps[1].s}", "2"),
        ("acme/{job.no}-{half}", "acme/7-0.5"),
        ("{pos.x}", "whole"),
        ("{none|empty|whole}", "4"),
        ("{yes}", "true"),
        ("plain", "plain"),
        ("{none}", None),
        ("{job}", None),
        ("{job.tags[9]}", None),
        ("{job.no.deeper}", None),
    ],
)
def test_a_template_is_filled_from_the_line(template: str, text: str | None):
    assert fill(parse_template(template), Scope(LINE)) == text


def test_levels_of_the_topic_come_first_then_the_element_then_the_line():
    scope = Scope(
        {"a": "line", "b": "line", "c": "line"}, {"a": "topic"}, {"a": "item", "b": "item"}
    )
    assert fill(parse_template("{a} {b} {c}"), scope) == "topic item line"


@pytest.mark.parametrize(
    "text", ["{", "}", "{}", "{a", "a}", "{a{b}}", "{a[]}", "{a[x]}", "{.a}", "{a..b}", "{a[1234]}"]
)
def test_what_is_no_template_is_refused(text: str):
    with pytest.raises(FieldError):
        parse_template(text)


def test_every_value_of_a_list_is_found_with_its_place():
    assert look_at_all(LINE, parse_path("tasks[].steps[].s")) == [((0, 0), 1), ((0, 1), 2)]
    assert look_at_all(LINE, parse_path("tasks[].id")) == [((0,), "t1"), ((1,), "t2")]
    assert look_at_all(LINE, parse_path("absent[].id")) == []


@given(value=VALUES, path=PATHS)
def test_looking_never_fails_and_both_ways_of_looking_agree(value: object, path: str):
    parsed = parse_path(path)
    found = look_at_all(value, parsed)
    if not parsed.lists:
        assert [one for _, one in found] == [
            one for one in [look(value, parsed)] if one is not None
        ]


@given(root=st.dictionaries(NAMES, VALUES, max_size=3), path=PATHS, value=st.integers())
def test_what_was_put_is_found_there(root: dict, path: str, value: int):
    parsed = parse_path(path)
    indices = tuple(0 for _ in range(parsed.lists))
    put(root, parsed, indices, value)
    assert (indices, value) in look_at_all(root, parsed)


@given(value=st.one_of(VALUES, st.integers(min_value=10**5000)))
def test_any_value_has_a_text_or_none(value: object):
    assert isinstance(as_text(value), str)
