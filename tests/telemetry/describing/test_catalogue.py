"""Which address is which device: the book, families, envelopes, swapped sensors, wrong clocks."""

import base64
import json

import pytest

from contracts.telemetry import Calibration, SeriesKey
from telemetry.describing.binding import Refused
from telemetry.describing.book import (
    BadBookError,
    Device,
    Family,
    SensorBook,
    check_book,
    read_book,
)
from telemetry.describing.catalogue import Catalogue, catalogue_of
from telemetry.describing.library import shipped
from telemetry.describing.template import BadTemplateError

NOW_US = 1_763_800_000_000_000
CLIMATE = b'{"seq": 1, "ts": 1763800000000, "t": 4.5, "h": 60}'
OWN = """
name = "our-fridge"
kind = "freezer"
topic = "fridges/{device}/state"
format = "json"
device = { path = "id" }
wrong_clock = "refuse"
time = { path = "at", unit = "s" }

[[measure]]
quantity = "temperature"
path = "temp"
unit = "Cel"
"""


def of(*devices, families=(), after=None, own=()):
    return catalogue_of(SensorBook(devices, families).encode(), own, after=after)


def refused(catalogue, address):
    with pytest.raises(Refused) as caught:
        catalogue.bind(address)
    return caught.value.code


def test_a_device_of_the_book_is_found_by_its_templates_topic():
    worth = Calibration("K-1", "2026-01-01", "2027-01-01", 0.2)
    house = of(
        Device(
            "cold-1",
            "json-temperature-humidity",
            site="bj",
            place="COLD-1",
            calibration={"temperature": worth},
        )
    )
    binding = house.bind("sensors/cold-1/climate")
    assert binding is house.bind("sensors/cold-1/climate")
    assert binding.decode(CLIMATE) == (NOW_US, 1, (4.5, 60.0, None))
    temperature, humidity, _ = (house.series[number] for number in binding.series)
    assert (temperature.key, temperature.unit) == (SeriesKey("cold-1", "temperature"), "Cel")
    assert (temperature.site, temperature.place, temperature.calibration) == ("bj", "COLD-1", worth)
    assert humidity.calibration == Calibration()
    assert temperature.precision == pytest.approx(0.1)


def test_what_nobody_described_is_refused_and_costs_nothing_the_second_time():
    house = of(
        Device("cold-1", "json-temperature-humidity"), Device("old", "json-door", retired=True)
    )
    for address in ("sensors/cold-2/climate", "sensors/old/door", "x", "sensors/cold-1/climate/x"):
        assert refused(house, address) == "unknown_address"
        assert refused(house, address) == "unknown_address"


def test_own_topics_take_the_place_of_the_templates():
    house = of(
        Device("a", "json-door", topic=("gate/7",)),
        Device("b", "json-door", topic=("hall/+/{device}/door",)),
        Device("c", "json-door", topic=("dock/+/door",)),
    )
    assert house.bind("gate/7").device == "a"
    assert house.bind("hall/north/b/door").device == "b"
    assert house.bind("dock/3/door").device == "c"
    assert refused(house, "sensors/a/door") == "unknown_address"


def test_a_family_takes_whoever_publishes_up_to_its_bound():
    house = of(families=(Family("load/{device}/state", "json-door", place="HALL", most=2),))
    assert [house.bind(f"load/s{n}/state").device for n in (1, 2, 1)] == ["s1", "s2", "s1"]
    assert refused(house, "load/s3/state") == "too_many_devices"
    assert house.series[house.bind("load/s1/state").series[0]].place == "HALL"


def test_another_catalogue_keeps_the_numbers_of_series():
    first = of(Device("a", "json-door"), Device("b", "json-door"))
    then = of(Device("b", "json-door", place="HALL"), Device("c", "json-door"), after=first)
    for series in first.series:
        assert then.series[series.number].key == series.key
    by_device = {one.key.device: one for one in then.series if one.key.quantity == "door_open"}
    assert by_device["a"].retired
    assert (by_device["b"].place, by_device["b"].retired) == ("HALL", False)
    assert not by_device["c"].retired
    assert len(then.series) == len(first.series) + 3
    assert then.version != first.version
    assert of(Device("b", "json-door"), Device("a", "json-door")).version == first.version


