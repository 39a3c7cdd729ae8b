"""Products as they stand in the books, and the least remaining life that each customer asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from contracts.reason import Reason
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import life_rule, product
from erp_link.adapters.guards import inserted
from erp_link.domain.allocation import Rotation
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.products import Mover, Product, Temperature, undescribed
from erp_link.domain.sampling import Level, SamplingRule
from erp_link.domain.shelf_life import LifeRule, strictest
from erp_link.service.work import Work

_ONE = select(product).where(product.c.gtin == bindparam("wanted"))
_CHUNK = 500


def read_product(connection: Connection, gtin: str) -> Product:
    """A product as described, or the default."""
    row = connection.execute(_ONE, {"wanted": gtin}).one_or_none()
    return undescribed(gtin) if row is None else of_row(row)


def product_of(work: Work, batch_id: int) -> Product:
    """The product of a batch, read once in a transaction."""
    gtin = work.batch(batch_id).gtin
    known = work.products.get(gtin)
    if known is None:
        known = work.products[gtin] = read_product(work.connection, gtin)
    return known


def read_products(connection: Connection, gtins: Collection[str]) -> dict[str, Product]:
    """The same for many, asked together."""
    wanted = sorted(set(gtins))
    found: dict[str, Product] = {gtin: undescribed(gtin) for gtin in wanted}
    for at in range(0, len(wanted), _CHUNK):
        part = select(product).where(product.c.gtin.in_(wanted[at : at + _CHUNK]))
        found.update({row.gtin: of_row(row) for row in connection.execute(part)})
    return found


def of_row(row: Row[Any]) -> Product:
    """A row of `product` as the product that it describes."""
    return Product(
        gtin=row.gtin,
        name=row.name,
        base_unit=row.base_unit,
        units=row.units,
        carton_unit=row.carton_unit,
        temperature=Temperature(row.temperature),
        rotation=Rotation(row.rotation),
        mover=Mover(row.mover),
        expiry=ExpiryPolicy(row.warn_days, row.freeze_days, row.pull_days),
        life=LifeRule(row.least_days, row.least_percent),
        total_life_days=row.total_life_days,
        dated=bool(row.dated),
        not_older=bool(row.not_older),
        acceptance=bool(row.acceptance),
        sampling=SamplingRule(row.aql, Level(row.level)) if row.aql else None,
        min_stock=row.min_stock,
        max_stock=row.max_stock,
    )


def keep_product(work: Work, given: Product) -> None:
    """Describe a product, or describe it anew; `given` was checked. What is counted already in
    base units keeps its numbers, so the caller refuses another base unit where stock stands.
    """
    values = {
        "name": given.name,
        "base_unit": given.base_unit,
        "units": dict(given.units),
        "carton_unit": given.carton_unit,
        "temperature": given.temperature.value,
        "rotation": given.rotation.value,
        "mover": given.mover.value,
        "warn_days": given.expiry.warn_days,
        "freeze_days": given.expiry.freeze_days,
        "pull_days": given.expiry.pull_days,
        "least_days": given.life.least_days,
        "least_percent": given.life.least_percent,
        "total_life_days": given.total_life_days,
        "dated": int(given.dated),
        "not_older": int(given.not_older),
        "acceptance": int(given.acceptance),
        "aql": given.sampling.aql if given.sampling else "",
        "level": given.sampling.level.value if given.sampling else Level.II.value,
        "min_stock": given.min_stock,
        "max_stock": given.max_stock,
        "described_at": work.now,
        "described_by": work.by,
    }
    if not inserted(work.connection, product, gtin=given.gtin, **values):
        work.connection.execute(update(product).where(product.c.gtin == given.gtin).values(values))
    text = Reason("story_product_described", {"gtin": given.gtin, "name": given.name or "-"})
    work.event("product", text, reference=given.gtin)


def has_stock(connection: Connection, gtin: str) -> bool:
    """True where anything of the product stands in the house, or is announced and not received."""
    stands = (
        select(t.stock.c.batch_id)
        .join(t.batch, t.batch.c.id == t.stock.c.batch_id)
        .where(t.batch.c.gtin == gtin, t.stock.c.quantity > 0)
    )
    announced = (
        select(t.asn_line.c.batch_id)
        .join(t.batch, t.batch.c.id == t.asn_line.c.batch_id)
        .where(
            t.batch.c.gtin == gtin,
            ~select(t.session.c.id)
            .where(t.session.c.asn == t.asn_line.c.asn, t.session.c.closed_at.is_not(None))
            .exists(),
        )
    )
    return any(connection.execute(ask.limit(1)).first() is not None for ask in (stands, announced))


def life_for(connection: Connection, of: Product, customers: Iterable[str] = ()) -> LifeRule:
    """The least remaining life for a product: its own, and what the named customers ask for."""
    names = sorted(set(customers) - {""})
    if not names:
        return of.life
    rows = connection.execute(
        select(life_rule).where(
            life_rule.c.gtin.in_([of.gtin, ""]), life_rule.c.customer.in_(names)
        )
    )
    return strictest([of.life, *(LifeRule(r.least_days, r.least_percent) for r in rows)])


def keep_life_rule(work: Work, gtin: str, customer: str, rule: LifeRule) -> None:
    """What a customer asks for of a product, of every product where `gtin` is empty. A rule that
    asks for nothing is taken away.
    """
    work.connection.execute(
        delete(life_rule).where(life_rule.c.gtin == gtin, life_rule.c.customer == customer)
    )
    if rule.asks:
        work.connection.execute(
            insert(life_rule).values(
                gtin=gtin,
                customer=customer,
                least_days=rule.least_days,
                least_percent=rule.least_percent,
                set_at=work.now,
                set_by=work.by,
            )
        )
    values: dict[str, str | int | float] = {
        "customer": customer,
        "gtin": gtin or "*",
        "days": rule.least_days,
        "percent": rule.least_percent,
    }
    work.event("product", Reason("story_life_rule", values), reference=gtin or customer)
