"""A hub's accounts and devices, opened from its data folder; the hub itself may be running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from appliance.accounts.store import Accounts
from appliance.config import Config, host_port
from appliance.identity.device import DeviceIdentity
from appliance.identity.facts import ClaimPaper
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.services.address import write_private
from contracts.clock import Clock, SystemClock
from contracts.errors import ForbiddenError, NotFoundError


def site_ca(config: Config, clock: Clock | None = None) -> SiteCa:
    """The site's authority; made where the folder is new."""
    names = ("127.0.0.1", "::1", *config.hub.names)
    return SiteCa.open_or_create(
        Layout(config.data).site_ca,
        clock=clock or SystemClock(),
        names=names,
        device_days=config.hub.certificate_days,
    )


def claim_paper(config: Config, ca: SiteCa, device: str, token: str) -> ClaimPaper:
    """What a person brings to a new device."""
    hub = config.hub
    port = host_port(hub.door_listen, "hub.door_listen")[1] if hub.device_mtls else 0
    return ClaimPaper(device, ca.fingerprint, token, port)


def introduce_here(config: Config, ca: SiteCa, folder: Path, name: str, paper: Path) -> None:
    """Bring a device of this very machine and its hub together, before either runs: a claim in
    `paper` for a new identity in `folder`, a new certificate for one that is due or ran out while
    nothing ran here. Whoever starts both as one needs no second yes.
    """
    identity = DeviceIdentity.open_or_create(folder, name)
    if identity.is_enrolled and not identity.renewal_is_due(SystemClock().now()):
        return
    with open_registry(config) as (registry, _):
        if identity.is_enrolled:
            # Of another hub, or shut out: it stays as it is, and the hub says so when asked.
            with suppress(NotFoundError, ForbiddenError):
                identity.keep(registry.renew(name, serial=identity.serial))
            return
        text = msgspec.json.encode(claim_paper(config, ca, name, registry.new_claim(name)))
    paper.parent.mkdir(parents=True, exist_ok=True)
    write_private(paper, text.decode())


@contextmanager
def open_accounts(config: Config) -> Iterator[Accounts]:
    accounts = Accounts.open(
        Layout(config.data).accounts_db,
        clock=SystemClock(),
        session_key=site_ca(config).session_key,
    )
    try:
        yield accounts
    finally:
        accounts.close()


@contextmanager
def open_registry(config: Config) -> Iterator[tuple[DeviceRegistry, SiteCa]]:
    ca = site_ca(config)
    registry = DeviceRegistry(Layout(config.data).devices_db, ca, SystemClock())
    try:
        yield registry, ca
    finally:
        registry.close()