def test_another_catalogue_knows_the_channels_that_a_template_left_open():
    """Else nobody would watch them any more once the book changes."""
    said = json.dumps([{"bn": "s1:", "n": "temperature", "u": "Cel", "v": 9.0}]).encode()
    first = of(Device("s1", "senml-any", topic=("x",)))
    (number,) = [first.bind("x").measured(said) and first.bind("x").series[0]]
    then = of(Device("s1", "senml-any", topic=("x",), place="HALL"), after=first)
    later = of(Device("s1", "senml-any", topic=("x",), place="HALL"), after=then)
    for house in (then, later):
        assert (house.series[number].place, house.series[number].retired) == ("HALL", False)
        assert house.bind("x").measured(said)[0][2] == (9.0,)
        assert house.bind("x").series == (number,)
    other = of(Device("s1", "json-door", topic=("x",)), after=later)
    assert other.series[number].retired


def test_a_sensor_cannot_give_a_series_a_name_that_no_database_keeps():
    house = of(
        Device("s1", "senml-any", topic=("x",)), families=(Family("f/{device}/x", "senml-any"),)
    )
    said = json.dumps([{"n": "probe\x00", "u": "Cel", "v": 9.0}]).encode()
    with pytest.raises(Refused) as caught:
        house.bind("x").measured(said)
    assert caught.value.code == "bad_name"
    assert refused(house, "f/a\x00b/x") == "bad_name"
    assert house.bind("f/库房/x").device == "库房"


def test_series_are_there_before_the_first_message():
    """A sensor that never spoke is missed too."""
    house = of(Device("cold-1", "json-temperature-humidity"))
    assert house.series.find(SeriesKey("cold-1", "temperature")) is not None


@pytest.mark.parametrize("server", ["chirpstack", "ttn"])
def test_a_network_server_wraps_the_bytes(server):
    inner = base64.b64encode(bytes.fromhex("0175640367fa00")).decode()
    house = of(Device("A84041FFFF123456", "milesight-em500-pt100"))
    if server == "chirpstack":
        address = "application/7/device/a84041ffff123456/event/up"
        said = {
            "data": inner,
            "fPort": 85,
            "fCnt": 9,
            "devAddr": "00189440",
            "time": "2026-11-22T10:00:00+00:00",
            "deviceInfo": {},
        }
    else:
        address = "v3/our-app/devices/A84041FFFF123456/up"
        said = {
            "end_device_ids": {"device_id": "x", "dev_addr": "00189440"},
            "uplink_message": {
                "frm_payload": inner,
                "f_port": 85,
                "f_cnt": 9,
                "received_at": "2026-11-22T10:00:00Z",
            },
        }
    at, sequence, values = house.bind(address).measured(json.dumps(said).encode())[-1]
    assert at == 1_795_341_600_000_000
    assert sequence == 0x189440 << 32 | 9
    assert values == (100.0, 25.0)
    with pytest.raises(Refused, match="not_envelope"):
        house.bind(address).measured(b"\x03\x67\x00\x00")


def test_ports_choose_the_layout():
    house = of(Device("dm1", "digital-matter-oyster3-yabby3"))

    def said(port):
        return json.dumps({"data": base64.b64encode(bytes(11)).decode(), "fPort": port}).encode()

    binding = house.bind("application/1/device/dm1/event/up")
    assert binding.decode(said(1))[2][0] == 0.0
    with pytest.raises(Refused, match="wrong_port"):
        binding.decode(said(77))


def test_a_sensor_that_was_swapped_is_found_out_by_its_number():
    payload = bytes.fromhex("02090300038 15e0c15".replace(" ", ""))
    right = of(Device("probe", "decentlab-dl-ds18", serial=str(0x0903), topic=("p",)))
    wrong = of(Device("probe", "decentlab-dl-ds18", serial="4711", topic=("p",)))
    assert right.bind("p").decode(payload)[2][0] == 21.875
    with pytest.raises(Refused, match="other_device"):
        wrong.bind("p").decode(payload)


def test_a_payload_that_names_another_sensor_is_refused():
    house = of(Device("f1", "our-fridge"), own=(OWN,))
    binding = house.bind("fridges/f1/state")
    assert binding.decode(b'{"id": "F1", "at": 5, "temp": -3}')[2] == (-3.0,)
    with pytest.raises(Refused, match="other_device"):
        binding.decode(b'{"id": "f2", "at": 5, "temp": -3}')


