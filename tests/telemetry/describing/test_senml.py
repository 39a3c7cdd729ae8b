"""SenML (RFC 8428): the RFC's own packs, in JSON and CBOR, and what is no pack."""

from contextlib import suppress

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.describing.binding import Refused
from telemetry.describing.book import Device, SensorBook
from telemetry.describing.catalogue import Catalogue
from telemetry.describing.library import shipped
from tests.telemetry.describing.site import decoder, refusal

CLIMATE = """
format = "senml"
[[measure]]
name = "temperature"
quantity = "temperature"
unit = "Cel"
range = [-60, 85]
[[measure]]
name = "humidity"
quantity = "humidity"
unit = "%RH"
"""
PACK = b"""[
 {"bn":"urn:dev:ow:10e2073a01080063:","bt":1.320067464e+09,"bu":"%RH","n":"humidity","v":20},
 {"n":"temperature","u":"Cel","v":23.1},
 {"n":"humidity","t":60,"v":20.3},
 {"n":"temperature","u":"Cel","t":60,"v":23.5}]"""
"""After RFC 8428, 5.1.3."""
LABELS = {"bn": -2, "bt": -3, "bu": -4, "bv": -5, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "t": 6}


def several(payload, text=CLIMATE, **kept):
    return decoder(text, **kept).several(payload)


def test_records_of_one_moment_are_one_reading():
    at = 1_320_067_464_000_000
    assert several(PACK) == [(at, None, (23.1, 20.0)), (at + 60_000_000, None, (23.5, 20.3))]


def test_cbor_says_the_same_as_json():
    import json

    rows = [{LABELS[key]: value for key, value in row.items()} for row in json.loads(PACK)]
    assert several(cbor2.dumps(rows)) == several(PACK)


def test_base_values_are_added():
    pack = b'[{"bn":"a/","bv":20,"bu":"Cel","n":"temperature","v":1.5}]'
    assert several(pack) == [(None, None, (21.5, None))]


def test_units_are_converted_or_refused():
    assert several(b'[{"n":"temperature","u":"K","v":300}]')[0][2][0] == pytest.approx(26.85)
    assert refusal(CLIMATE, b'[{"n":"temperature","u":"%RH","v":30}]') == "unit_mismatch"


def _shared(levels):
    """A pack whose one key is a list of two references to a list of two references to...: it has
    2**levels elements in some hundred bytes.
    """
    parts = [b"\xd8\x1c\x82\x00\x00"]
    parts += [b"\xd8\x1c\x82" + 2 * (b"\xd8\x1d" + cbor2.dumps(n)) for n in range(levels)]
    return b"\x81\xa1\x9f" + b"".join(parts) + b"\xff\x01"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_senml"),
        (b"{}", "not_senml"),
        (b"[1]", "not_senml"),
        (b"\x81\xa1\x02", "not_senml"),
        (b"\x81\x01", "not_senml"),
        (cbor2.dumps([{0: "temperature", 1: "Cel", 2: float("nan")}]), "not_a_number"),
        (cbor2.dumps([{-3: float("inf"), 0: "temperature", 1: "Cel", 2: 1}]), "not_a_number"),
        (b'[{"n":"temperature","u":"Cel","v":99}]', "out_of_range"),
        (b'[{"n":"pressure","u":"Pa","v":99}]', "nothing_measured"),
        (b'[{"n":"temperature","u":"Cel","t":1e30,"v":9}]', "wrong_clock"),
        (_shared(60), "not_senml"),
        (b'[{"bn":"' + b"x" * 300 + b'","n":"temperature","u":"Cel","v":9}]', "too_large"),
        (b"[" + b'{"n":"x","v":1},' * 6000 + b'{"n":"x","v":1}]', "too_large"),
    ],
)
def test_what_is_refused_and_why(payload, code):
    assert refusal(CLIMATE, payload) == code


@given(st.binary(max_size=60))
def test_garbage_never_crashes(payload):
    for head in (b"", b"[", b"\x82"):
        with suppress(Refused):
            several(head + payload)


def _any():
    book = SensorBook(device=(Device("node-1", "senml-any", place="COLD-1"),))
    catalogue = Catalogue(shipped(), book)
    return catalogue, catalogue.bind("senml/node-1")


def test_a_pack_nobody_described_makes_series_by_its_names_and_units():
    catalogue, binding = _any()
    pack = b'[{"bn":"node-1/","n":"temperature","u":"Cel","v":4},{"n":"door","u":"V","v":3.1},{"n":"3304/0/5700","u":"%RH","v":61}]'
    (at, _, values), *_ = binding.several(pack)
    said = {str(catalogue.series[n].key): v for n, v in zip(binding.series, values, strict=True)}
    assert at is None
    assert said == {
        "node-1/temperature": 4.0,
        "node-1/voltage/door": 3.1,
        "node-1/humidity/0": 61.0,
    }
    assert catalogue.series[binding.series[0]].place == "COLD-1"
    more = binding.several(b'[{"n":"co2","u":"ppm","v":700},{"n":"temperature","u":"Cel","v":5}]')
    assert more[0][2] == (5.0, None, None, 700.0)


def test_times_below_two_to_the_28_count_from_arrival():
    _, binding = _any()
    (at, _, _), *_ = binding.several(b'[{"n":"temperature","u":"Cel","t":-30,"v":4}]')
    assert binding.time_of(at, 1_763_800_000_000_000) == 1_763_799_970_000_000
    assert binding.wrong_clocks == 0


def test_nobody_opens_channels_without_end():
    _, binding = _any()
    many = b"[" + b",".join(b'{"n":"p%d","u":"Cel","v":1}' % n for n in range(80)) + b"]"
    with pytest.raises(Refused, match="too_many_channels"):
        binding.several(many)
