"""The pages of the sensor book: list, entry, sheet, templates, trying one; with and without gateway."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from appliance.sensors.store import SensorStore, open_store
from appliance.web.app import create_app
from appliance.web.charts.gateway import Gateway
from appliance.web.ports import Viewer
from appliance.web.sensors import sensors_router
from appliance.web.sensors.templates import EXAMPLE
from contracts.clock import FixedClock
from contracts.telemetry import Calibration
from telemetry.describing.book import Device
from tests.support.pages import CSRF, NOW, FakeGate

ENTRY = {
    "csrf_token": CSRF,
    "id": "cold-1",
    "template": "json-temperature-humidity",
    "name": "Cold room 1",
    "place": "COLD-1",
    "certificate": "K-2201",
    "due_on": "2020-01-01",
    "uncertainty": "0.2",
    "envelope": "auto",
    "parameters": "",
}


@pytest.fixture
def heard():
    """What the gateway would answer, by address."""
    return {"series": [], "unknown": []}


@pytest.fixture
def store(tmp_path) -> SensorStore:
    return open_store(tmp_path / "sensors", FixedClock(NOW))


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"quality"}), CSRF))


@pytest.fixture
async def client(store, gate, heard):
    app = create_app("Tallyman", clock=FixedClock(NOW))
    told = FastAPI()

    @told.get("/sensors/data/{name}")
    def tell(name: str):
        return heard[name] if name in heard else Response(status_code=503)

    gateway = Gateway("http://gateway.test")
    await gateway.client.aclose()
    gateway.client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=told), base_url="http://gateway.test"
    )
    app.include_router(sensors_router(store, gateway, gate, lambda: ["COLD-1", "HALL"]))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub.test",
        headers={"accept": "text/html"},
    ) as opened:
        yield opened
    await gateway.close()


def card(device, quantity, value, unit, at_us=1_763_800_000_000_000):
    return {
        "device": device,
        "quantity": quantity,
        "channel": "",
        "unit": unit,
        "at_us": at_us,
        "value": value,
    }


async def test_empty_pages_say_what_to_do_in_both_languages(client):
    assert "No sensor is in the book yet" in (await client.get("/sensors?lang=en")).text
    assert "传感器册为空" in (await client.get("/sensors?lang=zh")).text


async def test_a_sensor_is_added_seen_changed_and_taken_out(client, store, heard):
    added = await client.post("/sensors/new", data=ENTRY)
    assert (added.status_code, added.headers["location"]) == (303, "/sensors/cold-1")
    assert store.book().find("cold-1").calibration[""].certificate == "K-2201"
    heard["series"] = [
        card("cold-1", "temperature", 4.25, "Cel"),
        card("cold-1", "battery", 9, "%EL"),
    ]
    listed = (await client.get("/sensors?lang=en")).text
    assert "Cold room 1" in listed
    assert "4.25 °C" in listed
    assert "Overdue since 2020-01-01" in listed
    shown = (await client.get("/sensors/book/cold-1?lang=en")).text
    assert "mara · on its page" in shown
    mark = shown.split('name="mark" value="')[1].split('"')[0]
    changed = {**ENTRY, "mark": mark, "place": "HALL"}
    assert (await client.post("/sensors/book/cold-1", data=changed)).status_code == 303
    late = await client.post("/sensors/book/cold-1", data={**changed, "place": "COLD-1"})
    assert late.status_code == 422
    assert "changed by somebody else" in late.text
    assert store.book().find("cold-1").place == "HALL"
    await client.post("/sensors/book/cold-1/remove", data={"csrf_token": CSRF})
    assert store.book().device == ()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("template", "no-such", "no template"),
        ("due_on", "soon", "is no date"),
        ("uncertainty", "-1", "cannot be"),
        ("parameters", "r", "is no parameter"),
        ("envelope", "paper", "none of the choices"),
        ("id", "a b", "no name of a device"),
    ],
)
async def test_a_wrong_entry_says_what_to_mend_and_keeps_what_was_typed(
    client, store, field, value, says
):
    answer = await client.post("/sensors/new", data={**ENTRY, field: value})
    assert answer.status_code == 422
    assert says in answer.text
    assert "Cold room 1" in answer.text
    assert store.book().device == ()


async def test_the_list_is_filtered_by_what_needs_a_hand(client, store, heard):
    store.put_devices(
        [
            Device("a", "json-door", place="HALL"),
            Device("b", "json-door", calibration={"": Calibration("K", due_on="2020-01-01")}),
            Device("c", "json-door", place="HALL", retired=True),
        ],
        by="mara",
    )
    heard["series"] = [card("a", "door_open", 1, "state"), card("a", "battery_voltage", 2.1, "V")]
    seen = {}
    for shown in ("overdue", "battery", "silent", "unplaced", "retired"):
        page = (await client.get(f"/sensors?show={shown}&lang=en")).text
        seen[shown] = [name for name in "abc" if f'href="/sensors/{name}"' in page]
    assert seen == {
        "overdue": ["b"],
        "battery": ["a"],
        "silent": ["b"],
        "unplaced": ["b"],
        "retired": ["c"],
    }
    assert 'href="/sensors/a"' not in (await client.get("/sensors?q=b")).text


async def test_an_unknown_address_is_described_from_its_bytes(client, heard):
    said = b'{"seq":1,"ts":1763800000000,"t":21.5,"h":44}'
    newest = {
        "at_us": 1,
        "address": "",
        "code": "",
        "detail": "",
        "size": 9,
        "hex": said.hex(" "),
        "text": "",
    }
    heard["unknown"] = [
        {
            "address": "sensors/hall-7/climate",
            "code": "unknown_address",
            "count": 3,
            "newest": newest,
        }
    ]
    listed = (await client.get("/sensors?lang=en")).text
    assert "sensors/hall-7/climate" in listed
    assert "3 messages" in listed
    link = listed.split('href="/sensors/new?address=')[1].split('"')[0].replace("&amp;", "&")
    form = (await client.get(f"/sensors/new?address={link}")).text
    assert 'value="hall-7"' in form
    assert 'value="json-temperature-humidity"' in form


async def test_without_the_gateway_the_book_is_there(client, store, heard):
    store.put_device(Device("a", "json-door", name="Gate"), by="mara")
    heard.clear()
    page = await client.get("/sensors?lang=en")
    assert page.status_code == 200
    assert "The gateway does not answer" in page.text
    assert "Never heard" not in page.text
    assert "Gate" in page.text


async def test_a_sheet_is_taken_in_whole_or_not_at_all(client, store):
    async def send(text):
        return await client.post(
            "/sensors/sheet",
            data={"csrf_token": CSRF},
            files={"sheet": ("s.csv", text.encode(), "text/csv")},
        )

    assert (await send("id,template\na,json-door\nb,json-smoke\n")).status_code == 303
    refused = await send("id,template\nc,json-door\nd,no-such\n")
    assert refused.status_code == 422
    assert "no template" in refused.text
    assert [one.id for one in store.book().device] == ["a", "b"]
    sheet = await client.get("/sensors/book.csv")
    assert sheet.text.startswith("\ufeffid,template")
    assert "b,json-smoke" in sheet.text


async def test_a_template_is_tried_and_then_kept(client, store):
    form = {"csrf_token": CSRF, "text": EXAMPLE, "payload": '{"temp": 3.5}', "form": "text"}
    tried = await client.post("/sensors/try?lang=en", data=form)
    assert "3.5 °C" in tried.text
    hot = await client.post("/sensors/try?lang=en", data={**form, "payload": '{"temp": 99}'})
    assert "A value is outside its range" in hot.text
    wrong = await client.post("/sensors/try?lang=en", data={**form, "text": EXAMPLE + "colour = 3"})
    assert (wrong.status_code, "unknown field `colour`" in wrong.text) == (422, True)
    bytes_ = {
        "csrf_token": CSRF,
        "template": "milesight-em300-th",
        "payload": "03 67 2c 00",
        "form": "hex",
    }
    assert "4.4 °C" in (await client.post("/sensors/try?lang=en", data=bytes_)).text
    assert (
        "no hexadecimal"
        in (await client.post("/sensors/try", data={**bytes_, "payload": "3"})).text
    )
    assert (
        "no LoRaWAN port"
        in (await client.post("/sensors/try", data={**bytes_, "port": "900"})).text
    )
    kept = await client.post("/sensors/try", data={**form, "keep": "1"})
    assert kept.headers["location"] == "/sensors/templates/our-fridge"
    assert store.is_own("our-fridge")
    assert (
        await client.post("/sensors/templates/our-fridge/remove", data={"csrf_token": CSRF})
    ).status_code == 303
    assert not store.is_own("our-fridge")


async def test_templates_are_listed_by_kind_and_told_in_full(client):
    page = (await client.get("/sensors/templates?kind=smoke&lang=en")).text
    assert "sept-s-tg563a" in page
    assert "milesight-em300-th" not in page
    one = (await client.get("/sensors/templates/milesight-em300-th?lang=en")).text
    assert "decoded exactly" in one
    assert "% RH" in one
    assert (await client.get("/sensors/templates/no-such")).status_code == 404


async def test_who_may_only_look_changes_nothing(client, gate, store):
    gate.who = Viewer("ole", frozenset({"viewer"}), CSRF)
    assert (await client.get("/sensors")).status_code == 200
    assert (await client.post("/sensors/new", data=ENTRY)).status_code == 403
    form = {
        "csrf_token": CSRF,
        "text": EXAMPLE,
        "payload": '{"temp": 3.5}',
        "form": "text",
        "keep": "1",
    }
    assert (await client.post("/sensors/try", data=form)).status_code == 200
    gate.who = None
    assert (await client.get("/sensors", follow_redirects=False)).status_code in {303, 401}
    assert store.book().device == ()
    assert not store.is_own("our-fridge")


async def test_nothing_is_looked_up_or_decoded_for_a_stranger(client, gate, monkeypatch):
    def told(*_: object) -> None:
        raise AssertionError("bytes of a stranger were decoded")

    monkeypatch.setattr("appliance.web.sensors.entry.suggest", told)
    gate.who = None
    for path in ("/sensors/new?address=a&hex=8101", "/sensors/book/no-such"):
        answer = await client.get(path, follow_redirects=False)
        assert answer.status_code in {303, 401}, path


async def test_a_sheet_that_is_too_long_is_refused_before_it_is_read(client, store):
    read = []

    async def endless():
        while True:
            read.append(1)
            yield b"x" * 65_536

    form = {"content-type": "multipart/form-data; boundary=x"}
    for length in (str(9 << 20), "1" * 30, "-1", "a lot"):
        headers = {**form, "content-length": length}
        answer = await client.post("/sensors/sheet", content=b"", headers=headers)
        assert answer.status_code == 422, length
    answer = await client.post("/sensors/sheet", content=endless(), headers=form)
    assert answer.status_code == 422
    assert len(read) < 3
    long = {**form, "content-length": str(2 << 20)}
    assert (await client.post("/sensors/try", content=b"", headers=long)).status_code == 422
    assert store.book().device == ()
