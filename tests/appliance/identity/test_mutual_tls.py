"""TLS that asks a device for its certificate, beside the signed requests, and needs no restart."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from appliance.hub.doors import DevicePort
from appliance.hub_config import HubConfig
from appliance.identity.certificates import fingerprint, load
from appliance.identity.device import DeviceIdentity, trusting
from appliance.identity.enrol import enrol
from appliance.identity.facts import ClaimPaper
from appliance.identity.introduce import introduce
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.identity.upkeep.renewal import Renewal, door_url
from appliance.serving import Serving
from appliance.uplink.client import HubClient
from contracts.clock import FixedClock
from contracts.errors import UnavailableError
from tests.support.ports import free_port


class Hub:
    """A device port that asks for certificates, and its door, on loopback."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        # TLS goes by the machine's clock: ours begins there.
        self.clock = FixedClock(datetime.now(UTC))
        self.ca = SiteCa.open_or_create(folder / "ca", clock=self.clock)
        self.registry = DeviceRegistry(folder / "devices.db", self.ca, self.clock)
        self.url = f"https://127.0.0.1:{ports[0]}"
        self.door_port = ports[1]
        settings = HubConfig(
            device_listen=f"127.0.0.1:{ports[0]}",
            door_listen=f"127.0.0.1:{ports[1]}",
            device_mtls=True,
        )
        self.serving = Serving()
        DevicePort(settings, self.registry, self.ca, self.clock).serve(self.serving)

    @property
    def door(self) -> str:
        return door_url(self.url, self.door_port)

    def enrol(self, box: DeviceIdentity) -> None:
        token = self.registry.new_claim(box.device)
        box.keep(self.registry.claim(box.device, token, box.csr_pem()))
        box.keep_door(self.door_port)


@asynccontextmanager
async def hub_of(folder: Path) -> AsyncIterator[Hub]:
    hub = Hub(folder, (free_port(), free_port()))
    running = asyncio.create_task(hub.serving.run())
    try:
        for url in (hub.url, hub.door):
            await listening(int(url.rsplit(":", 1)[1]))
        yield hub
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        hub.registry.close()


async def listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


def box_in(folder: Path, name: str = "dock-1") -> DeviceIdentity:
    return DeviceIdentity.open_or_create(folder / name, name, serial="BOX-0042")


async def test_who_has_no_certificate_gets_no_byte_of_http(tmp_path):
    async with hub_of(tmp_path) as hub:
        async with httpx.AsyncClient(verify=trusting(hub.ca.device_ca_pem)) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.get(f"{hub.url}/device/v1/ca")
        box = box_in(tmp_path)
        hub.enrol(box)
        async with HubClient(hub.url, box, hub.clock) as asks:
            assert (await asks.ask("GET", "/device/v1/site")).status == 200


async def test_a_certificate_of_another_site_is_none(tmp_path):
    other = SiteCa.open_or_create(tmp_path / "other")
    box = box_in(tmp_path)
    async with hub_of(tmp_path) as hub:
        foreign = trusting(hub.ca.device_ca_pem)
        pem = tmp_path / "foreign.crt"
        pem.write_text(other.issue_device("dock-1", box.public_key))
        foreign.load_cert_chain(pem, box.folder / "device.key")
        async with httpx.AsyncClient(verify=foreign) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.get(f"{hub.url}/device/v1/ca")


async def test_a_new_device_comes_by_the_door_and_the_door_serves_nothing_else(tmp_path):
    box = box_in(tmp_path)
    async with hub_of(tmp_path) as hub:
        token = hub.registry.new_claim("dock-1")
        with pytest.raises(UnavailableError):
            await enrol(box, hub.url, token=token, fingerprint=hub.ca.fingerprint)
        await enrol(box, hub.door, token=token, fingerprint=hub.ca.fingerprint)
        assert box.is_enrolled
        async with HubClient(hub.door, box, hub.clock) as asks:
            for method, path in (("GET", "/device/v1/site"), ("POST", "/device/v1/renew")):
                with pytest.raises(Exception, match="Not Found"):
                    await asks.ask(method, path)
        async with HubClient(hub.url, box, hub.clock) as asks:
            site = await asks.ask("GET", "/device/v1/site")
            assert f'"door_port":{hub.door_port}'.encode() in site.body


