"""A hub's accounts and devices, opened from its data folder; the hub itself may be running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.accounts.store import Accounts
from appliance.config import Config
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from contracts.clock import SystemClock


def site_ca(config: Config) -> SiteCa:
    """The site's authority; made where the folder is new."""
    names = ("127.0.0.1", "::1", *config.hub.names)
    return SiteCa.open_or_create(Layout(config.data).site_ca, clock=SystemClock(), names=names)


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
