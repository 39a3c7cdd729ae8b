"""How long to wait before trying again: longer each time, and never in step with other boxes."""

from __future__ import annotations

import random


class Backoff:
    """Exponential with full jitter, between `first_s` and `most_s`."""

    def __init__(self, *, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._failures = 0

    def next_s(self) -> float:
        top = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return random.uniform(top / 2, top)  # noqa: S311 -- spreads load, guards no secret

    def reset(self) -> None:
        self._failures = 0
