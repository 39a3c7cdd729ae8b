"""A device is silent once nobody has heard it for a while; a hub that has just begun waits first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from appliance.hub.silence import SILENT_AFTER, Silence
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from contracts.clock import FixedClock


def test_a_gateway_is_silent_since_it_was_heard_last(tmp_path: Path, clock: FixedClock) -> None:
    registry = DeviceRegistry(
        tmp_path / "devices.db", SiteCa.open_or_create(tmp_path / "ca", clock=clock), clock
    )
    begun, silence = clock.at, Silence(registry, clock)
    assert silence.since("gateway-01") is None
    clock.at += SILENT_AFTER
    assert silence.since("gateway-01") == begun
    registry.heard("gateway-01")
    assert silence.since("gateway-01") is None
    heard = clock.at
    clock.at += SILENT_AFTER + timedelta(hours=1)
    assert silence.since("gateway-01") == heard
    registry.close()
