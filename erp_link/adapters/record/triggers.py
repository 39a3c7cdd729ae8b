"""The database keeps the record itself: no statement of ours or of anybody's changes a row past it.

Every table is recorded from the moment it exists, unless it is listed here with its reason. A table
that changes appends the image of every row inserted, updated or deleted to `change`: in the row's
own lock, so the images of one row stand in the order in which it changed. A table that only ever
grows is its own record, and the database refuses to change or delete its rows.

A migration may change tables and rows: around it the triggers are taken away and put back, and the
record starts anew with every row as it then stands (`begun`). What came before stays as history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, inspect, text

from erp_link.adapters.record.forms import image, name_of, ordered_by_key, tables_in
from erp_link.adapters.record_tables import change

RECORD = change.name
APPEND_ONLY = frozenset(
    {
        RECORD,
        "event",
        "move_line",
        "ticket_event",
        "device_log",
        "progress",
        "profile_event",
        "allocation",
        "order_event",
        "alarm_change",
        "judge_pin",
        "session_pin",
        "judgement",
        "box_sets",
        "shadow_result",
    }
)
"""Their rows are never changed: they are record by themselves, and copied when it is replayed."""

NOT_RECORDED: dict[str, str] = {
    "erp_line": "how the talk with the ERP stands, for the console: it is found out again by talking",
}
"""Tables left out, each with the reason: what may be lost without losing anything."""

BEGUN, INSERTED, UPDATED, DELETED = "begun", "insert", "update", "delete"
_PREFIX = "record_"


def recorded(tables: Iterable[Table]) -> list[Table]:
    """Those of `tables` whose changes are recorded."""
    apart = APPEND_ONLY.union(NOT_RECORDED)
    return [table for table in tables if table.name not in apart]


def append_only(tables: Iterable[Table]) -> list[Table]:
    """Those of `tables` that only grow, the record itself included."""
    return [table for table in tables if table.name in APPEND_ONLY]


@contextmanager
def around_migrations(connection: Connection, newest: str | None) -> Iterator[None]:
    """Migrate without triggers; record again from there. At an older revision, where no code of
    this version writes, there is no record.
    """
    _drop_all(connection)
    yield
    if MigrationContext.configure(connection).get_current_revision() == newest:
        begin(connection)


@contextmanager
def without_triggers(connection: Connection) -> Iterator[None]:
    """For whoever writes rows and their record at once: a rebuild."""
    _drop_all(connection)
    yield
    _put_in_place(connection, tables_in(connection))


def begin(connection: Connection) -> None:
    """Put the triggers in place, and start the record with every row as it stands."""
    tables = tables_in(connection)
    for table in recorded(tables):
        _start(connection, table)
    _put_in_place(connection, tables)


def _put_in_place(connection: Connection, tables: list[Table]) -> None:
    for table in append_only(tables):
        _refuse_changes(connection, table)
    for table in recorded(tables):
        _record(connection, table)


def installed(connection: Connection) -> dict[str, str]:
    """The record's triggers in the database: name and table."""
    if connection.dialect.name == "postgresql":
        asked = (
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname = current_schema()"
        )
    else:
        asked = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    found = connection.execute(text(asked))
    return {name: table for name, table in found if name.startswith(_PREFIX)}


