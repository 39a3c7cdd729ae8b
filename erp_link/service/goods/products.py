"""The desk of products: what a GTIN is, in which units it is counted, how it is kept and judged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from contracts.errors import BadInputError, ConflictError
from contracts.gs1 import normalise_gtin
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import life_rule, product
from erp_link.domain.products import Product, checked
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.goods import product_rows as rows
from erp_link.service.store import Store
from erp_link.service.work import Work

_MOST = 500


@dataclass(frozen=True, slots=True)
class CustomerLife:
    """The least remaining life that a customer asks for; of every product where `gtin` is empty."""

    customer: str
    gtin: str
    rule: LifeRule


@dataclass(frozen=True, slots=True)
class Undescribed:
    """A GTIN that came or was announced and that nobody described."""

    gtin: str
    name: str


class Products:
    """Ask for products, describe them."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def product(self, gtin: str) -> Product:
        """The product; where nobody described it, a carton of itself with default policies."""
        return self._core.read(lambda c: rows.read_product(c, gtin))

    def products(self, gtins: Collection[str]) -> dict[str, Product]:
        """The same for many, in one question."""
        return self._core.read(lambda c: rows.read_products(c, gtins))

    def described(self, *, after: str = "", limit: int = _MOST) -> list[Product]:
        """What was described, by GTIN, from the one after `after` on."""
        query = select(product).where(product.c.gtin > after).order_by(product.c.gtin).limit(limit)
        return self._core.read(lambda c: [rows.of_row(row) for row in c.execute(query)])

    def undescribed(self, *, limit: int = 100) -> list[Undescribed]:
        """Known GTINs that wait for a description, by GTIN."""
        known = select(product.c.gtin)
        query = select(t.batch.c.gtin, t.batch.c.description).where(t.batch.c.gtin.not_in(known))

        def ask(connection: Connection) -> list[Undescribed]:
            names: dict[str, str] = {}
            for gtin, words in connection.execute(query.distinct()):
                names[gtin] = names.get(gtin) or words
            return [Undescribed(gtin, names[gtin]) for gtin in sorted(names)[:limit]]

        return self._core.read(ask)

    def describe(self, given: Product, *, by: str, key: str | None = None) -> Product:
        """Keep what a product is, whole: what is not given takes its default.

        Raises BadInputError naming what cannot be; ConflictError where the base unit or the
        carton would change under goods that are counted already.
        """
        wanted = checked(given)

        def act(work: Work) -> None:
            was = rows.read_product(work.connection, wanted.gtin)
            counted = (was.base_unit, was.per_carton)
            if counted != (wanted.base_unit, wanted.per_carton) and rows.has_stock(
                work.connection, wanted.gtin
            ):
                raise ConflictError(
                    f"Product {wanted.gtin} is counted in {was.base_unit}, {was.per_carton} to a"
                    f" carton, and goods are announced or here",
                    mend="Ship or write off what is here first, or describe the product in the"
                    " units that it is counted in",
                    gtin=wanted.gtin,
                )
            rows.keep_product(work, wanted)

        body = {"product": repr(wanted)}
        self._core.command("describe", body, by=by, key=key, guards_of=None, act=act)
        return wanted

    def life_rule(self, gtin: str, *customers: str) -> LifeRule:
        """The least remaining life: the product's own and that of the customers, the strictest."""
        return self._core.read(lambda c: rows.life_for(c, rows.read_product(c, gtin), customers))

    def life_rules(self) -> list[CustomerLife]:
        """What customers ask for, by customer and product."""
        query = select(life_rule).order_by(life_rule.c.customer, life_rule.c.gtin)
        return self._core.read(
            lambda c: [
                CustomerLife(r.customer, r.gtin, LifeRule(r.least_days, r.least_percent))
                for r in c.execute(query)
            ]
        )

    def set_life_rule(
        self, customer: str, gtin: str, rule: LifeRule, *, by: str, key: str | None = None
    ) -> None:
        """Keep what a customer asks for; a rule that asks for nothing ends it.

        Raises BadInputError.
        """
        name = customer.strip()
        if not name:
            raise BadInputError("A rule without a customer", mend="Name the customer")
        number = normalise_gtin(gtin) if gtin else ""
        if rule.least_percent and (not number or not self.product(number).total_life_days):
            raise BadInputError(
                f"{rule.least_percent} % of a total life that nobody gave",
                mend="Give days, or describe the product with its total life first",
            )
        self._core.command(
            "life_rule",
            {"customer": name, "gtin": number, "rule": repr(rule)},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: rows.keep_life_rule(work, number, name, rule),
        )
