"""The pages of excursions over real books."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from appliance.excursions.facts import Signer, read_signed
from appliance.identity.site_ca import SiteCa
from appliance.web.app import create_app
from appliance.web.care.sheets import csv_text
from appliance.web.excursions.pages import excursions_router
from appliance.web.ports import Viewer
from appliance.words import words
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from contracts.telemetry import AlarmChange, Calibration
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from erp_link.service.excursions.whereabouts import Whereabouts
from erp_link.service.goods.products import Products
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import LATER, WATER
from tests.support.pages import CSRF, FakeGate
from tests.telemetry.excursions.test_fridge_tag import EXPORT

ODD = BatchKey("=ACME", WATER.gtin, "L/1")


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Iterator[Core]:
    """Two batches of water stood in a cold room that got too warm; one came at the end."""
    made = Core(core_url, clock=clock)
    products = Products(made)
    products.describe(Product(WATER.gtin, "Serum <b>", temperature=Temperature.CHILLED), by="q")
    made.receive(WATER, 10, location="COLD-01", expiry=LATER, by="op")
    made.receive(ODD, 5, location="DOCK-1", expiry=LATER, by="op")
    clock.at += timedelta(hours=1)
    overdue = Calibration("CNAS-118", "2024-01-10", "2025-01-10", 0.2)
    alarm = Gateway(made, clock).alarm(clock.at, calibration=overdue)
    since = clock.at
    clock.at = since + timedelta(minutes=25)
    made.move(ODD, 5, source="DOCK-1", target="COLD-02", by="op")
    clock.at = since + timedelta(hours=1)
    alarm.says(AlarmChange.RAISED, *[17.0] * 20, *[9.0] * 10)
    alarm.says(AlarmChange.CLEARED, 6.0)
    yield made
    made.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"quality"}), CSRF))


@pytest.fixture
async def client(core: Core, gate: FakeGate, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=core.clock, zone=core.zone)
    ca = SiteCa.open_or_create(tmp_path / "ca")
    signer = Signer(ca.head_signer.sign, ca.head_certificate_pem, ca.device_ca_pem, "Nanjing")
    app.include_router(excursions_router(Excursions(core), Whereabouts(core), signer, gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def name_of(core: Core) -> str:
    (line,) = Excursions(core).excursions()
    return line.excursion_id


async def test_the_list_says_where_how_far_and_how_many(
    core: Core, client: httpx.AsyncClient
) -> None:
    text = (await client.get("/excursions")).text
    for said in ("COLD", "probe-7/temperature", "17.0 °C", "1 beyond", "1 within", "overdue"):
        assert said in text
    assert "1 个超出" in (await client.get("/excursions?lang=zh")).text
    assert name_of(core) not in (await client.get("/excursions?q=freezer")).text
    assert (await client.get("/excursions?before=x")).status_code == 422
    older = await client.get("/excursions?before=0:EX-1")
    assert older.status_code == 200
    assert name_of(core) not in older.text


async def test_a_report_tells_each_batch_its_own_exposure(
    core: Core, client: httpx.AsyncClient
) -> None:
    text = (await client.get(f"/excursions/{name_of(core)}")).text
    for said in ("CNAS-118", "calibration was overdue", "30 / 1440 min", "5 / 1440 min",
                 "too warm: 17.0 °C", "QC-EX-gateway-01", "SHA-256"):  # fmt: skip
        assert said in text
    assert "Serum &lt;b&gt;" in text
    assert "<b>" not in text
    assert "style=" not in text
    assert (await client.get("/excursions/EX-nobody")).status_code == 404


async def test_the_signed_file_holds_and_page_csv_and_pdf_name_it(
    core: Core, client: httpx.AsyncClient
) -> None:
    address = f"/excursions/{name_of(core)}"
    answer = await client.get(f"{address}/report.json")
    said = read_signed(answer.content)
    assert [each["verdict"] for each in said["batches"]] == ["beyond", "within"]
    sha256 = json.loads(answer.content)["sha256"]
    assert sha256 in (await client.get(address)).text
    table = (await client.get(f"{address}/report.csv?lang=zh")).content.decode("utf-8-sig")
    header, first, second = table.splitlines()
    assert header.startswith("excursion,state,place,begun")
    assert sha256 in first
    assert "过热" in first
    assert ",'=ACME," in second
    for language in ("en", "zh"):
        made = await client.get(f"{address}/report.pdf?lang={language}")
        assert made.headers["content-type"] == "application/pdf"
        assert made.content.startswith(b"%PDF-1.7")
        assert b"NotoSansSC" in made.content


def test_degrees_below_zero_stay_numbers_in_a_spreadsheet() -> None:
    made = csv_text(("least", "note"), [("-18.500", "-1+1"), ("-2", "=1")])
    assert made.splitlines()[1:] == ["-18.500,'-1+1", "-2,'=1"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("beyond", "within"), ("CNAS-118", "CNAS-119"), ('"17.000"', '"07.000"')],
)
async def test_a_report_that_was_edited_does_not_hold(
    core: Core, client: httpx.AsyncClient, old: str, new: str
) -> None:
    from contracts.errors import BadInputError

    kept = json.loads((await client.get(f"/excursions/{name_of(core)}/report.json")).content)
    assert old in kept["statement"]
    kept["statement"] = kept["statement"].replace(old, new, 1)
    with pytest.raises(BadInputError, match="does not hold"):
        read_signed(json.dumps(kept).encode())
    with pytest.raises(BadInputError, match="no signed report"):
        read_signed(b"{}")


async def test_quality_says_what_goods_bear(
    core: Core, client: httpx.AsyncClient, gate: FakeGate
) -> None:
    form = {"csrf_token": CSRF, "subject": WATER.gtin, "low": "2", "high": "25,5",
            "allowed_minutes": "60"}  # fmt: skip
    assert (await client.post("/excursions/limits", data=form)).status_code == 303
    assert Excursions(core).limits()[WATER.gtin].high == 25.5
    assert "2.0 … 25.5 °C" in (await client.get("/excursions/limits")).text
    wrong = await client.post("/excursions/limits", data=form | {"high": "warm"})
    assert wrong.status_code == 422
    assert "no temperature" in wrong.text
    gone = {"csrf_token": CSRF, "subject": WATER.gtin, "gone": "1"}
    assert (await client.post("/excursions/limits", data=gone)).status_code == 303
    assert WATER.gtin not in Excursions(core).limits()
    gate.who = Viewer("op", frozenset({"operator"}), CSRF)
    assert (await client.post("/excursions/limits", data=form)).status_code == 403
    assert 'name="subject"' not in (await client.get("/excursions/limits")).text


async def test_places_are_assigned_to_zones(core: Core, client: httpx.AsyncClient) -> None:
    form = {"csrf_token": CSRF, "zone": "ROOM-7", "places": "COLD-01, DOCK-1"}
    assert (await client.post("/excursions/zones", data=form)).status_code == 303
    assert Whereabouts(core).zones()["DOCK-1"] == "ROOM-7"
    assert "ROOM-7" in (await client.get("/excursions/zones")).text
    assert (await client.post("/excursions/zones", data=form | {"zone": " "})).status_code == 422
    typo = form | {"places": "COLD-01 DOKC-1"}
    for language in ("en", "zh"):
        page = await client.post(f"/excursions/zones?lang={language}", data=typo)
        assert page.status_code == 422
        assert words(language)("excursions.unknown_places") in page.text
        assert '<span class="slot">DOKC-1</span>' in page.text
        assert ">COLD-01 DOKC-1</textarea>" in page.text, "what was typed stays"


async def test_a_loggers_export_is_shown_with_its_own_minutes(client: httpx.AsyncClient) -> None:
    files = {"export": ("tag.txt", EXPORT.encode(), "text/plain")}
    text = (await client.post("/excursions/logger", data={"csrf_token": CSRF}, files=files)).text
    assert "74 min on 1 of 2 days; the logger alarms after 600 min" in text
    assert "61 min" in text
    broken = {"export": ("tag.txt", EXPORT.replace("t Acc: 74", "t Acc: x").encode())}
    answer = await client.post("/excursions/logger", data={"csrf_token": CSRF}, files=broken)
    assert answer.status_code == 422
    assert "Line 27" in answer.text
    nothing = await client.post("/excursions/logger", data={"csrf_token": CSRF})
    assert nothing.status_code == 422
