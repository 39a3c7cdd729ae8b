"""Receipts in Tryton: the supplier's shipment that it expects, or one of our own; its quality
inspections answered with what was counted; what is blocked straight to quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from erp_link.connectors.port import ErpDocument, ErpRefusedError
from erp_link.connectors.tryton.documents import IN, INTERNAL, Documents, split
from erp_link.connectors.tryton.quality import Quality
from erp_link.connectors.tryton.rpc import Row, TrytonRpc
from erp_link.connectors.tryton.shifts import Shifts
from erp_link.connectors.tryton.site import Product, Site
from erp_link.domain.erp.messages import Goods, Message

_LESS_PUT_AWAY = (".check_quantity_product", ".check_quantity_lot")
"""Tryton asks whether less is put away than came: yes, the rest goes to quarantine."""


class Receipts:
    def __init__(
        self, rpc: TrytonRpc, site: Site, documents: Documents, shifts: Shifts, quality: Quality
    ) -> None:
        self._rpc = rpc
        self._site = site
        self._documents = documents
        self._shifts = shifts
        self._quality = quality

    def find(self, message: Message) -> list[ErpDocument]:
        """By our reference, and the announced delivery itself, where this is its receipt."""
        wanted = [message.reference, *([message.document] if message.document else [])]
        found = self._documents.find(
            IN, ["OR", ["reference", "in", wanted], ["number", "in", wanted]]
        )
        return [self._whole(message, document) for document in found]

    def create(self, message: Message) -> ErpDocument:
        places = self._site.places()
        number = self._rpc.create(
            IN,
            {
                "reference": message.reference,
                "company": self._rpc.context["company"],
                "supplier": self._site.supplier(message.partner),
                "warehouse": places.warehouse,
                "warehouse_input": places.input,
                "warehouse_storage": places.storage,
            },
        )
        return self._documents.read(f"{IN},{number}")[0]

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        found, state = self._documents.read(document.key)
        if state == "draft":
            self._count(found, message.goods)
            state = self._receive(found, message)
        if state == "received":
            self._put_away(found, message.goods)
            self._documents.press(found.key, "do", to=("done",), accept=_LESS_PUT_AWAY)
        if message.blocked:
            self._shifts.set_apart(_apart(message), message.blocked)
        return self._whole(message, self._documents.read(found.key)[0])

    def _whole(self, message: Message, document: ErpDocument) -> ErpDocument:
        """A receipt is done when what is blocked has reached quarantine too."""
        if not document.done or not message.blocked:
            return document
        apart = self._documents.find(INTERNAL, [["reference", "=", _apart(message)]])
        done = any(each.done for each in apart)
        return ErpDocument(document.key, document.number, done=done)

    def _receive(self, found: ErpDocument, message: Message) -> str:
        model, number = split(found.key)
        self._rpc.press(model, "receive", number)
        _, state = self._documents.read(found.key)
        if state == "draft":
            self._quality.inspect(found, message)
            return self._documents.press(found.key, "receive", to=("received", "done"))
        return state

    def _count(self, found: ErpDocument, goods: Sequence[Goods]) -> None:
        """What was announced becomes what was counted, line by line; purchases stay linked."""
        model, number = split(found.key)
        left = self._rpc.find(
            "stock.move",
            [["shipment", "=", f"{model},{number}"], ["state", "=", "draft"]],
            ["product", "lot", "quantity", "unit", "origin"],
        )
        for each in goods:
            product = self._site.product(each.batch.gtin)
            lot = self._site.lot(each, product)
            announced = _line_of(left, product, lot)
            if announced is None:
                self._add_line(found, each, product, lot)
                continue
            left.remove(announced)
            if announced["unit"] != product.unit:
                raise ErpRefusedError(
                    f"{found.number} counts {each.batch.gtin} in another unit than the product",
                    mend="Write the line in the product's own unit in Tryton",
                    document=found.number,
                )
            if announced["quantity"] != each.quantity or announced["lot"] != lot:
                self._rpc.write(
                    "stock.move", [announced["id"]], {"quantity": float(each.quantity), "lot": lot}
                )
        for missing in left:
            if missing["quantity"]:
                self._rpc.write("stock.move", [missing["id"]], {"quantity": 0.0})

    def _add_line(self, found: ErpDocument, goods: Goods, product: Product, lot: int) -> None:
        places = self._site.places()
        model, number = split(found.key)
        self._rpc.create(
            "stock.move",
            {
                "shipment": f"{model},{number}",
                "product": product.number,
                "lot": lot,
                "unit": product.unit,
                "quantity": float(goods.quantity),
                "from_location": places.supplier,
                "to_location": places.input,
                "company": self._rpc.context["company"],
                "unit_price": Decimal(0),
                "currency": self._currency(),
            },
        )

    def _put_away(self, found: ErpDocument, goods: Sequence[Goods]) -> None:
        """Only what is free goes to storage."""
        blocked = {
            self._site.lot(each, self._site.product(each.batch.gtin)): each
            for each in goods
            if each.blocked
        }
        model, number = split(found.key)
        moves = self._rpc.find(
            "stock.move",
            [
                ["shipment", "=", f"{model},{number}"],
                ["from_location", "=", self._site.places().input],
                ["state", "=", "draft"],
            ],
            ["lot", "quantity"],
        )
        for move in moves:
            each = blocked.get(move["lot"])
            if each is None:
                continue
            free = each.quantity - each.blocked
            if not free:
                self._rpc.delete("stock.move", [move["id"]])
            elif move["quantity"] != free:
                self._rpc.write("stock.move", [move["id"]], {"quantity": float(free)})

    def _currency(self) -> int:
        company = self._rpc.read("company.company", [self._rpc.context["company"]], ["currency"])
        return int(company[0]["currency"])


def _apart(message: Message) -> str:
    return f"{message.reference}-Q"


def _line_of(lines: Sequence[Row], product: Product, lot: int) -> Row | None:
    """The announced line of this lot, else one that names no lot."""
    mine = [line for line in lines if line["product"] == product.number]
    for line in mine:
        if line["lot"] == lot:
            return line
    return next((line for line in mine if not line["lot"]), None)
