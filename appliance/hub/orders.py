"""The hub's job that plans orders again which lost goods to a hold, serves those that miss goods from
what comes in, and ends offline quotas.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import structlog

from contracts.errors import TallymanError
from contracts.ports import LiveView
from erp_link.service.orders.desk import Orders
from erp_link.service.orders.planning import Planned
from erp_link.service.sweeping import SweepStuckError

log = structlog.get_logger()
_EVERY_S = 1
_SERVED_EVERY = 30
"""Looks between two for orders that miss goods: whoever lost goods to a hold does not wait for them."""


async def keep_tidy(orders: Orders, live: LiveView) -> None:
    """Look again and again, for as long as the hub runs; pages hear of every order planned again."""
    stuck: dict[str, str] = {}
    for look in itertools.count():
        rounds = [orders.tidy, orders.serve_short] if look % _SERVED_EVERY == 0 else [orders.tidy]
        for again in rounds:
            try:
                done: Sequence[Planned] = await asyncio.to_thread(again)
            except SweepStuckError as error:
                done = error.done
                # Told once, not every second.
                if error.stuck.items() - stuck.items():
                    log.warning("some orders are not planned again", stuck=error.stuck)
                stuck |= error.stuck
            except TallymanError as error:
                done = ()
                log.warning("orders are not planned again", error=str(error))
            for planned in done:
                await _tell(planned, live)
        await asyncio.sleep(_EVERY_S)


async def _tell(planned: Planned, live: LiveView) -> None:
    log.info("order planned again", order=planned.order, short=planned.short)
    await live.publish("order", {"what": "planned", "reference": planned.order})
