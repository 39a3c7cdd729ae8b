"""A hub runs for years: its pages' certificate is renewed under the eyes of whoever looks."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from fastapi import FastAPI

from appliance import pages_url
from appliance.config import Config, SiteConfig
from appliance.hub import pages
from appliance.hub_config import HubConfig
from appliance.identity.web_ca import WebCa
from appliance.serving import Serving
from contracts.clock import FixedClock
from contracts.errors import BadInputError


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_LOOK_EVERY_S", 0.05)


def shown(port: int) -> int:
    """The serial number of the certificate that a new connection sees."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain) as line,
    ):
        return x509.load_der_x509_certificate(line.getpeercert(binary_form=True)).serial_number


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 -- only a new connection tells
            await asyncio.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        return bool(shown(port))
    except OSError:
        return False


@asynccontextmanager
async def served(config: Config, clock: FixedClock, port: int) -> AsyncIterator[Serving]:
    serving = Serving()
    pages.serve_pages(FastAPI(), config, serving, clock)
    running = asyncio.create_task(serving.run())
    await until(lambda: _answers(port))
    try:
        yield serving
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await running


async def test_the_sites_own_certificate_is_renewed_without_a_restart(
    tmp_path: Path, clock: FixedClock, free_port: int
) -> None:
    hub = HubConfig(listen=f"127.0.0.1:{free_port}", tls="site", names=("dock.example",))
    config = Config(site=SiteConfig(data=str(tmp_path)), hub=hub)
    async with served(config, clock, free_port):
        first = await asyncio.to_thread(shown, free_port)
        clock.at += timedelta(days=200)
        await until(lambda: shown(free_port) != first)
        trust = pages_url.trust(config)
        assert trust is not None, "programs beside the hub trust the root, not one certificate"


async def test_a_certificate_that_somebody_brings_is_taken_up_when_it_fits_its_key(
    tmp_path: Path, clock: FixedClock, free_port: int
) -> None:
    def brought(name: str) -> tuple[bytes, bytes]:
        made = WebCa(tmp_path / name, clock=clock, names=("dock.example",), site=name).files()
        return made.certificate.read_bytes(), made.key.read_bytes()

    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def put(chain: bytes, private: bytes) -> None:
        key.write_bytes(private)
        certificate.write_bytes(chain)

    old, new = await asyncio.to_thread(brought, "old"), await asyncio.to_thread(brought, "new")
    await asyncio.to_thread(put, *old)
    hub = HubConfig(
        listen=f"127.0.0.1:{free_port}", tls_certificate=str(certificate), tls_key=str(key)
    )
    config = Config(site=SiteConfig(data=str(tmp_path)), hub=hub)
    async with served(config, clock, free_port) as serving:
        first = await asyncio.to_thread(shown, free_port)
        await asyncio.to_thread(put, new[0], old[1])
        with pytest.raises(BadInputError, match="make no server"):
            serving.show_certificates()
        assert await asyncio.to_thread(shown, free_port) == first, "the one before is shown on"
        await asyncio.to_thread(put, *new)
        serving.show_certificates()
        assert await asyncio.to_thread(shown, free_port) != first
