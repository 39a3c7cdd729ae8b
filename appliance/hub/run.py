"""Composition of the hub: stock core, device port, AGV bridge, pages.

Stateless but for its stores: every effect follows from the core's tables, so a hub that was killed
goes on where its database stands (I2).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, FastAPI

from appliance import pages_url, problems
from appliance.accounts.store import Accounts
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.excursions.facts import Signer
from appliance.gateway import port as sensors_port
from appliance.hub import care, dates, excursions, offline, orders
from appliance.hub.erp import HubErp
from appliance.hub.exchange import open_exchange
from appliance.hub.fleet import open_fleet
from appliance.hub.health import HubHealth
from appliance.hub.news import HubNews
from appliance.hub.sensors import open_sensors
from appliance.hub.silence import Silence
from appliance.hub.vehicles import vehicle_access
from appliance.hub.web import hub_app
from appliance.identity import api as identity_api
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.learning import intake as learning_intake
from appliance.learning.folders import hub_dataset, training_of
from appliance.learning.health import learning_item
from appliance.learning.training import Training
from appliance.live.connect import open_live
from appliance.modules.health import module_items
from appliance.modules.listener import open_listener
from appliance.readrates.health import calibration_items
from appliance.readrates.service import ReadRates
from appliance.services.datalock import hold
from appliance.serving import Serving, Tls
from appliance.teaching import port as teaching_port
from appliance.teaching.console import Console
from appliance.teaching.office import QualityOffice
from appliance.uplink import intake
from appliance.web.quality.core_desk import decision_policy
from appliance.words import words
from contracts.clock import Clock, SystemClock
from contracts.ports import LiveView
from erp_link.domain.places import SiteLayout, Slot
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from erp_link.service.goods.shelf import Shelf
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.orders.desk import Orders

log = structlog.get_logger()


async def run_hub(config: Config, *, clock: Clock | None = None) -> None:
    """Run until SIGTERM. Raises BadInputError, AlreadyRunningError, UnavailableError."""
    clock = clock or SystemClock()
    layout = Layout(config.data)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(layout.hub))
        ca = SiteCa.open_or_create(
            layout.site_ca, clock=clock, names=("127.0.0.1", "::1", *config.hub.names)
        )
        registry = DeviceRegistry(layout.devices_db, ca, clock)
        stack.callback(registry.close)
        accounts = Accounts.open(layout.accounts_db, clock=clock, session_key=ca.session_key)
        stack.callback(accounts.close)
        if config.hub.first_link:
            _print_first_link(config, accounts)
        core = await asyncio.to_thread(_open_core, config, clock)
        stack.callback(core.close)
        evidence = EvidenceStore(layout.hub_evidence)
        office = QualityOffice(layout.quality_db, clock=clock)
        stack.callback(office.close)
        live = open_live(config.live.url)
        stack.push_async_callback(live.close)

        fleet = await stack.enter_async_context(open_fleet(config, layout, core, live, clock))
        dataset = hub_dataset(config)
        training = training_of(config, dataset, clock)
        news = HubNews(live, wake=fleet.wake)
        modules = open_listener(config, core, news, client_id=_lasting_name(ca))
        rates = ReadRates(core, clock=clock, zone=ZoneInfo(config.site.time_zone))
        erp = HubErp(config, core)
        health = HubHealth(
            core,
            bus=fleet.bus,
            bridge=fleet.bridge,
            live=live,
            clock=clock,
            heard_at=registry.heard_at,
            learning=lambda: learning_item(training, dataset, clock),
            calibration=lambda: (
                *calibration_items(rates),
                *erp.health(),
                *module_items(modules, now=clock.now()),
            ),
        )

        sensors = stack.enter_context(open_sensors(config, core, office, clock))
        devices = _device_port(
            identity_api.router(registry, ca, clock=clock, account_facts=accounts.facts),
            intake.router(
                core,
                registry=registry,
                evidence=evidence,
                ca=ca,
                clock=clock,
                on_applied=news.applied,
            ),
            learning_intake.router(
                dataset, registry=registry, clock=clock, takes=config.learning.keep != "off"
            ),
            teaching_port.router(office, registry=registry, evidence=evidence, clock=clock),
            sensors_port.router(sensors.bundle, key=ca.head_signer, registry=registry, clock=clock),
        )
        exchange = await asyncio.to_thread(open_exchange, config, core)
        app, forwarding = hub_app(
            config, core, accounts=accounts, evidence=evidence, live=live, health=health,
            rates=rates, lessons=Console(core.profile_events, office, evidence), erp=erp, clock=clock,
            exchange=exchange,
            signer=Signer(ca.head_signer.sign, ca.head_certificate_pem, ca.device_ca_pem, config.site.name),
            fences=sensors.fences,
            sensors=sensors.book,
            fleet=fleet,
            access=vehicle_access(config, ca, fleet.bridge),
            silent=Silence(registry, clock).since,
        )  # fmt: skip
        stack.push_async_callback(forwarding.aclose)

        serving = Serving()
        files = ca.device_port_files()
        serving.http(
            devices,
            config.hub.device_listen,
            where="hub.device_listen",
            tls=Tls(files.certificate, files.key),
        )
        serving.http(app, config.hub.listen, where="hub.listen", tls=_pages_tls(config))
        fleet.serve(serving)
        if modules is not None:
            serving.side_job("module stations", modules.run)
        serving.job("health", health.watch)
        for name, side_work in _side_work(config, core, live, rates, training, erp).items():
            serving.side_job(name, side_work)
        serving.side_job("exchange", exchange.run)
        await serving.run()


def _device_port(*routers: APIRouter) -> FastAPI:
    app = FastAPI(title="Tallyman device port", docs_url=None, redoc_url=None)
    problems.install(app)
    for each in routers:
        app.include_router(each)
    return app


def _side_work(
    config: Config, core: Core, live: LiveView, rates: ReadRates, training: Training, erp: HubErp
) -> dict[str, Callable[[], Awaitable[None]]]:
    """What goes on beside the dock's work and begins anew by itself where it fails."""
    policy = decision_policy(config.quality)
    return {
        "read rates": rates.watch,
        "stock care": lambda: care.keep_up(core),
        "dates": lambda: dates.keep_watch(Shelf(core), live),
        "excursions": lambda: excursions.keep_measured(Excursions(core), live),
        "offline logs": lambda: offline.keep_booked(OfflineLogs(core, policy)),
        "orders": lambda: orders.keep_tidy(Orders(core), live),
        "ERP": erp.run,
        "learning": training.keep_schedule,
    }


def _lasting_name(ca: SiteCa) -> str:
    """Under which the broker keeps messages for this site: the same at every start, and not to be
    guessed by whoever else may sign in there.
    """
    return f"tallyman-modules-{ca.session_key.sign(b'module stations').hex()[:16]}"


def _print_first_link(config: Config, accounts: Accounts) -> None:
    """Plain text, for the person who looks at this start; nobody else can sign in yet."""
    token = accounts.first_sign_in_token()
    if token is not None:
        link = f"{pages_url.for_people(config)}/first-sign-in/{token}"
        sys.stderr.write(words(config.site.language)("demo.sign_in", link=link) + "\n")
        sys.stderr.flush()


def _open_core(config: Config, clock: Clock) -> Core:
    slots = tuple(Slot(code) for code in config.hub.slots)
    layout = SiteLayout(slots) if slots else SiteLayout()
    (config.data / "hub").mkdir(parents=True, exist_ok=True)
    return Core(
        config.database_url, clock=clock, layout=layout, zone=ZoneInfo(config.site.time_zone)
    )


def _pages_tls(config: Config) -> Tls | None:
    if not config.hub.tls_certificate:
        return None
    return Tls(Path(config.hub.tls_certificate), Path(config.hub.tls_key))
