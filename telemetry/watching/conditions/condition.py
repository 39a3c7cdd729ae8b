"""One limit of one fence on one series, from quiet to alarm and back.

    quiet -> waiting (bad, for_s runs) -> raised -> quiet
                                            |  good for clear_for_s, and clear_when

Two clocks. A reading counts at its own time, so that what a logger kept for hours is judged as it
was; a timer counts from when we heard, so that an alarm comes also where nothing arrives any more.
Every step is a function of the readings, of their time of arrival and of deadlines, never of how
often somebody looked: going through the same readings again gives the same alarms (I2).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Protocol

from contracts.telemetry import AlarmChange, AlarmChanged, AlarmEffect
from telemetry.describing.series import Series
from telemetry.watching.conditions.memory import (
    INFINITY,
    MOST_ABROAD,
    NEVER,
    Memory,
    Phase,
    name_head,
)
from telemetry.watching.conditions.trace import Trace
from telemetry.watching.fences import Fence

_US = 1_000_000


class Surroundings(Protocol):
    """What a condition needs of the engine."""

    now: int
    """Its clock, microseconds since 1970; it never goes back."""

    def newest(self, number: int) -> tuple[int, float]:
        """Time and value of the newest reading of a series; time 0 where there is none yet."""
        ...

    def described(self, number: int) -> Series:
        """What the book says of a series now."""
        ...

    def beside(self, series: Series, quantity: str) -> int | None:
        """The series of another quantity of the same device, else of the same place with the newest
        reading; None where there is none.
        """
        ...

    def changed(self, change: AlarmChanged) -> None: ...

    def reschedule(self, condition: Condition) -> None: ...


class Condition(ABC):
    """Subclasses say in `see` whether a value is bad or good, and how far."""

    __slots__ = (
        "_clear_us", "_engine", "_for_us", "_trace", "armed", "facts", "fence", "high", "low",
        "memory", "name", "sha256", "uses", "wake", "watched",
    )  # fmt: skip
    kind = ""
    """As AlarmChanged tells it."""
    rule = ""
    """Which limit of the fence it is."""
    always = False
    """Whether every value must be seen, also quiet ones."""
    tells = True
    """Whether there is anything to tell while it lasts, beside to excursions."""

    def __init__(self, fence: Fence, sha256: str, facts: Series, engine: Surroundings) -> None:
        self.fence, self.sha256, self.facts = fence, sha256, facts
        self.name = f"{name_head(fence, sha256)}/{self.rule}/{facts.key}"
        self._for_us, self._clear_us = fence.for_s * _US, fence.clear_for_s * _US
        self._engine = engine
        self.uses: tuple[str, ...] = ()
        """Other quantities beside its own that it asks for."""
        self.watched: list[int] = []
        """Numbers of the series whose readings it sees."""
        self.wake = NEVER
        self.armed = True
        self.recall(Memory())

    def recall(self, memory: Memory) -> None:
        """Go on from what was known."""
        self.memory = memory
        self._trace = Trace(memory.minutes)
        memory.minutes = self._trace.minutes
        self.set_band()

    def has_news(self) -> bool:
        """Whether a restart must be told more than that nothing was wrong so far."""
        memory = self.memory
        return memory.phase is not Phase.QUIET or memory.alarm_since_us > 0 or bool(memory.window)

    def listens_to(self, series: Series) -> bool:
        """Whether readings of `series` must be seen: those of quantities that it asks for."""
        mine = self.facts
        near = series.key.device == mine.key.device or series.place == mine.place != ""
        return near and series.key.quantity in self.uses

    # What subclasses decide

    def quiet_band(self) -> tuple[float, float]:
        """Values at which nothing can begin."""
        return INFINITY, -INFINITY

    def limit(self) -> float | None:
        return None

    @abstractmethod
    def see(self, at_us: int, value: float, *, sample: bool = True) -> None:
        """A finite value outside of the band. `sample`: it was measured now, not looked at again."""

    def look(self, at_us: int) -> None:
        """Something that it asks for beside its own series was measured."""
        newest_us, value = self._engine.newest(self.facts.number)
        if newest_us and abs(value) <= MOST_ABROAD:
            self.see(at_us, value, sample=False)

    def begin(self) -> None:  # noqa: B027 -- a hook; not every kind has something to do
        """The fence holds from now on: look at what was measured last."""

    def end(self) -> None:  # noqa: B027 -- a hook; not every kind has something to do
        """The fence does not hold any more."""

    # The way from quiet to alarm and back

    def judge(
        self,
        at_us: int,
        value: float,
        measure: float | None,
        *,
        bad: bool,
        good: bool,
        sample: bool,
    ) -> None:
        """`measure` is what the limit is about, as far beyond it as it is large. `bad` and `good`
        are both false between the limit and the hysteresis. `sample`: this is a reading of the
        series itself, for the trace.
        """
        memory, phase = self.memory, self.memory.phase
        if phase is Phase.QUIET:
            if not bad:
                return
            self._note_begin(at_us)
        elif phase is Phase.WAITING and not bad and at_us >= memory.seen_us:
            self._drop()
            return
        if not self._note(at_us, value, measure, sample=sample):
            return
        if phase is not Phase.RAISED:
            long_enough = at_us - memory.since_us >= self._for_us
            if long_enough and self._engine.now >= memory.pause_until_us:
                self._raise(at_us)
            elif phase is Phase.QUIET:
                self._engine.reschedule(self)
            return
        self._judge_clearing(at_us, good=good and self.may_clear())

    def is_worse(self, measure: float, worst: float) -> bool:
        return measure > worst

    def may_clear(self) -> bool:
        """Whether the fence's clear condition holds."""
        return True

    def due(self) -> None:
        """The engine's clock has come to `deadline()`."""
        memory, now = self.memory, self._engine.now
        if memory.phase is Phase.WAITING and now >= self._raise_by():
            self._raise(now)
        elif memory.phase is Phase.RAISED:
            if now >= self._clear_by():
                if self.may_clear():
                    self._clear(now)
                    return
                memory.good_us = None
            if now >= self._escalate_by():
                memory.steps += 1
                self._tell(AlarmChange.ESCALATED, now)
            if now >= self._tell_by():
                self._tell(AlarmChange.CONTINUES, now)

    def deadline(self) -> int:
        """When `due` must be called next; NEVER where only a reading can change anything."""
        match self.memory.phase:
            case Phase.WAITING:
                return self._raise_by()
            case Phase.RAISED:
                return min(self._clear_by(), self._escalate_by(), self._tell_by())
            case _:
                return NEVER

    def arm(self, *, holds: bool) -> None:
        """The schedule of the fence begins or ends."""
        if self.armed == holds:
            return
        self.armed = holds
        if holds:
            self.set_band()
            self.begin()
        else:
            self.stop()
            self.end()
            self.set_band()
        self._engine.reschedule(self)

    def stop(self) -> None:
        """Whatever goes on is over, without a reading that says so."""
        if self.memory.phase is Phase.WAITING:
            self._drop()
        elif self.memory.phase is Phase.RAISED:
            self._clear(self._engine.now)

    def set_band(self) -> None:
        if not self.armed:
            self.low, self.high = -INFINITY, INFINITY
        elif self.memory.phase is Phase.QUIET and not self.always:
            self.low, self.high = self.quiet_band()
        else:
            self.low, self.high = INFINITY, -INFINITY

    def _note_begin(self, at_us: int) -> None:
        memory = self.memory
        memory.phase = Phase.WAITING
        memory.since_us, memory.heard_us, memory.seen_us = at_us, self._engine.now, at_us
        memory.worst, memory.good_us, memory.steps, memory.silenced = None, None, 0, False
        self._trace.clear()
        self.set_band()

    def _note(self, at_us: int, value: float, measure: float | None, *, sample: bool) -> bool:
        """Keep what was measured; False for a reading that comes after a newer one."""
        memory = self.memory
        if at_us >= memory.since_us:
            if sample:
                self._trace.add(at_us, value)
            if measure is not None:
                worst = memory.worst
                if worst is None or self.is_worse(measure, worst):
                    memory.worst = measure
        if at_us < memory.seen_us:
            return False
        memory.seen_us, memory.value = at_us, value
        return True

    def _drop(self) -> None:
        self.memory.phase = Phase.QUIET
        self._trace.clear()
        self.set_band()
        self._engine.reschedule(self)

    def _judge_clearing(self, at_us: int, *, good: bool) -> None:
        memory = self.memory
        if not good:
            if memory.good_us is not None:
                memory.good_us = None
                self._engine.reschedule(self)
            return
        if memory.good_us is None:
            memory.good_us, memory.good_heard_us = at_us, self._engine.now
            self._engine.reschedule(self)
        if at_us - memory.good_us >= self._clear_us:
            self._clear(at_us)

    def _raise(self, at_us: int) -> None:
        memory = self.memory
        memory.phase, memory.last = Phase.RAISED, None
        # Late readings may begin a second alarm at or before the begin of one that is over.
        memory.since_us = max(memory.since_us, memory.alarm_since_us + 1)
        memory.alarm_since_us = memory.since_us
        memory.raised_us = self._engine.now
        self._tell(AlarmChange.RAISED, at_us)
        self._engine.reschedule(self)

    def _clear(self, at_us: int) -> None:
        memory = self.memory
        self._tell(AlarmChange.CLEARED, at_us)
        memory.phase, memory.last = Phase.QUIET, None
        memory.pause_until_us = self._engine.now + self.fence.rearm_s * _US
        self._trace.clear()
        self.set_band()
        self._engine.reschedule(self)

    def _raise_by(self) -> int:
        memory = self.memory
        return max(memory.heard_us + self._for_us, memory.pause_until_us)

    def _clear_by(self) -> int:
        memory = self.memory
        if memory.good_us is None:
            return NEVER
        return memory.good_heard_us + self._clear_us

    def _escalate_by(self) -> int:
        memory, steps = self.memory, self.fence.escalation
        if memory.silenced or memory.steps >= len(steps):
            return NEVER
        return memory.raised_us + steps[memory.steps].after_s * _US

    def _tell_by(self) -> int:
        # How long nothing was measured is what goods are judged by, too.
        tells = self.tells or self.fence.effect is AlarmEffect.EXCURSION
        if not (tells and self.fence.tell_s):
            return NEVER
        return self.memory.told_us + self.fence.tell_s * _US

    def _tell(self, change: AlarmChange, at_us: int) -> None:
        memory, fence = self.memory, self.fence
        taken = fence.escalation[memory.steps - 1].severity if memory.steps else fence.severity
        trace = self._trace.take(None if change is AlarmChange.CLEARED else self._engine.now)
        memory.told_us = self._engine.now
        before = memory.last or self._first()
        # Never before it began, whatever the machine's clock was set back to.
        at_us = max(at_us, before.since_us)
        memory.last = replace(
            before,
            number=before.number + 1,
            change=change,
            severity=taken.value,
            at_us=at_us,
            value=memory.value,
            worst=memory.worst,
            trace=trace,
        )
        self._engine.changed(memory.last)

    def _first(self) -> AlarmChanged:
        fence, memory = self.fence, self.memory
        facts = self._engine.described(self.facts.number)
        named = [fence.fence, fence.version, self.rule, facts.key, memory.since_us]
        named += [memory.turns] if memory.turns else []
        digest = hashlib.sha256("\0".join(map(str, named)).encode()).hexdigest()
        return AlarmChanged(
            alarm_id=f"al-{digest[:24]}",
            number=-1,
            change=AlarmChange.RAISED,
            fence=fence.fence,
            fence_version=fence.version,
            fence_sha256=self.sha256,
            kind=self.kind,
            severity=fence.severity.value,
            effect=fence.effect,
            series=facts.key,
            unit=facts.unit,
            site=facts.site,
            place=facts.place,
            since_us=memory.since_us,
            at_us=memory.since_us,
            limit=self.limit(),
            calibration=facts.calibration,
            batch=fence.scope.name if fence.scope.kind == "batch" else "",
            product=fence.scope.name if fence.scope.kind == "product" else "",
        )