def unrecorded(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Tables whose changes would go past the record: their triggers are missing."""
    there = installed(connection)
    return sorted(
        {
            table.name
            for table in tables
            if table.name not in NOT_RECORDED
            for name in _names(connection, table)
            if name not in there
        }
    )


def _names(connection: Connection, table: Table) -> list[str]:
    postgres = connection.dialect.name == "postgresql"
    if table.name in APPEND_ONLY:
        whats: tuple[str, ...] = ("u", "d")
    else:
        whats = ("i", "u", "d", "k") if postgres else ("i", "u", "d")
    return [f"{_PREFIX}{table.name}_{what}" for what in whats]


def _start(connection: Connection, table: Table) -> None:
    """Without the triggers nobody else writes: on PostgreSQL adding them locks the table."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))
    columns = image_of_columns(table)
    connection.execute(
        text(f"INSERT INTO {RECORD} (name, what, image) VALUES (:name, :what, :image)"),  # noqa: S608 -- names from the database itself
        {"name": table.name, "what": BEGUN, "image": columns},
    )
    connection.execute(
        text(
            f"INSERT INTO {RECORD} (name, what, image)"  # noqa: S608 -- as above
            f" SELECT :name, :what, CAST({image(connection, table)} AS TEXT)"
            f' FROM "{table.name}" ORDER BY {ordered_by_key(connection, table)}'
        ),
        {"name": table.name, "what": INSERTED},
    )


def image_of_columns(table: Table) -> str:
    """The names of a table's columns, as the record's start says them."""
    return json.dumps([column.name for column in table.columns])


def _record(connection: Connection, table: Table) -> None:
    if connection.dialect.name == "postgresql":
        _record_postgres(connection, table)
    else:
        _record_sqlite(connection, table)


def _key_changed(table: Table) -> str:
    keys = table.primary_key.columns
    return " OR ".join(f"{name_of(k, 'OLD')} <> {name_of(k, 'NEW')}" for k in keys)


def _record_sqlite(connection: Connection, table: Table) -> None:
    into = f"INSERT INTO {RECORD} (name, what, image)"
    new, old = image(connection, table, "NEW"), image(connection, table, "OLD")
    gone = f"SELECT '{table.name}', '{DELETED}', {old}"
    acts = {
        "i": ("INSERT", f"{into} SELECT '{table.name}', '{INSERTED}', {new};"),
        "u": (
            "UPDATE",
            (
                f"{into} {gone} WHERE {_key_changed(table)};"
                f" {into} SELECT '{table.name}', '{UPDATED}', {new};"
            ),
        ),
        "d": ("DELETE", f"{into} {gone};"),
    }
    for short, (what, act) in acts.items():
        connection.exec_driver_sql(
            f'CREATE TRIGGER {_PREFIX}{table.name}_{short} AFTER {what} ON "{table.name}"'
            f" BEGIN {act} END"
        )


def _record_postgres(connection: Connection, table: Table) -> None:
    """A statement's rows go to the record by one statement: by row it would take twice as long."""
    name = f"{_PREFIX}{table.name}"
    into = f"INSERT INTO {RECORD} (name, what, image)"
    these = f"SELECT '{table.name}', lower(TG_OP), {image(connection, table, 'r')}"
    _function(connection, name, f"{into} {these} FROM these_rows AS r")
    for short, what, which in (
        ("i", INSERTED, "NEW"),
        ("u", UPDATED, "NEW"),
        ("d", DELETED, "OLD"),
    ):
        connection.exec_driver_sql(
            f'CREATE TRIGGER {name}_{short} AFTER {what} ON "{table.name}"'
            f" REFERENCING {which} TABLE AS these_rows"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    # Fired before those for the whole statement, and only where a key is set to another value.
    keys = ", ".join(name_of(column) for column in table.primary_key.columns)
    gone = image(connection, table, "OLD")
    _function(connection, f"{name}_k", f"{into} VALUES ('{table.name}', '{DELETED}', {gone})")
    connection.exec_driver_sql(
        f'CREATE TRIGGER {name}_k AFTER UPDATE OF {keys} ON "{table.name}"'
        f" FOR EACH ROW WHEN ({_key_changed(table)}) EXECUTE FUNCTION {name}_k()"
    )


def _function(connection: Connection, name: str, statement: str) -> None:
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $record$"
        f" BEGIN {statement}; RETURN NULL; END $record$"
    )


def _refuse_changes(connection: Connection, table: Table) -> None:
    said = f"{table.name} only grows: its rows are the record"
    name = f"{_PREFIX}{table.name}"
    if connection.dialect.name == "postgresql":
        raised = f"RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'"
        _function(connection, name, raised)
        for short, what in (("u", "UPDATE"), ("d", "DELETE")):
            connection.exec_driver_sql(
                f'CREATE TRIGGER {name}_{short} BEFORE {what} ON "{table.name}"'
                f" FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        return
    for short, what in (("u", "UPDATE"), ("d", "DELETE")):
        connection.exec_driver_sql(
            f'CREATE TRIGGER {name}_{short} BEFORE {what} ON "{table.name}"'
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def _drop_all(connection: Connection) -> None:
    triggers = installed(connection)
    if connection.dialect.name != "postgresql":
        for name in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    for name, table in triggers.items():
        connection.exec_driver_sql(f'DROP TRIGGER {name} ON "{table}"')
    asked = (
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = current_schema() AND p.prorettype = 'trigger'::regtype"
    )
    for name in connection.exec_driver_sql(asked).scalars().all():
        if name.startswith(_PREFIX):
            connection.exec_driver_sql(f"DROP FUNCTION {name}()")


def has_record(connection: Connection) -> bool:
    """False for a database of a version that kept none."""
    return inspect(connection).has_table(RECORD)
