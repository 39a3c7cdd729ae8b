"""The hub's job that brings every batch to the stage of its date: warned, frozen, off the shelf (I4)."""

from __future__ import annotations

import asyncio

import structlog

from contracts.errors import TallymanError
from contracts.ports import LiveView
from erp_link.service.goods.shelf import Shelf, Swept
from erp_link.service.sweeping import SweepStuckError

log = structlog.get_logger()
_EVERY_S = 60


async def keep_watch(shelf: Shelf, live: LiveView) -> None:
    """Look again and again, for as long as the hub runs: a day begins at the site's midnight."""
    unsure = False
    while True:
        try:
            swept = await asyncio.to_thread(shelf.sweep, by="hub")
            if not swept.clock_is_sure and not unsure:
                log.warning("the clock stands before its own records: no date is acted on")
            unsure = not swept.clock_is_sure
            await _tell(swept, live)
        except SweepStuckError as error:
            log.warning("the dates of some batches are not acted on", stuck=error.stuck)
            await _tell(Swept(tuple(error.done)), live)
        except TallymanError as error:
            log.warning("dates are not looked at", error=str(error))
        await asyncio.sleep(_EVERY_S)


async def _tell(swept: Swept, live: LiveView) -> None:
    for batch, stage in swept.raised:
        log.info("a batch nears its date", batch=str(batch), stage=stage.value)
        await live.publish("hold", {"what": stage.value, "reference": str(batch)})
