"""What a row looks like in the record: one JSON array of texts, integers and nulls, in one spelling.

The databases write it in their triggers and the verifier reads it with the same expressions, so that
a row and its image are equal exactly where every stored value is. Fractions are texts that read back
to the same number, bytes are hexadecimal, JSON stays the text that was stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    inspect,
)
from sqlalchemy.types import JSON

from contracts.canonical import canonical
from contracts.errors import BadInputError

Value = str | int | None
Row = tuple[Value, ...]

_Fraction = (Float, Numeric)
_NOT_OURS = frozenset({"alembic_version"})


def tables_in(connection: Connection) -> list[Table]:
    """The tables of a database as they stand there, those that others refer to first.

    Reflected, not taken from the code: a table that nobody told the code of is recorded too.
    """
    # Only what is needed here: with indexes and checks SQLite's reflection takes ten times as long.
    asked, found = inspect(connection), MetaData()
    keys, links = asked.get_multi_pk_constraint(), asked.get_multi_foreign_keys()
    for at, columns in asked.get_multi_columns().items():
        key = keys[at]["constrained_columns"]
        Table(
            at[1],
            found,
            *(Column(c["name"], c["type"], primary_key=c["name"] in key) for c in columns),
            *(
                ForeignKeyConstraint(
                    link["constrained_columns"],
                    [f"{link['referred_table']}.{name}" for name in link["referred_columns"]],
                )
                for link in links[at]
            ),
        )
    return [table for table in found.sorted_tables if table.name not in _NOT_OURS]


def image(connection: Connection, table: Table, of: str = "") -> str:
    """The SQL expression of a row's image; `of` is NEW or OLD in a trigger."""
    postgres = connection.dialect.name == "postgresql"
    values = [
        _postgres(column, of) if postgres else _sqlite(column, of) for column in table.columns
    ]
    return f"{'json_build_array' if postgres else 'json_array'}({', '.join(values)})"


def name_of(column: Column[Any], of: str = "") -> str:
    """A column as SQL names it."""
    quoted = f'"{column.name}"'
    return f"{of}.{quoted}" if of else quoted


def ordered_by_key(connection: Connection, table: Table) -> str:
    """The key's columns for ORDER BY, texts by their bytes on both databases."""
    collated = ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    return ", ".join(
        name_of(column) + (collated if isinstance(column.type, String) else "")
        for column in table.primary_key.columns
    )


def read_image(table: Table, text: str) -> Row:
    """The values of an image, each in its one spelling."""
    values: Sequence[Value] = json.loads(text)
    return tuple(
        repr(float(value)) if isinstance(column.type, _Fraction) and value is not None else value
        for column, value in zip(table.columns, values, strict=True)
    )


def key_of(table: Table, row: Row) -> Row:
    """The values of a row's key."""
    names = list(table.columns.keys())
    return tuple(row[names.index(column.name)] for column in table.primary_key.columns)


def line_of(row: Row) -> bytes:
    """A row as its line of canonical JSON (RFC 8785)."""
    return canonical({"row": row}) + b"\n"


def stored(table: Table, row: Row) -> dict[str, object]:
    """The values as `placeholder` takes them."""
    return {
        column.name: bytes.fromhex(str(value))
        if isinstance(column.type, LargeBinary) and value is not None
        else value
        for column, value in zip(table.columns, row, strict=True)
    }


def placeholder(connection: Connection, column: Column[Any]) -> str:
    """Where a stored value goes into an INSERT, brought back from its spelling."""
    bound = f":{column.name}"
    postgres = connection.dialect.name == "postgresql"
    match column.type:
        case Float() | Numeric() if not postgres:
            return f"CAST({bound} AS REAL)"
        case Boolean() if postgres:
            return f"CAST(CAST({bound} AS INTEGER) AS BOOLEAN)"
        case JSON() | Date() | DateTime() | Float() | Numeric() if postgres:
            return f"CAST(CAST({bound} AS TEXT) AS {column.type.compile(connection.dialect)})"
        case _:
            return bound


def _sqlite(column: Column[Any], of: str) -> str:
    name = name_of(column, of)
    match column.type:
        case Float() | Numeric():
            # json_array() keeps 15 digits of a number, quote() as many as it takes.
            return f"CASE WHEN {name} IS NULL THEN NULL ELSE quote({name}) END"
        case LargeBinary():
            return f"CASE WHEN {name} IS NULL THEN NULL ELSE hex({name}) END"
        case Integer() | String() | JSON() | Date() | DateTime() | Boolean():
            return name
        case other:
            raise _no_form(column, other)


def _postgres(column: Column[Any], of: str) -> str:
    name = name_of(column, of)
    match column.type:
        case Float() | Numeric() | JSON() | Date() | DateTime():
            return f"CAST({name} AS TEXT)"
        case LargeBinary():
            return f"upper(encode({name}, 'hex'))"
        case Boolean():
            return f"CAST({name} AS INTEGER)"
        case Integer() | String():
            return name
        case other:
            raise _no_form(column, other)


def _no_form(column: Column[Any], kind: object) -> BadInputError:
    return BadInputError(
        f"The record has no spelling for {column.table.name}.{column.name} ({kind})",
        mend="Add one to erp_link.adapters.record.forms",
    )
