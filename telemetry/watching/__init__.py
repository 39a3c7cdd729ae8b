"""Fences: what is too warm, too long, missing or otherwise wrong, and the alarms that follow."""

from telemetry.watching.engine import Engine
from telemetry.watching.fences import Fence, read_fence
from telemetry.watching.places import Whereabouts
from telemetry.watching.watcher import Watcher

__all__ = ["Engine", "Fence", "Watcher", "Whereabouts", "read_fence"]
