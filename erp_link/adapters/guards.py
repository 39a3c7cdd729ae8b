"""I1 under concurrency: the guard rows of batches, locations and suppliers.

A hold takes its guards FOR UPDATE and raises their count of open holds. Every reserve, pick,
ship, receipt and move takes its guards FOR SHARE, all at once and in one order, and reads the
counts in a later statement: under READ COMMITTED that statement sees every hold that committed
before the locks were given. So a hold waits for the commands under way, and every command after
it sees it. On SQLite BEGIN IMMEDIATE lets one writer in at a time, which gives the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    bindparam,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.schema import Table

from erp_link.adapters import tables as t
from erp_link.adapters.bulk import has_arrays
from erp_link.adapters.trips import Answer, Asked, ask_all


class Guarding(Enum):
    """How commands learn of holds. Everything but LOCKED is wrong: kept so that the race test can
    show that it catches the mistake.
    """

    LOCKED = "locked"
    FLAG_READ_FIRST = "flag_read_first"
    """Ablation: the flag is read in a transaction of its own, before the one that writes."""
    NO_LOCK = "no_lock"
    """Ablation: the flag is read in the writing transaction, and nothing is locked."""
    NOT_EXISTS = "not_exists"
    """Ablation: the stock is locked by `UPDATE ... WHERE NOT EXISTS (an open hold)`. Under READ
    COMMITTED the update that waited sees the row anew and the subquery's answer of before.
    """
    UNGUARDED_RECEIPT = "unguarded_receipt"
    """Ablation: a receipt asks no guard, as where a hold is a flag on the stock that is there."""


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """`kind` is batch, location or supplier; `ref` the batch's number, the code, the name."""

    kind: str
    ref: str


def insert_missing(connection: Connection, table: Table) -> Insert:
    """An INSERT for `table` that leaves a row alone which is there already."""
    if connection.dialect.name == "postgresql":
        return pg_insert(table).on_conflict_do_nothing()
    return sqlite_insert(table).on_conflict_do_nothing()


