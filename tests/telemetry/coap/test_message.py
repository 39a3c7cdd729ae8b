"""CoAP messages: what is written is read back, and no bytes at all are a crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.coap.message import (
    DATAGRAM_MOST,
    Code,
    Kind,
    MalformedError,
    Message,
    Option,
    decode,
    encode,
    uint,
)

messages = st.builds(
    Message,
    kind=st.sampled_from((Kind.CON, Kind.NON, Kind.ACK)),
    code=st.integers(1, 255),
    message_id=st.integers(0, 0xFFFF),
    token=st.binary(max_size=8),
    options=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=300)), max_size=5).map(
        lambda options: tuple(sorted(options, key=lambda each: each[0]))
    ),
    payload=st.binary(max_size=200),
)


@given(messages)
def test_what_is_written_is_read_back(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=64))
def test_no_bytes_are_a_crash(data: bytes) -> None:
    try:
        message = decode(data)
    except MalformedError:
        return
    assert decode(encode(message)).payload == message.payload


@given(messages, st.data())
def test_a_cut_message_is_never_taken_for_another_kind_of_thing(
    message: Message, data: st.DataObject
) -> None:
    raw = encode(message)
    cut = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        read = decode(cut)
    except MalformedError:
        return
    assert message.payload.startswith(read.payload)


def test_the_standards_own_example_reads() -> None:
    """RFC 7252, figure 16: a confirmable GET /temperature, id 0x7d34, no token."""
    raw = bytes.fromhex("40017d34") + b"\xbbtemperature"
    message = decode(raw)
    assert message == Message(
        Kind.CON, Code.GET, 0x7D34, options=((Option.URI_PATH, b"temperature"),)
    )
    assert encode(message) == raw


@pytest.mark.parametrize(
    ("raw", "reason", "answerable"),
    [
        ("40", "short", False),
        ("80010001", "version", False),
        ("49010001", "token_length", True),
        ("42010001aa", "token_cut", True),
        ("4000000100", "empty_with_content", True),
        ("40020001ff", "marker_without_payload", True),
        ("40020001b5aa", "option_cut", True),
        ("40020001f0", "option_reserved", True),
        ("400200010f", "option_reserved", True),
        ("40020001d0", "option_cut", True),
    ],
)
def test_every_refusal_has_its_reason(raw: str, reason: str, *, answerable: bool) -> None:
    with pytest.raises(MalformedError) as refused:
        decode(bytes.fromhex(raw))
    assert (refused.value.reason, refused.value.answerable) == (reason, answerable)


def test_a_datagram_that_may_have_been_cut_is_refused() -> None:
    with pytest.raises(MalformedError, match="datagram_size"):
        decode(b"\x40\x02\x00\x01\xff" + bytes(DATAGRAM_MOST))


def test_an_unsigned_integer_has_no_leading_zeros() -> None:
    assert [uint(0), uint(1), uint(256)] == [b"", b"\1", b"\1\0"]
