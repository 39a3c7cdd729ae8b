"""Goods issues in Tryton: the customer shipment that it has for the order, or one of our own, with
the lots that really left.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from erp_link.connectors.port import ErpDocument, ErpRefusedError
from erp_link.connectors.tryton.documents import OUT, Documents, split
from erp_link.connectors.tryton.rpc import Row, TrytonRpc
from erp_link.connectors.tryton.site import Product, Site
from erp_link.domain.erp.messages import Goods, Message

_LESS_THAN_ORDERED = (".check_quantity_product", ".check_quantity_lot")
_OPEN = ("draft", "waiting", "assigned")


class Issues:
    def __init__(self, rpc: TrytonRpc, site: Site, documents: Documents) -> None:
        self._rpc = rpc
        self._site = site
        self._documents = documents

    def find(self, message: Message) -> list[ErpDocument]:
        """By our reference, and the order itself, where this is what it waited for."""
        wanted = [message.reference, *([message.document] if message.document else [])]
        return self._documents.find(
            OUT, ["OR", ["reference", "in", wanted], ["number", "in", wanted]]
        )

    def create(self, message: Message) -> ErpDocument:
        places = self._site.places()
        customer = self._customer(message.why)
        company = self._rpc.context["company"]
        currency = self._rpc.read("company.company", [company], ["currency"])[0]["currency"]
        moves = [
            {
                "product": product.number,
                "unit": product.unit,
                "quantity": float(goods.quantity),
                "from_location": places.output,
                "to_location": places.customer,
                "company": company,
                "unit_price": Decimal(0),
                "currency": currency,
                "lot": self._site.lot(goods, product),
            }
            for goods, product in self._products(message.goods)
        ]
        number = self._rpc.create(
            OUT,
            {
                "reference": message.reference,
                "company": company,
                "customer": customer,
                "delivery_address": self._site.address(customer),
                "warehouse": places.warehouse,
                "warehouse_storage": places.storage,
                "warehouse_output": places.output,
                "outgoing_moves": [["create", moves]],
            },
        )
        return self._documents.read(f"{OUT},{number}")[0]

    def _customer(self, order: str) -> int:
        """Whoever Tryton's own shipment of the order is for, also once that is done."""
        known = self._rpc.find(
            OUT, ["OR", ["number", "=", order], ["reference", "=", order]], ["customer"]
        )
        return int(known[0]["customer"]) if known else self._site.customer(order)

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        found, state = self._documents.read(document.key)
        if state in _OPEN:
            # Assigned by Tryton to lots of its own choice: what left stands in our books.
            if state == "assigned" and not self._has_our_lots(found, message.goods):
                state = self._documents.press(found.key, "wait", to=("waiting",))
            if state == "draft":
                state = self._documents.press(found.key, "wait", to=("waiting",))
            if state == "waiting":
                if any(move["state"] == "assigned" for move in self._inventory(found)):
                    # A try that found too little left some of its moves assigned.
                    self._documents.press(found.key, "wait", to=("waiting",))
                self._name_lots(found, message.goods)
                state = self._assign(found)
            state = self._documents.press(found.key, "pick", to=("picked",))
        if state == "picked":
            state = self._documents.press(
                found.key, "pack", to=("packed",), accept=_LESS_THAN_ORDERED
            )
        if state in {"packed", "shipped"}:
            self._documents.press(found.key, "do", to=("done",))
        return self._documents.read(found.key)[0]

    def _assign(self, found: ErpDocument) -> str:
        model, number = split(found.key)
        self._rpc.press(model, "assign_try", number)
        _, state = self._documents.read(found.key)
        if state != "assigned":
            raise ErpRefusedError(
                f"Tryton cannot assign {found.number}: there is less in its storage than left here",
                mend="Compare the lots of the shipment with the batches here; count them in Tryton,"
                " then try again",
                document=found.number,
            )
        return state

    def _inventory(self, found: ErpDocument) -> list[Row]:
        model, number = split(found.key)
        return self._rpc.find(
            "stock.move",
            [
                ["shipment", "=", f"{model},{number}"],
                ["to_location", "=", self._site.places().output],
                ["state", "!=", "cancelled"],
            ],
            ["product", "lot", "quantity", "origin", "state", "from_location", "unit"],
        )

    def _has_our_lots(self, found: ErpDocument, goods: Sequence[Goods]) -> bool:
        ours = sorted(
            (self._site.lot(each, product), float(each.quantity))
            for each, product in self._products(goods)
        )
        return sorted((move["lot"], move["quantity"]) for move in self._inventory(found)) == ours

    def _name_lots(self, found: ErpDocument, goods: Sequence[Goods]) -> None:
        """The moves out of storage become the lots that left, each linked to the ordered line."""
        left = self._inventory(found)
        model, number = split(found.key)
        by_product: dict[int, list[Row]] = {}
        for move in left:
            by_product.setdefault(move["product"], []).append(move)
        used: set[int] = set()
        for each, product in self._products(goods):
            lot = self._site.lot(each, product)
            moves = by_product.get(product.number, [])
            if not moves:
                raise ErpRefusedError(
                    f"{found.number} in Tryton does not ask for {each.batch.gtin}, which left for it",
                    mend="Add the line in Tryton, or ship it there under another number",
                    document=found.number,
                )
            free = next((move for move in moves if move["id"] not in used), None)
            if free is not None:
                used.add(free["id"])
                self._rpc.write(
                    "stock.move", [free["id"]], {"lot": lot, "quantity": float(each.quantity)}
                )
                continue
            pattern = moves[0]
            self._rpc.create(
                "stock.move",
                {
                    "shipment": f"{model},{number}",
                    "origin": pattern["origin"],
                    "product": product.number,
                    "lot": lot,
                    "unit": pattern["unit"],
                    "quantity": float(each.quantity),
                    "from_location": pattern["from_location"],
                    "to_location": self._site.places().output,
                    "company": self._rpc.context["company"],
                },
            )
        for move in left:
            if move["id"] not in used:
                self._rpc.delete("stock.move", [move["id"]])

    def _products(self, goods: Sequence[Goods]) -> list[tuple[Goods, Product]]:
        return [(each, self._site.product(each.batch.gtin)) for each in goods]