def inserted(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row; False where it was there already."""
    statement = insert_missing(connection, table).values(**values)
    done = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


def take(
    connection: Connection, *, share: Iterable[Guard], exclusive: Iterable[Guard] = ()
) -> frozenset[Guard]:
    """Lock the guards, and say which of them have an open hold. Once in a transaction, before
    any other row lock: the one order is what keeps commands from waiting for each other in a ring.
    """
    alone = frozenset(exclusive)
    wanted = sorted(alone.union(share))
    if not has_arrays(connection):
        # The one writer reads them inside its own transaction: nothing can change meanwhile.
        return _ensure(connection, wanted)
    if alone:
        return _with_a_hold(_locked_alone(connection, wanted, alone).rows)
    locked, state = _locked(connection, wanted)
    if locked.count < len(wanted):
        _ensure(connection, wanted)
        locked, state = _locked(connection, wanted)
    return _with_a_hold(state.rows)


def _locked(connection: Connection, wanted: list[Guard]) -> list[Answer]:
    """Locks them for sharing, and reads their counts in a later statement of the same trip."""
    keys = _keys(connection, wanted)
    return ask_all(connection, [(_LOCK_ALL_SHARED, keys), (_STATE_OF_ALL, keys)])


def _locked_alone(connection: Connection, wanted: list[Guard], alone: frozenset[Guard]) -> Answer:
    """Makes the rows that are missing, locks each in its order and its way, then reads the counts:
    all in one trip, since everybody who wants to ship waits for a hold that has begun.
    """
    keys = _keys(connection, wanted)
    locks: list[Asked] = [
        (
            _LOCK_ALONE if guard in alone else _LOCK_SHARED,
            {"of_kind": guard.kind, "of_ref": guard.ref},
        )
        for guard in wanted
    ]
    return ask_all(connection, [(_MAKE_ALL, keys), *locks, (_STATE_OF_ALL, keys)])[-1]


def held(connection: Connection, guards: Collection[Guard]) -> frozenset[Guard]:
    """The guards with an open hold, read without a lock."""
    if not guards:
        return frozenset()
    return _with_a_hold(connection.execute(_state(connection), _keys(connection, guards)))


def _with_a_hold(rows: Iterable[Any]) -> frozenset[Guard]:
    return frozenset(Guard(kind, ref) for kind, ref, open_holds in rows if open_holds)


def _state(connection: Connection) -> Executable:
    return _STATE_OF_ALL if has_arrays(connection) else _STATE


def _keys(connection: Connection, guards: Collection[Guard]) -> dict[str, Any]:
    if has_arrays(connection):
        return {"kinds": [g.kind for g in guards], "refs": [g.ref for g in guards]}
    return {"keys": [(g.kind, g.ref) for g in guards]}


def held_unless_updated(
    connection: Connection, batch_id: int, guards: Collection[Guard]
) -> frozenset[Guard]:
    """The ablation NOT_EXISTS: nothing is held where the stock rows of a batch let themselves be
    written while no hold exists. Where there are none, the counts are read.
    """
    keys = [(guard.kind, guard.ref) for guard in guards]
    open_hold = select(t.guard.c.ref).where(
        tuple_(t.guard.c.kind, t.guard.c.ref).in_(keys), t.guard.c.open_holds > 0
    )
    free = (
        update(t.stock)
        .where(t.stock.c.batch_id == batch_id, ~open_hold.exists())
        .values(quantity=t.stock.c.quantity)
    )
    return frozenset() if connection.execute(free).rowcount else held(connection, guards)


def count_hold(connection: Connection, guards: Iterable[Guard], change: int) -> None:
    """Raise or lower the guards' count of open holds. The caller holds them FOR UPDATE."""
    counted: list[Asked] = [
        (_COUNT, {"of_kind": guard.kind, "of_ref": guard.ref, "more": change})
        for guard in sorted(guards)
    ]
    ask_all(connection, counted)


def _ensure(connection: Connection, guards: list[Guard]) -> frozenset[Guard]:
    """Make the rows that are missing; those with an open hold, as they were before the locks."""
    keys = [(g.kind, g.ref) for g in guards]
    rows = connection.execute(_state(connection), _keys(connection, guards))
    found = {(kind, ref): n for kind, ref, n in rows}
    missing = [key for key in keys if key not in found]
    if missing:
        connection.execute(
            insert_missing(connection, t.guard),
            [{"kind": kind, "ref": ref, "open_holds": 0, "generation": 0} for kind, ref in missing],
        )
    return frozenset(Guard(*key) for key, open_holds in found.items() if open_holds)


_STATE = select(t.guard.c.kind, t.guard.c.ref, t.guard.c.open_holds).where(
    tuple_(t.guard.c.kind, t.guard.c.ref).in_(bindparam("keys", expanding=True))
)
_ROW = select(t.guard.c.ref).where(
    t.guard.c.kind == bindparam("of_kind"), t.guard.c.ref == bindparam("of_ref")
)
_COUNT = (
    update(t.guard)
    .where(t.guard.c.kind == bindparam("of_kind"), t.guard.c.ref == bindparam("of_ref"))
    .values(
        open_holds=t.guard.c.open_holds + bindparam("more"),
        generation=t.guard.c.generation + literal_column("1"),
    )
)
_LOCK_ALONE = _ROW.with_for_update()
_LOCK_SHARED = _ROW.with_for_update(read=True)
_WANTED = """guard JOIN unnest(CAST(:kinds AS TEXT[]), CAST(:refs AS TEXT[])) AS w(kind, ref)
    ON guard.kind = w.kind AND guard.ref = w.ref"""
_STATE_OF_ALL = text(f"SELECT guard.kind, guard.ref, guard.open_holds FROM {_WANTED}")  # noqa: S608 -- nothing from outside
_MAKE_ALL = text(
    "INSERT INTO guard (kind, ref, open_holds, generation) SELECT w.kind, w.ref, 0, 0"
    " FROM unnest(CAST(:kinds AS TEXT[]), CAST(:refs AS TEXT[])) AS w(kind, ref)"
    " ON CONFLICT DO NOTHING"
)
# The locks are given in the order of the sort, and "C" is the order in which Python sorts.
_LOCK_ALL_SHARED = text(
    f"SELECT guard.ref FROM {_WANTED}"  # noqa: S608 -- nothing from outside
    ' ORDER BY guard.kind COLLATE "C", guard.ref COLLATE "C" FOR SHARE OF guard'
)
