"""Sensors whose makers publish no vectors: bytes of our own, by the maker's description."""

import pytest

from telemetry.describing.compiled import try_out
from telemetry.describing.library import shipped

SAID = {
    "milesight-em300-mld": ("017564 030001", {"battery": 100, "leakage_status": "leak"}),
    "milesight-em300-mcs": ("0367fa00 046850 060001", {"temperature": 25, "humidity": 40, "door_open": "open"}),
    "milesight-em300-di": ("0500 01 05c8 2a000000", {"input": 1, "count": 42}),
    "milesight-em300-cl": ("017550 03ed02", {"battery": 80, "liquid": "empty"}),
    "milesight-em320-th": ("03679cff 04685a", {"temperature": -10, "humidity": 45}),
    "milesight-em320-tilt": ("03d4 9001 38ff 0000 01", {"tilt_x": 4, "tilt_y": -2, "tilt_z": 0, "tilted": "tilted"}),
    "milesight-em400-tld": ("03670a01 04820a05 050000", {"temperature": 26.6, "distance": 1290, "tilted": "normal"}),
    "milesight-em500-co2": ("03676901 046848 057d6704 06736827", {"temperature": 36.1, "co2": 1127, "pressure": 1008.8}),
    "milesight-em500-udl": ("017564 0382d204", {"battery": 100, "distance": 1234}),
    "milesight-am102": ("01755c 03673401 046865", {"battery": 92, "temperature": 30.8, "humidity": 50.5}),
    "milesight-am307": ("0367ee00 04687c 050001 06cb02 077da803 087d2500 09736627",
                        {"temperature": 23.8, "occupied": "occupied", "light_level": 2, "co2": 936, "iaq": 0.37, "pressure": 1008.6}),
    "milesight-ws301": ("017564 030001 040000", {"door_open": "open", "removed": "installed"}),
    "milesight-ws302": ("055b 05 ee01 d501 0603", {"sound_level": 49.4, "sound_level_mean": 46.9, "sound_level_peak": 77.4}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAID))
def test_bytes_by_the_makers_description(name):
    said, expected = SAID[name]
    out = try_out(shipped()[name], bytes.fromhex(said.replace(" ", "")))
    assert out.refused is None
    assert {word: out.fields[word] for word in expected} == pytest.approx(expected)


def test_a_level_that_is_too_near_is_no_level():
    out = try_out(shipped()["milesight-em400-tld"], bytes.fromhex("0482fdff"))
    assert out.fields["distance"] == 65533
    assert all(value is None for value in out.readings[0][2])


def test_every_template_says_truly_whether_there_are_vectors():
    own = {
        name for name, one in shipped().items() if "bytes of our own" in one.file.quality["vectors"]
    }
    assert own == set(SAID)
