"""The books against their record: does the state follow, row by row, from what was appended?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Engine, Table

from contracts.errors import BadInputError
from erp_link.adapters import database
from erp_link.adapters.migrate import is_current
from erp_link.adapters.record.forms import Row, key_of, tables_in
from erp_link.adapters.record.replay import (
    Replayed,
    Rows,
    changes_in,
    digest,
    in_order,
    replay,
    rows_of,
    state_hash,
)
from erp_link.adapters.record.triggers import (
    RECORD,
    append_only,
    has_record,
    recorded,
    unrecorded,
)
from erp_link.service.proof.audit import audit

_MOST = 20
"""Differences named of one table: the first ones say what went wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction: which check, and what it found."""

    check: str
    found: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The hashes are SHA-256 over every table's rows in canonical JSON (RFC 8785)."""

    state_sha256: str
    record_sha256: str
    tables: int
    rows: int
    changes: int
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


def verify(
    engine: Engine,
    *,
    began: Callable[[int], None] = lambda _: None,
    advanced: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Compare a core's state with the state replayed from its record, and ask what must hold of
    any books. Reads from one moment; whoever works on goes on working.

    `began` hears how many images there are, `advanced` how many more were read. Raises
    UnavailableError, and BadInputError for a database that kept no record.
    """
    with database.snapshot(engine) as connection:
        if not is_current(connection) or not has_record(connection):
            raise BadInputError(
                "This database is of another version, or keeps no record of its changes",
                mend="Start this version's hub on it once: it begins the record",
            )
        began(changes_in(connection))
        tables = tables_in(connection)
        record = replay(connection, recorded(tables), advanced=advanced)
        findings = [
            Finding("recorded", f"changes of {name} go past the record")
            for name in unrecorded(connection, tables)
        ]
        compared = _Compared()
        for table in recorded(tables):
            findings += compared.table(connection, table, record)
        for table in append_only(tables):
            if table.name != RECORD:
                compared.same(table.name, digest(compared.counted(rows_of(connection, table))))
        findings += [Finding(*found) for found in audit(connection)]
    return Verified(
        state_hash(compared.state),
        state_hash(compared.record),
        len(compared.state),
        compared.rows,
        record.changes,
        tuple(findings),
    )


class _Compared:
    """Gathers the digests of the tables while their rows go by."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.record: dict[str, str] = {}
        self.rows = 0

    def table(self, connection: Connection, table: Table, record: Replayed) -> list[Finding]:
        replayed = record.rows[table.name]
        self.record[table.name] = digest(in_order(replayed))
        missed: list[str] = []
        self.state[table.name] = digest(
            self._watched(rows_of(connection, table), table, replayed, missed)
        )
        missed += [f"{_named(table, key)} is recorded and not there" for key in replayed]
        if table.name in record.unknown:
            missed.insert(0, f"{table.name} has no start in the record")
        return [Finding("replay_equals_state", what) for what in islice(missed, _MOST)]

    def same(self, name: str, hashed: str) -> None:
        """An append-only table is its own record."""
        self.state[name] = self.record[name] = hashed

    def counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self.rows += 1
            yield row

    def _watched(
        self, rows: Iterator[Row], table: Table, replayed: Rows, missed: list[str]
    ) -> Iterator[Row]:
        for row in self.counted(rows):
            key = key_of(table, row)
            said = replayed.pop(key, None)
            if said is None:
                missed.append(f"{_named(table, key)} is there and not recorded")
            elif said != row:
                missed.append(_difference(table, key, row, said))
            yield row


def _named(table: Table, key: Row) -> str:
    return f"{table.name} {'/'.join(str(part) for part in key)}"


def _difference(table: Table, key: Row, row: Row, said: Row) -> str:
    names = [
        f"{column.name} is {there!r}, recorded {recorded_!r}"
        for column, there, recorded_ in zip(table.columns, row, said, strict=True)
        if there != recorded_
    ]
    return f"{_named(table, key)}: {'; '.join(names)}"
