"""The tables as the record says them: every image since the record's start, the last one of a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, text

from contracts.canonical import canonical
from erp_link.adapters.record.forms import (
    Row,
    image,
    key_of,
    line_of,
    ordered_by_key,
    read_image,
)
from erp_link.adapters.record.triggers import BEGUN, DELETED, RECORD

_AT_ONCE = 2_000
Rows = dict[Row, Row]
"""The rows of a table by their key."""


@dataclass(slots=True)
class Replayed:
    """What the record says: `changes` images were read; `unknown` tables have no start in it."""

    rows: dict[str, Rows] = field(default_factory=dict)
    changes: int = 0
    unknown: tuple[str, ...] = ()


def replay(
    connection: Connection, tables: Iterable[Table], *, advanced: Callable[[int], None]
) -> Replayed:
    """The rows of `tables` from the record alone. `advanced` hears how many images were read."""
    by_name = {table.name: table for table in tables}
    starts = _starts(connection)
    found = Replayed({name: {} for name in by_name})
    found.unknown = tuple(sorted(name for name in by_name if name not in starts))
    images = connection.execute(
        text(f"SELECT id, name, what, image FROM {RECORD} WHERE id >= :first ORDER BY id"),  # noqa: S608 -- our own name
        {"first": min((starts[name] for name in by_name if name in starts), default=0)},
        execution_options={"yield_per": _AT_ONCE},
    )
    columns: dict[str, list[int]] = {}
    for number, name, what, written in images:
        found.changes += 1
        if found.changes % _AT_ONCE == 0:
            advanced(_AT_ONCE)
        table = by_name.get(name)
        if table is None or number < starts.get(name, number + 1):
            continue
        if what == BEGUN:
            columns[name] = _order(table, json.loads(written))
            found.rows[name] = {}
            continue
        row = _put(table, columns[name], written)
        if what == DELETED:
            found.rows[name].pop(key_of(table, row), None)
        else:
            found.rows[name][key_of(table, row)] = row
    advanced(found.changes % _AT_ONCE)
    return found


def rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """The rows that stand in a table, in the order of their key."""
    written = connection.execute(
        text(
            f'SELECT CAST({image(connection, table)} AS TEXT) FROM "{table.name}"'  # noqa: S608 -- names from the database itself
            f" ORDER BY {ordered_by_key(connection, table)}"
        ),
        execution_options={"yield_per": _AT_ONCE},
    )
    for each in written.scalars():
        yield read_image(table, each)


def digest(rows: Iterable[Row]) -> str:
    """SHA-256 over the lines of canonical JSON of a table's rows, in the order of their key."""
    summed = hashlib.sha256()
    for row in rows:
        summed.update(line_of(row))
    return summed.hexdigest()


def state_hash(digests: dict[str, str]) -> str:
    """One hash of a whole state from the digests of its tables."""
    return hashlib.sha256(canonical(digests)).hexdigest()


def in_order(rows: Rows) -> list[Row]:
    """A table's rows in the order of their key, as the databases give them."""
    return [rows[key] for key in sorted(rows, key=_by_bytes)]


def changes_in(connection: Connection) -> int:
    """How many images the record holds, for whoever shows how far a replay has come."""
    return int(connection.execute(text(f"SELECT count(*) FROM {RECORD}")).scalar_one())  # noqa: S608 -- our own name


def _by_bytes(key: Row) -> tuple[object, ...]:
    return tuple(part.encode() if isinstance(part, str) else part for part in key)


def _starts(connection: Connection) -> dict[str, int]:
    asked = f"SELECT name, max(id) AS start FROM {RECORD} WHERE what = :begun GROUP BY name"  # noqa: S608 -- our own name
    found = connection.execute(text(asked), {"begun": BEGUN}).all()
    return {row.name: row.start for row in found}


def _order(table: Table, names: list[str]) -> list[int]:
    """Where each of the table's columns stands in the images that follow."""
    return [names.index(column.name) if column.name in names else -1 for column in table.columns]


def _put(table: Table, order: list[int], written: str) -> Row:
    if order == list(range(len(order))):
        return read_image(table, written)
    values = json.loads(written)
    return read_image(table, json.dumps([values[at] if at >= 0 else None for at in order]))
