"""The kinds of limits: above, below, change within a time, and missing readings."""

from __future__ import annotations

from typing import Protocol

from telemetry.describing.series import Series
from telemetry.watching.conditions.condition import Condition, Surroundings
from telemetry.watching.conditions.memory import INFINITY, MOST_ABROAD, NEVER, Memory, Phase
from telemetry.watching.fences import Fence

_US = 1_000_000
_STEPS_OF_WINDOW = 240
_STILL_SO_US = 86_400 * _US
"""What a sensor said within a day is taken to be so still where a fence begins to hold."""


class Limit(Condition):
    """A condition that a clear expression may keep open."""

    __slots__ = ("clearing",)

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        self.clearing: Clearing | None = None
        super().__init__(fence, sha256, facts, engine)

    def may_clear(self) -> bool:
        return self.clearing is None or self.clearing.holds()

    def begin(self) -> None:
        at_us, value = self._engine.newest(self.facts.number)
        if at_us > self._engine.now - _STILL_SO_US and abs(value) <= MOST_ABROAD:
            # What has been so for long is wrong from the moment on at which it must not be so.
            self.see(self._engine.now, value)


class Clearing(Protocol):
    """Port of the clear condition; `expressions` implements it."""

    def holds(self) -> bool: ...


class Above(Limit):
    __slots__ = ("_good", "_limit")
    kind = rule = "above"

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        self._limit = fence.above if fence.above is not None else INFINITY
        self._good = self._limit - fence.hysteresis
        super().__init__(fence, sha256, facts, engine)

    def quiet_band(self) -> tuple[float, float]:
        return -INFINITY, self._limit

    def limit(self) -> float | None:
        return self._limit

    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        self.judge(
            at_us, value, value, bad=value > self._limit, good=value <= self._good, sample=sample
        )


class Below(Limit):
    __slots__ = ("_good", "_limit")
    kind = rule = "below"

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        self._limit = fence.below if fence.below is not None else -INFINITY
        self._good = self._limit + fence.hysteresis
        super().__init__(fence, sha256, facts, engine)

    def quiet_band(self) -> tuple[float, float]:
        return self._limit, INFINITY

    def limit(self) -> float | None:
        return self._limit

    def is_worse(self, measure: float, worst: float) -> bool:
        return measure < worst

    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        self.judge(
            at_us, value, value, bad=value < self._limit, good=value >= self._good, sample=sample
        )


class Rate(Limit):
    """More than so much change within a time, to 1/240 of that time.

    Keeps the least height of the window as a queue in which heights only grow (Lemire, "Streaming
    maximum-minimum filter using no more than three comparisons per element", 2006): a reading costs
    O(1) in the long run. A fall is a rise of the mirrored value.
    """

    __slots__ = ("_limit", "_step_us", "_within_us")
    kind = "rate"
    always = True
    sign = 1.0

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        self._limit = (fence.rise if self.sign > 0 else fence.fall) or INFINITY
        self._within_us = fence.within_s * _US
        self._step_us = max(1, self._within_us // _STEPS_OF_WINDOW)
        super().__init__(fence, sha256, facts, engine)

    def limit(self) -> float | None:
        return self._limit

    def begin(self) -> None:
        """The window fills from now on."""

    def end(self) -> None:
        self.memory.window.clear()

    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        window = self.memory.window
        if window and at_us < window[-1][0]:
            # One that comes late says nothing of how fast it went since.
            return
        change = self._change(at_us, value * self.sign)
        good = change <= self._limit - self.fence.hysteresis
        self.judge(at_us, value, change, bad=change > self._limit, good=good, sample=sample)

    def _change(self, at_us: int, height: float) -> float:
        window = self.memory.window
        begin = at_us - self._within_us
        gone = next((i for i, (at, _) in enumerate(window) if at >= begin), len(window))
        del window[:gone]
        while window and window[-1][1] >= height:
            window.pop()
        if not window or at_us - window[-1][0] >= self._step_us:
            window.append((at_us, height))
        return height - window[0][1]


class Rise(Rate):
    __slots__ = ()
    rule = "rise"


class Fall(Rate):
    __slots__ = ()
    rule = "fall"
    sign = -1.0


class Missing(Limit):
    """No reading for too long, by the time of the newest reading; a timer tells it."""

    __slots__ = ()
    kind = rule = "missing"
    tells = False

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        super().__init__(fence, sha256, facts, engine)
        # Missing for so long is the whole condition: the fence's other durations are for values.
        self._for_us = self._clear_us = 0

    def recall(self, memory: Memory) -> None:
        # While nothing is wrong, `heard_us` keeps from when on readings were expected.
        memory.heard_us = memory.heard_us or self._engine.now
        super().recall(memory)

    def has_news(self) -> bool:
        heard_us, _ = self._engine.newest(self.facts.number)
        return super().has_news() or heard_us < self.memory.heard_us

    def quiet_band(self) -> tuple[float, float]:
        return -INFINITY, INFINITY

    def begin(self) -> None:
        """We were away ourselves, or nobody watched: count from now."""
        if self.memory.phase is Phase.QUIET:
            self.memory.heard_us = self._engine.now

    def end(self) -> None:
        self.begin()

    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        self.judge(
            at_us,
            value,
            None,
            bad=False,
            good=self._expected_by() > self._engine.now,
            sample=sample,
        )

    def due(self) -> None:
        if self.memory.phase is not Phase.QUIET:
            super().due()
        elif self.armed and self._engine.now >= self._expected_by():
            heard_us, _ = self._engine.newest(self.facts.number)
            self._note_begin(max(heard_us, self.memory.heard_us))
            self.memory.value = None
            self._raise(self._engine.now)

    def deadline(self) -> int:
        if self.memory.phase is Phase.QUIET:
            return self._expected_by() if self.armed else NEVER
        return super().deadline()

    def _expected_by(self) -> int:
        heard_us, _ = self._engine.newest(self.facts.number)
        since_us = max(heard_us, self.memory.heard_us) + self.fence.missing_s * _US
        return max(since_us, self.memory.pause_until_us)
