"""The exchange's job in the hub: what one reader meets does not stop the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.desk import Exchange, ExchangeSettings

PATIENCE_S = 60.0


def test_an_entry_that_epcis_cannot_tell_does_not_stop_the_webhooks(
    core: Core, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = Exchange(core, ExchangeSettings(site=site, key=tmp_path / "exchange.key"))
    told: list[str] = []

    def cannot() -> int:
        told.append("epcis")
        raise KeyError("an entry that nobody foresaw")

    async def go() -> None:
        gone_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        def webhooks() -> int:
            told.append("webhooks")
            if "epcis" in told and told.count("webhooks") > 1:
                loop.call_soon_threadsafe(gone_on.set)
            return 0

        monkeypatch.setattr(exchange.epcis, "project", cannot)
        monkeypatch.setattr(exchange.webhooks, "project", webhooks)
        job = asyncio.create_task(exchange.run())
        waiting = asyncio.create_task(gone_on.wait())
        await asyncio.wait([job, waiting], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        ended = job.done()
        job.cancel()
        waiting.cancel()
        await asyncio.gather(job, waiting, return_exceptions=True)
        assert not ended
        assert gone_on.is_set()

    asyncio.run(go())
