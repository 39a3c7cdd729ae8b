"""How often somebody may guess. Counts failures, so that signing in often is no offence."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `failures` within `window`."""

    failures: int
    window: timedelta


class FailureLimiter:
    """Failures by key within a sliding window, in memory: a restart forgives, which guessing
    over the network cannot bring about.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._failures: dict[str, deque[datetime]] = {}

    def may_try(self, key: str, now: datetime) -> bool:
        failures = self._recent(key, now)
        return failures is None or len(failures) < self._limit.failures

    def failed(self, key: str, now: datetime) -> None:
        if len(self._failures) >= _MOST_KEYS:
            for other in list(self._failures):
                self._recent(other, now)
        if len(self._failures) >= _MOST_KEYS and key not in self._failures:
            self._failures.pop(next(iter(self._failures)))
        self._failures.setdefault(key, deque()).append(now)

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    def _recent(self, key: str, now: datetime) -> deque[datetime] | None:
        failures = self._failures.get(key)
        if failures is None:
            return None
        while failures and failures[0] <= now - self._limit.window:
            failures.popleft()
        if not failures:
            del self._failures[key]
            return None
        return failures
