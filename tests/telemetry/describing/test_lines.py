"""Payloads read in one call say what each says alone, or are not read so at all."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.layouts.lines import lines_of

ALONE = msgspec.json.Decoder(dict)
LINES = lines_of(ALONE.decode_lines)
PIECES = st.sampled_from(
    ['{"a":1}', '{"a":', "1}", '{"a":[{"b":1}', '{"b":2}]}', "{}", "}", "{", '"', "\n", " ", ",",
     '{"a":"', '"}', "[]", "é", "[", "]"]
)  # fmt: skip
PAYLOADS = st.lists(PIECES, max_size=4).map(lambda pieces: "".join(pieces).encode())


def alone(payload):
    try:
        return ALONE.decode(payload)
    except msgspec.DecodeError:
        return None


@given(st.lists(PAYLOADS, min_size=1, max_size=6))
def test_nothing_is_read_together_that_would_not_be_read_alone(payloads):
    try:
        read = LINES(payloads)
    except (ValueError, msgspec.MsgspecError):
        return
    assert read == [alone(payload) for payload in payloads]


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), min_size=1))
def test_plain_objects_are_read_together(said):
    assert LINES([json.dumps(each).encode() for each in said]) == said


@pytest.mark.parametrize(
    "payloads",
    [
        [b'{"a":[{"b":1}', b'{"b":2}]}', b"{}{}"],
        [b'{"a":1', b'"b":2}', b"{}{}"],
        [b'{"a":"x', b'y"}', b"{}\n{}"],
        [b"{}\n{}", b""],
        [b"", b"{}"],
        [b""],
    ],
)
def test_halves_and_doubles_that_add_up_are_found_out(payloads):
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        LINES(payloads)
