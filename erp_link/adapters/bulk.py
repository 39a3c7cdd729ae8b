"""Many rows at once: on PostgreSQL one statement over arrays, whose text is the same for any number
of rows, so that neither side reads it anew; on SQLite, which is in the same process, a row a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Table,
    TextClause,
    bindparam,
    func,
    insert,
    select,
    text,
)

Values: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Of a statement: several sets of them where the database has no arrays."""


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    if rows:
        connection.execute(*inserting(connection, table, rows))


def inserting(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> tuple[Executable, Values]:
    """The statement and the values that insert rows; there is at least one."""
    if not has_arrays(connection):
        return insert(table), list(rows)
    names = tuple(rows[0])
    values: dict[str, list[Any]] = {}
    for name in names:
        process = _processor(connection, table, name)
        column = [row[name] for row in rows]
        values[name] = [process(value) for value in column] if process else column
    return _statement(connection.dialect, table, names), values


def among(column: Column[Any], name: str, *, arrays: bool) -> ColumnElement[bool]:
    """`column` is one of the values bound to `name`; `arrays` where the database has them."""
    if not arrays:
        return column.in_(bindparam(name, expanding=True))
    return column == func.any(bindparam(name, type_=ARRAY(column.type)))


def has_arrays(connection: Connection) -> bool:
    """Whether statements may take arrays here."""
    return connection.dialect.name == "postgresql"


def new_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Numbers for `count` new rows of `table`, growing, so that they can be inserted together."""
    rows = connection.execute(*numbering(connection, table, count)).all()
    return numbers_of(connection, rows, count)


def numbering(connection: Connection, table: Table, count: int) -> tuple[Executable, Values]:
    """The statement whose rows `numbers_of` reads."""
    if has_arrays(connection):
        return _NEXT, {"of": f"{table.name}_id_seq", "wanted": count}
    return select(func.coalesce(func.max(table.c.id), 0)), {}


def numbers_of(connection: Connection, rows: Sequence[Any], count: int) -> list[int]:
    """The numbers that the rows of `numbering` give; no row was inserted since."""
    if has_arrays(connection):
        return [row[0] for row in rows]
    # The one writer: nobody else can take them meanwhile.
    last = int(rows[0][0])
    return list(range(last + 1, last + 1 + count))


def _processor(connection: Connection, table: Table, name: str) -> Callable[[Any], Any] | None:
    if _is_json(table, name):
        return json.dumps
    dialect = connection.dialect
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)


@cache
def _statement(dialect: Dialect, table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    arrays = ", ".join(f"CAST(:{name} AS {_array_of(dialect, table, name)}[])" for name in names)
    taken = ", ".join(
        f'CAST("{name}" AS JSON)' if _is_json(table, name) else f'"{name}"' for name in names
    )
    # Names of our own tables and columns only.
    return text(
        f'INSERT INTO "{table.name}" ({columns}) SELECT {taken} FROM unnest({arrays}) AS r({columns})'  # noqa: S608 -- nothing from outside
    )


def _array_of(dialect: Dialect, table: Table, name: str) -> str:
    return "TEXT" if _is_json(table, name) else table.c[name].type.compile(dialect)


def _is_json(table: Table, name: str) -> bool:
    return isinstance(table.c[name].type, JSON)


_NEXT = text("SELECT nextval(CAST(:of AS regclass)) FROM generate_series(1, :wanted)")
