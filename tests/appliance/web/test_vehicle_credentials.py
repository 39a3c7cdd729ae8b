"""The page of vehicles' credentials: enrol, revoke, what was refused; with and without our broker."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from agv_bridge.bridge.hearing import TurnedAway
from appliance.services.nats.refusals import parse_refusals
from appliance.vehicles.office import VehicleOffice
from appliance.vehicles.registry import VehicleRegistry
from appliance.web.app import create_app
from appliance.web.ports import Viewer
from appliance.web.vehicles import Access, vehicles_router
from appliance.web.vehicles.ports import Seen
from contracts.clock import FixedClock
from contracts.reason import Reason
from tests.support.pages import CSRF, NOW, FakeGate

FORM = {"csrf_token": CSRF, "kind": "vehicle", "name": "maker/agv-7", "note": "hall 7"}


@pytest.fixture
def registry(tmp_path) -> VehicleRegistry:
    return VehicleRegistry(tmp_path / "vehicles.json", clock=FixedClock(NOW))


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"ops"}), CSRF))


@pytest.fixture
def access(registry, tmp_path) -> Access:
    return Access(
        VehicleOffice(registry, tmp_path / "broker"),
        seen=lambda: [Seen("maker/agv-7", online=True, at=NOW)],
        turned_away=lambda: [
            TurnedAway(
                "maker/agv-7", Reason("agv_other_name", {"vehicle": "A", "named": "B"}), 4, NOW
            )
        ],
        authority_pem="-----BEGIN CERTIFICATE-----\n",
    )


def client_of(access: Access, gate: FakeGate) -> httpx.AsyncClient:
    app = create_app("Tallyman", clock=FixedClock(NOW))
    app.include_router(vehicles_router(access, gate))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://hub.test",
        headers={"accept": "text/html"},
    )


async def test_an_empty_page_says_what_to_do_in_both_languages(access, gate):
    async with client_of(access, gate) as client:
        assert "No vehicle is enrolled yet" in (await client.get("/fleet/vehicles?lang=en")).text
        assert "尚未登记任何车辆" in (await client.get("/fleet/vehicles?lang=zh")).text


async def test_a_password_is_in_the_answer_that_made_it_and_nowhere_else(access, gate, registry):
    async with client_of(access, gate) as client:
        made = await client.post("/fleet/vehicles?lang=en", data=FORM)
        password = made.text.split('class="id secret">')[1].split("<")[0]
        assert registry.knows("maker/agv-7", password)
        listed = (await client.get("/fleet/vehicles?lang=en")).text
        assert "maker/agv-7" in listed
        assert "hall 7" in listed
        assert "Connected" in listed
        assert password not in listed
        again = await client.post("/fleet/vehicles/password", data=FORM)
        assert 'class="id secret">' in again.text
        assert not registry.knows("maker/agv-7", password)
        assert registry.find("maker/agv-7").note == "hall 7"


async def test_a_name_that_cannot_be_keeps_what_was_typed(access, gate, registry):
    async with client_of(access, gate) as client:
        refused = await client.post("/fleet/vehicles", data=FORM | {"name": "agv 7"})
        chinese = await client.post("/fleet/vehicles?lang=zh", data=FORM | {"name": "agv 7"})
        assert "不能作为车辆名称" in chinese.text
    assert refused.status_code == 422
    assert 'value="agv 7"' in refused.text
    assert 'value="hall 7"' in refused.text
    assert registry.all() == ()


async def test_a_revocation_asks_for_a_reason_and_shows_it(access, gate, registry):
    registry.enrol_vehicle("maker/agv-7", by="ida")
    async with client_of(access, gate) as client:
        asked = {"csrf_token": CSRF, "name": "maker/agv-7"}
        assert (await client.post("/fleet/vehicles/revoke", data=asked)).status_code == 422
        done = await client.post("/fleet/vehicles/revoke", data=asked | {"why": "stolen"})
        assert (done.status_code, done.headers["location"]) == (303, "/fleet/vehicles")
        shown = (await client.get("/fleet/vehicles?show=revoked&lang=en")).text
        assert "Revoked by mara" in shown
        assert "stolen" in shown
        # It still speaks somewhere: a broker with older rules.
        assert "Heard, but not enrolled" in shown
    assert registry.members() == ()


async def test_what_was_refused_is_told_in_words(access, gate, tmp_path):
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "nats.log").write_text(
        "".join(
            f'[9] 2026/11/22 14:45:0{n}.7 [ERR] 10.0.0.9:60851 - mid:26 - "agv-7" - Publish Violation'
            ' - Subject "uagv.v2.maker.agv-8.state"\n'
            for n in range(3)
        )
    )
    async with client_of(access, gate) as client:
        shown = (await client.get("/fleet/vehicles?lang=en")).text
    assert "A sent a message that names B" in shown
    assert "uagv/v2/maker/agv-8/state" in shown
    assert "3 ×" in shown


async def test_a_site_with_a_broker_of_its_own_gets_its_rules_as_files(access, gate, registry):
    registry.enrol_vehicle("maker/agv-7", by="ida")
    own = replace(access, url="mqtts://broker.example:8883")
    async with client_of(own, gate) as client:
        assert "mqtts://broker.example:8883" in (await client.get("/fleet/vehicles")).text
        rules = await client.get("/fleet/vehicles/mosquitto.acl")
        assert "user maker/agv-7\n" in rules.text
        assert rules.headers["cache-control"] == "no-store"
        lines = await client.get("/fleet/vehicles/mosquitto.passwords")
        assert lines.text.startswith("maker/agv-7:$7$")
        assert (await client.get("/fleet/vehicles/site-ca.pem")).text.startswith("-----BEGIN")


async def test_only_ops_and_integrators_change_anything(access, registry):
    registry.enrol_vehicle("maker/agv-7", by="ida")
    gate = FakeGate(Viewer("joe", frozenset({"operator"}), CSRF))
    async with client_of(access, gate) as client:
        shown = (await client.get("/fleet/vehicles")).text
        assert '<form method="post" action="/fleet/vehicles' not in shown
        for address in ("", "/password", "/revoke", "/apply"):
            answer = await client.post(f"/fleet/vehicles{address}", data=FORM | {"why": "x"})
            assert answer.status_code == 403
        assert (await client.get("/fleet/vehicles/mosquitto.passwords")).status_code == 403
    assert len(registry.members()) == 1


async def test_a_forged_form_is_refused(access, gate, registry):
    async with client_of(access, gate) as client:
        answer = await client.post("/fleet/vehicles", data=FORM | {"csrf_token": "guess"})
    assert answer.status_code == 403
    assert registry.all() == ()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            (
                '[7] 2026/11/22 14:45:06.705867 [ERR] 127.0.0.1:60851 - mid:26 - "a" - Subscription '
                'Violation - Subject "*.sub.>", SID *.sub.>'
            ),
            ("subscribe", "a", "+/sub/#"),
        ),
        (
            (
                '[7] 2026/11/22 14:45:14.162185 [ERR] 127.0.0.1:41497 - mid:53 - "maker/B" - '
                'authentication error - User "maker/B"'
            ),
            ("sign_in", "maker/B", ""),
        ),
        (
            (
                '[7] 2026/11/22 14:45:06.705867 [ERR] 10.1.2.3:5 - mid:2 - "a" - Publish Violation - '
                'Subject "v1//1./.x"'
            ),
            ("publish", "a", "v1.1//x"),
        ),
    ],
)
def test_a_line_of_the_brokers_log_is_read(line: str, told: tuple[str, str, str]):
    (one,) = parse_refusals(f"[7] something else\n{line}\n")
    assert (one.what, one.who, one.topic) == told


@pytest.mark.parametrize(
    ("kind", "name", "more"),
    [
        ("vehicle", "A", {}),
        ("vehicle", "maker/A", {"interfaces": "a/b"}),
        ("vehicle", "Maker/Known", {}),
        ("station", "module", {}),
        ("station", "sensors/x", {}),
        ("station", "uagv/v2/maker", {}),
        ("station", "module/v1/known/inside", {}),
        ("station", "maker/known", {}),
        ("station", "module/v1/x", {"interfaces": "uagv"}),
    ],
)
async def test_every_refusal_has_its_words_in_both_languages(
    access, gate, registry, kind: str, name: str, more: dict[str, str]
):
    registry.enrol_vehicle("maker/known", by="ida")
    registry.enrol_station("module/v1/known", by="ida")
    async with client_of(access, gate) as client:
        for language, end in (("en", "."), ("zh", "。")):
            form = FORM | {"kind": kind, "name": name} | more
            answer = await client.post(f"/fleet/vehicles?lang={language}", data=form)
            assert answer.status_code == 422
            said = answer.text.split('role="alert"')[1].split("<strong>")[1].split("</strong>")[0]
            assert said.endswith(end), said
    assert len(registry.all()) == 2
