"""A box that was away for longer than its certificate comes back by key, machine and a person's word."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from appliance.identity.certificates import HEAD_URI, certified_key, load
from appliance.identity.device import DeviceIdentity
from appliance.identity.facts import Machine
from appliance.identity.upkeep.renewal import RECOVER_PATH, RENEW_PATH, Renewal
from appliance.uplink.client import HubClient, HubRefusedError
from contracts.errors import UnavailableError
from tests.appliance.uplink.hub import MemoryCore, build, serving

AWAY = timedelta(days=31)


def machine(box: DeviceIdentity) -> bytes:
    return msgspec.json.encode(Machine(box.serial))


async def test_a_certificate_that_ran_out_opens_nothing_but_the_way_back(site):
    box = site.enrolled()
    assert (await site.ask(box, "GET", "/device/v1/site")).status_code == 200
    site.clock.at += AWAY
    for method, path in (("GET", "/device/v1/site"), ("POST", RENEW_PATH)):
        answer = await site.ask(box, method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "certificate_expired")
    asked = await site.ask(box, "POST", RECOVER_PATH, machine(box))
    assert (asked.status_code, asked.json()["code"]) == (403, "awaiting_approval")
    assert asked.json()["key_id"] == box.key_id
    site.registry.approve("dock-1", box.key_id, by="jo")
    assert (await site.ask(box, "POST", RECOVER_PATH, machine(box))).status_code == 200
    assert (await site.ask(box, "GET", "/device/v1/site")).status_code == 200


async def test_one_yes_is_for_one_return(site):
    box = site.enrolled()
    for _ in range(2):
        site.clock.at += AWAY
        waits = await site.ask(box, "POST", RECOVER_PATH, machine(box))
        assert waits.json()["code"] == "awaiting_approval"
        site.registry.approve("dock-1", box.key_id, by="jo")
        back = await site.ask(box, "POST", RECOVER_PATH, machine(box))
        assert back.status_code == 200


async def test_another_key_does_not_even_wait(site):
    site.enrolled()
    thief = site.box(place="thief")
    site.clock.at += AWAY
    answer = await site.ask(thief, "POST", RECOVER_PATH, machine(thief))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert site.registry.waiting() == []


async def test_a_revoked_box_does_not_come_back(site):
    box = site.enrolled()
    site.clock.at += AWAY
    await site.ask(box, "POST", RECOVER_PATH, machine(box))
    site.registry.approve("dock-1", box.key_id, by="jo")
    site.registry.revoke("dock-1", "stolen")
    answer = await site.ask(box, "POST", RECOVER_PATH, machine(box))
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")


async def test_an_older_box_tells_its_machine_when_it_renews(site):
    box = site.enrolled(serial="x")
    with site.registry._file.change() as db:
        db.execute("DELETE FROM machines")
    assert (await site.ask(box, "POST", RENEW_PATH)).status_code == 200
    assert site.registry.device("dock-1").serial == ""
    assert (await site.ask(box, "POST", RENEW_PATH, machine(box))).status_code == 200
    assert site.registry.device("dock-1").serial == "x"
    refused = await site.ask(box, "POST", RENEW_PATH, b'{"serial": 7}')
    assert refused.status_code == 422


@pytest.fixture
def hub(tmp_path, clock):
    hub = build(tmp_path / "hub", MemoryCore(), clock=clock)
    yield hub
    hub.registry.close()


async def test_the_whole_way_over_tls(hub, tmp_path, clock):
    """What edge, gateway and agent run: renewed in the last third, and let in again after that."""
    box = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1", serial="BOX-0042")
    hub.enrol(box)
    kept: list[str] = []

    async def keep(pem: str) -> None:
        kept.append(pem)

    with serving(hub) as url:
        renewal = Renewal(box, url, clock, on_renewed=keep)
        async with HubClient(url, box, clock) as asks:
            assert not await renewal.keep(asks)
            clock.at += timedelta(days=21)
            assert await renewal.keep(asks)
            assert box.expires_at == load(kept[0], what="it").not_valid_after_utc
            clock.at += AWAY
            with pytest.raises(HubRefusedError) as shut:
                await asks.ask("GET", "/device/v1/site")
            assert not await renewal.after(shut.value)
            assert box.key_id in renewal.waits
            hub.registry.approve("dock-1", box.key_id, by="jo")
            assert await renewal.after(shut.value)
            assert renewal.waits == ""
            assert (await asks.ask("GET", "/device/v1/site")).status == 200
    assert len(kept) == 2


async def test_a_box_that_lost_the_time_is_told_it(hub, tmp_path, clock):
    box = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1", serial="BOX-0042")
    hub.enrol(box)
    own = type(clock)(clock.at - timedelta(days=5000))
    with serving(hub) as url:
        clock.at += AWAY
        renewal = Renewal(box, url, own)
        async with HubClient(url, box, own) as asks:
            with pytest.raises(HubRefusedError) as shut:
                await asks.ask("GET", "/device/v1/site")
            assert shut.value.problem == "certificate_expired"
            assert not await renewal.after(shut.value)
            assert box.key_id in renewal.waits


async def test_a_hub_that_is_away_is_no_reason_to_ask(tmp_path, hub, clock, free_port):
    box = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1")
    hub.enrol(box)
    renewal = Renewal(box, f"https://127.0.0.1:{free_port}", clock)
    away = UnavailableError("the hub is away")
    assert not await renewal.after(away)
    clock.at += AWAY
    assert not await renewal.after(away)
    assert renewal.waits == ""


async def test_the_second_process_of_a_box_takes_over_what_the_first_renewed(hub, tmp_path, clock):
    edge = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1")
    hub.enrol(edge)
    agent = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1")
    with serving(hub) as url:
        clock.at += timedelta(days=21)
        async with HubClient(url, edge, clock) as asks:
            assert await Renewal(edge, url, clock).keep(asks)
            assert not await Renewal(agent, url, clock).keep(asks), "it is renewed already"
    assert agent.certificate_pem == edge.certificate_pem
    renewals = [deed for deed in hub.registry.story("dock-1") if deed.what == "renewed"]
    assert len(renewals) == 1


async def test_a_new_head_key_reaches_every_box_and_its_certificate_holds(tmp_path, clock):
    """Rotation at the hub: remove the file, start again."""
    before = build(tmp_path / "hub", MemoryCore(), clock=clock)
    box = DeviceIdentity.open_or_create(tmp_path / "box", "dock-1")
    before.enrol(box)
    old = box.head_certificate_pem
    before.registry.close()
    (tmp_path / "hub" / "ca" / "head.key").unlink()
    after = build(tmp_path / "hub", MemoryCore(), clock=clock)
    assert after.ca.head_certificate_pem != old
    with serving(after) as url:
        renewal = Renewal(box, url, clock)
        async with HubClient(url, box, clock) as asks:
            told = after.ca.head_certificate_pem
            assert await renewal.keep(asks, head_certificate_pem=told)
            assert not await renewal.keep(asks, head_certificate_pem=told)
    assert box.head_certificate_pem == told
    key = certified_key(told, box.ca_pem, uri=HEAD_URI)
    assert key == after.ca.head_signer.public_key()
    after.registry.close()
