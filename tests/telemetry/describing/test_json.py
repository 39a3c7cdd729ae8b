"""JSON as sensors send it: paths, units, states, times, and everything that is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.binding import Refused
from tests.telemetry.describing.site import decode, decoder, refusal, values

PLAIN = """
format = "json"
sequence = { path = "seq" }
time = { path = "ts", unit = "ms" }

[[measure]]
quantity = "temperature"
path = "t"
unit = "Cel"
range = [-40, 60]

[[measure]]
quantity = "battery_voltage"
path = "power.mv"
unit = "mV"
optional = true
"""


def one(rest):
    return f'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\n{rest}\n'


def test_a_message_becomes_time_sequence_and_values_in_our_units():
    said = b'{"ts": 1763800000123, "seq": 7, "t": 4.25, "power": {"mv": 3612}, "more": [1, {}]}'
    assert decode(PLAIN, said) == (1_763_800_000_123_000, 7, (4.25, 3.612))


def test_what_is_optional_may_be_missing_or_null():
    for power in (b"", b', "power": {}', b', "power": null', b', "power": {"mv": null}'):
        assert values(PLAIN, b'{"ts": 1, "t": -1' + power + b"}") == (-1.0, None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_json"),
        (b"21.5,44", "wrong_type"),
        (b'{"ts": 1, "t": 4', "not_json"),
        (b'{"ts": 1, "t": NaN}', "not_json"),
        (b'{"ts": 1, "t": 1e999}', "out_of_range"),
        (b"\xff\xfe\x00", "not_json"),
        (b"[" * 100_000, "wrong_type"),
        (b'{"t":' + b"[" * 100_000, "wrong_type"),
        (b'{"x":' + b"[" * 100_000, "not_json"),
        (b'{"ts": 1}', "missing_field"),
        (b'{"t": 4}', "missing_field"),
        (b'{"ts": 1, "t": "4"}', "wrong_type"),
        (b'{"ts": 1, "t": true}', "wrong_type"),
        (b'{"ts": 1, "t": null}', "wrong_type"),
        (b'{"ts": 1, "t": 4, "seq": 1.5}', "wrong_type"),
        (b'{"ts": 1, "t": 4, "seq": 99999999999999999999}', "wrong_type"),
        (b'{"ts": 1, "t": 60.001}', "out_of_range"),
        (b'{"ts": 1, "t": -40.5}', "out_of_range"),
        (b'{"ts": 1, "t": 4, "power": 3}', "wrong_type"),
        (b"null", "wrong_type"),
    ],
)
def test_what_is_refused_and_why(payload, code):
    assert refusal(PLAIN, payload) == code


@given(st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
def test_garbage_never_crashes(payload):
    with suppress(Refused):
        decode(PLAIN, payload)


def test_words_stand_for_states():
    door = 'format = "json"\n[[measure]]\nquantity = "door_open"\nunit = "state"\npath = "door"\nstates = { closed = 0, open = 1, true = 1, false = 0 }\n'
    said = [
        values(door, b'{"door": ' + each + b"}")[0]
        for each in (b'"open"', b'"closed"', b"true", b"0")
    ]
    assert said == [1.0, 0.0, 1.0, 0.0]
    assert refusal(door, b'{"door": "ajar"}') == "unknown_state"


def test_contact_that_is_true_while_closed():
    door = 'format = "json"\n[[measure]]\nquantity = "door_open"\nunit = "state"\npath = "contact"\nstates = { true = 0, false = 1 }\n'
    assert values(door, b'{"contact": true}') == (0.0,)


def test_a_unit_in_the_message_is_believed_and_another_kind_refused():
    text = one('path = "value"\nunit_path = "unit"\nrange = [-40, 60]')
    assert values(text, b'{"value": 5, "unit": "Cel"}') == (5.0,)
    assert values(text, b'{"value": 41, "unit": "F"}') == (5.0,)
    assert refusal(text, b'{"value": 41, "unit": "%RH"}') == "unit_mismatch"
    assert refusal(text, b'{"value": 41, "unit": "furlong"}') == "unit_mismatch"


def test_paths_go_through_lists_and_odd_names():
    text = one('path = "probes[1].\\"t.c\\""')
    assert values(text, b'{"probes": [{}, {"t.c": 3}]}') == (3.0,)
    assert refusal(text, b'{"probes": [{}]}') == "missing_field"
    assert refusal(text, b'{"probes": [{}, {"t.c": "warm"}]}') == "wrong_type"


def test_formulas_see_what_was_read():
    assert values(one('path = "f"\nvalue = "(x - 32) * 5 / 9"'), b'{"f": 212}') == (100.0,)
    assert refusal(one('path = "f"\nvalue = "1 / x"'), b'{"f": 0}') == "no_value"


def test_a_value_that_says_no_probe_is_missing():
    assert values(one('path = "t"\nmissing = [-127]'), b'{"t": -127}') == (None,)


def test_a_list_is_a_reading_an_element():
    text = 'each = "log"\ntime = { path = "at", unit = "s" }\n' + one('path = "t"')
    many = decoder(text).several
    found = many(b'{"log": [{"at": 100, "t": 1}, {"at": 160.5, "t": 2}]}')
    assert found == [(100_000_000, None, (1.0,)), (160_500_000, None, (2.0,))]
    assert decode(text, b'{"log": [{"at": 9, "t": 1}, {"at": 3, "t": 2}]}')[0] == 9_000_000
    with pytest.raises(Refused, match="nothing_measured"):
        many(b'{"log": []}')


def test_times_in_iso_need_their_zone():
    text = 'time = { path = "at", unit = "iso" }\n' + one('path = "t"')
    assert (
        decode(text, b'{"at": "2026-11-22T10:00:00.5+08:00", "t": 1}')[0] == 1_795_312_800_500_000
    )
    assert refusal(text, b'{"at": "2026-11-22T10:00:00", "t": 1}') == "wrong_type"
    assert refusal(text, b'{"at": "yesterday", "t": 1}') == "wrong_type"


def test_a_payload_of_another_sensor_is_found_out():
    text = 'device = { path = "dev" }\n' + one('path = "t"')
    assert values(text, b'{"dev": "COLD-1", "t": 1}', names={"cold-1"}) == (1.0,)
    assert refusal(text, b'{"dev": "cold-2", "t": 1}', names={"cold-1"}) == "other_device"


def test_nothing_described_is_no_reading():
    text = one('path = "t"\noptional = true')
    assert refusal(text, b'{"x": 1}') == "nothing_measured"
