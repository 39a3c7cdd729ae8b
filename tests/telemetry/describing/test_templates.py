"""Template files: what ships can be used, says what it rests on, and a wrong one says where."""

import pytest

from telemetry.describing.binding import Refused
from telemetry.describing.compiled import compile_template, try_out
from telemetry.describing.envelopes import read_hex
from telemetry.describing.library import FOLDER, check_own, shipped, unit_by_quantity, with_own
from telemetry.describing.template import BadTemplateError, Kind, read_template
from telemetry.units import UnitError, conversion, unit_of
from tests.telemetry.describing.site import HEAD, template

ISSUE = {
    "temperature", "humidity", "cold_chain_probe", "freezer", "light", "vibration", "tilt", "door",
    "leak", "smoke", "gas", "co2", "particulate", "pressure", "weight", "level", "energy",
    "occupancy", "rfid", "position", "weather",
}  # fmt: skip
SAID = {
    "json-cold-chain-probe": ({"t": -18.5, "air": -20}, {"temperature": -18.5}),
    "json-freezer": ({"t": -21, "door": "open", "w": 120}, {"temperature": -21.0, "door_open": 1.0}),
    "json-light": ({"lx": 320}, {"illuminance": 320.0}),
    "json-vibration": ({"v": 2.8, "a": 9.8}, {"vibration_velocity": 0.0028, "vibration": 9.8}),
    "json-shock-tilt": ({"g": 2}, {"acceleration": 19.6133}),
    "json-door": ({"state": False, "n": 9}, {"door_open": 0.0, "count": 9.0}),
    "json-leak": ({"state": "wet"}, {"leak": 1.0}),
    "json-smoke": ({"state": True}, {"smoke": 1.0}),
    "json-gas": ({"co": 12}, {"co": 12.0}),
    "json-co2": ({"co2": 800}, {"co2": 800.0}),
    "json-particulate": ({"pm25": 12.5}, {"pm2_5": 12.5}),
    "json-pressure": ({"kpa": 101.325}, {"pressure": 101325.0}),
    "json-weight": ({"kg": 12.5, "stable": True}, {"weight": 12.5, "stable": 1.0}),
    "json-level": ({"mm": 1500}, {"distance": 1.5}),
    "json-energy": ({"w": 1200, "kwh": 2.5}, {"power": 1200.0, "energy": 2500.0}),
    "json-occupancy": ({"occupied": "occupied"}, {"occupied": 1.0}),
    "json-rfid-portal": ({"tags": 48, "dir": "in"}, {"count": 48.0, "direction": 1.0}),
    "json-position": ({"lat": 39.9, "lon": 116.4, "kmh": 36}, {"latitude": 39.9, "speed": 10.0}),
    "json-weather": ({"t": 3, "hpa": 1013}, {"temperature": 3.0, "pressure": 101300.0}),
    "json-sound": ({"db": 62}, {"sound_level": 62.0}),
    "json-temperature-humidity": ({"t": 4, "h": 60}, {"temperature": 4.0, "humidity": 60.0}),
}  # fmt: skip


def test_every_kind_of_the_trade_ships():
    kinds = {one.file.kind.value for one in shipped().values()}
    assert kinds >= ISSUE
    assert kinds == {kind.value for kind in Kind}
    assert len(shipped()) >= 115


@pytest.mark.parametrize("name", sorted(shipped()))
def test_what_ships_can_be_used_and_says_what_it_rests_on(name):
    one = shipped()[name]
    compile_template(one)
    assert one.file.title.en
    assert one.file.title.zh
    assert set(one.file.quality) == {"source", "vectors", "range"}
    for said in one.file.quality.values():
        assert said.startswith(("done", "todo", "exempt")), said


def test_one_quantity_has_one_unit_in_all_that_ships():
    units = unit_by_quantity(shipped().values())
    assert units["temperature"] == "Cel"
    assert units["battery_voltage"] == "V"


def test_every_file_of_the_folder_is_a_template():
    assert {file.suffix for file in FOLDER.rglob("*") if file.is_file()} == {".toml"}


