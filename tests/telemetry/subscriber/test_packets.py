"""What a broker answers is read, whatever it is."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.subscriber import packets
from telemetry.subscriber.packets import V5, V311, BadPacketError


@given(st.integers(0, 268_435_455))
def test_a_length_is_read_as_written(value: int) -> None:
    raw = packets.varint(value)
    assert packets.read_varint(raw + b"\xff", 0) == (value, len(raw))


@given(st.binary(max_size=40), st.sampled_from((V311, V5)))
def test_no_answer_is_a_crash(body: bytes, version: int) -> None:
    for read in (packets.welcome, packets.suback_codes):
        with contextlib.suppress(BadPacketError):
            read(body, version)


def test_a_broker_of_version_5_says_what_it_cannot() -> None:
    properties = b"\x2a\x00" + b"\x13\x00\x0a" + b"\x26\x00\x01a\x00\x01b" + b"\x1f\x00\x02no"
    said = packets.welcome(b"\x01\x00" + bytes((len(properties),)) + properties, V5)
    assert (said.code, said.session_present, said.shared) == (0, True, False)
    assert (said.keep_alive_s, said.reason) == (10, "no")


def test_a_broker_that_knows_only_3_1_1_refuses_in_its_own_words() -> None:
    assert packets.welcome(b"\x00\x01", V5).code in packets.WRONG_VERSION


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x00\x05\x2a", b"\x00\x00\x01\x77"])
def test_a_cut_welcome_is_refused(body: bytes) -> None:
    with pytest.raises(BadPacketError):
        packets.welcome(body, V5)


def test_the_session_outlives_the_connection() -> None:
    """Clean start off, in both versions (MQTT 5, 3.1.2.4; 3.1.1, 3.1.2.4)."""
    for version in (V311, V5):
        raw = packets.connect(
            version, "gw", keep_alive_s=30, receive_maximum=9, most_bytes=99, username="u"
        )
        assert raw[2:9] == b"\x00\x04MQTT" + bytes((version,))
        assert raw[9] == 0x80
