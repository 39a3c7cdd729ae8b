"""The hub's job that books what came in from offline devices and was cut short by a fall (I2, I6)."""

from __future__ import annotations

import asyncio

import structlog

from contracts.errors import TallymanError
from erp_link.service.merge.desk import OfflineLogs

log = structlog.get_logger()
_EVERY_S = 30


async def keep_booked(logs: OfflineLogs) -> None:
    """Look again and again, for as long as the hub runs: an upload books what it brought by itself,
    unless the hub fell in between.
    """
    while True:
        try:
            booked = await asyncio.to_thread(logs.settle)
            if booked:
                log.info("entries of offline devices booked late", entries=booked)
        except TallymanError as error:
            log.warning("entries of offline devices are not booked", error=str(error))
        await asyncio.sleep(_EVERY_S)
