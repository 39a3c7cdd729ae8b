"""Bytes with offsets and TLV channels: numbers of every sort, and what is cut short."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.binding import Refused
from telemetry.describing.compiled import compile_template
from telemetry.describing.layouts.source import Who
from telemetry.describing.library import shipped
from tests.telemetry.describing.site import decode, decoder, refusal, values

TLV = """
format = "tlv"
byte_order = "little"

[[entry]]
tag = "03 67"
parts = { t = "s16" }
[[entry.measure]]
quantity = "temperature"
value = "t / 10"
unit = "Cel"
range = [-60, 150]

[[entry]]
tag = "04 68"
parts = { h = "u8" }
[[entry.measure]]
quantity = "humidity"
value = "h / 2"
unit = "%RH"
"""


def block(parts, value, more=""):
    return (
        f'format = "bytes"\n{more}\n[[block]]\nparts = {{ {parts} }}\n'
        f'[[block.measure]]\nquantity = "number"\nunit = "count"\nvalue = "{value}"\n'
    )


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("u8", "B"), ("s8", "b"), ("u16", ">H"), ("s16", ">h"), ("u32", ">I"), ("s32", ">i"),
        ("u64", ">Q"), ("s64", ">q"), ("u16le", "<H"), ("s16le", "<h"), ("s32le", "<i"),
        ("f32", ">f"), ("f64le", "<d"),
    ],
)  # fmt: skip
def test_numbers_of_every_sort(kind, packed):
    for number in (0, 1, 100, -1, -100) if packed[-1] not in "BHIQ" else (0, 1, 100):
        payload = b"\x09" + struct.pack(packed, number)
        assert values(block(f'_ = "skip 1", x0 = "{kind}"', "x0"), payload) == (float(number),)


@given(st.integers(0, 2**24 - 1))
def test_three_bytes_both_ways(number):
    big, little = number.to_bytes(3, "big"), number.to_bytes(3, "little")
    signed = number - 2**24 if number >= 2**23 else number
    assert values(block('n = "u24"', "n"), big) == (float(number),)
    assert values(block('n = "u24"', "n", 'byte_order = "little"'), little) == (float(number),)
    assert values(block('n = "s24le"', "n"), little) == (float(signed),)


def test_parts_at_a_place_and_bits():
    assert values(block('a = "u8@2", b = "u8@0"', "a * 256 + b"), b"\x01\x02\x03") == (769.0,)
    assert values(block('f = "u16"', "bits(f, 4, 8) + bit(f, 15)"), b"\x8f\xf0") == (256.0,)


def test_blocks_that_flags_name_follow_each_other():
    text = """
