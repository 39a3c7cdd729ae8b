"""Sparkplug B: births, data by name and by alias, history, and bytes that are none of it."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.binding import Refused
from telemetry.describing.compiled import compile_template
from telemetry.describing.layouts.source import Who
from telemetry.describing.library import shipped
from tests.telemetry.describing.site import decoder

AT_MS = 1_763_800_000_000


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def metric(name="", *, alias=None, at=None, kind=10, value=None, place=13):
    out = field(1, name.encode()) if name else b""
    for number, said in ((2, alias), (3, at), (4, kind), (place, value)):
        out += field(number, said) if said is not None else b""
    return out


def payload(*metrics, at=AT_MS, seq=3):
    return field(1, at) + b"".join(field(2, each) for each in metrics) + field(3, seq)


def several(data):
    return compile_template(shipped()["sparkplug-climate"]).decoding(Who()).several(data)


def test_metrics_of_one_moment_are_one_reading():
    data = payload(
        metric("temperature", value=4.5),
        metric("humidity", value=60.0),
        metric("bdSeq", kind=8, value=7, place=11),
    )
    assert several(data) == [(AT_MS * 1000, None, (4.5, 60.0))]


def test_history_has_its_own_times():
    data = payload(
        metric("temperature", at=AT_MS - 60_000, value=4.0), metric("temperature", value=5.0)
    )
    assert several(data) == [
        ((AT_MS - 60_000) * 1000, None, (4.0, None)),
        (AT_MS * 1000, None, (5.0, None)),
    ]


def test_a_metric_known_by_its_alias_alone():
    text = 'format = "sparkplug"\n[[measure]]\nalias = 7\nquantity = "temperature"\nunit = "Cel"\n'
    cold = metric(alias=7, kind=3, value=2**32 - 18, place=10)
    assert decoder(text).decode(payload(cold))[2] == (-18.0,)
    truth = 'format = "sparkplug"\n[[measure]]\nname = "door"\nquantity = "door_open"\nunit = "state"\nstates = { open = 1 }\n'
    assert decoder(truth).decode(payload(metric("door", kind=11, value=1, place=14)))[2] == (1.0,)
    assert decoder(truth).decode(payload(metric("door", kind=12, value=b"open", place=15)))[2] == (
        1.0,
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "nothing_measured"),
        (payload(metric("pressure", value=1.0)), "nothing_measured"),
        (payload(field(1, b"temperature") + field(7, 1)), "nothing_measured"),
        (payload(metric("temperature", value=400.0)), "out_of_range"),
        (payload(metric("temperature", value=float("nan"))), "not_a_number"),
        (payload(metric("temperature", value=4.5))[:9], "too_short"),
        (b"\x80" * 12, "not_sparkplug"),
        (b"\x0b\x01", "not_sparkplug"),
        (field(2, 5), "not_sparkplug"),
        (payload(field(1, b"\xff\xfe") + field(13, 1.0)), "not_sparkplug"),
        (b"".join(field(2, b"") for _ in range(5001)), "too_large"),
    ],
)
def test_what_is_refused_and_why(data, code):
    with pytest.raises(Refused) as caught:
        several(data)
    assert caught.value.code == code


@given(st.binary(max_size=60))
def test_garbage_never_crashes(data):
    for head in (b"", b"\x12", payload(metric("temperature", value=1.0))):
        with suppress(Refused):
            several(head + data)
