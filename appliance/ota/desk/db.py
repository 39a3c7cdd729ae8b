"""Rollouts in a small SQLite file of the hub: every event, what boxes said, what was assigned."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from appliance.small_db import SmallDb
from contracts.ota import BoxReport
from ota.rollout.boxes import Box
from ota.rollout.codec import decode, encode
from ota.rollout.events import Event, Recorded
from ota.rollout.memory import moved_on, not_beyond
from ota.rollout.ports import Deed, Issued, Ran
from ota.rollout.running import changes

# Made before any thread decodes: msgspec 0.21 crashes where two threads learn one class at once.
_BOX = msgspec.json.Decoder(Box)
_REPORT = msgspec.json.Decoder(BoxReport)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  rollout TEXT NOT NULL, number INTEGER NOT NULL, at_us INTEGER NOT NULL, who TEXT NOT NULL,
  kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (rollout, number)) STRICT;
CREATE TRIGGER IF NOT EXISTS event_stays BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'what happened is not changed'); END;
CREATE TRIGGER IF NOT EXISTS event_kept BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'what happened is not removed'); END;
CREATE TABLE IF NOT EXISTS box (device TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS report (device TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS ran (
  device TEXT NOT NULL, lane TEXT NOT NULL, model_set TEXT NOT NULL, variant TEXT NOT NULL,
  since_us INTEGER NOT NULL, until_us INTEGER, PRIMARY KEY (device, lane, since_us)) STRICT;
CREATE TABLE IF NOT EXISTS issued (
  device TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, wanted TEXT NOT NULL,
  envelope BLOB NOT NULL, renew_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS deed (
  at_us INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL,
  why TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class RolloutsDb:
    """ota.rollout.ports.RolloutStore over one file."""

    def __init__(self, path: Path) -> None:
        self._file = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def append(
        self, rollout: str, *, after: int, events: Sequence[Event], who: str, at_us: int
    ) -> list[Recorded]:
        new = [
            Recorded(rollout, number, at_us, who, event)
            for number, event in enumerate(events, start=after + 1)
        ]
        with self._file.change() as db:
            (last,) = db.execute(
                "SELECT coalesce(max(number), 0) FROM event WHERE rollout = ?", (rollout,)
            ).fetchone()
            if last != after:
                raise moved_on(rollout, after)
            db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", map(_row, new))
        return new

    def heads(self) -> dict[str, int]:
        rows = self._file.all(
            "SELECT rollout, max(number) FROM event GROUP BY rollout ORDER BY min(rowid)"
        )
        return {str(name): int(number) for name, number in rows}

    def history(self, rollout: str) -> list[Recorded]:
        rows = self._file.all("SELECT * FROM event WHERE rollout = ? ORDER BY number", rollout)
        return [
            Recorded(name, number, at_us, who, decode(kind, body))
            for name, number, at_us, who, kind, body in rows
        ]

    def boxes(self) -> dict[str, Box]:
        rows = self._file.all("SELECT device, body FROM box")
        return {device: _BOX.decode(body) for device, body in rows}

    def set_box(self, box: Box) -> None:
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO box VALUES (?, ?)", (box.device, _json(box)))

    def reports(self) -> dict[str, BoxReport]:
        rows = self._file.all("SELECT device, body FROM report")
        return {device: _REPORT.decode(body) for device, body in rows}

    def keep_report(self, report: BoxReport) -> None:
        device = report.device
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO report VALUES (?, ?)", (device, _json(report)))
            open_now = db.execute(
                "SELECT * FROM ran WHERE device = ? AND until_us IS NULL", (device,)
            ).fetchall()
            ended, begun = changes([Ran(*row) for row in open_now], report)
            for each in ended:
                _end(db, each)
            db.executemany("INSERT INTO ran VALUES (?, ?, ?, ?, ?, ?)", map(_ran_row, begun))

    def ran(self, device: str = "") -> list[Ran]:
        rows = self._file.all(
            "SELECT * FROM ran WHERE ? IN ('', device) ORDER BY since_us, device, lane", device
        )
        return [Ran(*row) for row in rows]

    def issued(self) -> dict[str, Issued]:
        return {row[0]: Issued(*row) for row in self._file.all("SELECT * FROM issued")}

    def issue(self, made: Sequence[Issued]) -> None:
        with self._file.change() as db:
            for each in made:
                changed = db.execute(
                    "INSERT INTO issued VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE "
                    "SET epoch = excluded.epoch, sequence = excluded.sequence, "
                    "wanted = excluded.wanted, envelope = excluded.envelope, "
                    "renew_us = excluded.renew_us WHERE (excluded.epoch, excluded.sequence) > "
                    "(issued.epoch, issued.sequence)",
                    (
                        each.device,
                        each.epoch,
                        each.sequence,
                        each.wanted,
                        each.envelope,
                        each.renew_us,
                    ),
                ).rowcount
                if not changed:
                    raise not_beyond(each)

    def note(self, deed: Deed) -> None:
        with self._file.change() as db:
            db.execute(
                "INSERT INTO deed VALUES (?, ?, ?, ?, ?)",
                (deed.at_us, deed.who, deed.what, deed.about, deed.why),
            )

    def deeds(self) -> list[Deed]:
        return [Deed(*row) for row in self._file.all("SELECT * FROM deed ORDER BY rowid")]

    def fact(self, name: str) -> str:
        row = self._file.one("SELECT value FROM fact WHERE name = ?", name)
        return "" if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def _row(each: Recorded) -> tuple[object, ...]:
    kind, body = encode(each.event)
    return (each.rollout, each.number, each.at_us, each.who, kind, body.decode())


def _ran_row(each: Ran) -> tuple[object, ...]:
    return (
        each.device,
        each.lane,
        each.model_set,
        each.variant,
        each.since_us,
        each.until_us,
    )


def _end(db: sqlite3.Connection, each: Ran) -> None:
    db.execute(
        "UPDATE ran SET until_us = ? WHERE device = ? AND lane = ? AND since_us = ?",
        (each.until_us, each.device, each.lane, each.since_us),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