def test_clocks_of_1970_and_2099_are_counted_or_refused_as_the_template_says():
    house = of(
        Device("cold-1", "json-temperature-humidity"), Device("f1", "our-fridge"), own=(OWN,)
    )
    binding = house.bind("sensors/cold-1/climate")
    for off in (0, 4_070_908_800_000_000, NOW_US + 301_000_000):
        assert binding.time_of(off, NOW_US) == NOW_US
    assert binding.wrong_clocks == 3
    assert of(Device("other-1", "json-door"), after=house).wrong_clocks == {"cold-1": 3}
    for fine in (NOW_US, NOW_US + 299_000_000, NOW_US - 300 * 86_400_000_000):
        assert binding.time_of(fine, NOW_US) == fine
    assert binding.time_of(None, NOW_US) == NOW_US
    with pytest.raises(Refused, match="wrong_clock"):
        house.bind("fridges/f1/state").time_of(0, NOW_US)


LOGGER = """
name = "our-logger"
kind = "temperature"
topic = "loggers/{device}"
format = "json"
each = "log"
wrong_clock = "shift"
behind_days = 0.02
time = { path = "at", unit = "s" }

[[measure]]
quantity = "temperature"
path = "temp"
unit = "Cel"
"""


def test_a_logger_whose_clock_is_hours_behind_tells_its_distances_right():
    binding = of(Device("l1", "our-logger"), own=(LOGGER,)).bind("loggers/l1")
    said = [(NOW_US - back * 1_000_000, None, (4.0,)) for back in (120, 60, 0)]
    right = [at_us for at_us, _, _ in said]
    assert binding.times_of(said, NOW_US) == right
    eight_hours = 8 * 3_600_000_000
    behind = [(at_us - eight_hours, None, values) for at_us, _, values in said]
    assert binding.times_of(behind, NOW_US) == right
    ahead = [(at_us + eight_hours, None, values) for at_us, _, values in said]
    assert binding.times_of([*ahead, (None, None, (5.0,))], NOW_US) == [*right, NOW_US]
    assert binding.wrong_clocks == 2
    assert binding.times_of([], NOW_US) == []


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        ((Device("a", "no-such"),), "no template"),
        ((Device("a b", "json-door"),), "no name"),
        ((Device("a", "json-door"), Device("A", "json-door")), "twice"),
        (
            (Device("a", "json-door", topic=("t",)), Device("b", "json-door", topic=("t",))),
            "also that of a",
        ),
        ((Device("a", "json-door", topic=("t/#",)),), "is none"),
        ((Device("a", "json-door", topic=("t/++++++++/x",)),), "is none"),
        ((Device("a", "json-door", calibration={"co2": Calibration("K")}),), "does not measure"),
        ((Device("a", "json-door", place="HALL\x00"),), "cannot be shown"),
        ((Device("a", "json-door", calibration={"": Calibration("K\n")}),), "cannot be shown"),
    ],
)
def test_a_book_that_cannot_be_is_refused_whole(devices, says):
    with pytest.raises(BadBookError, match=says):
        of(*devices)


def test_a_parameter_that_its_template_has_not_is_refused():
    with pytest.raises(BadTemplateError, match="has no parameter 'k'"):
        of(Device("a", "json-door", parameters={"k": 1}))


def test_a_family_needs_the_devices_name_in_its_topic():
    with pytest.raises(BadBookError, match="says no"):
        check_book(SensorBook(family=(Family("load/state", "json-door"),)), shipped())


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"device": [{"id": 3}]}', b'{"devices": []}', b"\xff"]
)
def test_a_book_that_cannot_be_read_says_so(data):
    with pytest.raises(BadBookError, match="cannot be read"):
        read_book(data)


def test_a_book_is_the_same_bytes_however_it_was_made():
    one, other = Device("a", "json-door"), Device("b", "json-door")
    assert SensorBook((one, other)).encode() == SensorBook((other, one)).encode()
    assert read_book(SensorBook((one, other)).encode()) == SensorBook((one, other))


def test_parameters_of_a_device_stand_over_the_templates():
    payload = bytes.fromhex("0201670003 4e80 6017 0c7f".replace(" ", ""))
    usual = of(Device("p", "decentlab-dl-pr21", topic=("p",))).bind("p").decode(payload)
    other = of(
        Device("p", "decentlab-dl-pr21", topic=("p",), parameters={"pmin": 0.0, "pmax": 1.0})
    )
    assert usual[2][0] == pytest.approx(24_609.375)
    assert other.bind("p").decode(payload)[2][0] == pytest.approx(11_328.125)


def test_many_catalogues_are_made_of_one_library():
    assert Catalogue(shipped(), SensorBook()).version == catalogue_of(b"").version
