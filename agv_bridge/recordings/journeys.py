"""Events of a plain log -> stock moves: a pick and a drop that belong together are one move. Pure.

They belong together by the order's number, or by the load where the log has none. Lines may stand
in any order, and one that says the same again changes nothing (I2).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from agv_bridge.dialects.events import Said, What
from agv_bridge.recordings.findings import (
    Failed,
    Finding,
    Mismatch,
    Quality,
    StockMove,
    Stored,
    Unfinished,
    Unplaced,
)
from contracts.reason import Reason

MOST: Final = 100_000
"""Journeys and events that are kept in mind at once; the oldest go first, and are told."""
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")
_Key = tuple[str, str]


class Recent(Generic[_K, _V]):
    """A table of at most so many; `gone` hears of what had to go."""

    def __init__(
        self, most: int, gone: Callable[[_K, _V], None] = lambda _key, _value: None
    ) -> None:
        self._most = most
        self._gone = gone
        self._items: OrderedDict[_K, _V] = OrderedDict()

    def get(self, key: _K) -> _V | None:
        return self._items.get(key)

    def put(self, key: _K, value: _V) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._gone(*self._items.popitem(last=False))

    def pop(self, key: _K) -> _V | None:
        return self._items.pop(key, None)

    def drain(self) -> Iterator[tuple[_K, _V]]:
        while self._items:
            yield self._items.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Half:
    """A pick without its drop, or a drop without its pick."""

    line: int
    said: Said


class Journeys:
    """What plain logs tell, joined. A drop that comes before its pick waits for it: its line is
    named by `settled` once the pick came, else by a late finding that it is unplaced.
    """

    def __init__(self, *, most: int) -> None:
        self._late: list[Finding] = []
        self._orders: Recent[str, Said] = Recent(most)
        self._picks: Recent[_Key, _Half] = Recent(most, self._give_up_pick)
        self._drops: Recent[_Key, _Half] = Recent(most, self._give_up_drop)
        self._seen: Recent[tuple[str, ...], bool] = Recent(most)
        self._settled: list[int] = []

    def learn(self, said: Said) -> None:
        """An order, in the first reading of the file: it may stand behind what it explains."""
        if said.what is What.ORDER:
            self._orders.put(said.order, said)

    def take(self, line: int, said: Said) -> tuple[list[Finding], bool]:
        """The findings of one event, and whether its line waits for another."""
        if self._seen.get(said.key):
            return [], False
        self._seen.put(said.key, True)
        match said.what:
            case What.PICKED:
                return self._picked(_Half(line, said)), False
            case What.DROPPED:
                return self._dropped(_Half(line, said))
            case What.NOTHING | What.ORDER:
                return [], False
            case _:
                return self._told(line, said), False

    def _told(self, line: int, said: Said) -> list[Finding]:
        """The findings of an event that stands alone."""
        match said.what:
            case What.MOVED:
                order = self._orders.get(said.order) if said.order else None
                ordered = order.load if order is not None else said.load
                return _moved(line, said, ordered, said.load, said.source, said.target)
            case What.FAILED:
                self._picks.pop(_key(said))
                order_id = said.order or said.load
                return [Failed(line, said.at, said.vehicle, order_id, "", said.detail)]
            case What.CHECK_PASSED | What.CHECK_FAILED:
                passed = said.what is What.CHECK_PASSED
                told = (said.station, said.load, said.order, passed, said.detail)
                return [Quality(line, said.at, *told)]
            case _:
                out = said.what is What.RETRIEVED
                return [Stored(line, said.at, said.station, said.load, said.order, said.place, out)]

    def settled(self) -> list[int]:
        """The lines of drops that waited and found their pick since the last call."""
        found, self._settled = self._settled, []
        return found

    def late(self) -> list[Finding]:
        """What earlier lines turned out to be since the last call."""
        found, self._late = self._late, []
        return found

    def finish(self) -> list[Finding]:
        """Drops whose pick never came, and picks still on board."""
        for key, half in self._drops.drain():
            self._give_up_drop(key, half)
        for key, half in self._picks.drain():
            self._give_up_pick(key, half)
        return self.late()

    def _picked(self, pick: _Half) -> list[Finding]:
        key = _key(pick.said)
        drop = self._drops.get(key)
        if drop is not None and drop.said.at >= pick.said.at:
            self._drops.pop(key)
            self._settled.append(drop.line)
            return self._joined(pick, drop)
        before = self._picks.pop(key)
        if before is not None:
            self._give_up_pick(key, before)
        self._picks.put(key, pick)
        return []

    def _dropped(self, drop: _Half) -> tuple[list[Finding], bool]:
        said, key = drop.said, _key(drop.said)
        pick = self._picks.pop(key)
        if pick is not None:
            return self._joined(pick, drop), False
        order = self._orders.get(said.order) if said.order else None
        load = said.load or (order.load if order is not None else "")
        if said.source and load:
            ordered = order.load if order is not None else load
            return self._move(drop, ordered, load, said.source), False
        before = self._drops.pop(key)
        if before is not None:
            self._give_up_drop(key, before)
        self._drops.put(key, drop)
        return [], True

    def _joined(self, pick: _Half, drop: _Half) -> list[Finding]:
        order = self._orders.get(drop.said.order) if drop.said.order else None
        read = [load for load in (drop.said.load, pick.said.load) if load]
        ordered = order.load if order is not None else (pick.said.load or drop.said.load)
        seen = next((load for load in read if load != ordered), next(iter(read), ""))
        return self._move(drop, ordered, seen, pick.said.place)

    def _move(self, drop: _Half, ordered: str, seen: str, source: str) -> list[Finding]:
        return _moved(drop.line, drop.said, ordered, seen, source, drop.said.place)

    def _give_up_pick(self, _key_of: _Key, half: _Half) -> None:
        said = half.said
        self._late.append(Unfinished(said.vehicle, said.order, said.load, "picked"))

    def _give_up_drop(self, _key_of: _Key, half: _Half) -> None:
        params: dict[str, str | int | float] = {
            "vehicle": half.said.vehicle,
            "load": half.said.load or half.said.order,
        }
        self._late.append(Unplaced(half.line, "", Reason("agv_drop_without_pick", params)))


def _moved(
    line: int, said: Said, ordered: str, seen: str, source: str, target: str
) -> list[Finding]:
    move = StockMove(
        line, said.at, said.vehicle, said.order, said.id, ordered, seen or None, source, target
    )
    if not move.mismatch:
        return [move]
    return [Mismatch(line, said.at, said.vehicle, said.order, seen), move]


def _key(said: Said) -> _Key:
    return said.vehicle, f"order {said.order}" if said.order else f"load {said.load}"
