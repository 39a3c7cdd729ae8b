"""The ERPNext connector: purchase receipts, stock entries, delivery notes.

Our reference stands in a custom field of these three doctypes (`custom_tallyman_reference`, best
marked unique): ERPNext has no field of its own for it. The quarantine is a warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from contracts.asn import Asn
from erp_link.connectors.erpnext.rest import CANCELLED, DRAFT, SUBMITTED, FrappeRest, Row
from erp_link.connectors.http import Wire
from erp_link.connectors.names import NameKind, Names
from erp_link.connectors.port import ErpDocument, ErpRefusedError, Stopped, StoppedDocument
from erp_link.domain.erp.messages import Goods, Message, MessageKind, Zone
from erp_link.domain.orders import NewOrder

REFERENCE = "custom_tallyman_reference"
_RECEIPT, _ENTRY, _NOTE = "Purchase Receipt", "Stock Entry", "Delivery Note"
_DOCTYPES = {
    MessageKind.RECEIPT: _RECEIPT,
    MessageKind.SHIFT: _ENTRY,
    MessageKind.ISSUE: _NOTE,
}
_OPEN_RESERVATIONS = ["Reserved", "Partially Reserved", "Partially Delivered"]


class ErpnextConnector:
    """Implements ErpPort. `warehouse` and `quarantine` are names of ERPNext's warehouses."""

    def __init__(
        self,
        wire: Wire,
        *,
        key: str,
        secret: str,
        company: str,
        warehouse: str,
        quarantine: str,
        names: Callable[[], Names] = Names,
    ) -> None:
        self._wire = wire
        self._frappe = FrappeRest(wire, key=key, secret=secret)
        self._company = company
        self._warehouse = warehouse
        self._quarantine = quarantine
        self._names = names

    @property
    def name(self) -> str:
        return "ERPNext"

    def find(self, message: Message) -> list[ErpDocument]:
        doctype = _DOCTYPES[message.kind]
        rows = self._frappe.find(
            doctype, [[REFERENCE, "=", message.reference]], ["name", "docstatus"]
        )
        return [_document(doctype, row) for row in rows]

    def create(self, message: Message) -> ErpDocument:
        doctype = _DOCTYPES[message.kind]
        match message.kind:
            case MessageKind.RECEIPT:
                values = self._receipt(message)
            case MessageKind.ISSUE:
                values = self._note(message)
            case _:
                values = self._entry(message)
        values |= {"company": self._company, REFERENCE: message.reference, "docstatus": DRAFT}
        return _document(doctype, self._frappe.create(doctype, values))

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        if message.kind is MessageKind.SHIFT and message.to is Zone.QUARANTINE:
            self.stop(message)
        doctype, _, name = document.key.partition("/")
        changed = self._frappe.change(doctype, name, {"docstatus": SUBMITTED})
        return _document(doctype, changed)

    def cancel(self, document: ErpDocument) -> None:
        # Frappe cancels what was submitted only; a draft without effect is deleted.
        doctype, _, name = document.key.partition("/")
        self._frappe.delete(doctype, name)

    def stop(self, message: Message) -> Stopped:
        """Reservations and pick lists with one of the batches are cancelled: what is not reserved
        and not in the warehouse cannot be delivered.
        """
        found: dict[tuple[str, str], StoppedDocument] = {}
        for goods in message.goods:
            for number in (*self._unreserve(goods), *self._take_off_lists(goods)):
                found[number, str(goods.batch)] = StoppedDocument(number, goods.batch)
        return Stopped(tuple(found.values()))

    def announced(self) -> Sequence[Asn | ErpRefusedError]:
        """ERPNext's purchase orders name no batches: lists come from the supplier."""
        return ()

    def ordered(self) -> Sequence[NewOrder | ErpRefusedError]:
        """Orders of ERPNext come over our own API, or by hand."""
        return ()

    def close(self) -> None:
        self._wire.close()

    def _receipt(self, message: Message) -> Row:
        order = self._frappe.read("Purchase Order", message.document) if message.document else None
        ordered = {} if order is None else {line["item_code"]: line for line in order["items"]}
        items = []
        for goods in message.goods:
            item, batch = self._item(goods), self._batch(goods)
            linked = ordered.get(item)
            for units, warehouse in (
                (goods.quantity - goods.blocked, self._warehouse),
                (goods.blocked, self._quarantine),
            ):
                if units:
                    line = _line(item, batch, units) | {"warehouse": warehouse}
                    if order is not None and linked is not None:
                        line |= {
                            "purchase_order": order["name"],
                            "purchase_order_item": linked["name"],
                        }
                    items.append(line)
        supplier = self._names().theirs(NameKind.PARTNER, message.partner)
        return {"supplier": supplier, "supplier_delivery_note": message.document, "items": items}

    def _entry(self, message: Message) -> Row:
        goods = message.first
        source, target = self._warehouse, self._quarantine
        if message.to is Zone.FREE:
            source, target = target, source
        line = _line(self._item(goods), self._batch(goods), goods.quantity)
        return {
            "stock_entry_type": "Material Transfer",
            "items": [line | {"s_warehouse": source, "t_warehouse": target}],
        }

    def _note(self, message: Message) -> Row:
        order = self._frappe.read("Sales Order", message.document) if message.document else None
        ordered = {} if order is None else {line["item_code"]: line for line in order["items"]}
        items = []
        for goods in message.goods:
            item = self._item(goods)
            line = _line(item, self._batch(goods), goods.quantity) | {"warehouse": self._warehouse}
            if order is not None and item in ordered:
                line |= {
                    "against_sales_order": order["name"],
                    "so_detail": ordered[item]["name"],
                }
            items.append(line)
        customer = order["customer"] if order is not None else self._customer(message.why)
        return {"customer": customer, "items": items}

    def _customer(self, order: str) -> str:
        names = self._names()
        found = names.listed(NameKind.CUSTOMER, order) or names.listed(NameKind.CUSTOMER, "*")
        if found is None:
            raise ErpRefusedError(
                f"ERPNext has no sales order {order}, and nobody said whom the order is for",
                mend=f"Make the sales order {order} in ERPNext, or give a customer for {order} (or"
                " for *) here under Names",
            )
        return found

    def _item(self, goods: Goods) -> str:
        """By its barcode, else by its code."""
        gtin = goods.batch.gtin
        code = self._names().theirs(NameKind.PRODUCT, gtin)
        codes = sorted({code, code.lstrip("0"), code.lstrip("0").zfill(13)})
        found = self._frappe.find("Item", [["Item Barcode", "barcode", "in", codes]], ["name"])
        found = found or self._frappe.find("Item", [["name", "in", codes]], ["name"])
        if not found:
            _missing_item(code)
        return str(found[0]["name"])

    def _batch(self, goods: Goods) -> str:
        """A batch's number is unique in ERPNext over all items: another item's is refused."""
        item = self._item(goods)
        known = self._frappe.read("Batch", goods.lot)
        if known is None:
            values: Row = {"batch_id": goods.lot, "item": item}
            if goods.expiry is not None:
                values["expiry_date"] = goods.expiry.isoformat()
            known = self._frappe.create("Batch", values)
        if known["item"] != item:
            raise ErpRefusedError(
                f"Batch {goods.lot} is item {known['item']} in ERPNext, and {item} here",
                mend="Rename one of the batches in ERPNext, then try again",
            )
        return str(known["name"])

    def _unreserve(self, goods: Goods) -> list[str]:
        rows = self._frappe.find(
            "Stock Reservation Entry",
            [
                ["Serial and Batch Entry", "batch_no", "=", goods.lot],
                ["docstatus", "=", SUBMITTED],
                ["status", "in", _OPEN_RESERVATIONS],
            ],
            ["name", "voucher_no"],
        )
        for row in rows:
            self._frappe.change("Stock Reservation Entry", row["name"], {"docstatus": CANCELLED})
        return [str(row["voucher_no"]) for row in rows]

    def _take_off_lists(self, goods: Goods) -> list[str]:
        rows = self._frappe.find(
            "Pick List",
            [
                ["Pick List Item", "batch_no", "=", goods.lot],
                ["docstatus", "=", SUBMITTED],
                ["status", "=", "Open"],
            ],
            ["name"],
        )
        for row in rows:
            self._frappe.change("Pick List", row["name"], {"docstatus": CANCELLED})
        return [str(row["name"]) for row in rows]


def _document(doctype: str, row: Row) -> ErpDocument:
    return ErpDocument(
        f"{doctype}/{row['name']}",
        str(row["name"]),
        done=row["docstatus"] == SUBMITTED,
        cancelled=row["docstatus"] == CANCELLED,
    )


def _line(item: str, batch: str, units: int) -> Row:
    return {"item_code": item, "qty": units, "batch_no": batch, "use_serial_batch_fields": 1}


def _missing_item(code: str) -> NoReturn:
    raise ErpRefusedError(
        f"ERPNext has no item {code}",
        mend=f"Give an item the barcode {code}, or its item code here under Names",
    )
