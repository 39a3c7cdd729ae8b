"""What was measured, minute by minute, while something is wrong."""

from __future__ import annotations

from contracts.telemetry import TracePoint

MINUTE_US = 60_000_000
MOST_MINUTES = 1500
"""A day, the longest for-duration, and some; beyond, the oldest minutes are told as one."""


class Trace:
    """Minutes that nobody was told of yet, oldest first."""

    __slots__ = ("minutes",)

    def __init__(self, minutes: dict[int, list[float]] | None = None) -> None:
        self.minutes = minutes or {}
        """Least, most, sum and count by the start of the minute."""

    def add(self, at_us: int, value: float) -> None:
        start = at_us - at_us % MINUTE_US
        known = self.minutes.get(start)
        if known is None:
            if len(self.minutes) >= MOST_MINUTES:
                self._merge_oldest()
            self.minutes[start] = [value, value, value, 1.0]
            return
        if value < known[0]:
            known[0] = value
        elif value > known[1]:
            known[1] = value
        known[2] += value
        known[3] += 1.0

    def take(self, before_us: int | None) -> tuple[TracePoint, ...]:
        """Whole minutes that ended by `before_us`, or all; they are told once only."""
        told = sorted(
            start for start in self.minutes if before_us is None or start + MINUTE_US <= before_us
        )
        points = []
        for start in told:
            least, most, total, count = self.minutes.pop(start)
            points.append(TracePoint(start, least, most, total / count, int(count)))
        return tuple(points)

    def clear(self) -> None:
        self.minutes.clear()

    def _merge_oldest(self) -> None:
        first, second = sorted(self.minutes)[:2]
        old, into = self.minutes.pop(second), self.minutes[first]
        into[0], into[1] = min(into[0], old[0]), max(into[1], old[1])
        into[2], into[3] = into[2] + old[2], into[3] + old[3]
