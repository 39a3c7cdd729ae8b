"""How fast may examples be sent? A bucket that fills at a constant rate; pure but for the time
that is passed in.
"""

from __future__ import annotations


class Budget:
    """Whoever spends more than there is waits until it has come in again. Over any time the spending
    is at most the rate times that time, and one example more.
    """

    def __init__(self, bytes_per_s: int, *, now: float) -> None:
        """`now` in seconds of a clock that only goes forward."""
        self._bytes_per_s = bytes_per_s
        self._free_at = now

    def spend(self, size: int, now: float) -> None:
        self._free_at = max(self._free_at, now) + size / self._bytes_per_s

    def wait_s(self, now: float) -> float:
        """How long to wait before the next spending."""
        return max(0.0, self._free_at - now)
