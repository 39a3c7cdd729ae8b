"""Several statements in one trip to PostgreSQL, in its pipeline mode: each is a statement of its own
and sees what the one before it left, but nobody waits for an answer in between. On SQLite, which is
in the same process, they are carried out one after the other.

Values and rows are as the driver has them: no types of our own tables are brought into play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError

from erp_link.adapters.bulk import Values, has_arrays

Asked: TypeAlias = tuple[Executable, Values]
"""A statement with its values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave: its rows with their columns by name, and how many rows it touched."""

    rows: Sequence[Any]
    count: int


def ask_all(connection: Connection, asked: Sequence[Asked]) -> list[Answer]:
    """Carry the statements out in their order. Raises DBAPIError, as `connection.execute` does."""
    if has_arrays(connection):
        return _in_one_trip(connection, asked)
    return [_one(connection, each) for each in asked]


def _one(connection: Connection, asked: Asked) -> Answer:
    result = connection.execute(*asked)
    return Answer(result.all() if result.returns_rows else (), result.rowcount)


def _in_one_trip(connection: Connection, asked: Sequence[tuple[Executable, Any]]) -> list[Answer]:
    import psycopg
    from psycopg.rows import namedtuple_row

    driver: Any = connection.connection.driver_connection
    sent: list[Any] = []
    words = ""
    try:
        with driver.pipeline():
            for statement, values in asked:
                words, fixed = _text_of(connection.dialect, statement)
                sent.append(driver.cursor(row_factory=namedtuple_row))
                written = {name: _written(value) for name, value in values.items()}
                sent[-1].execute(words, {**fixed, **written})
        return [Answer(c.fetchall() if c.description else (), c.rowcount) for c in sent]
    except psycopg.Error as error:
        raise DBAPIError.instance(
            words, None, error, psycopg.Error, dialect=connection.dialect
        ) from error


@cache
def _text_of(dialect: Dialect, statement: Executable) -> tuple[str, Mapping[str, Any]]:
    """A statement as the driver takes it, and the values that stand in it already. `IN` over a list
    has no one text: `bulk.among` has.
    """
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), fixed


def _written(value: Any) -> Any:
    """A list as PostgreSQL reads an array (its manual, 8.15.2); the statement casts it. The driver
    would look at each element for what has to be quoted.
    """
    if not isinstance(value, list):
        return value
    kinds = set(map(type, value))
    if kinds == {int}:
        return f"{{{','.join(map(str, value))}}}"
    if kinds == {str}:
        quoted = '","'.join(each.replace("\\", "\\\\").replace('"', '\\"') for each in value)
        return f'{{"{quoted}"}}'
    return value
