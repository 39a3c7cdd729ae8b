"""The hub's pages and its JSON API: composition of routers, and who may pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.requests import Request

from appliance import pages_url
from appliance.accounts import routes as accounts_routes
from appliance.accounts.store import Accounts
from appliance.accounts.user import Role
from appliance.accounts.web import optional_user, require_scope
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.excursions.facts import Signer
from appliance.fences.office import FenceOffice
from appliance.hub.erp import HubErp
from appliance.hub.fence_pages import add_fence_pages
from appliance.hub.fleet import HubFleet, add_fleet_pages
from appliance.hub.forward import forward_router
from appliance.hub.ota_console import Updates
from appliance.hub.sensor_pages import add_sensor_pages
from appliance.hub.sensors import SiteZones
from appliance.hub.shelf import ShelfParts, add_shelf
from appliance.readrates import api as read_rates_api
from appliance.readrates.service import ReadRates
from appliance.sensors.store import SensorStore
from appliance.shelf.caller import refuse_revoked
from appliance.shelf.phones.desk import Phones
from appliance.web.app import create_app
from appliance.web.care.health import stock_health_router
from appliance.web.care.master_data import master_data_router
from appliance.web.care.reorder import reorder_router
from appliance.web.conflicts import conflicts_router
from appliance.web.core_records import CoreRecords
from appliance.web.evidence import evidence_router
from appliance.web.exchange import exchange_router
from appliance.web.excursions.pages import excursions_router
from appliance.web.gate import AccountsGate
from appliance.web.goods.acceptance import acceptance_router
from appliance.web.goods.products import goods_router
from appliance.web.health import health_router
from appliance.web.labelling import LabelQueue, labelling_router
from appliance.web.lessons import LessonBook, lessons_router
from appliance.web.live import live_router
from appliance.web.orders.holds import holding_router
from appliance.web.orders.pages import orders_router
from appliance.web.ota import updates_router
from appliance.web.ports import HealthSource
from appliance.web.quality import quality_router
from appliance.web.quality.core_desk import CoreDesk, decision_policy
from appliance.web.read_rates import read_rates_router
from appliance.web.receiving import receiving_router
from appliance.web.shelf import shelf_page_router
from appliance.web.uploads import BoundedBodies
from appliance.web.vehicles import Access, vehicles_router
from appliance.web.webhooks import webhooks_router
from contracts.clock import Clock
from contracts.errors import ForbiddenError
from contracts.ports import LiveView
from erp_link import api as core_api
from erp_link.api import exchange as exchange_api
from erp_link.asn.files import parse_asn
from erp_link.service.care.desks import CareDesks
from erp_link.service.core import Core
from erp_link.service.exchange.desk import Exchange
from erp_link.service.excursions.desk import Excursions
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.goods.products import Products
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.orders.desk import Orders
from erp_link.service.quality.desk import Quality


def hub_app(
    config: Config,
    core: Core,
    *,
    accounts: Accounts,
    evidence: EvidenceStore,
    live: LiveView,
    health: HealthSource,
    rates: ReadRates,
    lessons: LessonBook,
    erp: HubErp,
    exchange: Exchange,
    signer: Signer,
    fences: FenceOffice,
    sensors: SensorStore,
    fleet: HubFleet,
    access: Access,
    updates: Updates,
    lines: LabelQueue,
    silent: Callable[[str], datetime | None],
    phones: Phones,
    clock: Clock,
) -> tuple[FastAPI, Clients]:
    """The application, and what it asks others with, to close at the end. `silent`: since when a
    gateway is no longer heard, None while it is.
    """
    app = create_app(
        config.site.name,
        station=config.edge.station,
        clock=clock,
        zone=ZoneInfo(config.site.time_zone),
    )
    app.state.sessions = accounts
    # One bound for every route of the hub, of the shelf, the phones and whoever signs in alike.
    app.add_middleware(BoundedBodies)
    gate, records = AccountsGate(), CoreRecords(core)
    app.include_router(
        accounts_routes.router(accounts, app.state.pages.render, tls=pages_url.is_tls(config))
    )
    policy = decision_policy(config.quality)
    quality = Quality(core, policy)
    # Before the tickets, whose addresses would take its own.
    app.include_router(conflicts_router(OfflineLogs(core, policy), gate))
    app.include_router(
        quality_router(records, gate, CoreDesk(quality, accounts, Excursions(core)), evidence)
    )
    app.include_router(
        receiving_router(records, gate, lambda data, name: parse_asn(data, name=name))
    )
    app.include_router(acceptance_router(Acceptances(core), gate))
    app.include_router(goods_router(Products(core), gate))
    app.include_router(orders_router(Orders(core), gate))
    app.include_router(holding_router(core, gate))
    app.include_router(excursions_router(Excursions(core), SiteZones(core, sensors), signer, gate))
    app.include_router(read_rates_router(rates, gate))
    app.include_router(lessons_router(lessons, gate))
    app.include_router(labelling_router(lines, gate))
    app.include_router(health_router(health, gate))
    app.include_router(vehicles_router(access, gate))
    app.include_router(evidence_router(evidence, gate))
    app.include_router(shelf_page_router())
    app.include_router(live_router(live, gate, clock=clock))
    app.include_router(exchange_router(erp, gate))
    app.include_router(webhooks_router(exchange.webhooks, gate))
    care = CareDesks(lambda: core)
    app.include_router(reorder_router(care().reorder, gate))
    app.include_router(stock_health_router(care().health, gate))
    app.include_router(master_data_router(care().master_data, gate))
    app.include_router(
        core_api.router(lambda: core, allowed, policy=policy, care=care, erp=erp.desk)
    )
    app.include_router(exchange_api.router(exchange, allowed))
    shelf = ShelfParts(config, core, accounts, evidence, gate, care, policy, clock, phones)
    add_shelf(app, shelf)
    app.state.side_jobs = shelf.jobs
    app.include_router(read_rates_api.router(rates, allowed))
    app.include_router(
        updates_router(
            updates.fleet,
            updates.rollouts,
            updates.sets,
            updates.acceptance,
            gate,
            clock=clock,
        )
    )
    add_fleet_pages(app, core, fleet, gate, clock=clock)
    forwarding, client = forward_router(config.hub.edge_url)
    app.include_router(forwarding)
    close_trials = add_fence_pages(app, config, core, fences, gate, sensors=sensors, silent=silent)
    # Behind every other page below /sensors: /sensors/DEVICE takes what is left.
    close_charts = add_sensor_pages(
        app, config, gate, clock=clock, store=sensors, core=core, fences=fences
    )
    return app, Clients((client.aclose, close_charts, close_trials))


@dataclass(frozen=True, slots=True)
class Clients:
    """Connections of the application to others."""

    closers: tuple[Callable[[], Awaitable[None]], ...]

    async def aclose(self) -> None:
        for close in self.closers:
            await close()


@dataclass(frozen=True, slots=True)
class Asker:
    """Implements erp_link.ports.Actor."""

    name: str
    roles: frozenset[str]


def allowed(*roles: str) -> Callable[[Request], Awaitable[Asker]]:
    """A dependency of the JSON API: who asks, by an API token whose scope is one of `roles`, or a
    person who has one of them.
    """
    checks = [require_scope(role, *(Role(each) for each in roles)) for role in roles]

    async def dependency(request: Request) -> Asker:
        refuse_revoked(request)
        refusal: ForbiddenError | None = None
        for role, check in zip(roles, checks, strict=True):
            try:
                name = await check(request)
                user = optional_user(request)
                return Asker(name, frozenset(map(str, user.roles)) if user else frozenset({role}))
            except ForbiddenError as error:
                refusal = error
        assert refusal is not None  # noqa: S101 -- a route names at least one role
        if optional_user(request) is None:
            raise ForbiddenError(
                f"This API token has none of the scopes {', '.join(roles)}",
                mend="Make one with one of them",
            ) from refusal
        raise refusal

    return dependency
