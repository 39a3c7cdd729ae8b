"""What was announced, in base units: 10 cases of a product of 24 are 240 bottles."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.asn import Asn
from contracts.errors import BadInputError
from erp_link.asn.findings import Finding, bad_asn
from erp_link.service.goods.product_rows import read_products


@dataclass(frozen=True, slots=True)
class InBase:
    """A line's quantity in its product's base unit."""

    quantity: int
    unit: str


def base_units(connection: Connection, asn: Asn) -> dict[int, InBase]:
    """Each line's quantity in base units, by line number. Nothing is converted by guessing.

    Raises BadAsnError naming every line whose unit its product does not have.
    """
    products = read_products(connection, [line.gtin for line in asn.lines])
    found: dict[int, InBase] = {}
    wrong: list[Finding] = []
    for line in asn.lines:
        product = products[line.gtin]
        try:
            quantity = product.to_base(line.quantity, line.unit)
        except BadInputError as error:
            what = f"announced line {line.number}, {line.quantity} {line.unit}: {error.message}"
            wrong.append(Finding(None, what, error.mend))
            continue
        found[line.number] = InBase(quantity, product.base_unit)
    if wrong:
        raise bad_asn(asn.number, wrong)
    return found
