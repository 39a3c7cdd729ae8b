"""The hub's job that plans orders again which lost goods to a hold, serves those that miss goods from
what comes in, and ends offline quotas.
"""

from __future__ import annotations

import asyncio
import itertools

import structlog

from contracts.errors import TallymanError
from contracts.ports import LiveView
from erp_link.service.orders.desk import Orders

log = structlog.get_logger()
_EVERY_S = 1
_SERVED_EVERY = 30
"""Looks between two for orders that miss goods: whoever lost goods to a hold does not wait for them."""


async def keep_tidy(orders: Orders, live: LiveView) -> None:
    """Look again and again, for as long as the hub runs; pages hear of every order planned again."""
    for look in itertools.count():
        try:
            planned_again = await asyncio.to_thread(orders.tidy)
            if look % _SERVED_EVERY == 0:
                planned_again += await asyncio.to_thread(orders.serve_short)
            for planned in planned_again:
                log.info("order planned again", order=planned.order, short=planned.short)
                await live.publish("order", {"what": "planned", "reference": planned.order})
        except TallymanError as error:
            log.warning("orders are not planned again", error=str(error))
        await asyncio.sleep(_EVERY_S)
