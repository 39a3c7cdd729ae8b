"""The exchange of a site: EPCIS, webhooks and files, over one store, and the jobs that keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from contracts.clock import Clock
from contracts.errors import TallymanError
from erp_link.adapters.sealing import Seal
from erp_link.epcis.site import Site
from erp_link.service import feed
from erp_link.service.exchange.delivery import Delivery
from erp_link.service.exchange.drop import FileDrop
from erp_link.service.exchange.epcis import Repository
from erp_link.service.exchange.webhooks import Webhooks
from erp_link.service.store import Store
from erp_link.webhooks.addresses import Addresses
from erp_link.webhooks.sender import Sender

_EVERY_S = 1.0
_AFTER_TROUBLE_S = 30.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """How the site names itself, where webhooks may go, where files go. `key` is the file of the
    key that secrets are sealed with; `drop` None: no files.
    """

    site: Site
    key: Path
    addresses: Addresses = field(default_factory=Addresses)
    drop: Path | None = None
    certificates: str = ""


class Exchange:
    """Opens the desks. Raises BadInputError where the key's file holds none."""

    def __init__(self, store: Store, settings: ExchangeSettings) -> None:
        self._store = store
        self._settings = settings
        self.epcis = Repository(store, settings.site)
        self.webhooks = Webhooks(
            store, addresses=settings.addresses, seal=Seal.open_or_create(settings.key)
        )
        self.drop = FileDrop(store, settings.drop) if settings.drop else None

    @property
    def clock(self) -> Clock:
        return self._store.clock

    async def run(self) -> None:
        """Follow the history for ever: EPCIS events, webhook messages, files; send what is due.

        What fails is written to the log and tried again; nothing is lost by it, since each reader
        stays where it was.
        """
        await self._repeated("feed", self._start)
        async with Sender(certificates=self._settings.certificates) as sender:
            delivery = Delivery(
                self._store, self.webhooks, addresses=self._settings.addresses, sender=sender
            )
            async with asyncio.TaskGroup() as jobs:
                jobs.create_task(self._follow("EPCIS", self.epcis.project))
                jobs.create_task(self._follow("webhooks", self.webhooks.project))
                if self.drop is not None:
                    jobs.create_task(self._follow("file drop", self.drop.drop))
                jobs.create_task(self._send(delivery))

    def _start(self) -> int:
        return self._store.write(feed.rebase, by="hub")

    async def _repeated(self, name: str, act: Callable[[], int]) -> int:
        """Until it succeeds once."""
        while True:
            try:
                return await asyncio.to_thread(act)
            except TallymanError as error:
                log.warning("exchange waits", reader=name, error=str(error), code=error.code)
            except Exception:
                # What one reader meets must not stop the others.
                log.exception("a reader of the exchange failed", reader=name)
            await asyncio.sleep(_AFTER_TROUBLE_S)

    async def _follow(self, name: str, act: Callable[[], int]) -> None:
        while True:
            if not await self._repeated(name, act):
                await asyncio.sleep(_EVERY_S)

    async def _send(self, delivery: Delivery) -> None:
        while True:
            try:
                tried = await delivery.send_due()
            except TallymanError as error:
                log.warning("webhooks wait", error=str(error), code=error.code)
                await asyncio.sleep(_AFTER_TROUBLE_S)
                continue
            if not tried:
                await asyncio.sleep(_EVERY_S)
