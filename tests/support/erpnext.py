"""An ERPNext as Frappe's REST documentation describes it: token, documents with docstatus, errors
with `exc_type` and messages in JSON in JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

Row = dict[str, Any]
KEY, SECRET = "the-key", "the-secret"
COMPANY, STORES, QUARANTINE = "Site", "Stores - S", "Quarantine - S"
_PREFIX = {
    "Purchase Receipt": "MAT-PRE",
    "Stock Entry": "MAT-STE",
    "Delivery Note": "MAT-DN",
    "Stock Reservation Entry": "MAT-SRE",
    "Pick List": "STO-PICK",
}
_CHILD = {"Item Barcode": "barcodes", "Serial and Batch Entry": "sb_entries",
          "Pick List Item": "locations"}  # fmt: skip


class RefusedError(Exception):
    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        words = json.dumps([json.dumps({"message": message, "indicator": "red"})])
        body = {"exc_type": kind, "exception": f"{kind}: {message}", "_server_messages": words}
        self.answer = httpx.Response(status, json=body)


@dataclass
class Erpnext:
    """Its documents by doctype and name, and the stock by (batch, warehouse)."""

    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    stock: dict[tuple[str, str], int] = field(default_factory=dict)
    unique: bool = False
    """The custom field is marked unique: a second document is refused as a duplicate."""

    def item(self, code: str, barcode: str) -> None:
        self._table("Item")[code] = {"name": code, "barcodes": [{"barcode": barcode}]}

    def order(self, name: str, customer: str, code: str, units: int) -> None:
        line = {"name": f"{name}-1", "item_code": code, "qty": units}
        self._table("Sales Order")[name] = {"name": name, "customer": customer, "items": [line]}

    def reserve(self, order: str, batch: str) -> str:
        row = {"voucher_no": order, "status": "Reserved", "sb_entries": [{"batch_no": batch}]}
        name = str(self._create("Stock Reservation Entry", row)["name"])
        self.tables["Stock Reservation Entry"][name]["docstatus"] = 1
        return name

    def rows(self, doctype: str) -> list[Row]:
        return list(self._table(doctype).values())

    def on_hand(self, batch: str, warehouse: str = STORES) -> int:
        return self.stock.get((batch, warehouse), 0)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"token {KEY}:{SECRET}":
            return RefusedError(401, "AuthenticationError", "Invalid token").answer
        parts = [unquote(part) for part in request.url.raw_path.decode().split("?")[0].split("/")]
        doctype, name = parts[3], parts[4] if len(parts) > 4 else ""
        body = json.loads(request.content) if request.content else {}
        try:
            data = self._answer(request, doctype, name, body)
        except RefusedError as error:
            return error.answer
        return httpx.Response(200, json={"data": data})

    def _answer(self, request: httpx.Request, doctype: str, name: str, body: Row) -> Any:
        match request.method, name:
            case "GET", "":
                filters = json.loads(request.url.params["filters"])
                fields = json.loads(request.url.params["fields"])
                found = [row for row in self.rows(doctype) if _meets(row, filters)]
                return [{each: row.get(each) for each in fields} for row in found]
            case "POST", "":
                return self._create(doctype, body)
            case "GET", _:
                return self._one(doctype, name)
            case "PUT", _:
                return self._change(self._one(doctype, name), doctype, body)
            case _:
                if self._one(doctype, name).get("docstatus") == 1:
                    raise RefusedError(417, "ValidationError", "Submitted Record cannot be deleted")
                del self.tables[doctype][name]
                return "ok"

    def _table(self, doctype: str) -> dict[str, Row]:
        return self.tables.setdefault(doctype, {})

    def _one(self, doctype: str, name: str) -> Row:
        found = self._table(doctype).get(name)
        if found is None:
            raise RefusedError(404, "DoesNotExistError", f"{doctype} {name} not found")
        return found

    def _create(self, doctype: str, values: Row) -> Row:
        table = self._table(doctype)
        reference = values.get("custom_tallyman_reference")
        same = [row for row in table.values() if row.get("custom_tallyman_reference") == reference]
        if self.unique and reference and same:
            raise RefusedError(417, "UniqueValidationError", f"{reference} must be unique")
        name = values.get("batch_id") or f"{_PREFIX.get(doctype, doctype)}-{len(table) + 1:05}"
        table[name] = {"docstatus": 0} | values | {"name": name}
        return table[name]

    def _change(self, row: Row, doctype: str, values: Row) -> Row:
        to = values.get("docstatus", row["docstatus"])
        if (row["docstatus"], to) == (0, 2):
            message = "Cannot change docstatus from 0 (Draft) to 2 (Cancelled)"
            raise RefusedError(417, "DocstatusTransitionError", message)
        if (row["docstatus"], to) == (0, 1):
            for line in row.get("items", []):
                self._post(doctype, line)
        row |= values
        return row

    def _post(self, doctype: str, line: Row) -> None:
        ways = {
            "Purchase Receipt": ((line.get("warehouse"), 1),),
            "Delivery Note": ((line.get("warehouse"), -1),),
            "Stock Entry": ((line.get("s_warehouse"), -1), (line.get("t_warehouse"), 1)),
        }[doctype]
        for warehouse, sign in ways:
            at = (line["batch_no"], warehouse)
            after = self.stock.get(at, 0) + sign * line["qty"]
            if after < 0:
                message = f"{line['qty']} units of Batch {line['batch_no']} needed in {warehouse}"
                raise RefusedError(417, "NegativeStockError", message)
            self.stock[at] = after


def _meets(row: Row, filters: list[list[Any]]) -> bool:
    for condition in filters:
        *child, name, operator, wanted = condition
        values = [row.get(name)]
        if child:
            values = [line.get(name) for line in row.get(_CHILD[child[0]], [])]
        hits = [value in wanted if operator == "in" else value == wanted for value in values]
        if not any(hits):
            return False
    return True
