"""The live view by URL; without one it lives in this process's memory."""

from __future__ import annotations

from appliance.live.memory import MemoryLiveView
from appliance.live.valkey import ValkeyLiveView


def open_live(url: str) -> MemoryLiveView | ValkeyLiveView:
    """`redis://host:port` (Valkey or Redis), or empty."""
    return ValkeyLiveView(url) if url else MemoryLiveView()
