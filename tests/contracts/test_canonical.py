"""One text for one value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import canonical, read_canonical
from contracts.errors import BadInputError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcé\U0001f600"), inner)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "z", "é", "\U0001f600", "\uffee"]), VALUES)


@given(OBJECTS.filter(lambda value: "\ud800" not in str(value)))
def test_a_value_has_one_text_whatever_its_order(value: dict) -> None:
    raw = canonical(value)
    assert canonical(dict(reversed(value.items()))) == raw
    assert read_canonical(raw.decode()) == json.loads(raw) == value


def test_names_stand_in_the_order_of_utf_16() -> None:
    assert canonical({"\uffee": 1, "\U0001f600": 2, "a": 3}).decode() == (
        '{"a":3,"\U0001f600":2,"\uffee":1}'
    )


def test_text_is_escaped_as_the_rfc_asks() -> None:
    assert canonical({"b": '\u20ac\x0f\n\\"/\x7f'}) == (
        b'{"b":"\xe2\x82\xac\\u000f\\n\\\\\\"/\x7f"}'
    )


@pytest.mark.parametrize("value", [{"a": 1.5}, {"a": 2**53 + 1}, {"a": {1}}, {"a": "\ud800"}])
def test_what_has_no_single_text_is_refused(value: dict) -> None:
    with pytest.raises(BadInputError):
        canonical(value)


@pytest.mark.parametrize("text", ['{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "[1]", "x", ""])
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        read_canonical(text)
