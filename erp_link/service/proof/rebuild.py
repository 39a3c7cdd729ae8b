"""The books made again, in an empty database, from the record alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, Integer, Table, text

from contracts.errors import BadInputError, ConflictError
from erp_link.adapters import database
from erp_link.adapters.migrate import migrate
from erp_link.adapters.record.forms import Row, placeholder, stored, tables_in
from erp_link.adapters.record.replay import (
    Replayed,
    changes_in,
    in_order,
    replay,
    rows_of,
)
from erp_link.adapters.record.triggers import (
    APPEND_ONLY,
    has_record,
    recorded,
    without_triggers,
)

_AT_ONCE = 1_000


def rebuild(
    source: Engine,
    target: Engine,
    *,
    began: Callable[[int], None] = lambda _: None,
    advanced: Callable[[int], None] = lambda _: None,
) -> int:
    """Fill the empty database `target` from the record in `source`; how many rows it has then.
    Tables that change are not read at all, only their recorded images; the record goes along.

    All of it or nothing. Raises BadInputError where `source` keeps no record or is of another
    version, ConflictError where `target` is not empty, UnavailableError.
    """
    with database.available():
        migrate(target)
    _check_empty(target)
    with database.snapshot(source) as reads:
        _check_source(reads, target)
        began(changes_in(reads))
        record = replay(reads, recorded(tables_in(reads)), advanced=advanced)

        def fill(writes: Connection) -> int:
            with without_triggers(writes):
                return _fill(reads, writes, record)

        return database.write(target, fill)


def _check_source(reads: Connection, target: Engine) -> None:
    here = MigrationContext.configure(reads).get_current_revision()
    with database.reading(target) as connection:
        there = MigrationContext.configure(connection).get_current_revision()
    if here != there or not has_record(reads):
        raise BadInputError(
            f"The database is of version {here}, this program makes version {there}",
            mend="Start this version's hub on it once",
        )


def _check_empty(target: Engine) -> None:
    with database.reading(target) as connection:
        for table in ("event", "batch"):
            if connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first():  # noqa: S608 -- our own names
                raise ConflictError(
                    "The database to rebuild to has books in it already",
                    mend="Name an empty one: nothing is overwritten",
                )


def _fill(reads: Connection, writes: Connection, record: Replayed) -> int:
    tables = tables_in(writes)
    _empty(writes, tables)
    if writes.dialect.name == "sqlite":
        # A row may refer to one that its own table gets later.
        writes.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    theirs = {table.name: table for table in tables_in(reads)}
    rows = 0
    for table in tables:
        source = theirs[table.name]
        if table.name in APPEND_ONLY:
            rows += _copy(writes, table, source, rows_of(reads, source))
        else:
            rows += _copy(writes, table, source, in_order(record.rows.get(table.name, {})))
        _go_on_counting(writes, table)
    return rows


def _empty(writes: Connection, tables: list[Table]) -> None:
    """What the migrations themselves put there goes."""
    for table in reversed(tables):
        writes.exec_driver_sql(f'DELETE FROM "{table.name}"')  # noqa: S608 -- names from the database itself


def _copy(writes: Connection, table: Table, source: Table, rows: Iterable[Row]) -> int:
    names = [column.name for column in table.columns]
    values = ", ".join(placeholder(writes, column) for column in table.columns)
    listed = ", ".join(f'"{name}"' for name in names)
    insert = text(f'INSERT INTO "{table.name}" ({listed}) VALUES ({values})')  # noqa: S608 -- as above
    done = 0
    for part in _parts(rows):
        writes.execute(insert, [stored(source, row) for row in part])
        done += len(part)
    return done


def _go_on_counting(writes: Connection, table: Table) -> None:
    """The next number given out comes after those that are there. SQLite counts from the rows."""
    key = table.primary_key.columns
    if writes.dialect.name != "postgresql" or [c.name for c in key] != ["id"]:
        return
    if isinstance(key["id"].type, Integer):
        writes.exec_driver_sql(
            f"SELECT setval(s, m) FROM (SELECT pg_get_serial_sequence('{table.name}', 'id') AS s,"  # noqa: S608 -- as above
            f' max(id) AS m FROM "{table.name}") AS numbers WHERE s IS NOT NULL AND m IS NOT NULL'
        )


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        yield part
