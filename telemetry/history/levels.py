"""How finely history is kept and for how long, and which of it answers a question. Pure.

Four levels: every reading, and for each second, minute and hour the least, the most, the sum and
the count. An envelope of least and most hides no spike however far a chart is zoomed out, and sums
add up, so that late readings are added to a level without its readings being there any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US


class Level(StrEnum):
    RAW = "raw"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"

    @property
    def step_us(self) -> int:
        """Width of one row, microseconds; 1 where rows are single readings."""
        return _STEPS[self]


_STEPS: Final = {
    Level.RAW: 1,
    Level.SECOND: SECOND_US,
    Level.MINUTE: 60 * SECOND_US,
    Level.HOUR: 3600 * SECOND_US,
}
ROLLUPS: Final = (Level.SECOND, Level.MINUTE, Level.HOUR)
COARSEST_FIRST: Final = (Level.HOUR, Level.MINUTE, Level.SECOND, Level.RAW)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days that each level is kept, by the time of measuring; 0: for ever."""

    raw_days: int = 30
    second_days: int = 90
    minute_days: int = 730
    hour_days: int = 0

    def days(self, level: Level) -> int:
        return {
            Level.RAW: self.raw_days,
            Level.SECOND: self.second_days,
            Level.MINUTE: self.minute_days,
            Level.HOUR: self.hour_days,
        }[level]

    def begins(self, level: Level, now_us: int) -> int:
        """First whole UTC day of `level` that is still kept: its start, or 0."""
        days = self.days(level)
        return (now_us // DAY_US - days) * DAY_US if days else 0


def choose(from_us: int, to_us: int, points: int, begins: Mapping[Level, int]) -> Level:
    """The coarsest level that still gives `points` points between the two times.

    Where that one does not reach back to `from_us` any more, the next coarser one that does;
    where none does, the one that reaches back farthest. `begins`: where each level starts.
    """
    width = max(1, (to_us - from_us) // max(1, points))
    wanted = next(level for level in COARSEST_FIRST if level.step_us <= width)
    coarser = [level for level in reversed(COARSEST_FIRST) if level.step_us >= wanted.step_us]
    for level in coarser:
        if begins.get(level, 0) <= from_us:
            return level
    return min(coarser, key=lambda level: begins.get(level, 0))


def buckets(from_us: int, to_us: int, points: int, step_us: int) -> int:
    """Width of one point in microseconds: a whole number of steps, so few that points suffice."""
    width = max(1, (to_us - from_us) // max(1, points))
    return max(step_us, -(-width // step_us) * step_us)
