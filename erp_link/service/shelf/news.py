"""What was written since a reading, by the database's own record of changes (docs/adr/0013): whether
anything that a phone carries is another, and of which products.

Every row that is written leaves its image, so nothing can change unseen. Whose part a row is follows
from its image: a product by its GTIN; goods, lines and owed units by their batch, whose supplier, GTIN
and lot never change (I3); a hold by what it covers, which stays what it was raised for. Where it does
not follow, all is read anew.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, inspect, select, text

from contracts.stock import HoldKind
from erp_link.adapters import merge_tables as merge
from erp_link.adapters import shelf_tables as shelf
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.adapters.record.triggers import BEGUN, DELETED, UPDATED
from erp_link.adapters.record_tables import change

_OPEN: Final = text("SELECT x::text FROM pg_snapshot_xip(pg_current_snapshot()) AS x")
_ENDED: Final = text("SELECT pg_xact_status(CAST(:number AS xid8))")
_BEHIND = 1000
_MOST_ROWS = 5000
_MOST_PRODUCTS = 1000
"""With more, reading everything anew costs about as much."""
_AT_ONCE = 500

_OF_PRODUCT: Final = frozenset({product.name, t.batch.name})
_OF_BATCH: Final = frozenset({t.stock.name, t.asn_line.name, merge.offline_cell.name})
_OF_NO_PRODUCT: Final = frozenset(
    table.name for table in (t.ticket, t.ticket_hold, t.location, t.carton, merge.offline_entry)
)
_OF_ALL: Final = frozenset({shelf.shelf_list.name, shelf.shelf_row.name})
"""A list names most products, and is replaced whole."""
_CARRIED: Final = _OF_PRODUCT | _OF_BATCH | _OF_NO_PRODUCT | _OF_ALL | {t.hold.name}
"""From these tables a snapshot is read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the record is. On PostgreSQL a row with a lower number may be committed later: so with
    it which transactions were `unended` (ids), and how many rows lie close behind (`near`), for those
    that are younger than any that had ended, which PostgreSQL does not list.
    """

    record: int
    near: int
    unended: frozenset[str]


@dataclass(frozen=True, slots=True)
class News:
    """Since a mark, up to `mark`: whether `anything` that a phone carries was written, and which
    `products` (GTINs) may be others for it; None where that may be all of them.
    """

    mark: Mark
    anything: bool
    products: frozenset[str] | None


def mark(connection: Connection) -> Mark:
    """As the database stands now."""
    newest = connection.execute(select(func.coalesce(func.max(change.c.id), 0))).scalar_one()
    return Mark(int(newest), _near(connection, int(newest)), _unended(connection))


def news(connection: Connection, before: Mark) -> News:
    """What is new since `before`. Only what a phone carries counts, so that the talk with an ERP or a
    gateway's head asks for no reading.
    """
    # First: what is committed while this asks on is seen below, or by whoever asks from this mark.
    now = mark(connection)
    # A part of the record may have been moved away, and its numbers begin anew.
    moved_away = now.record < before.record
    late = _near(connection, before.record) != before.near
    if moved_away or late or any(_wrote(connection, each) for each in before.unended - now.unended):
        return News(now, anything=True, products=None)
    rows = connection.execute(
        select(change.c.name, change.c.what, change.c.image)
        .where(change.c.id > before.record, change.c.name.in_(sorted(_CARRIED)))
        .order_by(change.c.id)
        .limit(_MOST_ROWS + 1)
    ).all()
    if not rows:
        return News(now, anything=False, products=frozenset())
    if len(rows) > _MOST_ROWS:
        return News(now, anything=True, products=None)
    changes = [(row.name, row.what, row.image) for row in rows]
    return News(now, anything=True, products=_products(connection, changes))


def _near(connection: Connection, number: int) -> int:
    if connection.dialect.name != "postgresql":
        return 0
    close = (change.c.id > number - _BEHIND) & (change.c.id <= number)
    found = connection.execute(select(func.count()).select_from(change).where(close))
    return int(found.scalar_one())


def _unended(connection: Connection) -> frozenset[str]:
    """Transactions that have written and that this one's moment does not see; SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset(connection.execute(_OPEN).scalars())


def _wrote(connection: Connection, transaction: str) -> bool:
    """Whether it came to be, for all that PostgreSQL still knows."""
    how = connection.execute(_ENDED, {"number": transaction}).scalar_one()
    return how is None or str(how) == "committed"


def _products(
    connection: Connection, changes: Sequence[tuple[str, str, str]]
) -> frozenset[str] | None:
    images: dict[str, list[list[Any]]] = defaultdict(list)
    for name, what, image in changes:
        gone = what == DELETED and name == t.batch.name
        moved = what == UPDATED and name == t.asn_line.name
        if name in _OF_ALL or what == BEGUN or gone or moved:
            return None
        images[name].append(json.loads(image))
    gtins: set[str] = set()
    batches: set[int] = set()
    for name, of_table in images.items():
        at = _columns(connection, name)
        if name in _OF_PRODUCT:
            gtins.update(each[at["gtin"]] for each in of_table)
        elif name in _OF_BATCH:
            batches.update(each[at["batch_id"]] for each in of_table)
        elif name == t.hold.name:
            for each in of_table:
                gtins |= _held(
                    connection, each[at["kind"]], each[at["location"]], each[at["supplier"]]
                )
                batches |= {each[at["batch_id"]]} - {None}
    named = _gtins(connection, batches)
    if len(named) < len(batches):
        return None
    gtins.update(named.values())
    return frozenset(gtins) if len(gtins) <= _MOST_PRODUCTS else None


def _columns(connection: Connection, table: str) -> Mapping[str, int]:
    """At which place of an image each column stands: as in the database, where the triggers are made."""
    if table in _OF_NO_PRODUCT:
        return {}
    return {each["name"]: at for at, each in enumerate(inspect(connection).get_columns(table))}


def _held(connection: Connection, kind: str, location: str, supplier: str) -> set[str]:
    """Products that a hold on a place or on a supplier may cover; others name their batch. Goods of a
    supplier whom nobody could name are covered by their lot, so their product is among these.
    """
    wanted: Select[Any]
    match HoldKind(kind):
        case HoldKind.LOCATION:
            wanted = (
                select(t.batch.c.gtin)
                .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
                .where(t.stock.c.location == location)
            )
        case HoldKind.SUPPLIER:
            wanted = select(t.batch.c.gtin).where(t.batch.c.supplier == supplier)
        case HoldKind.BATCH | HoldKind.CARTONS | HoldKind.QUANTITY:
            return set()
    return set(connection.execute(wanted.distinct()).scalars())


def _gtins(connection: Connection, batches: Collection[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    wanted = sorted(batches)
    for start in range(0, len(wanted), _AT_ONCE):
        part = t.batch.c.id.in_(wanted[start : start + _AT_ONCE])
        rows = connection.execute(select(t.batch.c.id, t.batch.c.gtin).where(part))
        found.update((row.id, row.gtin) for row in rows)
    return found
