"""What a box is told at its device port, and what it may say there."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from appliance.identity import certificates
from appliance.identity.device import DeviceIdentity
from appliance.identity.requests import sign_request
from appliance.journal.stamp import to_us
from appliance.ota import director_port
from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, Engine
from appliance.ota.wake import WakeUps, topic
from appliance.quick import Quick
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.ota import BoxReport
from ota.director.dsse import Director, verify
from ota.rollout.boxes import Box
from ota.rollout.evidence import MemoryEvidence
from ota.rollout.memory import MemoryRollouts
from ota.rollout.plan import Plan, Wave
from ota.rollout.ports import Issued
from tests.support.device_site import Site

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64
ASSIGNMENT, REPORT = "/device/v1/ota/assignment", "/device/v1/ota/report"


class Door:
    """The device port with a desk of rollouts behind it, and one box."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.box: DeviceIdentity = site.enrolled("edge-01")
        key, self.pem = site.ca.service_signer("director")
        self.engine = Engine(
            MemoryRollouts(),
            Director(key),
            MemoryEvidence(),
            Around(admitted=lambda: {"edge-01"}, assignable=lambda _d, _l: None),
            clock=site.clock,
        )
        self.desk = Rollouts(self.engine)
        site.app.include_router(
            director_port.router(
                self.engine, director_pem=self.pem, registry=site.registry, clock=site.clock
            )
        )

    async def reports(self, device: str = "edge-01", **facts: object) -> int:
        said = BoxReport(device, 1, "1", running={"read": OLD}, **facts)
        body = msgspec.json.encode(said)
        return (await self.site.ask(self.box, "POST", REPORT, body)).status_code

    def roll(self) -> str:
        plan = Plan("read", NEW, waves=(Wave(100, certify=False),), shadow=False)
        name = self.desk.draft(plan, by="a").rollout
        self.desk.approve(name, by="b")
        self.desk.tick()
        return name


@pytest.fixture(params=["among the routes", "before all routes"])
def door(site: Site, request: pytest.FixtureRequest) -> Door:
    """As it is served: polls are answered before the routes are looked through."""
    door = Door(site)
    if request.param == "before all routes":
        known = {"registry": site.registry, "clock": site.clock}
        polled = director_port.assignment_answer(door.engine, **known)
        site.app = Quick(site.app, {director_port.ASSIGNMENT: polled})
    return door


async def test_a_box_without_a_task_hears_so_and_asks_again_for_few_bytes(door: Door) -> None:
    first = await door.site.ask(door.box, "GET", ASSIGNMENT)
    assert (first.status_code, first.content) == (204, b"")
    tagged = await asked_with(door, first.headers["etag"])
    assert tagged[0] == 304


async def test_a_box_gets_its_assignment_and_then_nothing_new(door: Door) -> None:
    assert await door.reports() == 204
    door.roll()
    answer = await door.site.ask(door.box, "GET", ASSIGNMENT)
    assert answer.status_code == 200
    key = certificates.certified_key(
        door.pem, door.site.ca.device_ca_pem, uri=certificates.service_uri("director")
    )
    assert key is not None
    assignment = verify(answer.content, [key]).assignment
    assert (assignment.device, assignment.stage) == ("edge-01", {"read": NEW})
    status, sent, received = await asked_with(door, answer.headers["etag"])
    assert status == 304
    assert sent + received < 1000, "a poll for nothing new"


async def test_the_director_is_certified_by_the_sites_authority(door: Door) -> None:
    answer = await door.site.ask(door.box, "GET", "/device/v1/ota/director")
    assert answer.text == door.pem


async def test_a_box_speaks_for_itself_only(door: Door) -> None:
    assert await door.reports("edge-02") == 403
    assert "edge-02" not in door.engine.fleet.all


async def test_what_is_no_report_changes_nothing(door: Door) -> None:
    for body in (b"", b"[]", b'{"device": 1}', msgspec.json.encode({"device": "edge-01"})):
        assert (await door.site.ask(door.box, "POST", REPORT, body)).status_code == 422
    said = BoxReport("edge-01", 1, "1", running={"launch": OLD})
    answer = await door.site.ask(door.box, "POST", REPORT, msgspec.json.encode(said))
    assert answer.status_code == 422
    assert "launch" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ASSIGNMENT), ("POST", REPORT), ("GET", "/device/v1/ota/director")]
)
async def test_a_lost_box_is_out_by_its_next_request(door: Door, method: str, path: str) -> None:
    door.site.registry.revoke("edge-01", "stolen")
    assert (await door.site.ask(door.box, method, path)).status_code == 403


async def test_an_unknown_box_is_told_nothing(door: Door) -> None:
    stranger = door.site.box("edge-99")
    assert (await door.site.ask(stranger, "GET", ASSIGNMENT)).status_code == 401


async def test_boxes_are_woken_by_a_number_that_stays_at_the_broker(door: Door) -> None:
    broker = MemoryBroker()
    async with MemoryBus(broker) as bus:
        wakes = WakeUps(bus)
        running = asyncio.create_task(wakes.run())
        await asyncio.sleep(0)
        wakes.tell([Issued("edge-01", 1, 4, "", b"", 0), Issued("edge-02", 1, 9, "", b"", 0)])
        wakes.tell([Issued("edge-01", 1, 5, "", b"", 0)])
        async with bus.subscribe(topic("+")) as messages:
            heard: dict[str, bytes] = {}
            async for message in messages:
                heard[message.topic] = message.payload
                if heard == {topic("edge-01"): b"5", topic("edge-02"): b"9"}:
                    break
        running.cancel()
    async with MemoryBus(broker, client_id="later") as late, late.subscribe(topic("edge-01")) as m:
        assert (await anext(aiter(m))).payload == b"5", "retained for a box that was away"


async def test_without_a_broker_boxes_poll(door: Door) -> None:
    nobody = WakeUps(None)
    await nobody.run()
    nobody.tell([Issued("edge-01", 1, 4, "", b"", 0)])
    away = WakeUps(MemoryBus(MemoryBroker()))
    running = asyncio.create_task(away.run())
    await asyncio.sleep(0)
    away.tell([Issued("edge-01", 1, 4, "", b"", 0)])
    for _ in range(10):
        await asyncio.sleep(0)
    assert away.lost == 1
    running.cancel()


def test_where_a_box_stands_is_said_of_known_boxes_only(door: Door) -> None:
    door.desk.place(Box("edge-01", "dock-1", "here"), by="ops")
    assert door.desk.box("edge-01").heard.box.cell == "dock-1"


async def asked_with(door: Door, etag: str) -> tuple[int, int, int]:
    """(status, bytes sent, bytes received) of a poll as HTTP/1.1 writes it."""
    signed = sign_request(
        door.box.sign,
        device=door.box.device,
        method="GET",
        target=ASSIGNMENT,
        body=b"",
        at_us=to_us(door.site.clock.now()),
    )
    transport = httpx.ASGITransport(app=door.site.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        answer = await http.get(ASSIGNMENT, headers={**signed, "if-none-match": etag})
    lines = [
        f"GET {ASSIGNMENT} HTTP/1.1",
        *(f"{k}: {v}" for k, v in answer.request.headers.items()),
    ]
    back = ["HTTP/1.1 304 Not Modified", *(f"{k}: {v}" for k, v in answer.headers.items())]
    # uvicorn adds date and server.
    back += ["date: Sun, 22 Nov 2026 12:00:00 GMT", "server: uvicorn"]
    return (
        answer.status_code,
        len("\r\n".join(lines)) + 4,
        len("\r\n".join(back)) + 4 + len(answer.content),
    )
