"""The hub's job that keeps the care for stock up to date: what each day did to each batch."""

from __future__ import annotations

import asyncio

import structlog

from contracts.errors import TallymanError
from erp_link.service.care.daily import catch_up
from erp_link.service.store import Store

log = structlog.get_logger()
_EVERY_S = 60


async def keep_up(store: Store) -> None:
    """Count again and again, for as long as the hub runs; pages count what is left themselves."""
    while True:
        try:
            while not await asyncio.to_thread(catch_up, store):
                pass
        except TallymanError as error:
            log.warning("stock care is behind", error=str(error))
        await asyncio.sleep(_EVERY_S)
