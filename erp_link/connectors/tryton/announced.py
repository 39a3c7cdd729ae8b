"""Deliveries that Tryton expects, as announced lists: supplier shipments in draft whose lines name
their lots and dates.
"""

from __future__ import annotations

from datetime import date

from contracts.asn import Asn, AsnLine
from erp_link.connectors.port import ErpRefusedError
from erp_link.connectors.tryton.documents import IN
from erp_link.connectors.tryton.rpc import Row, TrytonRpc
from erp_link.connectors.tryton.site import Site


def announced(rpc: TrytonRpc, site: Site) -> list[Asn | ErpRefusedError]:
    """One for each draft shipment; an error that says what is missing for those that cannot be
    used: a batch that is not named can be neither matched nor held.
    """
    found: list[Asn | ErpRefusedError] = []
    for row in rpc.find(IN, [["state", "=", "draft"]], ["number", "reference", "supplier.code",
                             "supplier.name"]):  # fmt: skip
        lines = rpc.find(
            "stock.move",
            [["shipment", "=", f"{IN},{row['id']}"], ["state", "=", "draft"]],
            ["quantity", "product.code", "product.name", "lot.number", "lot.expiration_date",
             "lot.shelf_life_expiration_date"],
        )  # fmt: skip
        try:
            found.append(_asn(site, row, lines))
        except ErpRefusedError as error:
            found.append(error)
    return found


def _asn(site: Site, row: Row, lines: list[Row]) -> Asn:
    number = str(row["reference"] or row["number"])
    supplier = row["supplier."]["code"] or row["supplier."]["name"]
    if not lines:
        raise _unusable(number, "it has no lines")
    return Asn(
        number,
        supplier,
        tuple(_line(site, number, place, supplier, line) for place, line in enumerate(lines, 1)),
    )


def _line(site: Site, number: str, place: int, supplier: str, line: Row) -> AsnLine:
    product, lot = line["product."], line.get("lot.") or {}
    if not product.get("code"):
        raise _unusable(number, f"the product of line {place} has no code")
    if not lot.get("number"):
        raise _unusable(number, f"line {place} ({product['code']}) names no lot")
    expiry = lot.get("expiration_date") or lot.get("shelf_life_expiration_date")
    if not isinstance(expiry, date):
        raise _unusable(number, f"lot {lot['number']} of line {place} has no expiration date")
    if line["quantity"] != int(line["quantity"]) or line["quantity"] < 1:
        raise _unusable(number, f"line {place} has a quantity of {line['quantity']}")
    return AsnLine(
        place,
        site.gtin_of(product["code"]),
        lot["number"],
        expiry,
        int(line["quantity"]),
        description=product.get("name") or "",
        supplier=supplier,
    )


def _unusable(number: str, why: str) -> ErpRefusedError:
    return ErpRefusedError(
        f"Tryton's shipment {number} cannot be announced: {why}",
        mend="Mend it in Tryton; it is read again by itself",
        document=number,
    )
