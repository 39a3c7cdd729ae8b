"""The Odoo connector: receipts, transfers and deliveries are all pickings there.

Warehouses with one step for receipts and deliveries. A validated picking may open a wizard instead
of ending: so the state is read again after every button.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.asn import Asn
from erp_link.connectors.http import Wire
from erp_link.connectors.names import Names
from erp_link.connectors.odoo.json2 import OdooJson2, Row
from erp_link.connectors.odoo.site import Places, Site
from erp_link.connectors.port import ErpDocument, ErpRefusedError, Stopped, StoppedDocument
from erp_link.domain.erp.messages import Goods, Message, MessageKind, Zone
from erp_link.domain.orders import NewOrder

_PICKING = "stock.picking"
_LINE = "stock.move.line"
_FIELDS = ("name", "state", "origin")
_NO_WIZARDS = {"skip_backorder": True, "skip_expired": True, "skip_sms": True}


class OdooConnector:
    """Implements ErpPort. `quarantine` is an internal location's barcode or full name."""

    def __init__(
        self,
        wire: Wire,
        *,
        database: str,
        key: str,
        names: Callable[[], Names] = Names,
        warehouse: str = "",
        quarantine: str = "WH/Quarantine",
    ) -> None:
        self._wire = wire
        self._odoo = OdooJson2(wire, database=database, key=key)
        self._site = Site(self._odoo, names, warehouse=warehouse, quarantine=quarantine)

    @property
    def name(self) -> str:
        return "Odoo"

    def find(self, message: Message) -> list[ErpDocument]:
        """By our reference, and the document itself that the delivery or order has there."""
        wanted = [message.reference, *([message.document] if message.document else [])]
        kind = _type_of(message, self._site.places())
        rows = self._odoo.find(
            _PICKING,
            [["picking_type_id", "=", kind], "|", ["origin", "in", wanted], ["name", "in", wanted]],
            _FIELDS,
        )
        return [_document(row) for row in rows]

    def create(self, message: Message) -> ErpDocument:
        places = self._site.places()
        source, target = _way(message, places)
        values: dict[str, object] = {
            "picking_type_id": _type_of(message, places),
            "origin": message.reference,
            "location_id": source,
            "location_dest_id": target,
            "move_ids": [[0, 0, self._move(goods, source, target)] for goods in message.goods],
        }
        if message.kind is MessageKind.RECEIPT:
            values["partner_id"] = self._site.supplier(message.partner)
        if message.kind is MessageKind.ISSUE:
            values["partner_id"] = self._site.customer(message.why)
        return self._read(self._odoo.create(_PICKING, values))

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        if message.kind is MessageKind.SHIFT and message.to is Zone.QUARANTINE:
            self.stop(message)
        number = int(document.key)
        row = self._odoo.read(_PICKING, number, _FIELDS)
        if row["state"] == "draft":
            self._odoo.press(_PICKING, "action_confirm", number)
        if row["state"] not in {"done", "cancel"}:
            self._write_lines(message, number)
            context = _NO_WIZARDS | {"picking_ids_not_to_backorder": [number]}
            opened = self._odoo.press(_PICKING, "button_validate", number, **context)
            row = self._odoo.read(_PICKING, number, _FIELDS)
            if row["state"] != "done":
                raise _waits(row, opened)
        return _document(row)

    def cancel(self, document: ErpDocument) -> None:
        self._odoo.press(_PICKING, "action_cancel", int(document.key))

    def stop(self, message: Message) -> Stopped:
        found: dict[tuple[str, str], StoppedDocument] = {}
        for goods in message.goods:
            product = int(self._site.product(goods.batch.gtin)["id"])
            lot = self._site.find_lot(goods, product)
            if lot is None:
                continue
            lines = self._odoo.find(
                _LINE,
                [
                    ["lot_id", "=", lot],
                    ["picking_id.picking_type_id.code", "=", "outgoing"],
                    ["state", "in", ["assigned", "partially_available"]],
                ],
                ["picking_id", "picked"],
            )
            for line in lines:
                number, name = int(line["picking_id"][0]), str(line["picking_id"][1])
                if not line["picked"]:
                    self._odoo.press(_PICKING, "do_unreserve", number)
                stopped = StoppedDocument(name, goods.batch, at_risk=bool(line["picked"]))
                found[name, str(goods.batch)] = stopped
        return Stopped(tuple(found.values()))

    def announced(self) -> Sequence[Asn | ErpRefusedError]:
        """Odoo's receipts name no lots before they are counted: lists come from the supplier."""
        return ()

    def ordered(self) -> Sequence[NewOrder | ErpRefusedError]:
        """Orders of Odoo come over our own API, or by hand."""
        return ()

    def close(self) -> None:
        self._wire.close()

    def _read(self, number: int) -> ErpDocument:
        return _document(self._odoo.read(_PICKING, number, _FIELDS))

    def _move(self, goods: Goods, source: int, target: int) -> dict[str, object]:
        product = self._site.product(goods.batch.gtin)
        return {
            "product_id": product["id"],
            "product_uom_qty": goods.quantity,
            "product_uom": product["uom_id"][0],
            "location_id": source,
            "location_dest_id": target,
        }

    def _write_lines(self, message: Message, number: int) -> None:
        """What really moved, lot by lot, in place of what Odoo reserved by itself."""
        places = self._site.places()
        source, target = _way(message, places)
        old = self._odoo.find(_LINE, [["picking_id", "=", number]], ["state"])
        if old:
            self._odoo.call(_LINE, "unlink", ids=[line["id"] for line in old])
        for goods in message.goods:
            product = int(self._site.product(goods.batch.gtin)["id"])
            lot = self._site.lot(goods, product)
            for units, to in (
                (goods.quantity - goods.blocked, target),
                (goods.blocked, places.quarantine),
            ):
                if units:
                    self._odoo.create(
                        _LINE,
                        {
                            "picking_id": number,
                            "product_id": product,
                            "lot_id": lot,
                            "quantity": units,
                            "location_id": source,
                            "location_dest_id": to,
                            "picked": True,
                        },
                    )


def _document(row: Row) -> ErpDocument:
    return ErpDocument(
        str(row["id"]),
        str(row["name"]),
        done=row["state"] == "done",
        cancelled=row["state"] == "cancel",
    )


def _type_of(message: Message, places: Places) -> int:
    match message.kind:
        case MessageKind.RECEIPT:
            return places.receipts
        case MessageKind.ISSUE:
            return places.deliveries
        case _:
            return places.transfers


def _way(message: Message, places: Places) -> tuple[int, int]:
    """From where to where."""
    match message.kind:
        case MessageKind.RECEIPT:
            return places.supplier, places.stock
        case MessageKind.ISSUE:
            return places.stock, places.customer
        case _ if message.to is Zone.FREE:
            return places.quarantine, places.stock
        case _:
            return places.stock, places.quarantine


def _waits(row: Row, opened: object) -> ErpRefusedError:
    wizard = opened.get("res_model", "") if isinstance(opened, dict) else ""
    asked = f" and asks with {wizard}" if wizard else ""
    return ErpRefusedError(
        f"Odoo leaves {row['name']} {row['state']}{asked}",
        mend=f"Open {row['name']} in Odoo and validate it there, then try again",
        document=row["name"],
    )
