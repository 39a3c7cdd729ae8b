"""Composition of the module stations: dialects of the configuration, broker, core."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from agv_bridge.bridge.modules import ModuleStations
from agv_bridge.dialects.compiled import Dialect, load_dialect
from appliance.config import Config
from appliance.hub.news import HubNews
from appliance.modules.inbox import Inbox
from appliance.services.mqtt import BrokerAddress, broker_trust
from contracts.errors import BadInputError
from contracts.modules import FailedCheck, ModuleEvent
from erp_link.service.core import Core
from telemetry.subscriber.subscriber import BrokerLink, Subscriber

log = structlog.get_logger()


class CoreModules:
    """Implements contracts.modules.ModuleResults over the synchronous core."""

    def __init__(self, core: Core, news: HubNews, *, failed_check: FailedCheck) -> None:
        self._core = core
        self._news = news
        self._failed_check = failed_check

    async def module_event(self, event: ModuleEvent) -> None:
        """Book it, then tell pages and vehicles; the booking does not wait for them."""
        applied = await asyncio.to_thread(
            self._core.module_event, event, failed_check=self._failed_check
        )
        await self._news.told(applied, device=event.station, load=event.load_id)


class ModuleListener:
    """The stations of a site at work. `subscriber` is None where no dialect names a station."""

    def __init__(self, stations: ModuleStations, link: BrokerLink | None) -> None:
        self.stations = stations
        self.inbox = Inbox(stations)
        self.subscriber = Subscriber(self.inbox, link) if link is not None else None

    @property
    def connected(self) -> bool:
        return self.subscriber is not None and self.subscriber.connected

    async def run(self) -> None:
        """Listen until cancelled; an outage of the broker or the core is waited out."""
        if self.subscriber is None:
            await asyncio.Event().wait()
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.subscriber.run())
            tasks.create_task(self.inbox.run())


def open_listener(
    config: Config, core: Core, news: HubNews, *, client_id: str
) -> ModuleListener | None:
    """The listener that the configuration asks for; None where it names no dialect or no broker.

    client_id: the same at every start, since the broker keeps messages for it meanwhile; and not to
    be guessed, since whoever signs in with it takes them away.

    Raises BadInputError: a dialect that cannot be used, or that names no station.
    """
    if not config.modules.dialects or not config.broker.url:
        return None
    dialects = [_station_dialect(name) for name in config.modules.dialects]
    results = CoreModules(core, news, failed_check=FailedCheck(config.modules.failed_check))
    stations = ModuleStations(results, dialects)
    return ModuleListener(stations, _link(config, stations.filters, client_id))


def _station_dialect(name: str) -> Dialect:
    dialect = load_dialect(Path(name))
    if not dialect.station_topics:
        raise BadInputError(
            f"modules.dialects: {name} describes no module station",
            mend="Name a dialect with events stored, retrieved, check_passed or check_failed",
        )
    log.info("module dialect in force", name=dialect.name, sha256=dialect.sha256)
    return dialect


def _link(config: Config, topics: tuple[str, ...], client_id: str) -> BrokerLink:
    address = BrokerAddress.parse(config.broker.url)
    trust = broker_trust(config.broker.authority) or ssl.create_default_context()
    return BrokerLink(
        host=address.host,
        port=address.port,
        client_id=client_id,
        topics=topics,
        username=address.username,
        password=address.password,
        tls=trust if address.tls else None,
        group="tallyman-modules",
    )
