"""What is unclean in the books: told with its mend, never changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.domain.master_data.text import same_code, same_name
from erp_link.domain.products import Product
from erp_link.service.goods.product_rows import read_products

FAR_YEARS = 10
_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class BookFinding:
    """`code` is one kind of dirt; `batch` where one batch is meant; `units` of it stand here."""

    code: str
    reason: Reason
    gtin: str = ""
    batch: BatchKey | None = None
    units: int = 0


def unclean_books(connection: Connection, *, today: date) -> list[BookFinding]:
    """Every finding: dates, numbers, units, codes that may mean the same, products that nobody
    described. By kind, then by product.
    """
    batches = connection.execute(
        select(t.batch, func.coalesce(func.sum(t.stock.c.quantity), 0).label("units"))
        .outerjoin(
            t.stock,
            (t.stock.c.batch_id == t.batch.c.id) & ~t.stock.c.location.like("@%"),
        )
        .group_by(t.batch.c.id)
        .order_by(t.batch.c.gtin, t.batch.c.lot, t.batch.c.supplier)
    ).all()
    here = [row for row in batches if row.units]
    described = read_products(connection, {row.gtin for row in batches})
    return [
        *_dates(here, described, today),
        *_numbers(here),
        *_same_lots(batches),
        *_same_suppliers(batches),
        *_undescribed(here, described),
        *_units(connection, described),
    ]


def _dates(
    rows: Sequence[Row[Any]], described: Mapping[str, Product], today: date
) -> Iterable[BookFinding]:
    far = today + timedelta(days=FAR_YEARS * _YEAR_DAYS)
    for row in rows:
        product = described[row.gtin]
        if row.expiry is None and product.dated:
            yield _of_batch("book_expiry_missing", row)
        elif row.expiry is not None and row.expiry > far:
            yield _of_batch("book_expiry_far", row, expiry=str(row.expiry), years=FAR_YEARS)
        elif (
            row.expiry is not None
            and product.total_life_days
            and row.expiry > today + timedelta(days=product.total_life_days)
        ):
            yield _of_batch(
                "book_expiry_beyond_life",
                row,
                expiry=str(row.expiry),
                life=product.total_life_days,
            )


def _numbers(rows: Sequence[Row[Any]]) -> Iterable[BookFinding]:
    for gtin in sorted({row.gtin for row in rows}):
        try:
            normal = normalise_gtin(gtin)
        except BadInputError as error:
            why = Reason("book_gtin_wrong", {"gtin": gtin, "why": error.message})
            yield BookFinding("book_gtin_wrong", why, gtin)
            continue
        if normal != gtin:
            why = Reason("book_gtin_form", {"gtin": gtin, "normal": normal})
            yield BookFinding("book_gtin_form", why, gtin)


def _same_lots(rows: Sequence[Row[Any]]) -> Iterable[BookFinding]:
    """Batches of one supplier and product whose lots people take for each other."""
    for group in _alike(rows, lambda row: (row.supplier, row.gtin, same_code(row.lot))):
        lots = sorted({row.lot for row in group})
        if len(lots) > 1:
            yield _of_batch("book_lots_alike", group[0], lots=", ".join(lots))


def _same_suppliers(rows: Sequence[Row[Any]]) -> Iterable[BookFinding]:
    names = sorted({row.supplier for row in rows if row.supplier})
    for group in _alike(names, same_name):
        if len(group) > 1:
            why = Reason("book_suppliers_alike", {"names": ", ".join(group)})
            yield BookFinding("book_suppliers_alike", why)


def _undescribed(
    rows: Sequence[Row[Any]], described: Mapping[str, Product]
) -> Iterable[BookFinding]:
    for group in _alike(rows, lambda row: row.gtin):
        gtin = group[0].gtin
        if not described[gtin].described:
            name = next((row.description for row in group if row.description), "") or gtin
            why = Reason("book_undescribed", {"name": name, "gtin": gtin})
            yield BookFinding(
                "book_undescribed", why, gtin, units=sum(int(row.units) for row in group)
            )


def _units(connection: Connection, described: Mapping[str, Product]) -> Iterable[BookFinding]:
    """Units on announced lists that the product does not have."""
    rows = connection.execute(
        select(t.batch.c.gtin, t.asn_line.c.unit, func.min(t.asn_line.c.asn))
        .join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
        .group_by(t.batch.c.gtin, t.asn_line.c.unit)
        .order_by(t.batch.c.gtin, t.asn_line.c.unit)
    )
    for gtin, unit, asn in rows:
        try:
            described[gtin].to_base(1, unit)
        except BadInputError:
            why = Reason("book_unit_unknown", {"gtin": gtin, "unit": unit, "asn": asn})
            yield BookFinding("book_unit_unknown", why, gtin)


def _alike(rows: Iterable[Any], key: Callable[[Any], Any]) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _of_batch(code: str, row: Row[Any], **values: str | int) -> BookFinding:
    key = BatchKey(row.supplier, row.gtin, row.lot)
    why = Reason(code, {"gtin": row.gtin, "lot": row.lot, **values})
    return BookFinding(code, why, row.gtin, key, int(row.units))
