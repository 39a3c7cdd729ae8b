"""The hub's side of the bundle: signed for every device of the site, and sent where it changed."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from appliance import problems
from appliance.gateway.bundle import SENSORS_PATH, SensorBundle, read_bundle
from appliance.gateway.port import router
from appliance.identity.device import DeviceIdentity
from appliance.identity.registry import DeviceRegistry
from appliance.identity.requests import sign_request
from appliance.identity.site_ca import SiteCa
from appliance.journal.stamp import to_us
from contracts.clock import SystemClock

CLOCK = SystemClock()


class Hub:
    def __init__(self, folder) -> None:
        self.ca = SiteCa.open_or_create(folder / "ca")
        self.registry = DeviceRegistry(folder / "devices.db", self.ca, CLOCK)
        self.bundle = SensorBundle(book='{"device":[]}')
        app = FastAPI()
        problems.install(app)
        app.include_router(
            router(
                lambda: self.bundle, key=self.ca.head_signer, registry=self.registry, clock=CLOCK
            )
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="https://hub.test"
        )

    def enrols(self, folder, name: str) -> DeviceIdentity:
        identity = DeviceIdentity.open_or_create(folder / name, name)
        token = self.registry.new_claim(name)
        identity.keep(self.registry.claim(name, token, identity.csr_pem()))
        return identity

    async def tells(self, device: DeviceIdentity, etag: str = "") -> httpx.Response:
        signed = sign_request(
            device.sign,
            device=device.device,
            method="GET",
            target=SENSORS_PATH,
            body=b"",
            at_us=to_us(CLOCK.now()),
        )
        return await self.http.get(SENSORS_PATH, headers={**signed, "if-none-match": etag})


@pytest.fixture
async def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    await hub.http.aclose()
    hub.registry.close()


async def test_a_gateway_is_told_who_was_revoked_and_asks_for_nothing_twice(hub, tmp_path):
    gateway = hub.enrols(tmp_path, "gateway-01")
    hub.enrols(tmp_path, "probe-7")
    first = await hub.tells(gateway)
    assert (await hub.tells(gateway, first.headers["etag"])).status_code == 304
    hub.registry.revoke("probe-7", "sold")
    answer = await hub.tells(gateway, first.headers["etag"])
    told = read_bundle(
        answer.content,
        head_certificate_pem=gateway.head_certificate_pem or "",
        ca_pem=gateway.ca_pem or "",
    )
    assert told.revoked == ("probe-7",)
    assert told.book == hub.bundle.book


async def test_nobody_else_is_told_anything(hub, tmp_path):
    assert (await hub.http.get(SENSORS_PATH)).status_code in {401, 403}
    stranger = DeviceIdentity.open_or_create(tmp_path / "stranger", "stranger")
    assert (await hub.tells(stranger)).status_code in {401, 403}
    sold = hub.enrols(tmp_path, "gateway-02")
    hub.registry.revoke("gateway-02", "sold")
    assert (await hub.tells(sold)).status_code in {401, 403}
