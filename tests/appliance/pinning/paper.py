"""A hub that answers about pins as the core does, from memory."""

from __future__ import annotations

import asyncio

from appliance.uplink.client import HubRefusedError
from contracts.errors import UnavailableError
from ota.judging.memory import MemoryPins


class PaperHub:
    """`slow`: it never answers; `away`: it cannot be reached."""

    def __init__(self, pins: MemoryPins | None = None) -> None:
        self.pins = pins or MemoryPins()
        self.online = True
        self.slow = False
        self.asked: list[tuple] = []
        self.takes_not: set[str] = set()
        """Lots that it calls no batch; it refuses a whole question for one of them."""

    async def ask_pins(self, batches, *, session="", reads=""):
        self.asked.append((tuple(batches), session))
        if self.slow:
            await asyncio.Event().wait()
        if not self.online:
            raise UnavailableError("away")
        if any(batch.lot in self.takes_not for batch, _ in batches):
            raise HubRefusedError("bad_input", "a batch with an overlong name", {})
        told = [self.pins.pin(batch, parts, by="edge-01") for batch, parts in batches]
        return told, self.pins.pin_session(session, reads, by="edge-01") if session else None
