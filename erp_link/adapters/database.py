"""Engines and transactions: SQLite embedded or PostgreSQL by URL.

SQLite: write transactions begin IMMEDIATE, so one writer at a time and every read in it is
current (which gives what the guards give on PostgreSQL); WAL with synchronous=FULL, because a
device's head is acknowledged from here (I2). PostgreSQL: READ COMMITTED, and the guards.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InvalidatePoolError,
    OperationalError,
)

from contracts.errors import BadInputError, UnavailableError

T = TypeVar("T")

_RETRIES = 6
_BUSY_S = 60
_LOOK_S = 0.001
_TRUSTED_S = 1.0
_PRIMARY_CODE = 0xFF
"""Of SQLite's result codes, whose other bits say more."""
_RETRY_STATES = frozenset({"40001", "40P01", "23505"})
"""Serialisation failure, deadlock, and two writers creating the same row at once."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://...`.

    Raises BadInputError where the URL is of another kind.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInputError(
            "The database URL cannot be read",
            mend="Write sqlite:///path/core.db or postgresql+psycopg://user@host/name",
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise BadInputError(
                    "The core keeps no stock in memory only", mend="Give a path: sqlite:///core.db"
                )
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_S}, pool_size=16)
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        case "postgresql":
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                isolation_level="READ COMMITTED",
                pool_size=16,
            )
            _look_at_idle_ones(engine)
        case other:
            raise BadInputError(
                f"The core does not run on {other}", mend="Use sqlite:/// or postgresql+psycopg://"
            )
    return engine


def _look_at_idle_ones(engine: Engine) -> None:
    """A connection that lay idle may have ended with its server: it is asked before it is used. One
    that was at work a moment ago is not, since that would be one more trip for every command.
    """

    def left(_connection: Any, record: Any) -> None:
        record.info["left"] = time.monotonic()

    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("left", math.inf) < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", left)
    event.listen(engine, "checkout", taken)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions on its own: _begin_sqlite decides which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("tallyman_write", False):
        connection.exec_driver_sql("BEGIN")
    elif not _has_begun_to_write(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _has_begun_to_write(connection: Connection) -> bool:
    """Wait until nobody else writes, and begin. SQLite's own waiting sleeps longer with every look,
    up to 100 ms: among many writers the one that has waited longest would come last. False after
    a minute: the caller's own BEGIN says then that the database is locked.
    """
    cursor = connection.connection.cursor()
    until = time.monotonic() + _BUSY_S
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                    return False
            else:
                return True
            time.sleep(_LOOK_S)
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
        cursor.close()


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises UnavailableError where the database is away."""
    with available(), engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction whose every question is answered from one moment, however long it takes.
    Raises UnavailableError where the database is away.
    """
    with available(), engine.connect() as connection:
        # SQLite's own read transactions see one moment already.
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


class GuardMissingError(AssertionError):
    """A hold was asked about whose guard was not taken. Where goods changed while the guards were
    chosen, the next try takes them all.
    """


def write(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in one write transaction; again from the start after a deadlock, or where a guard
    was missing.

    `work` must have no effect outside the transaction. Raises UnavailableError where the database
    does not answer.
    """
    for attempt in range(_RETRIES):
        try:
            with (
                available(),
                engine.connect().execution_options(tallyman_write=True) as connection,
                connection.begin(),
            ):
                return work(connection)
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state not in _RETRY_STATES or attempt == _RETRIES - 1:
                raise
        except GuardMissingError:
            if attempt == _RETRIES - 1:
                raise
    raise AssertionError("the loop returns or raises")


@contextlib.contextmanager
def available() -> Iterator[None]:
    """A database that does not answer is an UnavailableError; deadlocks pass for the retry."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _RETRY_STATES:
            raise
        raise UnavailableError(
            f"The core's database does not answer: {type(error.orig).__name__}: {error.orig}",
            mend="Start the database or look at its log; the work is repeated by its sender",
        ) from error
