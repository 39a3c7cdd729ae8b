"""Virtual time: what happens next, and nothing waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
_BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
BEGAN_US = int(_BEGAN.timestamp()) * SECOND_US
"""Midnight before a world's first day, microseconds since 1970."""


class Agenda:
    """A clock that jumps to the next thing on its list. Same insertions, same order: what falls on
    one moment happens in the order in which it was put down.
    """

    def __init__(self) -> None:
        self.now_us = BEGAN_US
        self._number = 0
        self._follower: Agenda | None = None
        self._list: list[tuple[int, int, Callable[[], None]]] = []

    def follow(self, other: Agenda) -> None:
        """Let another clock, which somebody holds already, show the same time."""
        self._follower = other

    def at(self, at_us: int, do: Callable[[], None]) -> None:
        """Do it then; at once where that is past already."""
        self._number += 1
        heapq.heappush(self._list, (max(at_us, self.now_us), self._number, do))

    def after(self, delay_us: int, do: Callable[[], None]) -> None:
        self.at(self.now_us + delay_us, do)

    def every(self, period_us: int, do: Callable[[], None], *, until_us: int) -> None:
        """Now, and then each period until the moment given."""

        def again() -> None:
            do()
            if self.now_us + period_us <= until_us:
                self.after(period_us, again)

        self.at(self.now_us, again)

    def run(self, until_us: int) -> None:
        """Everything up to that moment, that moment included."""
        while self._list and self._list[0][0] <= until_us:
            self.now_us, _, do = heapq.heappop(self._list)
            if self._follower is not None:
                self._follower.now_us = self.now_us
            do()
        self.now_us = max(self.now_us, until_us)

    def now(self) -> datetime:
        """For what asks a `contracts.clock.Clock`."""
        return _BEGAN + timedelta(microseconds=self.now_us - BEGAN_US)
