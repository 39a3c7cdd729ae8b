"""What each product is: its name, unit, codes, price, who delivers it, where it belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from contracts.shelf import ExpiryLimits, LastPrice, Money, ShelfCode, ShelfProduct, ShelfSupplier
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.shelf.lists import Contact, ListKind, PackCode, Planned, Price
from erp_link.service.shelf.cells import Batch
from erp_link.service.shelf.lists import rows_of

HOUSE = ExpiryPolicy()
"""What holds for a product that nobody gave a policy of its own."""
HOUSE_LIMITS = ExpiryLimits(HOUSE.warn_days, HOUSE.freeze_days, HOUSE.pull_days)


@dataclass(slots=True)
class _Known:
    name: str = ""
    unit: str = ""
    sku: str = ""
    limits: ExpiryLimits | None = None
    suppliers: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the site's lists say of products, by GTIN."""

    codes: Mapping[str, Sequence[PackCode]]
    places: Mapping[str, Mapping[str, None]]
    prices: Mapping[str, LastPrice]


def read_catalogue(connection: Connection) -> Catalogue:
    """The lists of cartons' codes, of places and of prices."""
    cartons = rows_of(connection, PackCode, ListKind.CODES)
    return Catalogue(
        _by_product(cartons),
        _places(rows_of(connection, Planned, ListKind.PLANOGRAM), cartons),
        _newest(rows_of(connection, Price, ListKind.PRICES)),
    )


def read_products(
    connection: Connection,
    batches: Mapping[int, Batch],
    held_places: frozenset[str],
    catalogue: Catalogue,
    only: Collection[str] | None = None,
) -> dict[str, ShelfProduct]:
    """Every product that was ever described, announced or here, or has a place, by GTIN; `only` those
    named, of which `batches` must hold every one.
    """
    known = _known(connection, only)
    codes, places = catalogue.codes, catalogue.places
    here: dict[str, list[Batch]] = defaultdict(list)
    for batch in batches.values():
        here[batch.row.gtin].append(batch)
    nothing = _Known()
    there = {*known, *here, *codes, *places}
    return {
        gtin: ShelfProduct(
            gtin=gtin,
            name=(about := known.get(gtin, nothing)).name,
            unit=about.unit,
            sku=about.sku,
            codes=_codes(gtin, codes.get(gtin, ())),
            suppliers=tuple(about.suppliers),
            price=catalogue.prices.get(gtin),
            places=tuple(places.get(gtin, ())),
            batches=tuple(batch.told(held_places) for batch in here.get(gtin, ())),
            limits=about.limits,
        )
        for gtin in sorted(there if only is None else there.intersection(only))
    }


def read_suppliers(connection: Connection) -> tuple[ShelfSupplier, ...]:
    """Who delivered or is on the list of contacts, by id; without a name, the id is shown."""
    contacts = {row.supplier: row for row in rows_of(connection, Contact, ListKind.CONTACTS)}
    delivered = connection.execute(select(t.batch.c.supplier).distinct()).scalars()
    return tuple(
        ShelfSupplier(
            id=each,
            name=(told := contacts.get(each, Contact(each))).name or each,
            contact=told.contact,
            phone=told.phone,
            email=told.email,
        )
        for each in sorted({*delivered, *contacts} - {""})
    )


def _known(connection: Connection, only: Collection[str] | None) -> dict[str, _Known]:
    def those(query: Select[Any], gtin: ColumnElement[str]) -> Select[Any]:
        return query if only is None else query.where(gtin.in_(sorted(only)))

    found: dict[str, _Known] = {}
    # Newest first: whoever delivered last stands first, and what they called it counts.
    delivered = (
        select(
            t.batch.c.gtin,
            t.batch.c.supplier,
            func.max(t.batch.c.id).label("last"),
            func.max(t.batch.c.description).label("description"),
        )
        .group_by(t.batch.c.gtin, t.batch.c.supplier)
        .order_by(func.max(t.batch.c.id).desc())
    )
    for gtin, supplier, _, description in connection.execute(those(delivered, t.batch.c.gtin)):
        about = found.setdefault(gtin, _Known())
        about.name = about.name or description
        if supplier:
            about.suppliers[supplier] = None
    for row in connection.execute(those(select(product), product.c.gtin)):
        about = found.setdefault(row.gtin, _Known())
        about.name = row.name or about.name
        about.unit = row.base_unit
        own = ExpiryLimits(row.warn_days, row.freeze_days, row.pull_days)
        about.limits = None if own == HOUSE_LIMITS else own
    # The article number under which each product was announced.
    announced = (
        select(t.batch.c.gtin, func.max(t.asn_line.c.sku))
        .join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
        .where(t.asn_line.c.sku != "")
        .group_by(t.batch.c.gtin)
    )
    for gtin, sku in connection.execute(those(announced, t.batch.c.gtin)):
        found[gtin].sku = sku
    return found


def _by_product(rows: Sequence[PackCode]) -> dict[str, list[PackCode]]:
    found: dict[str, list[PackCode]] = defaultdict(list)
    for row in rows:
        found[row.gtin].append(row)
    return found


def _places(rows: Sequence[Planned], cartons: Sequence[PackCode]) -> dict[str, dict[str, None]]:
    """A planogram may name a product by its carton's code."""
    means = {each.code: each.gtin for each in cartons}
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        found[means.get(row.gtin, row.gtin)][row.place] = None
    return found


def _newest(rows: Sequence[Price]) -> dict[str, LastPrice]:
    """What was paid last; of prices without a date the one that stands last in the list."""
    found: dict[str, Price] = {}
    for row in rows:
        if row.gtin not in found or row.on >= found[row.gtin].on:
            found[row.gtin] = row
    return {
        gtin: LastPrice(Money(row.amount, row.currency, row.digits), row.on, row.source)
        for gtin, row in found.items()
    }


def _codes(gtin: str, cartons: Sequence[PackCode]) -> tuple[ShelfCode, ...]:
    own = next((each.units for each in cartons if each.code == gtin), 1)
    others = (ShelfCode(each.code, each.units) for each in cartons if each.code != gtin)
    return (ShelfCode(gtin, own), *others)