@pytest.mark.parametrize("name", sorted(SAID))
def test_the_plain_forms_of_the_house(name):
    import json

    said, expected = SAID[name]
    out = try_out(shipped()[name], json.dumps({"ts": 1, "seq": 1, **said}).encode())
    assert out.refused is None
    found = {}
    for column, value in zip(out.columns, out.readings[0][2], strict=True):
        found.setdefault(column.quantity, value)
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_others_plain_forms():
    for name, payload in {
        "zigbee2mqtt-climate": b'{"temperature": 21.4, "humidity": 40, "linkquality": 99}',
        "zigbee2mqtt-contact": b'{"contact": true, "battery": 97}',
        "tasmota-sensor": b'{"Time":"x","AM2301":{"Temperature":70.7,"Humidity":40},"TempUnit":"F"}',
        "shelly-em": b'{"id":0,"act_power":61.2,"voltage":231.1,"current":0.31,"pf":0.9}',
        "csv-temperature-humidity": b"2026-11-22T10:00:00Z,21.5,40\n2026-11-22T10:01:00Z,21.6,\n",
    }.items():
        assert try_out(shipped()[name], payload).refused is None, name
    warm = try_out(
        shipped()["tasmota-sensor"], b'{"AM2301":{"Temperature":70.7,"Humidity":40},"TempUnit":"F"}'
    )
    assert warm.readings[0][2][0] == pytest.approx(21.5)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"2026-11-22T10:00:00Z,warm,40", "wrong_type"),
        (b"2026-11-22T10:00:00Z,,40", "missing_field"),
        (b"2026-11-22T10:00:00Z,nan,40", "not_a_number"),
        (b"2026-11-22T10:00:00,1,40", "wrong_type"),
        (b"2026-11-22T10:00:00Z,1,140", "out_of_range"),
        (b"", "nothing_measured"),
        (b"\xff\xfe", "not_csv"),
        (b"x,1,1\n" * 10_001, "too_large"),
    ],
)
def test_lines_that_are_refused(payload, code):
    assert try_out(shipped()["csv-temperature-humidity"], payload).refused.code == code


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 3", "Expected `str`"),
        ('name = "a"\nkind = "fridge"\nformat = "json"', "fridge"),
        (HEAD, "says no format"),
        (HEAD + 'format = "xml"', "xml"),
        (HEAD + 'format = "json"\ncolour = 1', "unknown field `colour`"),
        (HEAD + 'format = "json"\n[[layout]]\nformat = "csv"', "unknown field `format`"),
        (HEAD + "=", "not TOML"),
        ('name = "A b"\nkind = "door"\nformat = "json"', "is none"),
        (HEAD + "#" * 100_001, "at most"),
        (HEAD + 'format = "bytes"\nstart = -5', "start"),
        (HEAD + 'format = "json"\nahead_s = inf', "ahead_s"),
        (HEAD + 'format = "json"\nbehind_days = nan', "behind_days"),
        (HEAD + 'format = "json"\ntopic = "a/++++/{device}"', "whole level"),
        (HEAD + 'format = "json"\ntopic = "{device}/{device}"', "once"),
        (HEAD + 'format = "json"\ntopic = "a/#"', "is none"),
    ],
)
def test_a_file_that_is_no_template_says_where(text, says):
    with pytest.raises(BadTemplateError, match=says):
        read_template(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "furlong"\npath = "t"',
            "no unit",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Pa"\npath = "t"',
            "cannot be said",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = ""',
            "begins with no name",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = "a..b"',
            "is none",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = "t"\nvalue = "y"',
            "called 'y'",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = "t"\nrange = [3, 1]',
            "empty",
        ),
        (
            'format = "json"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = "t"\nrange = [0, inf]',
            "empty",
        ),
        (
            'format = "json"\nparameters = {a = nan}\n[[measure]]\nquantity = "temperature"\nunit = "Cel"\npath = "t"\nvalue = "x*a"',
            "no number to count with",
        ),
        ('format = "csv"\nseparator = ""', "not one sign"),
        ('format = "csv"\n[[measure]]\nquantity = "temperature"\nunit = "Cel"', "column"),
        ('format = "senml"', "describe a measure"),
        ('format = "bytes"\n[[block]]\nparts = { t = "i16" }', "is no part"),
        ('format = "bytes"\n[[block]]\nparts = { and = "u8" }', "cannot be the name"),
        (
            'format = "bytes"\n[[block]]\nrepeat = true\nparts = { a = "u8" }',
            "needs parts and a time",
        ),
        ('format = "tlv"\n[[entry]]\ntag = "3"\nparts = { a = "u8" }', "is none"),
        ('format = "tlv"\n[[entry]]\ntag = "03"\n[[entry]]\ntag = "03 04"', "same number of bytes"),
        (
            '[[layout]]\nformat = "json"\nport = 1\n[[layout]]\nformat = "json"\nport = [1, 2]',
            "twice",
        ),
    ],
)
def test_a_template_that_means_nothing_says_where(text, says):
    with pytest.raises(BadTemplateError, match=says):
        compile_template(template(text))


def test_a_site_cannot_take_a_name_or_bend_a_unit():
    with pytest.raises(BadTemplateError, match="taken"):
        check_own(shipped()["elsys"].text, ())
    bent = HEAD + 'format = "json"\n[[measure]]\nquantity = "mounted"\nunit = "V"\npath = "m"\n'
    with pytest.raises(BadTemplateError, match="elsewhere in state"):
        check_own(bent, ())


def test_a_name_that_the_house_takes_later_stays_the_sites():
    """An update of the house stops nobody's sensors."""
    mine = shipped()["elsys"].text.replace('maker = "Elsys"', 'maker = "Ours"')
    assert with_own([mine])["elsys"].file.maker == "Ours"


def test_units_are_what_they_are_called():
    assert conversion("°F", "Cel")(212) == 100.0
    assert conversion("mV", "V")(3168) == 3.168
    assert conversion("hPa", "Pa")(1013.25) == pytest.approx(101325)
    assert conversion("Cel", "K")(0) == pytest.approx(273.15)
    assert unit_of("℃").code == "Cel"
    with pytest.raises(UnitError, match="cannot be said"):
        conversion("V", "A")
    assert eval(conversion("[degF]", "Cel").python("212")) == 100.0  # noqa: S307 -- what is written into a decode


@pytest.mark.parametrize(
    "said", ["03 67 fa 00", "0367FA00", "0x03,0x67,0xfa,0x00", "[03 67 fa 00]"]
)
def test_hexadecimal_as_people_paste_it(said):
    assert read_hex(said) == b"\x03\x67\xfa\x00"


def test_what_is_no_hexadecimal():
    with pytest.raises(Refused, match="not_hex"):
        read_hex("03 6")
