"""How a gate's evidence went, frame by frame, so that a page shows a curve and not only a number.

The evidence itself depends on counts alone and is worked out anew at every look; these points are a
drawing of it and decide nothing. A point is kept when the frames of a gate grew; beyond MOST of a
gate every second one is dropped, the ends never.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.small_db import SmallDb
from appliance.web.ota.rows import Point

MOST: Final = 600
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS points (
  rollout TEXT NOT NULL, gate INTEGER NOT NULL, frames INTEGER NOT NULL, at_us INTEGER NOT NULL,
  against REAL NOT NULL, good REAL NOT NULL, PRIMARY KEY (rollout, gate, frames)
) STRICT, WITHOUT ROWID;
"""


class Curves:
    """Points of all gates in a small file. Methods block."""

    def __init__(self, path: Path) -> None:
        self._db = SmallDb(path, _SCHEMA)
        self._last: dict[tuple[str, int], tuple[int, float, float]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._db.close()

    def note(self, rollout: str, point: Point) -> bool:
        """Keep a point; False where it says nothing new."""
        key, said = (rollout, point.gate), (point.frames, point.against, point.good)
        with self._lock:
            if not point.frames or self._last.get(key) == said:
                return False
            self._last[key] = said
        with self._db.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?)",
                (rollout, point.gate, point.frames, point.at_us, point.against, point.good),
            )
            kept = db.execute(
                "SELECT count(*) FROM points WHERE rollout = ? AND gate = ?", key
            ).fetchone()
            if kept[0] > MOST:
                db.execute(
                    "DELETE FROM points WHERE rollout = ?1 AND gate = ?2 AND frames IN (SELECT frames"
                    " FROM (SELECT frames, row_number() OVER (ORDER BY frames) AS n, count(*) OVER ()"
                    " AS of FROM points WHERE rollout = ?1 AND gate = ?2)"
                    " WHERE n % 2 = 0 AND n < of)",
                    key,
                )
        return True

    def of(self, rollout: str, gate: int) -> Sequence[Point]:
        """Oldest first."""
        rows = self._db.all(
            "SELECT at_us, gate, frames, against, good FROM points WHERE rollout = ? AND gate = ?"
            " ORDER BY frames",
            rollout,
            gate,
        )
        return [Point(*row) for row in rows]
