"""What an Odoo calls our products, lots, partners and places; looked up, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from erp_link.connectors.names import NameKind, Names
from erp_link.connectors.odoo.json2 import OdooJson2, Row
from erp_link.connectors.port import ErpRefusedError
from erp_link.domain.erp.messages import Goods


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of the warehouse's operation types and locations."""

    receipts: int
    transfers: int
    deliveries: int
    stock: int
    quarantine: int
    supplier: int
    customer: int


class Site:
    """Odoo's records by our names. Raises ErpRefusedError where one is missing."""

    def __init__(
        self, odoo: OdooJson2, names: Callable[[], Names], *, warehouse: str, quarantine: str
    ) -> None:
        self._odoo = odoo
        self._names = names
        self._warehouse = warehouse
        self._quarantine = quarantine
        self._places: Places | None = None

    def places(self) -> Places:
        if self._places is None:
            self._places = self._read_places()
        return self._places

    def product(self, gtin: str) -> Row:
        """`id` and `uom_id` by barcode or internal reference."""
        code = self._names().theirs(NameKind.PRODUCT, gtin)
        codes = sorted({code, code.lstrip("0"), code.lstrip("0").zfill(13)})
        return self._one(
            "product.product",
            ["|", ["barcode", "in", codes], ["default_code", "in", codes]],
            ["uom_id", "display_name"],
            f"product {code}",
            f"Give a product the barcode {code}, or its reference here under Names",
        )

    def find_lot(self, goods: Goods, product: int) -> int | None:
        found = self._odoo.find(
            "stock.lot", [["name", "=", goods.lot], ["product_id", "=", product]], ["name"]
        )
        return int(found[0]["id"]) if found else None

    def lot(self, goods: Goods, product: int) -> int:
        """The lot; made with its date where Odoo has never heard of it."""
        found = self.find_lot(goods, product)
        if found is not None:
            return found
        values: dict[str, object] = {"name": goods.lot, "product_id": product}
        if goods.expiry is not None:
            values["expiration_date"] = f"{goods.expiry.isoformat()} 00:00:00"
        return self._odoo.create("stock.lot", values)

    def supplier(self, name: str) -> int:
        return self._partner(self._names().theirs(NameKind.PARTNER, name))

    def customer(self, order: str) -> int:
        names = self._names()
        name = names.listed(NameKind.CUSTOMER, order) or names.listed(NameKind.CUSTOMER, "*")
        if name is None:
            raise ErpRefusedError(
                f"Odoo has no delivery {order}, and nobody said whom the order is for",
                mend=f"Make the delivery {order} in Odoo, or give a customer for {order} (or for *)"
                " here under Names",
            )
        return self._partner(name)

    def _partner(self, name: str) -> int:
        found = self._one(
            "res.partner",
            ["|", ["ref", "=", name], ["name", "=", name]],
            ["name"],
            f"contact {name}",
            f"Make the contact, with {name} as its name or reference, or give its name here",
        )
        return int(found["id"])

    def _read_places(self) -> Places:
        domain = [["code", "=", self._warehouse]] if self._warehouse else []
        house = self._one(
            "stock.warehouse",
            domain,
            ["in_type_id", "int_type_id", "out_type_id", "lot_stock_id"],
            f"warehouse {self._warehouse}",
            "Mend [erp] warehouse",
        )
        name = self._quarantine
        place = self._one(
            "stock.location",
            ["|", ["barcode", "=", name], ["complete_name", "=", name], ["usage", "=", "internal"]],
            ["parent_path"],
            f"internal location {name}",
            "Make it beside the stock location, or mend [erp] quarantine",
        )
        stock = int(house["lot_stock_id"][0])
        if str(stock) in str(place["parent_path"]).strip("/").split("/"):
            raise ErpRefusedError(
                f"{name} stands inside Odoo's stock location: what lies there is reserved like"
                " everything else",
                mend="Put it beside the stock location, under the warehouse",
            )
        return Places(
            int(house["in_type_id"][0]),
            int(house["int_type_id"][0]),
            int(house["out_type_id"][0]),
            stock,
            int(place["id"]),
            self._outside("supplier"),
            self._outside("customer"),
        )

    def _outside(self, usage: str) -> int:
        found = self._odoo.find("stock.location", [["usage", "=", usage]], ["name"])
        if not found:
            raise ErpRefusedError(f"Odoo has no {usage} location", mend="Make one there")
        return int(found[0]["id"])

    def _one(
        self, model: str, domain: Sequence[object], fields: Sequence[str], what: str, mend: str
    ) -> Row:
        found = self._odoo.find(model, domain, fields)
        if not found:
            raise ErpRefusedError(f"Odoo has no {what}", mend=mend)
        if len(found) > 1 and domain:
            raise ErpRefusedError(f"Odoo has {len(found)} of {what}", mend="Leave one with it")
        return found[0]
