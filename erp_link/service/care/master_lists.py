"""Lists of master data as they wait: read from their rows, and examined against the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contracts.errors import NotFoundError
from erp_link.adapters import care_tables as c
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.domain.master_data.findings import Kind
from erp_link.domain.master_data.products import Examined, examine
from erp_link.domain.products import Product, undescribed
from erp_link.service.goods import product_rows

WAITING, APPLIED, LEFT_OUT, ENDED = "waiting", "applied", "left_out", "ended"


@dataclass(frozen=True, slots=True)
class ListSummary:
    """One list that somebody sent. `rows` counts its rows by their state."""

    list_id: int
    name: str
    state: str
    sent_at: datetime
    sent_by: str
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row: `number` is its line in the file. `examined` is None once it is done with."""

    number: int
    state: str
    written: Mapping[str, str]
    answers: Mapping[str, str]
    examined: Examined | None


@dataclass(frozen=True, slots=True)
class ListReport:
    """Everything about one list. `codes` counts the mends that can be accepted together."""

    summary: ListSummary
    rows: tuple[ListRow, ...]
    codes: Mapping[str, int]

    @property
    def ready(self) -> int:
        return sum(1 for row in self.rows if row.examined and row.examined.is_ready)

    @property
    def unclean(self) -> tuple[ListRow, ...]:
        """The rows that wait for a person."""
        return tuple(row for row in self.rows if row.examined and not row.examined.is_ready)


def read_report(connection: Connection, list_id: int) -> ListReport:
    """Raises NotFoundError."""
    summary = next((each for each in read_summaries(connection) if each.list_id == list_id), None)
    if summary is None:
        raise NotFoundError(f"There is no list {list_id}", mend="Look at the lists again")
    rows = connection.execute(
        select(c.master_row)
        .where(c.master_row.c.import_id == list_id)
        .order_by(c.master_row.c.number)
    ).all()
    described = {row.gtin: product_rows.of_row(row) for row in connection.execute(select(product))}
    known = set(connection.execute(select(t.batch.c.gtin).distinct()).scalars()) | set(described)
    seen: dict[str, int] = {}
    found = [_examined(row, described, known, seen) for row in rows]
    codes = Counter(
        each.code
        for row in found
        for each in (row.examined.findings if row.examined else ())
        if each.kind is Kind.MEND
    )
    return ListReport(summary, tuple(found), codes)


def _examined(
    row: Row[Any], described: Mapping[str, Product], known: set[str], seen: dict[str, int]
) -> ListRow:
    examined: Examined | None = None
    if row.state == WAITING:
        examined = examine(
            row.written,
            row.answers,
            record_of=lambda gtin: described.get(gtin) or undescribed(gtin),
            known=known,
            before=seen,
        )
        if examined.gtin is not None:
            seen.setdefault(examined.gtin, row.number)
    return ListRow(row.number, row.state, row.written, row.answers, examined)


def read_summaries(connection: Connection) -> list[ListSummary]:
    """Every list, newest first."""
    counts: dict[int, dict[str, int]] = {}
    for list_id, state, count in connection.execute(
        select(c.master_row.c.import_id, c.master_row.c.state, func.count()).group_by(
            c.master_row.c.import_id, c.master_row.c.state
        )
    ):
        counts.setdefault(list_id, {})[state] = count
    return [
        ListSummary(
            row.id, row.name, row.state, row.imported_at, row.imported_by, counts.get(row.id, {})
        )
        for row in connection.execute(select(c.master_import).order_by(c.master_import.c.id.desc()))
    ]
