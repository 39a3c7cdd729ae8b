"""What the hub takes from a device, and what it does not (I2, I4)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import AsyncIterator, Sequence

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.identity.device import DeviceIdentity
from appliance.identity.keys import ENTRY
from appliance.identity.requests import sign_request
from appliance.journal.codec import hash_of
from appliance.journal.journal import Journal
from appliance.journal.stamp import to_us
from appliance.uplink import wire
from contracts.clock import SystemClock
from contracts.events import JournalEntry
from tests.appliance.journal.bodies import camera, carton, started
from tests.appliance.uplink.hub import Hub, MemoryCore, build


class Dock:
    """A device that talks to the hub request by request."""

    def __init__(self, http: httpx.AsyncClient, identity: DeviceIdentity) -> None:
        self.http = http
        self.identity = identity

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, late_us: int = 0, **headers: str
    ) -> httpx.Response:
        signed = sign_request(
            self.identity.sign,
            device=self.identity.device,
            method=method,
            target=path,
            body=body,
            at_us=to_us(SystemClock().now()) - late_us,
        )
        return await self.http.request(method, path, content=body, headers={**signed, **headers})

    async def send(self, entries: Sequence[JournalEntry], *absent: str) -> httpx.Response:
        body = msgspec.json.encode(wire.Batch(tuple(entries), absent))
        return await self.ask("POST", wire.ENTRIES_PATH, body)


@pytest.fixture
async def dock(hub: Hub, identity: DeviceIdentity) -> AsyncIterator[Dock]:
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        yield Dock(http, identity)


@pytest.fixture
async def log(journal: Journal) -> list[JournalEntry]:
    await journal.append(started())
    for number in range(5):
        await journal.append(camera(number))
    return journal.entries()


def forged(identity: DeviceIdentity, entry: JournalEntry, **changes: object) -> JournalEntry:
    """An entry that the key's holder wrote otherwise, with everything right about it."""
    changed = dataclasses.replace(entry, **changes)
    changed = dataclasses.replace(changed, hash=hash_of(changed))
    signature = identity.sign(ENTRY + bytes.fromhex(changed.hash)).hex()
    return dataclasses.replace(changed, signature=signature)


def head_of(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=wire.Ack).head.seq


async def test_entries_are_applied_once_and_acknowledged_with_a_countersigned_head(dock, log, hub):
    assert head_of(await dock.send([])) == 0
    assert head_of(await dock.send(log[:3])) == 3
    assert head_of(await dock.send(log[:3])) == 3
    assert head_of(await dock.send(log)) == 6
    assert hub.core.device_head("dock-1") == (6, log[5].hash)
    assert [(head.device, head.seq) for head in hub.registry.heads()] == [("dock-1", 6)]


async def test_a_gap_is_told_with_the_entry_that_is_expected(dock, log):
    await dock.send(log[:2])
    answer = await dock.send(log[4:])
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert {k: answer.json()[k] for k in ("code", "expected")} == {"code": "gap", "expected": 3}
    assert head_of(await dock.send(log[2:])) == 6


async def test_a_device_that_rewrites_its_log_is_quarantined_and_what_it_sent_is_kept(
    dock, log, hub, identity
):
    await dock.send(log)
    fork = forged(identity, log[5], body=log[5].body.replace("notice", "n0tice"))
    answer = await dock.send([fork])
    assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    device = hub.registry.device("dock-1")
    assert device.state == "quarantined"
    kept = msgspec.json.decode(hub.evidence.get(device.kept_sha256), type=wire.Batch)
    assert kept.entries == (fork,)
    assert (await dock.send(log)).status_code == 403
    assert (await dock.ask("GET", wire.EXPECTATIONS_PATH)).status_code == 200
    hub.registry.readmit("dock-1", "the disk was swapped")
    assert head_of(await dock.send(log)) == 6


async def test_an_old_entry_rewritten_is_found_too(dock, log, hub, identity):
    await dock.send(log)
    assert (await dock.send([forged(identity, log[1], kind="device_started")])).status_code in (
        403,
        422,
    )
    fork = forged(identity, log[1], body=log[1].body.replace("notice", "n0tice"))
    assert (await dock.send([fork])).json()["code"] == "quarantined"


@pytest.mark.parametrize(
    "changes",
    [{"device": "dock-2"}, {"seq": 0}, {"seq": -1}, {"previous": "f" * 64}, {"hash": "0" * 64}],
)
async def test_an_entry_that_does_not_hold_is_not_applied(dock, log, hub, changes):
    answer = await dock.send([dataclasses.replace(log[0], **changes)])
    assert answer.json()["code"] == "quarantined"
    assert hub.core.device_head("dock-1")[0] == 0


async def test_pictures_come_before_the_entries_that_name_them(dock, journal, hub):
    picture = b"a carton"
    sha256 = hashlib.sha256(picture).hexdigest()
    entry = await journal.append(carton("c-1", sha256))
    answer = await dock.send([entry])
    assert (answer.status_code, answer.json()["missing"]) == (409, [sha256])
    path = f"{wire.EVIDENCE_PATH}/{sha256}"
    assert (await dock.ask("PUT", path, b"another")).status_code == 422
    assert not hub.evidence.has(sha256)
    assert (await dock.ask("PUT", path, picture)).status_code == 204
    assert (await dock.ask("PUT", path, picture)).status_code == 204
    assert head_of(await dock.send([entry])) == 1
    assert hub.evidence.get(sha256) == picture


