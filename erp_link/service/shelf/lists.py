"""The desk of the site's lists for its shelves: kept whole, replaced whole."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select

from contracts.reason import Reason
from erp_link.adapters import shelf_tables as s
from erp_link.adapters import tables as t
from erp_link.domain.shelf.lists import ROWS, Finding, ListKind, ListRow, Planned, refuse
from erp_link.domain.shelf.reading import read_list
from erp_link.service.store import Store
from erp_link.service.work import Work

R = TypeVar("R")
_PART = 1000


@dataclass(frozen=True, slots=True)
class ListKept:
    """A list as it stands; `rows` 0 and an empty `name` where nobody imported one."""

    kind: ListKind
    rows: int = 0
    name: str = ""
    imported_at: datetime | None = None
    imported_by: str = ""


class ShelfLists:
    """Import lists, and ask which there are."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def lists(self) -> list[ListKept]:
        """Every kind of list, as it stands. Raises UnavailableError."""
        return self._core.read(_standing)

    def rows(self, kind: ListKind) -> tuple[ListRow, ...]:
        """The rows of a list, in its order."""
        return self._core.read(lambda c: rows_of(c, ROWS[kind], kind))

    def take_file(
        self, kind: ListKind, data: bytes, *, name: str, by: str, key: str | None = None
    ) -> ListKept:
        """Import a CSV file in the place of the list before. The same rows again change nothing.

        Raises BadShelfListError with every wrong line, ConflictError where `key` came with another
        request; nothing is changed then.
        """
        rows = read_list(kind, data, name=name)
        if kind is ListKind.PLANOGRAM:
            self._core.read(lambda c: _check_places(c, rows, name=name))
        return self.replace(kind, rows, name=name, by=by, key=key)

    def replace(
        self, kind: ListKind, rows: Sequence[ListRow], *, name: str, by: str, key: str | None = None
    ) -> ListKept:
        """Keep these rows in the place of those before. Raises ConflictError, UnavailableError."""
        values = [list(astuple(row)) for row in rows]
        digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
        self._core.command(
            "shelf_list",
            {"kind": kind.value, "digest": digest},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: _replace(work, kind, values, digest=digest, name=name),
        )
        return self._core.read(lambda c: next(x for x in _standing(c) if x.kind is kind))


def rows_of(connection: Connection, make: type[R], kind: ListKind) -> tuple[R, ...]:
    """The rows of a list as what they are, in its order."""
    found = connection.execute(
        select(s.shelf_row.c["values"])
        .where(s.shelf_row.c.kind == kind.value)
        .order_by(s.shelf_row.c.number)
    ).scalars()
    return tuple(make(*values) for values in found)


def _standing(connection: Connection) -> list[ListKept]:
    known = {row.kind: row for row in connection.execute(select(s.shelf_list))}
    return [
        ListKept(kind, row.rows, row.name, row.imported_at, row.imported_by)
        if (row := known.get(kind.value))
        else ListKept(kind)
        for kind in ListKind
    ]


def _check_places(connection: Connection, rows: Sequence[ListRow], *, name: str) -> None:
    """A place that the site does not have would be empty for ever, and nobody would know why."""
    known = _places(connection)
    wanted = sorted({row.place for row in rows if isinstance(row, Planned)} - known)
    findings = [Finding(None, f"the place {place} is none of this site", _near(place, known))
                for place in wanted]  # fmt: skip
    if findings:
        raise refuse(name, findings)


def _places(connection: Connection) -> set[str]:
    held = connection.execute(select(t.stock.c.location).distinct()).scalars()
    return {*connection.execute(select(t.location.c.code)).scalars(), *held}


def _near(place: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(place, known, n=1)
    return f"Did you mean {close[0]}?" if close else "Name a slot as the hub's `slots` do"


def _replace(
    work: Work, kind: ListKind, values: list[list[Any]], *, digest: str, name: str
) -> None:
    known = work.connection.execute(
        select(s.shelf_list).where(s.shelf_list.c.kind == kind.value).with_for_update()
    ).one_or_none()
    if known is not None and known.digest == digest:
        return
    of_kind = {"kind": kind.value}
    if known is not None:
        work.connection.execute(delete(s.shelf_row).where(s.shelf_row.c.kind == kind.value))
        work.connection.execute(delete(s.shelf_list).where(s.shelf_list.c.kind == kind.value))
    work.connection.execute(
        insert(s.shelf_list).values(
            digest=digest,
            rows=len(values),
            name=name,
            imported_at=work.now,
            imported_by=work.by,
            **of_kind,
        )
    )
    for start in range(0, len(values), _PART):
        part = values[start : start + _PART]
        rows = [of_kind | {"number": start + i, "values": row} for i, row in enumerate(part, 1)]
        work.connection.execute(insert(s.shelf_row), rows)
    text = Reason("story_shelf_list", {"kind": kind.value, "rows": len(values), "name": name})
    work.event("master_data", text, reference=f"shelf/{kind}")
