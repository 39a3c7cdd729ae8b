"""Where the pages are served, by which certificate, and where a phone learns to trust it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from appliance import pages_url
from appliance.accounts.bind_guard import is_loopback
from appliance.config import Config, host_port
from appliance.serving import Serving, Tls
from appliance.web.shelf.trust import TrustFacts, trust_app
from contracts.clock import Clock
from contracts.errors import BadInputError

_LOOK_EVERY_S = 600.0
log = structlog.get_logger()


def serve_pages(app: FastAPI, config: Config, serving: Serving, clock: Clock) -> None:
    """The pages on `hub.listen`, and /trust alone on `hub.trust_listen` without TLS.

    Raises BadInputError for settings that contradict each other, OtherNamesError.
    """
    files = _files(config, clock)
    tls = files() if files else None
    serving.http(app, config.hub.listen, where="hub.listen", tls=tls)
    if config.hub.trust_listen:
        plain = trust_app(trust_facts(config, clock), clock=clock)
        serving.http(plain, config.hub.trust_listen, where="hub.trust_listen", public=True)
    if files:
        serving.side_job("pages' certificate", lambda: _keep_valid(serving, files))


def trust_facts(config: Config, clock: Clock) -> TrustFacts:
    """What /trust tells of this site."""
    return TrustFacts(
        site=config.site.name,
        root=pages_url.pages_ca(config, clock).root if config.hub.tls else None,
        own=bool(config.hub.tls_certificate),
        secure=pages_url.for_people(config) if pages_url.is_tls(config) else "",
        plain=plain_address(config),
    )


def plain_address(config: Config) -> str:
    """Where a phone that trusts nothing here yet opens /trust; empty where nowhere."""
    if not config.hub.trust_listen:
        return ""
    _, port = host_port(config.hub.trust_listen, "hub.trust_listen")
    return f"http://{pages_url.name_of(config)}:{port}/trust"


def _files(config: Config, clock: Clock) -> Callable[[], Tls] | None:
    hub = config.hub
    if hub.tls and hub.tls_certificate:
        raise BadInputError(
            'hub.tls is "site" and hub.tls_certificate is set',
            mend="Keep one of them: the site's own authority, or your certificate",
        )
    if hub.tls_certificate:
        return lambda: Tls(Path(hub.tls_certificate), Path(hub.tls_key))
    if not hub.tls:
        return None
    if is_loopback(pages_url.name_of(config)) and not is_loopback(
        host_port(hub.listen, "hub.listen")[0]
    ):
        raise BadInputError(
            "hub.names has no name under which a phone finds this machine",
            mend='Add its host name or address, such as names = ["dock.example", "192.168.7.20"]',
        )
    ca = pages_url.pages_ca(config, clock)

    def made() -> Tls:
        files = ca.files()
        return Tls(files.certificate, files.key)

    return made


async def _keep_valid(serving: Serving, files: Callable[[], Tls]) -> None:
    """A certificate that was renewed, by us or by whoever brings it, is shown without a restart."""
    shown: tuple[Any, ...] = ()
    while True:
        found = await asyncio.to_thread(lambda: _stamps(files()))
        if found != shown:
            # Raises for files that do not fit: this job begins anew then, and shows them when they do.
            serving.show_certificates()
            log.info("the pages' certificate is shown as its files stand")
            shown = found
        await asyncio.sleep(_LOOK_EVERY_S)


def _stamps(tls: Tls) -> tuple[Any, ...]:
    return tuple(
        (path.stat().st_mtime_ns, path.stat().st_size) for path in (tls.certificate, tls.key)
    )
