"""What every product is called, whose it is, and what its record says of its stock."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.domain.reorder.policy import Limits


@dataclass(frozen=True, slots=True)
class Card:
    """`name` is empty where nobody gave it one."""

    gtin: str
    name: str = ""
    suppliers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


def cards(connection: Connection) -> dict[str, Card]:
    """Every product that was ever described, announced or here."""
    names: dict[str, str] = {}
    suppliers: dict[str, set[str]] = {}
    rows = connection.execute(
        select(t.batch.c.gtin, t.batch.c.description, t.batch.c.supplier).order_by(t.batch.c.id)
    )
    for gtin, name, supplier in rows:
        names[gtin] = name or names.get(gtin, "")
        suppliers.setdefault(gtin, set()).update({supplier} - {""})
    limits: dict[str, Limits] = {}
    for row in connection.execute(select(product)):
        names[row.gtin] = row.name or names.get(row.gtin, "")
        limits[row.gtin] = Limits(row.min_stock, row.max_stock, row.total_life_days or None)
    return {
        gtin: Card(gtin, name, tuple(sorted(suppliers.get(gtin, ()))), limits.get(gtin, Limits()))
        for gtin, name in names.items()
    }
