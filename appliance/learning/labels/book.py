"""The queue's lines and people's answers, in a small SQLite file beside the examples (I2).

Rules: an answer is durable before it is told; the newest answer that was not taken back holds;
undo takes back a person's own newest deed, whole; nobody's answer is changed in place, so the file
tells who said what when; with an example its lines and answers go, also out of the file. Methods
block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.learning.labels.records import (
    WAITS_FROM,
    Answer,
    LineId,
    QueueLine,
    Said,
    check_answer,
)
from appliance.small_db import SmallDb
from contracts.errors import NotFoundError

_SCHEMA = """
PRAGMA secure_delete=ON;
CREATE TABLE IF NOT EXISTS looked (example TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS lines (
  key TEXT PRIMARY KEY, example TEXT NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL,
  read TEXT NOT NULL, seen TEXT NOT NULL, doubt REAL NOT NULL, held_out INTEGER NOT NULL,
  at_us INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS lines_by_doubt ON lines (doubt DESC, key);
CREATE INDEX IF NOT EXISTS lines_of_example ON lines (example);
CREATE TABLE IF NOT EXISTS answers (
  id INTEGER PRIMARY KEY, deed INTEGER NOT NULL, key TEXT NOT NULL, said TEXT NOT NULL,
  text TEXT NOT NULL, by TEXT NOT NULL, at_us INTEGER NOT NULL, undone_us INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS answers_of_line ON answers (key, id);
CREATE VIEW IF NOT EXISTS holding AS
  SELECT key, said, text, by, at_us FROM answers
  WHERE id IN (SELECT max(id) FROM answers WHERE undone_us = 0 GROUP BY key);
CREATE VIEW IF NOT EXISTS queue AS
  SELECT lines.key AS key, field, lines.text, read, seen, doubt, held_out, lines.at_us,
    said, holding.text, holding.by, holding.at_us AS said_us
  FROM lines LEFT JOIN holding ON holding.key = lines.key;
"""
_WAITING = """SELECT * FROM queue WHERE said IS NULL AND doubt >= ? AND (? = '' OR field = ?)
ORDER BY doubt DESC, key LIMIT ?"""
_ANSWERED = """SELECT * FROM queue WHERE said IS NOT NULL AND (? = '' OR field = ?)
ORDER BY said_us DESC, key LIMIT ?"""
_COUNT_WAITING = """SELECT count(*) FROM queue
WHERE said IS NULL AND doubt >= ? AND (? = '' OR field = ?)"""
_COUNT_SAID = """SELECT said, count(*) FROM queue
WHERE said IS NOT NULL AND (? = '' OR field = ?) GROUP BY said"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines wait for a person, and how many have an answer, by what was said."""

    waiting: int = 0
    answered: Mapping[str, int] = field(default_factory=dict)


class LabelBook:
    def __init__(self, path: Path) -> None:
        self._file = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def looked_at(self) -> set[str]:
        """SHA-256 of the examples whose lines stand here."""
        return {row[0] for row in self._file.all("SELECT example FROM looked")}

    def put(self, example: str, lines: Iterable[QueueLine]) -> None:
        """The lines of one example; none, where it teaches nothing."""
        rows = [
            (
                str(each.key), example, each.field, each.text, each.read,
                "".join("1" if seen else "0" for seen in each.seen),
                each.doubt, int(each.held_out), each.at_us,
            )
            for each in lines
        ]  # fmt: skip
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO looked VALUES (?)", (example,))
            db.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def forget(self, examples: Iterable[str]) -> None:
        """They were erased or grew too old: nothing of what they showed stays, answers neither."""
        with self._file.change() as db:
            for each in examples:
                db.execute(
                    "DELETE FROM answers WHERE key IN (SELECT key FROM lines WHERE example = ?)",
                    (each,),
                )
                db.execute("DELETE FROM lines WHERE example = ?", (each,))
                db.execute("DELETE FROM looked WHERE example = ?", (each,))

    def waiting(self, *, most: int, field: str = "") -> list[QueueLine]:
        """Lines that nobody answered, the most doubtful first."""
        return [_line(row) for row in self._file.all(_WAITING, WAITS_FROM, field, field, most)]

    def answered(self, *, most: int, field: str = "") -> list[QueueLine]:
        """Lines with an answer, the newest answer first."""
        return [_line(row) for row in self._file.all(_ANSWERED, field, field, most)]

    def line(self, key: LineId) -> QueueLine:
        """Raises NotFoundError."""
        row = self._file.one("SELECT * FROM queue WHERE key = ?", str(key))
        if row is None:
            raise _gone(key)
        return _line(row)

    def answer(self, answers: Sequence[Answer]) -> list[QueueLine]:
        """Keep what a person said of one line or several, as one deed; the lines with it.

        Raises BadInputError, NotFoundError; nothing is kept then.
        """
        checked = [check_answer(each) for each in answers]
        with self._file.change() as db:
            (deed,) = db.execute("SELECT coalesce(max(deed), 0) + 1 FROM answers").fetchone()
            for each in checked:
                _check_known(db, each.key)
                db.execute(
                    "INSERT INTO answers (deed, key, said, text, by, at_us, undone_us) "
                    "VALUES (?, ?, ?, ?, ?, ?, 0)",
                    (deed, str(each.key), each.said, each.text, each.by, each.at_us),
                )
        return [self.line(each.key) for each in checked]

    def undo(self, by: str, *, at_us: int) -> list[QueueLine]:
        """Take back the newest deed of `by`; its lines as they stand then. None is left: no lines."""
        with self._file.change() as db:
            (deed,) = db.execute(
                "SELECT max(deed) FROM answers WHERE by = ? AND undone_us = 0", (by,)
            ).fetchone()
            if deed is None:
                return []
            keys = db.execute("SELECT key FROM answers WHERE deed = ?", (deed,)).fetchall()
            db.execute("UPDATE answers SET undone_us = ? WHERE deed = ?", (at_us, deed))
        return [self.line(LineId.parse(key)) for (key,) in keys]

    def answers(self) -> dict[LineId, Answer]:
        """All that hold: what the recipe learns by."""
        rows = self._file.all("SELECT key, said, text, by, at_us FROM holding")
        return {
            LineId.parse(key): Answer(LineId.parse(key), Said(said), text, by, at_us)
            for key, said, text, by, at_us in rows
        }

    def counts(self, *, field: str = "") -> Counts:
        waiting = self._file.one(_COUNT_WAITING, WAITS_FROM, field, field)
        return Counts(waiting[0] if waiting else 0, dict(self._file.all(_COUNT_SAID, field, field)))


def _check_known(db: sqlite3.Connection, key: LineId) -> None:
    if db.execute("SELECT 1 FROM lines WHERE key = ?", (str(key),)).fetchone() is None:
        raise _gone(key)


def _gone(key: LineId) -> NotFoundError:
    return NotFoundError(f"The line {key} is not kept here any longer", mend="Load the page again")


def _line(row: tuple[object, ...]) -> QueueLine:
    key, field, text, read, seen, doubt, held_out, at_us, said, new, by, said_us = row
    where = LineId.parse(str(key))
    return QueueLine(
        where,
        str(field),
        str(text),
        str(read),
        tuple(each == "1" for each in str(seen)),
        float(str(doubt)),
        bool(held_out),
        int(str(at_us)),
        Answer(where, Said(str(said)), str(new), str(by), int(str(said_us))) if said else None,
    )