async def test_a_revoked_device_passes_tls_and_no_further(tmp_path):
    box = box_in(tmp_path)
    async with hub_of(tmp_path) as hub:
        hub.enrol(box)
        async with HubClient(hub.url, box, hub.clock) as asks:
            assert (await asks.ask("GET", "/device/v1/site")).status == 200
            hub.registry.revoke("dock-1", "stolen")
            with pytest.raises(Exception, match="was revoked"):
                await asks.ask("GET", "/device/v1/site")


async def test_a_box_with_another_boxes_certificate_is_judged_by_its_signature(tmp_path):
    """TLS says that a device of this site speaks; the signature says which."""
    async with hub_of(tmp_path) as hub:
        one, other = box_in(tmp_path), box_in(tmp_path, "dock-2")
        hub.enrol(one)
        hub.enrol(other)
        hub.registry.revoke("dock-2", "lost")
        async with HubClient(hub.url, one, hub.clock) as asks:
            asks.identity = other
            with pytest.raises(Exception, match="was revoked"):
                await asks.ask("GET", "/device/v1/site")


async def test_the_hubs_own_certificate_is_renewed_without_a_restart(tmp_path):
    box = box_in(tmp_path)
    async with hub_of(tmp_path) as hub:
        hub.enrol(box)
        before = await shown_by(hub.url, box)
        hub.clock.at += timedelta(days=300)
        hub.ca.device_port_files()
        assert await shown_by(hub.url, box) == before
        hub.serving.show_certificates()
        assert await shown_by(hub.url, box) != before


async def shown_by(url: str, box: DeviceIdentity) -> str:
    """The fingerprint of the certificate that the server shows to who does not ask its dates."""
    context = box.client_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = int(url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return fingerprint(load(ssl.DER_cert_to_PEM_cert(raw), what="the server's"))


async def test_a_box_whose_certificate_ran_out_is_let_in_by_the_door(tmp_path):
    box = box_in(tmp_path)
    async with hub_of(tmp_path) as hub:
        hub.clock.at -= timedelta(days=40)
        hub.enrol(box)
        hub.clock.at += timedelta(days=40)
        renewal = Renewal(box, hub.url, hub.clock)
        async with HubClient(hub.url, box, hub.clock) as asks:
            with pytest.raises(UnavailableError) as shut:
                await asks.ask("GET", "/device/v1/site")
            assert not await renewal.after(shut.value)
            assert box.key_id in renewal.waits
            hub.registry.approve("dock-1", box.key_id, by="jo")
            assert await renewal.after(shut.value)
            assert (await asks.ask("GET", "/device/v1/site")).status == 200


async def test_a_box_waits_by_the_door_until_a_person_said_yes(tmp_path):
    box, paper = box_in(tmp_path), tmp_path / "claim.json"
    async with hub_of(tmp_path) as hub:
        token = hub.registry.new_claim("dock-1", serial="BOX-0042", approve=True)
        text = msgspec.json.encode(ClaimPaper("dock-1", hub.ca.fingerprint, token, hub.door_port))
        await asyncio.to_thread(paper.write_bytes, text)
        joining = asyncio.create_task(
            introduce(box, hub_url=hub.url, claim_file=str(paper), setting="x", again_s=0.02)
        )
        for _ in range(1500):
            if hub.registry.waiting():
                break
            await asyncio.sleep(0.02)
        assert not joining.done()
        hub.registry.approve("dock-1", box.key_id, by="jo")
        async with asyncio.timeout(30):
            await joining
        assert box.is_enrolled
        assert box.door_port == hub.door_port
