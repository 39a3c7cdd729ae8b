"""The machine's clock as the hot paths read it: whole microseconds, no objects."""

from __future__ import annotations

import time


def system_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000
