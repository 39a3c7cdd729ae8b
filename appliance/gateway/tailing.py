"""Composition of the gateway's second process: segments to history and to the pages.

It reads what the gateway wrote and kept, and writes the history alone: killed at any moment it goes
on where it was (I2).
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from appliance.config import Config
from appliance.gateway.knowledge import KeptCatalogues
from appliance.gateway.tailer import Tailer
from appliance.identity.device import DeviceIdentity
from appliance.layout import Layout
from appliance.services.datalock import hold
from appliance.serving import Serving
from contracts.clock import SystemClock


async def run_tailer(config: Config) -> None:
    """Run until SIGTERM. Raises AlreadyRunningError, BadInputError."""
    layout = Layout(config.data)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(layout.sensor_history))
        identity = DeviceIdentity.open_or_create(layout.gateway / "identity", config.gateway.device)
        catalogues = await asyncio.to_thread(KeptCatalogues, layout, identity)
        tailer = Tailer(
            layout.segments / "readings",
            layout.sensor_history,
            catalogues,
            config.history,
            SystemClock(),
            live_url=config.live.url,
        )
        serving = Serving()
        serving.job("tailer", tailer.run)
        await serving.run()