async def test_a_lost_picture_does_not_hold_up_the_record(dock, journal):
    entry = await journal.append(carton("c-1", "b" * 64))
    assert head_of(await dock.send([entry], "b" * 64)) == 1


async def test_an_entry_of_a_newer_software_waits_and_what_came_before_counts(
    dock, log, hub, identity
):
    unknown = forged(identity, log[2], kind="carton_weighed")
    assert head_of(await dock.send([*log[:2], unknown])) == 2
    answer = await dock.send([unknown])
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_kind")
    assert hub.registry.device("dock-1").state == "active"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"entries":[{"seq":"1"}]}'])
async def test_what_is_no_batch_is_refused(dock, body):
    assert (await dock.ask("POST", wire.ENTRIES_PATH, body)).status_code == 422


async def test_expectations_come_with_a_tag_and_once(dock):
    first = await dock.ask("GET", wire.EXPECTATIONS_PATH)
    tag = first.headers["etag"]
    again = await dock.ask("GET", wire.EXPECTATIONS_PATH, **{"if-none-match": tag})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_a_request_counts_only_signed_as_it_was_sent_and_once(dock, hub, tmp_path):
    path = wire.EXPECTATIONS_PATH
    assert (await dock.http.get(path)).json()["code"] == "not_enrolled"
    signed = {
        "device": "dock-1",
        "method": "GET",
        "target": path,
        "body": b"",
        "at_us": to_us(SystemClock().now()),
    }
    headers = sign_request(dock.identity.sign, **signed)
    assert (await dock.http.get(path, headers=headers)).status_code == 200
    assert (await dock.http.get(path, headers=headers)).json()["code"] == "bad_signature"
    for change in ({"method": "PUT"}, {"target": "/x"}, {"body": b"x"}, {"device": "dock-2"}):
        other = sign_request(dock.identity.sign, **{**signed, **change})
        other["tallyman-device"] = "dock-1"
        assert (await dock.http.get(path, headers=other)).json()["code"] == "bad_signature"
    other = sign_request(dock.identity.sign, **signed)
    answer = await dock.http.request("GET", path, headers=other, content=b"not what was signed")
    assert answer.json()["code"] == "bad_signature"
    stranger = DeviceIdentity.open_or_create(tmp_path / "stranger", "dock-1")
    answer = await Dock(dock.http, stranger).ask("GET", path)
    assert answer.json()["code"] == "bad_signature"
    late = await dock.ask("GET", path, late_us=200_000_000)
    assert late.json()["code"] == "clock_skew"
    assert abs(late.json()["now_us"] - to_us(SystemClock().now())) < 60_000_000
    hub.registry.revoke("dock-1", "stolen")
    assert (await dock.ask("GET", path)).json()["code"] == "revoked"


@pytest.mark.parametrize("core", ["memory"], indirect=True)
async def test_a_stranger_cannot_make_the_hub_read_a_large_body(dock, hub, tmp_path):
    """The signature is judged before the first byte of the body is asked for."""
    asked: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            asked.append(b"x" * 1024)
            yield asked[-1]

    path = f"{wire.EVIDENCE_PATH}/{'a' * 64}"
    stranger = DeviceIdentity.open_or_create(tmp_path / "stranger", "dock-1")
    for identity, status in ((stranger, 401), (dock.identity, 422)):
        headers = sign_request(
            identity.sign,
            device="dock-1",
            method="PUT",
            target=path,
            body=b"another",
            at_us=to_us(SystemClock().now()),
        )
        headers["content-length"] = str(wire.MOST_EVIDENCE_BYTES + 1)
        answer = await dock.http.put(path, content=endless(), headers=headers)
        assert (answer.status_code, asked) == (status, [])


@pytest.mark.parametrize("core", ["memory"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), max_size=12))
async def test_in_whatever_order_batches_come_each_entry_counts_once_in_order(
    tmp_path_factory, log, identity, batches
):
    """Repeated, overlapping, early and late batches: the core sees 1, 2, 3 ... once each."""
    core, seen = MemoryCore(), []

    async def note(entry, body, applied):
        seen.append(entry.seq)

    hub = build(tmp_path_factory.mktemp("hub"), core, on_applied=note)
    hub.enrol(identity)
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        dock, head = Dock(http, identity), 0
        for start, count in batches:
            batch = log[start : start + count]
            answer = await dock.send(batch)
            if batch and start > head:
                assert answer.json()["expected"] == head + 1
            else:
                head = max(head, start + len(batch))
                assert head_of(answer) == head
        assert head_of(await dock.send(log)) == 6
    hub.registry.close()
    assert seen == [1, 2, 3, 4, 5, 6]
    assert core.entries["dock-1"] == log


async def test_a_view_that_fails_does_not_undo_what_was_applied(tmp_path, log, identity):
    async def fail(entry, body, applied):
        raise RuntimeError("the view is away")

    hub = build(tmp_path / "other", MemoryCore(), on_applied=fail)
    hub.enrol(identity)
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        assert head_of(await Dock(http, identity).send(log)) == 6
    hub.registry.close()
