"""The hub's job that measures excursions again when goods were told of late (I1, I6)."""

from __future__ import annotations

import asyncio

import structlog

from contracts.errors import TallymanError
from contracts.ports import LiveView
from erp_link.service.excursions.desk import Excursions

log = structlog.get_logger()
_EVERY_S = 15


async def keep_measured(desk: Excursions, live: LiveView) -> None:
    """Look again and again, for as long as the hub runs; an excursion that cannot be measured stops
    no other one.
    """
    while True:
        try:
            tidied = await asyncio.to_thread(desk.tidy, by="hub")
            for name, error in tidied.failed:
                log.warning("an excursion is not measured", excursion=name, error=str(error))
            for name in tidied.measured:
                await live.publish("alarm", {"what": "measured", "reference": name})
        except TallymanError as error:
            log.warning("excursions are not looked at", error=str(error))
        await asyncio.sleep(_EVERY_S)
