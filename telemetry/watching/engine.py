"""All fences over all series: the hot loop asks two comparisons a reading, the rest happens here.

    engine.tick(received_us)                              # before each group
    for number, at, value in readings:
        if at >= latest_us[number]:
            latest[number], latest_us[number] = value, at
        watcher = watch[number]
        if not (watcher.low <= value <= watcher.high):
            watcher.see(at, value)
    # or many readings at once, where all of them are inside quiet_low and quiet_high: then only the
    # newest of each series has to be put down
    ... the group is on disk ...
    emit(engine.take_changes())

Rules. The caller's clock never goes back but by `turn_back`, and `tick(received_us)` comes before the readings of each
group; `tick` by a timer between groups as often as one likes. Then the changes depend on the groups
alone: `restore` of what `save` gave, and the groups after it once more, give the same alarms with the
same ids and numbers (I2). `extend` after the catalogue bound an address for the first time, `swap`
between groups for other fences, another book or other whereabouts, `resume` once after the replay of
a start; after `swap` and `resume` save before anything is told.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from math import inf, nan
from typing import Final

from contracts.reason import Reason
from contracts.telemetry import AlarmChanged
from telemetry.describing.series import Series, SeriesBook
from telemetry.watching import saved
from telemetry.watching.conditions.condition import Condition
from telemetry.watching.conditions.making import Prepared, prepare
from telemetry.watching.conditions.memory import (
    NEVER,
    Memory,
    Phase,
    bring_back,
    given_up,
    name_head,
    nothing_new,
)
from telemetry.watching.conditions.rules import Missing
from telemetry.watching.fences import Fence
from telemetry.watching.neighbours import Neighbours
from telemetry.watching.places import Whereabouts, covers
from telemetry.watching.timetable import Schedule, Timed
from telemetry.watching.watcher import Watcher

SET_BACK_US: Final = 2_000_000
_NOWHERE = Whereabouts()


class Engine:
    """Built from the fences in force and the catalogue's book; see the module for how it is driven."""

    def __init__(
        self,
        fences: Iterable[Fence] = (),
        *,
        book: SeriesBook,
        now_us: int,
        whereabouts: Whereabouts = _NOWHERE,
    ) -> None:
        self.now = now_us
        self.latest, self.latest_us = array("d"), array("q")
        self.quiet_low, self.quiet_high = array("d"), array("d")
        self.watch: list[Watcher] = []
        self.unusable = 0
        """Values that are no measurement and reached a watcher; most templates refuse them before."""
        self.troubles: list[Reason] = []
        """Why a fence does not watch a series that it covers."""
        self._book, self._where = book, whereabouts
        self._prepared: list[Prepared] = []
        self._schedules: list[Schedule] = []
        self._conditions: dict[str, Condition] = {}
        self._asking: list[Condition] = []
        """Those that ask for other series beside their own."""
        self._neighbours = Neighbours((), self.latest_us)
        self._heap: list[tuple[int, str, int, Timed]] = []
        self._serial = 0
        self._changes: list[AlarmChanged] = []
        self.swap(fences)

    # The hot loop's way in and out

    def take_changes(self) -> list[AlarmChanged]:
        """What changed since the last call, in order. Tell nobody before the group is on disk."""
        taken, self._changes = self._changes, []
        return taken

    def tick(self, now_us: int) -> None:
        """Everything that time alone brings until `now_us`."""
        while self._heap and self._heap[0][0] <= now_us:
            at_us, _, _, timed = heapq.heappop(self._heap)
            if timed.wake != at_us:
                continue
            self.now = max(self.now, at_us)
            timed.wake = NEVER
            if timed.deadline() <= self.now:
                timed.due()
            self._wake(timed)
        self.now = max(self.now, now_us)

    def extend(self) -> None:
        """The book has more series."""
        for number in self._number_series():
            for condition in self._wanted(self._book[number], {}):
                self._conditions[condition.name] = condition
                self._attach(condition)
                self._start(condition)
            for condition in self._asking:
                if condition.listens_to(self._book[number]):
                    self._listen(condition, number)
            self.watch[number].fit()

    # Other fences, and a start

    def swap(
        self,
        fences: Iterable[Fence] | None = None,
        *,
        book: SeriesBook | None = None,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        """Between two groups. What watches the same series under the same fence goes on as it was;
        an alarm of anything else is over. Raises BadInputError for an expression that cannot be used,
        and then nothing is changed.
        """
        if fences is not None:
            self._prepared = [prepare(each) for each in sorted(fences, key=lambda f: f.fence)]
        self._book, self._where = book or self._book, whereabouts or self._where
        before, self._conditions = self._conditions, {}
        for _, condition in sorted(before.items()):
            if self._stands_elsewhere(condition):
                # What it measured there says nothing of where it stands now.
                condition.stop()
                condition.end()
        self._number_series()
        self._neighbours = Neighbours(self._book, self.latest_us)
        fresh = self._rebuild(before)
        for name in sorted(before.keys() - self._conditions.keys()):
            before[name].stop()
            before[name].wake = NEVER
        self._schedule()
        for condition in fresh:
            self._start(condition)

    def resume(self, now_us: int) -> None:
        """After the replay of a start: while this process was away nothing could be heard, so what is
        missing counts from now on.
        """
        missing = [each for each in self._conditions.values() if isinstance(each, Missing)]
        resumed = max(self.now, now_us)
        self.now, before = resumed, self.now
        for condition in missing:
            condition.begin()
            self.reschedule(condition)
        self.now = before
        self.tick(resumed)

    def turn_back(self, now_us: int) -> bool:
        """The machine's clock was set back to `now_us`: what was put off to a time that comes much
        later counts from now. Whether it was: less than `SET_BACK_US` is no setting.
        """
        if now_us >= self.now - SET_BACK_US:
            return False
        self.now = now_us
        self.latest_us[:] = array("q", (min(at_us, now_us) for at_us in self.latest_us))
        self._schedule()
        for _, condition in sorted(self._conditions.items()):
            bring_back(condition.memory, now_us, condition.fence.rearm_s * 1_000_000)
            condition.arm(holds=self._holds(condition))
            self.reschedule(condition)
        return True

    def acknowledge(self, alarm_ids: Collection[str]) -> None:
        """Somebody looks after these: they escalate no further."""
        for condition in self._conditions.values():
            last = condition.memory.last
            if last is not None and last.alarm_id in alarm_ids:
                condition.memory.silenced = True
                self.reschedule(condition)

    def open_alarms(self) -> list[AlarmChanged]:
        """The newest change of each alarm that is not over."""
        memories = (each.memory for each in self._conditions.values())
        return [m.last for m in memories if m.phase is Phase.RAISED and m.last is not None]

    def save(self) -> bytes:
        """All that a restart must know, for the position after the last group."""
        known = [
            saved.SavedSeries(
                each.key, each.unit, each.site, each.place, value, at_us, each.calibration
            )
            for each, value, at_us in zip(self._book, self.latest, self.latest_us, strict=False)
            if not each.retired
        ]
        memories = {name: each.memory for name, each in self._conditions.items() if each.has_news()}
        heads = [name_head(each.fence, each.sha256) for each in self._prepared]
        return saved.encode(saved.SavedState(self.now, known, memories, heads))

    def restore(self, data: bytes) -> None:
        """Go on where `save` was called; call it before anything else. Raises BadInputError."""
        state = saved.decode(data)
        self.now = state.now
        for each in state.series:
            if self._book.find(each.key) is None:
                self._book.put(
                    each.key,
                    each.unit,
                    site=each.site,
                    place=each.place,
                    calibration=each.calibration,
                )
        self._number_series()
        for each in state.series:
            number = self._book.find(each.key)
            if number is not None:
                self.latest[number], self.latest_us[number] = each.value, each.at_us
        self._heap.clear()
        heads, keys = set(state.heads), {each.key for each in state.series}
        self._rebuild({})
        self._schedule()
        stood = {each.key: (each.site, each.place) for each in state.series}
        for name, condition in self._conditions.items():
            condition.armed = self._holds(condition)
            memory = state.conditions.get(name)
            facts = condition.facts
            if memory is not None and stood.get(facts.key) != (facts.site, facts.place):
                # Moved by a bundle that was kept and not yet told to the rules.
                memory = self._left_behind(memory)
            if memory is None:
                watched = name_head(condition.fence, condition.sha256) in heads
                memory = nothing_new() if watched and condition.facts.key in keys else Memory()
            condition.recall(memory)
            self.reschedule(condition)
        for name, memory in sorted(state.conditions.items()):
            if name not in self._conditions and memory.phase is Phase.RAISED and memory.last:
                self._changes.append(given_up(memory.last, self.now))

    def _left_behind(self, memory: Memory) -> Memory:
        """What a sensor that stands elsewhere now still knows; its alarm is over."""
        if memory.phase is Phase.RAISED and memory.last is not None:
            self._changes.append(given_up(memory.last, self.now))
        return Memory(heard_us=self.now, alarm_since_us=memory.alarm_since_us)

    # What conditions ask (Surroundings)

    def changed(self, change: AlarmChanged) -> None:
        self._changes.append(change)

    def reschedule(self, condition: Condition) -> None:
        self._wake(condition)
        for number in condition.watched:
            self.watch[number].fit()

    def newest(self, number: int) -> tuple[int, float]:
        return self.latest_us[number], self.latest[number]

    def described(self, number: int) -> Series:
        return self._book[number]

    def beside(self, series: Series, quantity: str) -> int | None:
        return self._neighbours.of(series, quantity)

    # Building

    def _number_series(self) -> range:
        known, every = len(self.latest), len(self._book)
        for number in range(known, every):
            self.latest.append(nan)
            self.latest_us.append(0)
            self.quiet_low.append(-inf)
            self.quiet_high.append(inf)
            self.watch.append(Watcher(self, number))
            self._neighbours.add(self._book[number])
        return range(known, every)

    def _wanted(self, series: Series, before: Mapping[str, Condition]) -> Iterator[Condition]:
        """What watches a series: as it was before, or made anew."""
        if series.retired:
            return
        for each in self._prepared:
            fence = each.fence
            if fence.quantity != series.key.quantity or not covers(
                fence.scope, series, self._where
            ):
                continue
            if fence.unit != series.unit:
                self._differs(fence, series)
                continue
            for name, rule in each.names(series.key).items():
                yield before.get(name) or each.make(rule, series, self)

    def _differs(self, fence: Fence, series: Series) -> None:
        params: dict[str, str | int | float] = {
            "fence": fence.fence, "unit": fence.unit,
            "series": str(series.key), "its_unit": series.unit,
        }  # fmt: skip
        self.troubles.append(Reason("fence_unit", params))

    def _rebuild(self, before: Mapping[str, Condition]) -> list[Condition]:
        """Everything that is wanted now, with what went on; what is new is given back."""
        self.troubles.clear()
        self._asking.clear()
        for watcher in self.watch:
            watcher.conditions.clear()
        for series in self._book:
            for condition in self._wanted(series, before):
                condition.facts = series
                condition.watched.clear()
                self._conditions[condition.name] = condition
        for condition in self._conditions.values():
            self._attach(condition)
        for watcher in self.watch:
            watcher.fit()
        return [each for name, each in self._conditions.items() if name not in before]

    def _attach(self, condition: Condition) -> None:
        self._listen(condition, condition.facts.number)
        if condition.uses:
            self._asking.append(condition)
            for series in self._neighbours.around(condition.facts):
                if condition.listens_to(series):
                    self._listen(condition, series.number)

    def _listen(self, condition: Condition, number: int) -> None:
        watcher = self.watch[number]
        if number not in condition.watched:
            watcher.conditions.append(condition)
            condition.watched.append(number)

    def _schedule(self) -> None:
        """Each fence's hours as of now; nothing is told of it."""
        for old in self._schedules:
            old.wake = NEVER
        self._schedules = [
            Schedule(each.fence, self, self._conditions_of) for each in self._prepared
            if each.fence.hours is not None
        ]  # fmt: skip
        for schedule in self._schedules:
            self._wake(schedule)

    def _stands_elsewhere(self, condition: Condition) -> bool:
        before, now = condition.facts, self._book[condition.facts.number]
        return not now.retired and (before.site, before.place) != (now.site, now.place)

    def _conditions_of(self, fence: str) -> list[Condition]:
        named = sorted(self._conditions.items())
        return [each for _, each in named if each.fence.fence == fence]

    def _start(self, condition: Condition) -> None:
        condition.armed = self._holds(condition)
        condition.set_band()
        if condition.armed:
            condition.begin()
        self.reschedule(condition)

    def _holds(self, condition: Condition) -> bool:
        hours = condition.fence.hours
        return hours is None or hours.holds(self.now)

    def _wake(self, timed: Timed) -> None:
        at_us = timed.deadline()
        if at_us == NEVER:
            timed.wake = NEVER
            return
        at_us = max(at_us, self.now)
        if at_us != timed.wake:
            timed.wake = at_us
            self._serial += 1
            heapq.heappush(self._heap, (at_us, timed.name, self._serial, timed))
