"""What orders need to know of products: units, rotation, and how long a customer wants to use them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from erp_link.domain.products import Product
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.goods.product_rows import life_for, read_product

_WHOLE = 100


def base_units(connection: Connection, gtin: str, quantity: int, unit: str) -> int:
    """A quantity in base units. Raises BadInputError for a unit that the product does not have."""
    return read_product(connection, gtin).to_base(quantity, unit) if unit else quantity


def least_days(connection: Connection, product: Product, customer: str, asked: int) -> int:
    """For how many days a customer must still be able to use goods: what the order line asks, and
    what was agreed with the customer. What the product asks of arriving goods is the dock's matter.
    """
    rule = life_for(connection, replace(product, life=LifeRule()), [customer])
    share = -(-product.total_life_days * rule.least_percent // _WHOLE)
    return max(asked, rule.least_days, share)
