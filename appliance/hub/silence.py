"""Which devices of the site nobody hears: what they told last may long be otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appliance.identity.registry import DeviceRegistry
from contracts.clock import Clock

SILENT_AFTER: Final = timedelta(minutes=15)
"""Devices ask for news every few seconds."""


class Silence:
    """Since when a device is silent. A hub that has just begun heard nobody yet."""

    def __init__(self, registry: DeviceRegistry, clock: Clock) -> None:
        self._registry, self._clock = registry, clock
        self._begun = clock.now()

    def since(self, device: str) -> datetime | None:
        """None while it is heard. Until then it was."""
        heard = self._registry.heard_at(device) or self._begun
        return heard if self._clock.now() - heard >= SILENT_AFTER else None
