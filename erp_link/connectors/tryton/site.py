"""What a Tryton calls our products, lots, partners and places; looked up, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from erp_link.connectors.names import NameKind, Names
from erp_link.connectors.port import ErpRefusedError
from erp_link.connectors.tryton.rpc import TrytonRpc
from erp_link.domain.erp.messages import Goods


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of the locations that goods pass through."""

    warehouse: int
    input: int
    storage: int
    output: int
    quarantine: int
    supplier: int
    customer: int


@dataclass(frozen=True, slots=True)
class Product:
    number: int
    unit: int


class Site:
    """Tryton's records by our names. Raises ErpRefusedError where one is missing."""

    def __init__(
        self, rpc: TrytonRpc, names: Callable[[], Names], *, warehouse: str, quarantine: str
    ) -> None:
        self._rpc = rpc
        self._names = names
        self._warehouse = warehouse
        self._quarantine = quarantine
        self._places: Places | None = None

    def places(self) -> Places:
        if self._places is None:
            self._places = self._read_places()
        return self._places

    def product(self, gtin: str) -> Product:
        """By its code or one of its identifiers; leading zeros of a GTIN do not count."""
        code = self._names().theirs(NameKind.PRODUCT, gtin)
        codes = sorted({code, code.lstrip("0"), code.lstrip("0").zfill(13)})
        found = self._rpc.find(
            "product.product",
            ["OR", ["code", "in", codes], ["identifiers.code", "in", codes]],
            ["default_uom"],
        )
        if not found:
            _missing("product", code, "its code or as an identifier", "product")
        if len(found) > 1:
            raise ErpRefusedError(
                f"Tryton has {len(found)} products with the code {code}",
                mend="Leave it with one of them in Tryton, or give its code here under Names",
            )
        return Product(found[0]["id"], found[0]["default_uom"])

    def gtin_of(self, code: str) -> str:
        """The other way round: what we call a product of Tryton's."""
        known = self._names().known
        for (kind, ours), theirs in known.items():
            if kind == NameKind.PRODUCT and theirs == code:
                return ours
        return code.zfill(14) if code.isascii() and code.isdigit() else code

    def find_lot(self, goods: Goods, product: Product) -> int | None:
        """The lot's number, None where Tryton has never heard of it."""
        found = self._rpc.search(
            "stock.lot", [["number", "=", goods.lot], ["product", "=", product.number]], limit=1
        )
        return found[0] if found else None

    def lot(self, goods: Goods, product: Product) -> int:
        """The lot's number; made with its date where Tryton has never heard of it."""
        found = self.find_lot(goods, product)
        if found is not None:
            return found
        values: dict[str, str | int | date] = {"number": goods.lot, "product": product.number}
        if goods.expiry is not None:
            values["expiration_date"] = goods.expiry
        return self._rpc.create("stock.lot", values)

    def supplier(self, name: str) -> int:
        return self._party(self._names().theirs(NameKind.PARTNER, name))

    def customer(self, order: str) -> int:
        """Whom an order is for that Tryton does not know."""
        names = self._names()
        name = names.listed(NameKind.CUSTOMER, order) or names.listed(NameKind.CUSTOMER, "*")
        if name is None:
            raise ErpRefusedError(
                f"Tryton has no shipment {order}, and nobody said whom the order is for",
                mend=f"Make the shipment {order} in Tryton, or give a customer for {order} (or for"
                " *) here under Names",
            )
        return self._party(name)

    def address(self, party: int) -> int:
        found = self._rpc.search("party.address", [["party", "=", party]], limit=1)
        if not found:
            raise ErpRefusedError(
                "The customer has no address in Tryton", mend="Give one there, then try again"
            )
        return found[0]

    def _party(self, name: str) -> int:
        found = self._rpc.search(
            "party.party", ["OR", ["code", "=", name], ["name", "=", name]], limit=1
        )
        if not found:
            _missing("party", name, "its code or name", "partner")
        return found[0]

    def _read_places(self) -> Places:
        rows = self._rpc.find(
            "stock.location",
            [["type", "=", "warehouse"], ["code", "=", self._warehouse]],
            ["input_location", "storage_location", "output_location"],
        )
        quarantine = self._rpc.search(
            "stock.location", [["code", "=", self._quarantine], ["type", "=", "storage"]]
        )
        if not rows or not quarantine:
            missing = "warehouse" if not rows else "storage location"
            code = self._warehouse if not rows else self._quarantine
            raise ErpRefusedError(
                f"Tryton has no {missing} with the code {code}",
                mend="Make it there, or mend [erp] warehouse and [erp] quarantine",
            )
        warehouse = rows[0]
        self._check_apart(warehouse["storage_location"], quarantine[0])
        outside = self._rpc.find(
            "stock.location", [["type", "in", ["supplier", "customer"]]], ["type"]
        )
        by_type = {row["type"]: row["id"] for row in reversed(outside)}
        return Places(
            warehouse["id"],
            warehouse["input_location"],
            warehouse["storage_location"],
            warehouse["output_location"],
            quarantine[0],
            by_type["supplier"],
            by_type["customer"],
        )

    def _check_apart(self, storage: int, quarantine: int) -> None:
        inside = self._rpc.search(
            "stock.location",
            [["id", "=", quarantine], ["parent", "child_of", [storage], "parent"]],
        )
        if inside:
            raise ErpRefusedError(
                f"{self._quarantine} stands inside Tryton's storage zone: what lies there is"
                " assigned like everything else",
                mend="Put it beside the storage zone, under the warehouse",
            )


def _missing(what: str, name: str, where: str, kind: str) -> NoReturn:
    raise ErpRefusedError(
        f"Tryton has no {what} {name}",
        mend=f"Make it there with {name} as {where}, or give its {kind} name here under Names",
    )
