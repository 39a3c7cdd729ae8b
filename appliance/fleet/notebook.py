"""What the fleet view keeps on disk: learned places, and how each step of a journey was told.

It is a view's memory, not a record: stock, orders and each step once stand in the core. Losing this
file loses reasons and readings of past journeys, and places are learned again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from agv_bridge.fleet.journey import Step
from agv_bridge.fleet.places import PlaceAt, Source
from appliance.small_db import SmallDb
from contracts.stock import TransportProgress, TransportState

_log = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=90)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST: Final = 300
"""Characters of a vehicle's own words that are kept."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS place (
    map_id TEXT NOT NULL, code TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL,
    source TEXT NOT NULL, stops INTEGER NOT NULL, PRIMARY KEY (map_id, code)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS step (
    order_id TEXT NOT NULL, at_us INTEGER NOT NULL, state TEXT NOT NULL, vehicle TEXT NOT NULL,
    reason TEXT NOT NULL, load_id TEXT NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (order_id, at_us, state, vehicle)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS step_vehicle ON step (vehicle, at_us);
CREATE INDEX IF NOT EXISTS step_at ON step (at_us);
"""


class Notebook:
    """One SQLite file. Methods block; any thread may call.

    A file that is damaged is put aside, as `<name>.damaged`, and a new one begun: a view's memory
    stops no hub.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = SmallDb(path, _SCHEMA)
            self._db.all("SELECT count(*) FROM place UNION ALL SELECT count(*) FROM step")
        except sqlite3.OperationalError:
            # A full disk or a lock, not a damage.
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("agv_notebook_damaged", file=str(path), error=str(error))
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            path.replace(path.with_name(f"{path.name}.damaged"))
            self._db = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._db.close()

    def places(self) -> list[PlaceAt]:
        """Every place that was learned."""
        rows = self._db.all("SELECT map_id, code, x, y, source, stops FROM place")
        return [
            PlaceAt(map_id, code, x, y, Source(source), stops)
            for map_id, code, x, y, source, stops in rows
        ]

    def keep(self, places: Iterable[PlaceAt], told: Iterable[TransportProgress]) -> None:
        """Write places over what was known of them, and steps once each. A given place is the
        site's own file's to keep.
        """
        learned = [
            (one.map_id, one.code, one.x, one.y, one.source.value, one.stops)
            for one in places
            if one.source is not Source.GIVEN
        ]
        steps = [
            (
                each.order_id,
                (each.at - _EPOCH) // _MICROSECOND,
                each.state.value,
                each.vehicle,
                each.reason,
                (each.load_id or "")[:_LONGEST],
                each.location,
            )
            for each in told
        ]
        if not learned and not steps:
            return
        with self._db.change() as db:
            db.executemany("INSERT OR REPLACE INTO place VALUES (?,?,?,?,?,?)", learned)
            db.executemany("INSERT OR REPLACE INTO step VALUES (?,?,?,?,?,?,?)", steps)

    def forget(self, before: datetime) -> int:
        """Let go of steps older than that; how many they were."""
        with self._db.change() as db:
            gone = db.execute(
                "DELETE FROM step WHERE at_us < ?", ((before - _EPOCH) // _MICROSECOND,)
            )
            return gone.rowcount

    def steps(self, order_id: str) -> list[Step]:
        """How a journey was told, oldest first."""
        rows = self._db.all(
            "SELECT state, at_us, vehicle, reason, load_id, place FROM step"
            " WHERE order_id = ? ORDER BY at_us",
            order_id,
        )
        return [
            Step(TransportState(state), _EPOCH + at_us * _MICROSECOND, *told)
            for state, at_us, *told in rows
        ]

    def orders_of(self, vehicle: str, *, most: int) -> Sequence[str]:
        """The orders that a vehicle had lately, the last first."""
        rows = self._db.all(
            "SELECT order_id FROM step WHERE vehicle = ? GROUP BY order_id"
            " ORDER BY max(at_us) DESC LIMIT ?",
            vehicle,
            most,
        )
        return [order_id for (order_id,) in rows]
