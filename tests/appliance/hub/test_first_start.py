"""A hub's first start, with nobody else to tell how to sign in."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from appliance import pages_url
from appliance.config import Config, SiteConfig
from appliance.hub_config import HubConfig
from appliance.identity.site_ca import SiteCa
from tests.support.ports import free_address

ROOT = Path(__file__).resolve().parents[3]


def hub_environment(tmp_path: Path, listen: str, **settings: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TALLYMAN_SITE_DATA": str(tmp_path / "var"),
        "TALLYMAN_HUB_LISTEN": listen,
        "TALLYMAN_HUB_DEVICE_LISTEN": free_address(),
        **settings,
    }


def get(url: str, trust: ssl.SSLContext | None) -> httpx.Response:
    deadline = time.monotonic() + 50
    while True:
        try:
            return httpx.get(url, verify=trust or True)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("tls", ["", "own", "site"])
def test_the_hub_prints_a_link_that_works_while_nobody_has_an_account(tmp_path: Path, tls):
    listen = free_address()
    settings: dict[str, str] = {}
    if tls == "site":
        settings = {"TALLYMAN_HUB_TLS": "site"}
    if tls == "own":
        files = SiteCa.open_or_create(tmp_path / "authority").device_port_files()
        settings = {
            "TALLYMAN_HUB_TLS_CERTIFICATE": str(files.certificate),
            "TALLYMAN_HUB_TLS_KEY": str(files.key),
        }
    config = Config(
        site=SiteConfig(data=str(tmp_path / "var")),
        hub=HubConfig(
            listen=listen,
            tls="site" if tls == "site" else "",
            tls_certificate=settings.get("TALLYMAN_HUB_TLS_CERTIFICATE", ""),
        ),
    )
    printed = tmp_path / "stderr"
    with printed.open("wb") as stderr:
        hub = subprocess.Popen(
            [sys.executable, "-m", "appliance", "hub"],
            env=hub_environment(tmp_path, listen, **settings),
            cwd=tmp_path,
            stderr=stderr,
        )
    try:
        trust = pages_url.trust(config)
        assert get(f"{pages_url.for_this_machine(config)}/livez", trust).status_code == 200
        links = re.findall(r"https?://\S+/first-sign-in/\S+", printed.read_text())
        assert len(links) == 1, printed.read_text()
        assert links[0].startswith(pages_url.for_people(config))
        assert get(links[0], trust).status_code == 200
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.wait(30)
    assert hub.returncode == 0, printed.read_text()


@pytest.mark.parametrize(
    ("listen", "tls", "people", "machine"),
    [
        ("127.0.0.1:8080", "", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:443", "c.pem", "https://dock.example:443", "https://127.0.0.1:443"),
        ("[::1]:8443", "c.pem", "https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_links_name_the_site_and_programs_stay_on_the_machine(listen, tls, people, machine):
    hub = HubConfig(listen=listen, tls_certificate=tls, names=("dock.example",))
    config = Config(hub=hub)
    assert pages_url.for_people(config) == people
    assert pages_url.for_this_machine(config) == machine
