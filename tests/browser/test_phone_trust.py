"""A real browser comes to trust the site over real TLS, is enrolled by a link, and is wiped."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from playwright.sync_api import Error

from appliance import pages_url
from appliance.bench.shelf.house import PASSWORD, House, open_house
from appliance.config import Config, SiteConfig
from appliance.hub.pages import trust_facts
from appliance.hub_config import HubConfig
from appliance.identity import certificates
from appliance.identity.keys import open_or_create_key
from appliance.identity.web_ca import WebCa
from appliance.web.shelf.trust import TrustFacts, trust_app
from contracts.clock import SystemClock
from tests.support import browser_trust
from tests.support.ports import free_port

NAME = "dock.example"
PATIENCE_S = 120.0
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP dock.example 127.0.0.1, MAP bank.example 127.0.0.1",
)


class Secure:
    """A house's pages on https://dock.example, and /trust without TLS beside them."""

    def __init__(self, folder: Path, house: House) -> None:
        self.house, self.port, plain = house, free_port(), free_port()
        hub = HubConfig(
            listen=f"0.0.0.0:{self.port}",
            names=(NAME,),
            tls="site",
            trust_listen=f"0.0.0.0:{plain}",
        )
        config = Config(site=SiteConfig(data=str(folder)), hub=hub)
        self.ca: WebCa = pages_url.pages_ca(config)
        self.url, self.plain = f"https://{NAME}:{self.port}", f"http://{NAME}:{plain}"
        files, clock = self.ca.files(), SystemClock()
        self._servers = [
            _serve(house.app, self.port, ssl_certfile=files.certificate, ssl_keyfile=files.key),
            _serve(trust_app(trust_facts(config, clock), clock=clock), plain),
        ]

    def stop(self) -> None:
        for server, thread in self._servers:
            server.should_exit = True
            thread.join(PATIENCE_S)


def _serve(app: Any, port: int, **tls: Any) -> tuple[uvicorn.Server, threading.Thread]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", lifespan="off",
        timeout_graceful_shutdown=1, **tls,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < until, "the pages did not start"
        thread.join(0.02)
    return server, thread


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    made = Secure(tmp_path / "site", open_house(tmp_path / "house"))
    yield made
    made.stop()
    made.house.close()


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`phone(root=None)`: a page of a browser with a store of its own, in which `root` is trusted."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened: list[Any] = []

        def start(root: bytes | None = None) -> Any:
            home = tmp_path / f"home-{len(opened)}"
            home.mkdir()
            if root is not None:
                (home / "root.der").write_bytes(root)
                # NSS keeps the process's state: a store is written by a process of its own.
                command = [sys.executable, browser_trust.__file__, home, home / "root.der"]
                subprocess.run(command, check=True)
            context = playwright.chromium.launch_persistent_context(
                home / "profile",
                executable_path="/usr/bin/chromium",
                args=list(_FLAGS),
                env={**os.environ, "HOME": str(home)},
                viewport={"width": 390, "height": 844},
            )
            opened.append(context)
            page = context.pages[0]
            page.set_default_timeout(PATIENCE_S * 1000)
            return page

        yield start
        for context in opened:
            context.close()


def test_a_phone_trusts_the_site_is_enrolled_by_a_link_and_wiped_when_it_is_lost(
    secure: Secure, phone: Callable[..., Any]
) -> None:
    page = phone(secure.ca.root().der)
    page.goto(f"{secure.plain}/trust")
    page.get_by_role("button", name="Check now").click()
    page.locator("[data-when=yes]").wait_for()
    page.goto(f"{secure.url}/sign-in?next=/phones")
    page.fill("[name=name]", "mara")
    page.fill("[name=password]", PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/phones")
    page.select_option("[name=role]", "quality")
    page.fill("aside [name=name]", "the blue one")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".phone-link .id").inner_text()
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_role("button", name="Enrol this phone").wait_for()
    assert page.locator(".enrol-who").inner_text().split() == ["mara", "quality"]
    assert page.evaluate("() => location.hash") == "", "the secret left the address bar"
    page.get_by_role("button", name="Enrol this phone").click()
    page.wait_for_url("**/shelf")
    (enrolled,) = secure.house.phones.phones()
    assert (enrolled.name, enrolled.owner, enrolled.role) == ("the blue one", "mara", "quality")
    page.goto(f"{secure.url}/phones")
    page.locator(f"#{enrolled.phone}").wait_for()
    secure.house.phones.revoke(enrolled.phone, reason="left in a taxi", by="ops")
    page.goto(f"{secure.url}/shelf")
    until = time.monotonic() + PATIENCE_S
    while secure.house.phones.phone(enrolled.phone).state != "wiped":
        assert time.monotonic() < until, "the phone did not wipe itself"
        page.wait_for_timeout(100)


def test_a_phone_that_does_not_trust_the_site_is_told_so(
    secure: Secure, phone: Callable[..., Any]
) -> None:
    page = phone()
    page.goto(f"{secure.plain}/trust")
    page.get_by_role("button", name="Check now").click()
    page.locator("[data-when=no]").wait_for()
    assert page.locator("[data-trust-go]").is_hidden()


def test_with_the_issuers_key_a_thief_shows_the_phone_no_other_page(
    tmp_path: Path, phone: Callable[..., Any]
) -> None:
    ca = WebCa(tmp_path / "ca", clock=SystemClock(), names=(NAME,), site="Dock 1")
    ca.files()
    issuer, _ = x509.load_pem_x509_certificates((tmp_path / "ca/pages-authority.pem").read_bytes())
    forged = certificates.make_server(
        open_or_create_key(tmp_path / "forged.key", curve="p256"),
        names=["bank.example"],
        ca=issuer,
        ca_key=open_or_create_key(tmp_path / "ca/pages-issuer.key", curve="p256"),
        now=SystemClock().now(),
        days=90,
    )
    chain = certificates.to_pem(forged) + certificates.to_pem(issuer)
    (tmp_path / "forged.crt").write_text(chain)
    app, port = trust_app(TrustFacts(site="Bank"), clock=SystemClock()), free_port()
    server, thread = _serve(
        app, port, ssl_certfile=tmp_path / "forged.crt", ssl_keyfile=tmp_path / "forged.key"
    )
    page = phone(ca.root().der)
    with pytest.raises(Error, match="ERR_CERT"):
        page.goto(f"https://bank.example:{port}/trust/ok")
    server.should_exit = True
    thread.join(PATIENCE_S)