format = "bytes"
head = { version = "u8", flags = "u8" }
check = "version == 2"
[[block]]
when = "flags & 1"
parts = { t = "s16" }
[[block.measure]]
quantity = "temperature"
unit = "Cel"
value = "t / 100"
[[block]]
when = "flags & 2"
parts = { v = "u16" }
[[block.measure]]
quantity = "battery_voltage"
unit = "mV"
value = "v"
"""
    assert values(text, bytes.fromhex("0203 07d0 0bb8")) == (20.0, 3.0)
    assert values(text, bytes.fromhex("0202 0bb8")) == (None, 3.0)
    assert values(text, bytes.fromhex("0200")) == (None, None)
    assert refusal(text, bytes.fromhex("0103 07d0 0bb8")) == "another_sensor"
    assert refusal(text, bytes.fromhex("0203 07d0 0b")) == "too_short"
    assert refusal(text, b"\x02") == "too_short"


def test_channels_in_any_order():
    assert values(TLV, bytes.fromhex("0468 2e 0367 fa00")) == (25.0, 23.0)
    assert values(TLV, bytes.fromhex("0367 9cff")) == (-10.0, None)


def test_channels_that_are_wrong():
    assert refusal(TLV, bytes.fromhex("0367 fa")) == "too_short"
    assert refusal(TLV, bytes.fromhex("03")) == "too_short"
    assert refusal(TLV, bytes.fromhex("0367 fa00 0999 01")) == "unknown_channel"
    assert refusal(TLV, bytes.fromhex("0367 ff7f")) == "out_of_range"
    assert values(
        TLV + '[[entry]]\ntag = "09 99"\nparts = { _ = "skip 1" }\n',
        bytes.fromhex("0367 fa00 0999 01"),
    ) == (25.0, None)
    assert values(
        TLV.replace("byte_order", 'unknown = "stop"\nbyte_order'), bytes.fromhex("0367 fa00 0999")
    ) == (25.0, None)


def test_no_number_is_no_value():
    for payload in (struct.pack(">f", float("nan")), struct.pack(">f", float("inf"))):
        assert refusal(block('x0 = "f32"', "x0"), payload) == "not_a_number"
    assert refusal(block('x0 = "u8"', "1 / x0"), b"\x00") == "no_value"
    assert refusal(block('x0 = "u8"', "x0 / 10 & 1"), b"\x09") == "no_value"


def test_a_command_taken_measures_nothing():
    text = 'nothing = "length == 1"\n' + TLV.lstrip()
    assert values(text, b"\x00") == (None, None)


def test_open_channels_make_series_as_they_come():
    compiled = compile_template(shipped()["cayenne-lpp"])
    first, opened = len(compiled.columns), []

    def place(_slot, channel, _quantity):
        opened.extend([channel] if channel not in opened else [])
        return first + opened.index(channel)

    many = compiled.decoding(Who(opened=place)).several
    assert many(bytes.fromhex("0367 0110 0567 00ff"))[0][2][first:] == (27.2, 25.5)
    assert many(bytes.fromhex("0567 0100"))[0][2][first:] == (None, 25.6)
    assert opened == ["3", "5"]


def test_bytes_repeat_as_readings_of_their_own():
    text = """
format = "bytes"
[[block]]
repeat = true
parts = { at = "u32", t = "s16" }
time = { value = "at" }
[[block.measure]]
quantity = "temperature"
unit = "Cel"
value = "t / 10"
"""
    log = struct.pack(">IhIh", 1_763_800_000, 45, 1_763_800_060, 46)
    found = decoder(text).several(log)
    assert found == [
        (1_763_800_000_000_000, None, (4.5,)),
        (1_763_800_060_000_000, None, (4.6,)),
    ]
    assert refusal(text, log[:-1]) == "too_short"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_whatever_comes_no_template_does_more_than_refuse(name):
    """Every prefix, and many bytes that mean nothing: a reading of finite numbers, or a reason."""
    decoding = compile_template(shipped()[name]).decoding(Who(opened=lambda *_: 500))
    stuff = bytes(range(256)) * 2
    for start in (0, 1, 2, 3, 117, 200, 255):
        for length in (0, 1, 2, 3, 5, 11, 40, 200):
            payload = stuff[start : start + length]
            with suppress(Refused):
                found = (
                    decoding.several(payload) if decoding.several else [decoding.decode(payload)]
                )
                assert all(v is None or abs(v) < 1e301 for one in found for v in one[2])


@given(st.binary(max_size=64))
def test_garbage_never_crashes_a_channel_format(payload):
    for name in ("elsys", "milesight-em300-sld-zld", "yobiiq-dsmr", "cayenne-lpp"):
        for port in (None, 1, 8, 20, 50):
            _try(name, payload, port)


def _try(name, payload, port):
    compiled = compile_template(shipped()[name])
    for layout, written in compiled.layouts:
        if port is None or port in layout.port:
            with suppress(Refused):
                written.make(Who(opened=lambda *_: 500))(payload)


def test_one_decode_gives_the_newest():
    text = """
format = "bytes"
[[block]]
repeat = true
parts = { at = "u8", t = "u8" }
time = { value = "at" }
[[block.measure]]
quantity = "temperature"
unit = "Cel"
value = "t"
"""
    assert decode(text, bytes([9, 1, 5, 2])) == (9_000_000, None, (1.0,))
