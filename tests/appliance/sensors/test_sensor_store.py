"""The sensor book on the hub: checked whole, exchanged at once, and every change has its author."""

import pytest

from appliance.sensors.sheet import BadSheetError, read_sheet, write_sheet
from appliance.sensors.store import SensorStore, mark_of, open_store
from appliance.sensors.suggest import device_in, suggest
from contracts.clock import FixedClock
from contracts.errors import ConflictError, NotFoundError
from contracts.telemetry import Calibration
from telemetry.describing.book import BadBookError, Device, SensorBook
from telemetry.describing.catalogue import catalogue_of
from telemetry.describing.library import shipped
from telemetry.describing.template import BadTemplateError
from tests.support.pages import NOW

OWN = """name = "our-fridge"
kind = "freezer"
topic = "fridges/{device}/state"
format = "json"

[[measure]]
quantity = "temperature"
path = "temp"
unit = "Cel"
"""
COLD = Device("cold-1", "json-temperature-humidity", place="COLD-1")


@pytest.fixture
def store(tmp_path, clock: FixedClock) -> SensorStore:
    return open_store(tmp_path / "sensors", clock)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def again(store: SensorStore, clock) -> SensorStore:
    return open_store(store._folder, clock)


def test_a_sensor_is_there_after_a_restart_and_its_author_is_known(store, clock):
    store.put_device(COLD, by="mara")
    kept = again(store, clock)
    assert kept.book().device == (COLD,)
    (change,) = kept.changes()
    assert (change.by, change.what, change.names) == ("mara", "device", ("cold-1",))


def test_half_a_line_of_a_power_cut_hides_no_other_change(store, clock):
    store.put_device(COLD, by="mara")
    with (store._folder / "changes.jsonl").open("ab") as log:
        log.write(b'{"at":"2026-11-')
    kept = again(store, clock)
    assert [one.by for one in kept.changes()] == ["mara"]
    kept.put_device(Device("cold-2", "json-door"), by="mei")
    assert [one.by for one in kept.changes()] == ["mei", "mara"]


def test_what_a_gateway_is_told_makes_a_catalogue(store):
    store.put_template(OWN, by="mara")
    store.put_device(Device("f1", "our-fridge"), by="mara")
    book, own = store.documents()
    assert catalogue_of(book, own).bind("fridges/f1/state").decode(b'{"temp": -3}')[2] == (-3.0,)


def test_a_change_that_cannot_be_changes_nothing(store, clock):
    store.put_device(COLD, by="mara")
    with pytest.raises(BadBookError):
        store.put_device(Device("x", "no-such"), by="mara")
    with pytest.raises(BadBookError):
        store.put_devices([Device("y", "json-door"), Device("x", "no-such")], by="mara")
    assert again(store, clock).book().device == (COLD,)
    assert len(store.changes()) == 1


def test_two_people_do_not_write_over_each_other(store):
    store.put_device(COLD, by="mara")
    seen = mark_of(store.book().find("cold-1"))
    store.put_device(Device("cold-1", "json-door", place="A"), by="mei", before=seen)
    with pytest.raises(ConflictError, match="changed by somebody else"):
        store.put_device(Device("cold-1", "json-door", place="B"), by="mara", before=seen)
    with pytest.raises(ConflictError, match="in the book already"):
        store.put_device(Device("COLD-1", "json-door"), by="mara")
    assert store.book().find("cold-1").place == "A"


def test_a_template_in_use_stays(store, clock):
    store.put_template(OWN, by="mara")
    store.put_device(
        Device("f1", "our-fridge", calibration={"temperature": Calibration("K")}), by="mara"
    )
    with pytest.raises(ConflictError, match="used by f1"):
        store.remove_template("our-fridge", by="mara")
    with pytest.raises(BadBookError, match="does not measure"):
        store.put_template(
            OWN.replace('"temperature"', '"humidity"').replace("Cel", "%RH"), by="mara"
        )
    store.remove_device("f1", by="mara")
    store.remove_template("our-fridge", by="mara")
    assert "our-fridge" not in again(store, clock).templates()
    with pytest.raises(NotFoundError):
        store.remove_template("elsys", by="mara")
    with pytest.raises(NotFoundError):
        store.remove_device("f1", by="mara")


def test_a_template_of_the_house_keeps_its_name(store):
    with pytest.raises(BadTemplateError, match="taken"):
        store.put_template(shipped()["elsys"].text, by="mara")


def test_a_sheet_goes_round(store):
    worth = Calibration("K-2201", "2026-01-01", "2027-01-01", 0.2)
    probe = Calibration("K-7", "", "2026-12-01")
    full = Device("cold-1", "json-temperature-humidity", name='Room "1", door', site="bj", place="COLD-1",
                  topic=("a/b", "c/{device}"), serial="77", calibration={"": worth, "humidity": probe},
                  parameters={}, note="über")  # fmt: skip
    store.put_devices([full, Device("d", "json-door")], by="mara")
    sheet = write_sheet(store.book().device).encode("utf-8-sig")
    assert read_sheet(sheet, store.book()) == [full, Device("d", "json-door")]


def test_a_sheet_with_few_columns_changes_only_those(store):
    store.put_device(COLD, by="mara")
    (changed,) = read_sheet(b"id,template,name\ncold-1,json-door,New\n", store.book())
    assert (changed.template, changed.name, changed.place) == ("json-door", "New", "COLD-1")


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        (b"", "column 'id' is missing"),
        (b"id\na\n", "column 'template' is missing"),
        (b"id,template,colour\n", "line 1: column 'colour'"),
        (b"id,template,id\n", "column 'id'"),
        (b"id,template\na\n", "line 2: 1 cells under 2"),
        (b"id,template\n,json-door\n", "line 2: the id is empty"),
        (b"id,template\na,json-door\n\nA,json-door\n", "line 4: A stands in line 2"),
        (b"id,template,due_on\na,json-door,2026-13-01\n", "line 2: '2026-13-01' is no date"),
        (b"id,template,uncertainty\na,json-door,much\n", "line 2: 'much' is no number"),
        (b"id,template,uncertainty\na,json-door,nan\n", "line 2: an uncertainty"),
        (b'id,template\n"a,json-door\n', "no CSV"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_read_says_which_line(sheet, says):
    with pytest.raises(BadSheetError, match=says):
        read_sheet(sheet, SensorBook())


def test_an_unknown_address_is_offered_the_templates_that_read_it():
    first, *_ = suggest(
        shipped(), "sensors/hall-7/climate", b'{"seq":1,"ts":1763800000000,"t":21.5,"h":44}'
    )
    assert (first.template.name, first.device, first.named) == (
        "json-temperature-humidity",
        "hall-7",
        True,
    )
    assert [(c.quantity, v) for c, v in first.sample] == [("temperature", 21.5), ("humidity", 44.0)]
    wrapped = b'{"fPort":85,"fCnt":3,"data":"A2cXAQRoaA=="}'
    found = suggest(shipped(), "application/7/device/a84041/event/up", wrapped)
    assert {"milesight-em300-th", "milesight-am102"} <= {each.template.name for each in found}
    assert not any(each.named for each in found)
    assert {each.device for each in found} == {"a84041"}
    assert suggest(shipped(), "x", b"\x00\x01") == []
    assert device_in(shipped(), "hall/9/whatever") == "whatever"
