"""The hub's phones: who holds which, what refuses a revoked one, and under which address they come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from fastapi import FastAPI
from starlette.requests import Request

from appliance import pages_url
from appliance.accounts.bind_guard import is_loopback
from appliance.accounts.store import Accounts
from appliance.config import Config
from appliance.hub.pages import trust_facts
from appliance.layout import Layout
from appliance.shelf.phones.api import PhoneDoor, phones_router
from appliance.shelf.phones.desk import Phones
from appliance.web.gate import AccountsGate
from appliance.web.quality.core_desk import decision_policy
from appliance.web.shelf.phones import phones_pages
from appliance.web.shelf.trust import trust_router
from contracts.clock import Clock
from erp_link.service.core import Core
from erp_link.service.merge.desk import OfflineLogs


@contextmanager
def open_phones(config: Config, core: Core, accounts: Accounts, clock: Clock) -> Iterator[Phones]:
    """The site's phones; what was revoked is shut out everywhere once more."""
    roster = OfflineLogs(core, decision_policy(config.quality))
    phones = Phones(Layout(config.data).phones_db, clock=clock, roster=roster, people=accounts)
    try:
        yield phones
    finally:
        phones.close()


def add_phones(
    app: FastAPI, config: Config, phones: Phones, accounts: Accounts, clock: Clock
) -> None:
    """/trust, /phones, /api/v1/shelf/me and /api/v1/shelf/phones..."""
    app.state.phones = phones
    door = PhoneDoor(
        phones=phones,
        accounts=accounts,
        clock=clock,
        offline=timedelta(hours=config.shelf.offline_hours),
        address=lambda request: _reached(config, request),
        site=config.site.name,
        tls=pages_url.is_tls(config),
    )
    app.include_router(trust_router(trust_facts(config, clock)))
    app.include_router(phones_pages(door, AccountsGate()))
    app.include_router(phones_router(door))


def _reached(config: Config, request: Request) -> str:
    """Where a phone finds the pages: as whoever asks found them, but not by loopback."""
    if is_loopback(request.url.hostname or ""):
        return pages_url.for_people(config)
    return str(request.base_url).rstrip("/")
