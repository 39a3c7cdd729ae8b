"""The page that leads a phone to trust the site."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from fastapi import FastAPI

from appliance import pages_url
from appliance.config import Config, SiteConfig
from appliance.hub.pages import serve_pages, trust_facts
from appliance.hub_config import HubConfig
from appliance.identity.spoken import grouped, spoken
from appliance.serving import Serving
from appliance.web.shelf.trust import trust_app
from contracts.clock import FixedClock
from contracts.errors import BadInputError

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"


def settings(folder: Path, **hub: object) -> Config:
    names = {"names": ("dock.example", "192.168.7.20"), "trust_listen": "0.0.0.0:8079"}
    named = HubConfig(listen="0.0.0.0:8443", **names | hub)
    return Config(site=SiteConfig(name="Dock 1", data=str(folder)), hub=named)


@pytest.fixture
def plain(tmp_path: Path, clock: FixedClock) -> Callable[..., httpx.AsyncClient]:
    def opened(host: str = "dock.example", **hub: object) -> httpx.AsyncClient:
        app = trust_app(trust_facts(settings(tmp_path, **hub), clock), clock=clock)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=f"http://{host}:8079"
        )

    return opened


async def test_a_phone_sees_the_fingerprint_and_downloads_the_root(
    plain: Callable[..., httpx.AsyncClient], tmp_path: Path
) -> None:
    phone = plain(tls="site")
    page = (await phone.get("/trust", headers={"accept-language": "zh"})).text
    root = pages_url.pages_ca(settings(tmp_path)).root()
    for part in (*grouped(root.fingerprint), *spoken(root.fingerprint), "让这部手机信任本站"):
        assert part in page
    got = await phone.get("/trust/tallyman-root.crt")
    assert x509.load_der_x509_certificate(got.content) == root.certificate
    assert got.headers["content-type"] == "application/x-x509-ca-cert"
    profile = plistlib.loads((await phone.get("/trust/tallyman.mobileconfig")).content)
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == root.der


async def test_an_iphone_finds_its_own_steps_open_and_a_computer_a_code_to_scan(
    plain: Callable[..., httpx.AsyncClient],
) -> None:
    iphone = (await plain(tls="site").get("/trust", headers={"user-agent": IPHONE})).text
    assert '<details class="trust-kind" name="kind" open><summary>iPhone' in iphone
    assert "<svg xmlns" not in iphone
    computer = (await plain(tls="site").get("/trust")).text
    assert "http://dock.example:8079/trust" in computer
    assert "<svg xmlns" in computer


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("dock.example", "https://dock.example:8443"),
        ("192.168.7.20", "https://192.168.7.20:8443"),
        ("evil.example", "https://dock.example:8443"),
    ],
)
async def test_the_check_asks_the_site_under_the_name_that_this_phone_found(
    plain: Callable[..., httpx.AsyncClient], host: str, asked: str
) -> None:
    answer = await plain(host, tls="site").get("/trust")
    assert f'data-trust-check="{asked}"' in answer.text
    assert f"connect-src 'self' {asked};" in answer.headers["content-security-policy"]
    told = await plain(tls="site").get("/trust/ok")
    assert (told.json(), told.headers["access-control-allow-origin"]) == ({"trusted": True}, "*")


async def test_the_port_without_tls_shows_nothing_else(
    plain: Callable[..., httpx.AsyncClient],
) -> None:
    phone = plain(tls="site")
    assert (await phone.get("/")).headers["location"] == "/trust"
    for path in ("/sign-in", "/shelf", "/api/v1/shelf/me", "/phones", "/api/openapi.json"):
        assert (await phone.get(path)).status_code == 404, path
    assert (await phone.get("/words/en.json")).status_code == 200


async def test_a_site_with_a_certificate_of_its_own_asks_for_nothing(
    plain: Callable[..., httpx.AsyncClient],
) -> None:
    own = plain(tls_certificate="tls.crt", tls_key="tls.key")
    assert "Nothing to install" in (await own.get("/trust")).text
    assert (await own.get("/trust/tallyman-root.crt")).status_code == 404
    none = plain()
    assert "on this machine only" in (await none.get("/trust")).text


@pytest.mark.parametrize(
    ("hub", "what"),
    [
        ({"tls": "site", "tls_certificate": "tls.crt"}, "hub.tls_certificate is set"),
        ({"tls": "site", "names": ("localhost",)}, "hub.names"),
        ({}, "without TLS"),
    ],
)
def test_settings_that_leave_phones_without_a_way_are_refused(
    tmp_path: Path, clock: FixedClock, hub: dict[str, object], what: str
) -> None:
    with pytest.raises(BadInputError, match=what):
        serve_pages(FastAPI(), settings(tmp_path, **hub), Serving(), clock)


def test_words_of_a_fingerprint_are_the_published_ones() -> None:
    assert spoken("7f0000013f54dcc1" + "0" * 48)[:4] == ("lusab", "babad", "gutih", "tugad")
    assert len(spoken("ab" * 32)) == 8
