"""Composition of the hub: stock core, device port, AGV bridge, pages.

Stateless but for its stores: every effect follows from the core's tables, so a hub that was killed
goes on where its database stands (I2).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from zoneinfo import ZoneInfo

import structlog

from appliance import pages_url
from appliance.accounts.store import Accounts
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.excursions.facts import Signer
from appliance.gateway import port as sensors_port
from appliance.hub import care, dates, excursions, offline, orders
from appliance.hub.doors import DevicePort
from appliance.hub.erp import HubErp
from appliance.hub.exchange import open_exchange
from appliance.hub.fleet import open_fleet
from appliance.hub.folder import site_ca
from appliance.hub.health import HubHealth
from appliance.hub.learning import open_learning
from appliance.hub.news import HubNews
from appliance.hub.ota import open_ota
from appliance.hub.ota_console import open_updates
from appliance.hub.pages import serve_pages
from appliance.hub.phones import open_phones
from appliance.hub.sensors import open_sensors
from appliance.hub.silence import Silence
from appliance.hub.vehicles import vehicle_access
from appliance.hub.web import hub_app
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.learning import intake as learning_intake
from appliance.learning.health import learning_item
from appliance.live.connect import open_live
from appliance.modules.health import module_items
from appliance.modules.listener import open_listener
from appliance.ota.registry.health import signature_items
from appliance.ota.rollouts_health import rollout_items
from appliance.readrates.health import calibration_items
from appliance.readrates.service import ReadRates
from appliance.services.datalock import hold
from appliance.serving import Serving
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
        ca = site_ca(config, clock)
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
        learning = stack.enter_context(open_learning(config, clock))
        news = HubNews(live, wake=fleet.wake)
        modules = open_listener(config, core, news, client_id=_lasting_name(ca))
        rates = ReadRates(core, clock=clock, zone=ZoneInfo(config.site.time_zone))
        erp = HubErp(config, core)
        ota = stack.enter_context(open_ota(config, core, registry, ca, fleet.bus, clock))
        health = HubHealth(
            core,
            bus=fleet.bus,
            bridge=fleet.bridge,
            live=live,
            clock=clock,
            heard_at=registry.heard_at,
            learning=lambda: learning_item(learning.training, learning.dataset, clock),
            calibration=lambda: (
                *calibration_items(rates),
                *erp.health(),
                *signature_items(ota.registry, clock),
                *rollout_items(ota.rollouts, clock),
                *module_items(modules, now=clock.now()),
            ),
        )

        sensors = stack.enter_context(open_sensors(config, core, office, clock))
        devices = DevicePort(config.hub, registry, ca, clock, accounts.facts)
        devices.add(
            intake.router(
                core,
                registry=registry,
                evidence=evidence,
                ca=ca,
                clock=clock,
                on_applied=news.applied,
            ),
            learning_intake.router(
                learning.dataset,
                registry=registry,
                clock=clock,
                takes=config.learning.keep != "off",
            ),
            teaching_port.router(office, registry=registry, evidence=evidence, clock=clock),
            sensors_port.router(sensors.bundle, key=ca.head_signer, registry=registry, clock=clock),
        )
        ota.attach(devices, registry, clock)
        updates = stack.enter_context(open_updates(config, ota, core, registry, evidence, clock))
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
            updates=updates,
            lines=learning.queue,
            silent=Silence(registry, clock).since,
            phones=stack.enter_context(open_phones(config, core, accounts, clock)),
        )  # fmt: skip
        stack.push_async_callback(forwarding.aclose)

        serving = Serving()
        devices.serve(serving)
        serve_pages(app, config, serving, clock)
        fleet.serve(serving)
        ota.serve(serving, clock)
        learning.serve(serving, ota)
        serving.side_job("gate curves", updates.rollouts.watch)
        if modules is not None:
            serving.side_job("module stations", modules.run)
        serving.job("health", health.watch)
        side = _side_work(config, core, live, rates, erp) | app.state.side_jobs
        for name, side_work in side.items():
            serving.side_job(name, side_work)
        serving.side_job("exchange", exchange.run)
        await serving.run()


def _side_work(
    config: Config, core: Core, live: LiveView, rates: ReadRates, erp: HubErp
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
