"""The fleet as a stream: everything once, then only what changed, worked out once for all who look.

Positions go out in centimetres, at most twice a second. A page that lost its line begins anew with
everything, so it needs no history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from typing import Final

import msgspec

from agv_bridge.fleet.board import FleetRow
from appliance.web.fleet.ports import Sight
from appliance.web.live import frame
from contracts.clock import Clock

TICK_S: Final = 0.5
_BEAT_S: Final = 1.0
_POINTS_ALL_TOLD: Final = 20_000
"""Points of all trails together in the first frame; more vehicles, shorter trails."""
_SHARE: Final = 0.05
"""Of one core, at most, for all who look: a large fleet is looked at less often."""
_NEVER: Final = -1.0


@dataclass(frozen=True, slots=True)
class _Sent:
    version: int
    row: tuple[Hashable, ...]


class FleetFeed:
    """What changed since a version, for any number of pages. For one event loop."""

    def __init__(self, sight: Sight, *, ticking: Callable[[], float] = time.monotonic) -> None:
        self._sight = sight
        self._ticking = ticking
        self._looked = _NEVER
        self._rest_s = 0.0
        self._rows: dict[str, _Sent] = {}
        self._gone: dict[str, int] = {}
        self._places: dict[tuple[str, str], _Sent] = {}
        self._places_known = _NEVER
        self._places_anew = 0
        """The version at which a place was last forgotten."""
        self._missions: Hashable = None
        self._missions_at = 0
        self.version = 0

    def refresh(self) -> None:
        """Look at the fleet, unless somebody just did."""
        now, begun = self._ticking(), time.thread_time()
        if self._looked != _NEVER and now - self._looked < self._rest_s:
            return
        self._looked = now
        self._look()
        self._rest_s = max(TICK_S * 0.8, (time.thread_time() - begun) / _SHARE)

    def _look(self) -> None:
        self.version += 1
        rows = {row.name: packed(row) for row in self._sight.rows()}
        for name, row in rows.items():
            before = self._rows.get(name)
            if before is None or before.row != row:
                self._rows[name] = _Sent(self.version, row)
                self._gone.pop(name, None)
        for name in [name for name in self._rows if name not in rows]:
            del self._rows[name]
            self._gone[name] = self.version
        self._look_at_places()
        missions = tuple((m.order_id, m.step, m.vehicle, m.trouble) for m in self._sight.missions())
        if missions != self._missions:
            self._missions, self._missions_at = missions, self.version

    def since(self, version: int) -> dict[str, object]:
        """Rows that changed after a version, names that are gone, and places where they changed."""
        told: dict[str, object] = {
            "rows": [each.row for each in self._rows.values() if each.version > version]
        }
        gone = [name for name, at in self._gone.items() if at > version]
        if gone and version:
            told["gone"] = gone
        anew = self._places_anew > version
        places = [each.row for each in self._places.values() if anew or each.version > version]
        if places or anew:
            told["places"] = places
            told["places_anew"] = anew
        return told

    def whole(self) -> dict[str, object]:
        """Everything, with the trails: where each vehicle drove before the page was opened."""
        rows = self._sight.rows()
        most = max(2, _POINTS_ALL_TOLD // max(1, len(rows)))
        trails = {
            row.name: [(round(c.x, 2), round(c.y, 2)) for c in row.trail.crumbs[-most:]]
            for row in rows
            if len(row.trail.crumbs) > 1
        }
        return {**self.since(0), "whole": True, "trails": trails}

    def missions_changed(self, version: int) -> bool:
        """Whether a mission took a step after a version."""
        return self._missions_at > version

    def _look_at_places(self) -> None:
        board = self._sight.board
        if board.places_version == self._places_known:
            return
        self._places_known = board.places_version
        forgotten = self._places.keys() - board.places().keys()
        for key in forgotten:
            del self._places[key]
            self._places_anew = self.version
        for key, each in board.places().items():
            row = (each.map_id, each.code, round(each.x, 2), round(each.y, 2), each.source.value)
            before = self._places.get(key)
            if before is None or before.row != row:
                self._places[key] = _Sent(self.version, row)


def packed(row: FleetRow) -> tuple[Hashable, ...]:
    """One vehicle as the page's script reads it (static/fleet.js, `Row`)."""
    one = row.vehicle
    return (
        row.name,
        row.condition.value,
        _rounded(row.x),
        _rounded(row.y),
        _rounded(row.theta),
        row.map_id,
        round(one.battery_percent) if one.battery_percent is not None else None,
        one.charging,
        one.loads,
        one.order_id,
        row.problems[0].kind if row.problems else "",
        round(row.speed_m_s, 1) if row.speed_m_s is not None else None,
        tuple((round(x, 2), round(y, 2)) for x, y in row.way.line),
        row.localized,
    )


def _rounded(value: float | None) -> float | None:
    return round(value, 2) if value is not None else None


async def stream(feed: FleetFeed, clock: Clock) -> AsyncIterator[str]:
    """Events `fleet`, `transport` where a mission took a step, and a `beat` each second without."""
    feed.refresh()
    seen, idle_s = feed.version, 0.0
    yield "retry: 1000\n\n" + _frame("fleet", feed.whole())
    while True:
        await asyncio.sleep(TICK_S)
        feed.refresh()
        told = feed.since(seen)
        if any(told.values()):
            idle_s = 0.0
            yield _frame("fleet", told)
        elif (idle_s := idle_s + TICK_S) >= _BEAT_S:
            idle_s = 0.0
            yield frame("beat", {"at": clock.now().isoformat()})
        if feed.missions_changed(seen):
            yield frame("transport", {})
        seen = feed.version


def _frame(event: str, data: dict[str, object]) -> str:
    return f"event: {event}\ndata: {msgspec.json.encode(data).decode()}\n\n"
