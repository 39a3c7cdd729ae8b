"""A new device and its hub, over real TLS: claim token, pinned authority, renewal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from appliance.identity.certificates import load
from appliance.identity.device import DeviceIdentity
from appliance.identity.enrol import enrol
from appliance.identity.registry import ClaimRefusedError, DeviceRegistry
from appliance.identity.site_ca import SiteCa
from contracts.clock import FixedClock
from contracts.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from tests.appliance.uplink.hub import Hub, MemoryCore, build, serving

GUESS = "guess"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = build(tmp_path / "hub", MemoryCore())
    yield hub
    hub.registry.close()


@pytest.fixture
def url(hub: Hub) -> Iterator[str]:
    with serving(hub) as url:
        yield url


@pytest.fixture
def identity(tmp_path: Path) -> DeviceIdentity:
    return DeviceIdentity.open_or_create(tmp_path / "device", "dock-1")


async def test_a_device_is_enrolled_with_token_and_fingerprint(hub, url, identity, tmp_path):
    token = hub.registry.new_claim("dock-1")
    await enrol(identity, url, token=token, fingerprint=hub.ca.fingerprint)
    again = DeviceIdentity.open_or_create(tmp_path / "device", "dock-1")
    assert again.is_enrolled
    assert again.ca_pem == hub.ca.device_ca_pem
    known = hub.registry.device("dock-1")
    assert known is not None
    assert known.public_key == identity.public_key


async def test_a_token_is_for_one_key_and_the_same_key_may_ask_again(hub, url, identity, tmp_path):
    token = hub.registry.new_claim("dock-1")
    pin = hub.ca.fingerprint
    await enrol(identity, url, token=token, fingerprint=pin)
    await enrol(identity, url, token=token, fingerprint=pin)
    thief = DeviceIdentity.open_or_create(tmp_path / "thief", "dock-1")
    with pytest.raises(ForbiddenError, match="not good for dock-1"):
        await enrol(thief, url, token=token, fingerprint=pin)
    assert not thief.is_enrolled


async def test_a_token_never_goes_to_another_hub(hub, identity, tmp_path):
    other = build(tmp_path / "other", MemoryCore())
    token = hub.registry.new_claim("dock-1")
    with serving(other) as url, pytest.raises(ForbiddenError, match="not the one pinned"):
        await enrol(identity, url, token=token, fingerprint=hub.ca.fingerprint)
    other.registry.close()
    assert not identity.is_enrolled


async def test_a_server_that_shows_the_pinned_authority_without_its_key_gets_no_token(
    hub, identity, tmp_path
):
    """It can copy the public certificate, but its own TLS certificate is not signed by it."""
    fake = build(tmp_path / "fake", MemoryCore())
    fake.app.router.routes.clear()
    asked = []

    @fake.app.get("/device/v1/ca")
    async def ca():
        from starlette.responses import Response

        return Response(hub.ca.device_ca_pem)

    @fake.app.post("/device/v1/claim")
    async def claim():
        asked.append("claim")

    with serving(fake) as url, pytest.raises(UnavailableError):
        await enrol(identity, url, token=GUESS, fingerprint=hub.ca.fingerprint)
    fake.registry.close()
    assert asked == []


async def test_a_hub_that_is_away_is_tried_again_later(hub, identity, free_port):
    with pytest.raises(UnavailableError, match="does not answer"):
        await enrol(
            identity, f"https://127.0.0.1:{free_port}", token=GUESS, fingerprint=hub.ca.fingerprint
        )


async def test_guessing_tokens_is_stopped(hub, url, identity):
    hub.registry.new_claim("dock-1")
    for _ in range(10):
        with pytest.raises(ForbiddenError, match="not good"):
            await enrol(identity, url, token=GUESS, fingerprint=hub.ca.fingerprint)
    token = hub.registry.new_claim("dock-1")
    with pytest.raises(ForbiddenError, match="Too many"):
        await enrol(identity, url, token=token, fingerprint=hub.ca.fingerprint)


async def test_a_claim_that_is_none_is_refused(hub, url):
    context = httpx.create_ssl_context(verify=False)
    async with httpx.AsyncClient(base_url=url, verify=context) as http:
        for body in (b"", b"{}", b"x" * 100_000):
            assert (await http.post("/device/v1/claim", content=body)).status_code == 422


@pytest.fixture
def registry(tmp_path: Path, clock: FixedClock) -> Iterator[DeviceRegistry]:
    ca = SiteCa.open_or_create(tmp_path / "ca", clock=clock)
    registry = DeviceRegistry(tmp_path / "devices.db", ca, clock)
    yield registry
    registry.close()


def test_a_claim_expires_and_is_bound_to_its_device(registry, identity, clock):
    token = registry.new_claim("dock-2")
    with pytest.raises(ClaimRefusedError):
        registry.claim("dock-1", token, identity.csr_pem())
    with pytest.raises(BadInputError, match="not dock-2's own"):
        registry.claim("dock-2", token, identity.csr_pem())
    token = registry.new_claim("dock-1", hours=1)
    clock.at += timedelta(hours=1)
    with pytest.raises(ClaimRefusedError):
        registry.claim("dock-1", token, identity.csr_pem())


def test_tokens_are_not_in_the_file(registry, tmp_path):
    token = registry.new_claim("dock-1")
    registry.close()
    assert token.encode() not in (tmp_path / "devices.db").read_bytes()


def test_a_device_id_belongs_to_its_first_key(registry, identity, tmp_path):
    registry.claim("dock-1", registry.new_claim("dock-1"), identity.csr_pem())
    other = DeviceIdentity.open_or_create(tmp_path / "other", "dock-1")
    with pytest.raises(ConflictError, match="another key"):
        registry.claim("dock-1", registry.new_claim("dock-1"), other.csr_pem())


def test_a_revoked_device_stays_out(registry, identity):
    token = registry.new_claim("dock-1")
    registry.claim("dock-1", token, identity.csr_pem())
    registry.revoke("dock-1", "sold")
    for attempt in (
        lambda: registry.renew("dock-1"),
        lambda: registry.readmit("dock-1", "please"),
        lambda: registry.claim("dock-1", registry.new_claim("dock-1"), identity.csr_pem()),
    ):
        with pytest.raises(ForbiddenError, match="revoked"):
            attempt()
    assert [device.note for device in registry.devices()] == ["sold"]


def test_a_certificate_is_renewed_in_its_last_third(registry, identity, clock):
    trust = registry.claim("dock-1", registry.new_claim("dock-1"), identity.csr_pem())
    assert not identity.renewal_is_due(clock.now())
    identity.keep(trust)
    assert not identity.renewal_is_due(clock.now())
    clock.at += timedelta(days=25)
    assert identity.renewal_is_due(clock.now())
    renewed = registry.renew("dock-1")
    before = load(trust.certificate_pem, what="old")
    after = load(renewed.certificate_pem, what="new")
    assert after.not_valid_after_utc - before.not_valid_after_utc == timedelta(days=25)
    with pytest.raises(NotFoundError):
        registry.renew("dock-9")


@pytest.mark.parametrize("csr", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n"])
def test_a_signing_request_that_is_none_is_refused(registry, csr):
    with pytest.raises(BadInputError):
        registry.claim("dock-1", registry.new_claim("dock-1"), csr)
