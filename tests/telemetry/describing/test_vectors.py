"""What real sensors send decodes to what their makers say it means: to the last bit."""

import re

import pytest

from telemetry.describing.compiled import try_out
from telemetry.describing.library import shipped
from telemetry.units import unit_of
from tests.telemetry.describing.lenient import leaves, read_vectors

pytestmark = pytest.mark.data

_OTHER_NAMES = {
    "elsys": "elsys",
    "example": "example-vendor",
    "rak_standard": "cayenne-lpp",
    "tg563a": "sept-s-tg563a",
    "hotdrop": "vutility-hotdrop",
    "pulsedrop": "vutility-pulsedrop",
    "voltdrop": "vutility-voltdrop",
    "digital-matter-g62": "digital-matter-g62",
    "digital-matter-oyster3-yabby3": "digital-matter-oyster3-yabby3",
}
_NOT_MEASURED = {"fPort"}
"""The port the message came by is no value of the sensor."""
_NO_UNIT = {"None", None}
_UNITS = {
    "W⋅m⁻²": "W/m2", "m³⋅m⁻³": "m3/m3", "m⋅s⁻¹": "m/s", "µS⋅cm⁻¹": "uS/cm", "mS⋅cm⁻¹": "mS/cm",
    "mm": "mm", "%": "%", "µmol⋅m⁻²⋅s⁻¹": "umol/m2/s", "l⋅h⁻¹": "l/h", "cm⋅h⁻¹": "cm/h",
    "µm⋅m⁻¹": "um/m", "g⋅L⁻¹": "g/L", "mg⋅L⁻¹": "mg/L", "µg⋅m⁻³": "ug/m3", "1⋅cm⁻³": "1/cm3",
}  # fmt: skip
_SAME = {("%", "humidity"): "%RH", ("mm", "rain"): "l/m2", ("mV", "ph_mv"): "mV"}


def _files(data_dir):
    return sorted((data_dir / "sensors" / "lorawan_vectors").glob("*/codecs/*.json"))


def _template(file):
    key = re.fullmatch(r"test_decode_(.*)", file.stem)[1]
    return shipped()[_OTHER_NAMES.get(key) or f"{file.parent.parent.name}-{key}"]


def _measures(template):
    for layout in template.file.layout:
        for part in (layout, *layout.block, *layout.entry):
            yield from part.measure


def test_every_file_with_vectors_decodes_exactly(data_dir):
    """74 of the 94 files hold vectors; the other 20 are empty lists, so they say nothing to check."""
    checked, empty, values = 0, [], 0
    for file in _files(data_dir):
        vectors = read_vectors(file.read_text())
        if not vectors:
            empty.append(file.name)
            continue
        checked += 1
        template = _template(file)
        for vector in vectors:
            out = try_out(
                template, bytes(vector["input"]["bytes"]), port=vector["input"].get("fPort")
            )
            for name, expected, _ in leaves(vector["expected"]["data"]):
                found = out.fields.get(name)
                if name in _NOT_MEASURED or (isinstance(expected, str) and found is None):
                    continue
                same = found == expected or str(found) == expected
                assert same, f"{file.name} {name}: {expected!r} was expected, {found!r} came"
                values += 1
    assert (checked, len(empty)) == (74, 20)
    assert values >= 838


def test_only_positions_that_are_not_on_earth_are_refused(data_dir):
    """The maker of one tracker made its bytes up: 101 and 202 degrees of latitude."""
    refused = {}
    for file in _files(data_dir):
        for vector in read_vectors(file.read_text()):
            out = try_out(
                _template(file), bytes(vector["input"]["bytes"]), port=vector["input"].get("fPort")
            )
            if out.refused is not None:
                refused.setdefault(file.stem, []).append(out.refused.code)
    assert refused == {
        "test_decode_digital-matter-oyster3-yabby3": ["out_of_range", "out_of_range"]
    }


def test_units_are_those_of_the_maker(data_dir):
    for file in _files(data_dir):
        vectors = read_vectors(file.read_text())
        units = {m.word: m for m in _measures(_template(file))} if vectors else {}
        for vector in vectors:
            for name, _, said in leaves(vector["expected"]["data"]):
                if said in _NO_UNIT or name not in units:
                    continue
                measure = units[name]
                expected = (
                    _SAME.get((said, measure.quantity)) or unit_of(_UNITS.get(said, said)).code
                )
                assert measure.unit == expected, f"{file.name} {name}: {said!r}"


def test_a_logger_tells_of_the_past_as_readings_of_their_own():
    """Milesight keeps what it could not send: each with its own time, the newest value untouched."""
    template = shipped()["milesight-em300-sld-zld"]
    payload = bytes.fromhex("0367fa00 20ce00f15365ff007801".replace(" ", ""))
    out = try_out(template, payload)
    words = [column.quantity for column in out.columns]
    then, now = (dict(zip(words, reading[2], strict=True)) for reading in out.readings)
    assert out.readings[0][0] == 1_700_000_000 * 1_000_000
    assert then == {"battery": None, "temperature": 25.5, "humidity": 60.0, "leak": 1.0}
    assert now == {"battery": None, "temperature": 25.0, "humidity": None, "leak": None}
