"""Customers' shipments that wait in Tryton, as orders; those that we made ourselves are none."""

from __future__ import annotations

import re
from datetime import date

from erp_link.connectors.port import ErpRefusedError
from erp_link.connectors.tryton.documents import OUT
from erp_link.connectors.tryton.rpc import Row, TrytonRpc
from erp_link.connectors.tryton.site import Site
from erp_link.domain.orders import NewLine, NewOrder

_OURS = re.compile(r"[A-Za-z0-9]{1,8}-I[0-9]+")
"""The reference of a goods issue that we told."""


def ordered(rpc: TrytonRpc, site: Site) -> list[NewOrder | ErpRefusedError]:
    """One for each shipment that waits or is assigned; an error that says what cannot be used."""
    found: list[NewOrder | ErpRefusedError] = []
    rows = rpc.find(
        OUT,
        [["state", "in", ["waiting", "assigned"]]],
        ["number", "reference", "customer.name", "planned_date"],
    )
    for row in rows:
        if _OURS.fullmatch(row["reference"] or ""):
            continue
        lines = rpc.find(
            "stock.move",
            [
                ["shipment", "=", f"{OUT},{row['id']}"],
                ["to_location.type", "=", "customer"],
                ["state", "!=", "cancelled"],
            ],
            ["quantity", "unit", "product.code", "product.default_uom"],
        )
        try:
            found.append(_order(site, row, lines))
        except ErpRefusedError as error:
            found.append(error)
    return found


def _order(site: Site, row: Row, lines: list[Row]) -> NewOrder:
    number = str(row["number"])
    wanted = [_line(site, number, place, line) for place, line in enumerate(lines, 1)]
    due = row["planned_date"]
    return NewOrder(
        number,
        tuple(wanted),
        customer=row["customer."]["name"] or "",
        due_on=due if isinstance(due, date) else None,
    )


def _line(site: Site, number: str, place: int, line: Row) -> NewLine:
    product = line["product."]
    if not product["code"]:
        raise _unusable(number, f"the product of line {place} has no code")
    if line["unit"] != product["default_uom"]:
        raise _unusable(number, f"line {place} counts in another unit than the product")
    if line["quantity"] != int(line["quantity"]):
        raise _unusable(number, f"line {place} asks for {line['quantity']} units")
    return NewLine(site.gtin_of(product["code"]), int(line["quantity"]))


def _unusable(number: str, why: str) -> ErpRefusedError:
    return ErpRefusedError(
        f"Tryton's shipment {number} cannot be taken as an order: {why}",
        mend="Mend it in Tryton; it is read again by itself",
        document=number,
    )
