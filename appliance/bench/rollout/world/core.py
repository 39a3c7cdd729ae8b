"""The hub's core in virtual time, over stores in memory: pins, results, generations, what leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Protocol

from appliance.bench.rollout.world.account import Account
from contracts.judging import Pin, RejudgeTask
from contracts.ports import Pins
from contracts.stock import BatchKey
from ota.judging.goods import Ablation, MemoryGoods, Result, Stand
from ota.judging.memory import MemoryPins

_TASKS_AT_ONCE = 32


class Goods(Protocol):
    """What becomes of cartons by their results; `ota.judging.goods.MemoryGoods` meets it."""

    def judged(self, result: Result) -> Stand: ...
    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, tuple[str, ...]]: ...
    def leave(self, carton: str) -> bool: ...
    def decided(self, carton: str, *, release: bool) -> Stand: ...
    def stand(self, carton: str) -> Stand | None: ...
    def asks_person(self, carton: str) -> bool: ...


class VirtualCore:
    """Meets `station.Core`. `cell_of`: each station's cell, whose open batches' pins it is told."""

    def __init__(
        self,
        account: Account,
        cell_of: Mapping[str, str],
        *,
        ablation: Ablation = Ablation.NONE,
        pins: Pins | None = None,
        goods: Goods | None = None,
    ) -> None:
        """`pins` and `goods`: other stores than those in memory, held to the same contracts."""
        self.pins_store = pins or MemoryPins()
        self.goods = goods or MemoryGoods(self.pins_store, ablation=ablation)
        self._account = account
        self._cell_of = cell_of
        self._heads: dict[str, int] = defaultdict(int)
        self._station_of: dict[str, str] = {}
        self._waiting: dict[str, dict[str, BatchKey]] = defaultdict(dict)
        """By station: cartons that wait, with their batch."""
        self._open: dict[str, dict[BatchKey, None]] = defaultdict(dict)
        """By cell: batches that began there and are not over, oldest first."""
        self._judged_by: dict[str, set[BatchKey]] = defaultdict(set)
        """By set: batches whose newest generation is pinned to it."""

    def pin(self, batch: BatchKey, parts: Mapping[str, str], *, by: str) -> Pin:
        known = self.pins_store.find(batch)
        pin = known or self.pins_store.pin(batch, parts, by=by)
        if known is None:
            self._pinned(pin)
        self._came(batch, by)
        return pin

    def took(self, result: Result, number: int, station: str) -> None:
        """Book a station's result, once however often it comes."""
        if number <= self._heads[station]:
            self._account.happened["came twice"] += 1
            return
        self._heads[station] = number
        self._account.booked[result.carton] += 1
        self._station_of.setdefault(result.carton, station)
        self._came(result.batch, station)
        unpinned = self.pins_store.find(result.batch) is None
        before = self.goods.stand(result.carton)
        stand = self.goods.judged(result)
        if self.goods.asks_person(result.carton):
            # Somebody looks at it, and lets it go: no machine's word frees it.
            self._account.happened["settled by a person"] += 1
            stand = self.goods.decided(result.carton, release=True)
            before = stand
        if unpinned and (pin := self.pins_store.find(result.batch)) is not None:
            self._pinned(pin)
        self._stands(result.carton, result.batch, stand)
        if stand is Stand.FREE and before is not Stand.FREE:
            newest = self.pins_store.find(result.batch)
            self._account.free(result.batch, newest.generation if newest else 0, result.judge)
        self._account.happened[f"booked {stand}"] += 1

    def tasks(self, station: str) -> list[RejudgeTask]:
        """What waits for another look from a frame that this station kept."""
        found: list[RejudgeTask] = []
        for carton, batch in self._waiting[station].items():
            pin = self.pins_store.find(batch)
            if pin is not None:
                found.append(RejudgeTask(carton, station, pin, carton))
            if len(found) == _TASKS_AT_ONCE:
                break
        return found

    def pins(self, station: str) -> list[Pin]:
        """Pins of the open batches of the station's cell."""
        found = (self.pins_store.find(batch) for batch in self._open[self._cell_of[station]])
        return [pin for pin in found if pin is not None]

    def pinned_sets(self, station: str) -> set[str]:
        """The digests that the station's cell must hold: open batches, and cartons that wait to be
        judged again, are pinned to them.
        """
        pins = [*self.pins(station), *(task.pin for task in self.tasks(station))]
        return {digest for pin in pins for digest in pin.parts.values()}

    def all_pinned_sets(self) -> set[str]:
        """Of every open batch anywhere, and of whatever waits to be judged again."""
        open_ones = {batch for each in self._open.values() for batch in each}
        waiting = {batch for each in self._waiting.values() for batch in each.values()}
        pins = (self.pins_store.find(batch) for batch in open_ones | waiting)
        return {digest for pin in pins if pin is not None for digest in pin.parts.values()}

    def over(self, batch: BatchKey) -> bool:
        """A batch that nobody will bring any more is over, once nothing of it waits."""
        if any(batch in each.values() for each in self._waiting.values()):
            return False
        for each in self._open.values():
            each.pop(batch, None)
        return True

    def open_generations(self, bad: str, instead: Callable[[str], str], *, why: str) -> int:
        """A set was taken back: every batch that it judges gets its next generation, for `instead`
        of the cell where it began. How many batches.
        """
        opened = 0
        for batch in sorted(self._judged_by.pop(bad, ())):
            known = self.pins_store.find(batch)
            if known is None or bad not in known.parts.values():
                continue
            other = instead(self._account.began[batch])
            parts = {use: other if set_ == bad else set_ for use, set_ in known.parts.items()}
            pin, again = self.goods.next_generation(
                batch, parts, after=known.generation, by="rollback", why=why
            )
            self._pinned(pin)
            opened += 1
            for carton in again:
                self._stands(carton, batch, self.goods.stand(carton))
        self._account.happened["generations opened"] += opened
        return opened

    def leave(self, carton: str) -> None:
        """Ship it, if it may."""
        self._account.happened["left" if self.goods.leave(carton) else "may not leave"] += 1

    def waiting(self) -> int:
        """Cartons of which nobody knows yet."""
        return sum(len(each) for each in self._waiting.values())

    def _came(self, batch: BatchKey, station: str) -> None:
        cell = self._cell_of[station]
        self._open[cell][batch] = None
        self._account.began.setdefault(batch, cell)

    def _pinned(self, pin: Pin) -> None:
        for digest in pin.parts.values():
            self._judged_by[digest].add(pin.batch)

    def _stands(self, carton: str, batch: BatchKey, stand: Stand | None) -> None:
        station = self._station_of[carton]
        if stand is Stand.WAITS:
            self._waiting[station][carton] = batch
        else:
            self._waiting[station].pop(carton, None)
