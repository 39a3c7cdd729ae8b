"""An Odoo 19 as its JSON-2 documentation describes it: bearer key, named arguments, bare results,
errors as {"name", "message"} with their status, a wizard where a picking cannot end by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

Row = dict[str, Any]
KEY = "the-key-of-the-story"


def refusal(status: int, name: str, message: str) -> httpx.Response:
    body = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": ""}
    return httpx.Response(status, json=body)


class RefusedError(Exception):
    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.answer = refusal(status, name, message)


@dataclass
class Odoo:
    """Its tables, and the stock that follows from validated pickings: (product, lot, place)."""

    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    stock: dict[tuple[int, int, int], int] = field(default_factory=dict)
    asks: str = ""
    """A wizard that validation opens."""
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, (usage, name, path) in enumerate(
            (
                ("internal", "WH/Stock", "7/1/"),
                ("internal", "WH/Quarantine", "7/2/"),
                ("supplier", "Vendors", "3/"),
                ("customer", "Customers", "4/"),
            ),
            1,
        ):
            place = {"usage": usage, "complete_name": name, "barcode": False, "parent_path": path}
            self.add("stock.location", {"id": number, "name": name} | place)
        for number, code in enumerate(("incoming", "internal", "outgoing"), 1):
            self.add("stock.picking.type", {"id": number, "code": code, "name": code})
        self.add(
            "stock.warehouse",
            {"code": "WH", "in_type_id": [1, "in"], "int_type_id": [2, "int"],
             "out_type_id": [3, "out"], "lot_stock_id": [1, "WH/Stock"]},
        )  # fmt: skip

    def add(self, model: str, row: Row) -> int:
        table = self.tables.setdefault(model, {})
        number = int(row.get("id") or len(table) + 1)
        table[number] = {"id": number} | row
        return number

    def product(self, barcode: str, name: str) -> int:
        row = {
            "barcode": barcode,
            "default_code": False,
            "display_name": name,
            "uom_id": [1, "Units"],
        }
        return self.add("product.product", row)

    def partner(self, name: str) -> int:
        return self.add("res.partner", {"name": name, "ref": False})

    def rows(self, model: str) -> list[Row]:
        return list(self.tables.get(model, {}).values())

    def lot(self, name: str) -> int:
        return next(int(row["id"]) for row in self.rows("stock.lot") if row["name"] == name)

    def on_hand(self, lot: str, place: int = 1) -> int:
        number = self.lot(lot)
        return sum(n for (_, each, at), n in self.stock.items() if (each, at) == (number, place))

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        if request.headers.get("authorization") != f"bearer {KEY}":
            return refusal(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
        _, _, _, model, method = request.url.path.split("/")
        arguments = json.loads(request.content)
        ids, context = arguments.pop("ids", []), arguments.pop("context", {})
        act: Callable[..., Any] | None = getattr(self, f"do_{method}", None)
        if act is None:
            return refusal(404, "werkzeug.exceptions.NotFound", f"no method {method}")
        try:
            return httpx.Response(200, json=act(model, ids, context, **arguments))
        except RefusedError as error:
            return error.answer
        except TypeError as error:
            return refusal(422, "werkzeug.exceptions.UnprocessableEntity", str(error))

    # Methods of the ORM

    def do_search_read(
        self, model: str, _ids: list[int], _context: Row, domain: list[Any], fields: list[str],
        order: str = "id",
    ) -> list[Row]:  # fmt: skip
        assert order == "id"
        found = [row for row in self.rows(model) if self._meets(row, list(domain))]
        return [{name: self._shown(row, name) for name in ("id", *fields)} for row in found]

    def _shown(self, row: Row, name: str) -> Any:
        if name == "picking_id":
            return [row[name], self.tables["stock.picking"][row[name]]["name"]]
        return row.get(name, False)

    def do_read(self, model: str, ids: list[int], _context: Row, fields: list[str]) -> list[Row]:
        return [
            {name: self.tables[model][number].get(name, False) for name in ("id", *fields)}
            for number in ids
        ]

    def do_create(
        self, model: str, _ids: list[int], _context: Row, vals_list: list[Row]
    ) -> list[int]:
        made = []
        for values in vals_list:
            row = dict(values)
            moves = row.pop("move_ids", [])
            if model == "stock.picking":
                row |= {"state": "draft"}
            number = self.add(model, row)
            if model == "stock.picking":
                prefix = {1: "WH/IN", 2: "WH/INT", 3: "WH/OUT"}[row["picking_type_id"]]
                self.tables[model][number]["name"] = f"{prefix}/{number:05}"
            for _, _, move in moves:
                self.add("stock.move", move | {"picking_id": number})
            made.append(number)
        return made

    def do_unlink(self, model: str, ids: list[int], _context: Row) -> bool:
        for number in ids:
            del self.tables[model][number]
        return True

    # Buttons of a picking

    def do_action_confirm(self, model: str, ids: list[int], _context: Row) -> bool:
        for number in ids:
            self.tables[model][number]["state"] = "confirmed"
        return True

    def do_action_cancel(self, model: str, ids: list[int], _context: Row) -> bool:
        for number in ids:
            self.tables[model][number]["state"] = "cancel"
        return True

    def do_do_unreserve(self, model: str, ids: list[int], _context: Row) -> bool:
        for number in ids:
            self.tables[model][number]["state"] = "confirmed"
            for line in self._lines(number):
                del self.tables["stock.move.line"][line["id"]]
        return True

    def do_button_validate(self, model: str, ids: list[int], context: Row) -> bool | Row:
        (number,) = ids
        if self.asks or not context.get("skip_backorder"):
            wizard = self.asks or "stock.backorder.confirmation"
            return {"type": "ir.actions.act_window", "res_model": wizard, "target": "new"}
        for line in self._lines(number):
            self._post(line)
        self.tables[model][number]["state"] = "done"
        return True

    def assigned(
        self, origin: str, product: int, lot: str, units: int, *, picked: bool = False
    ) -> str:
        """A delivery for a sales order that has reserved a lot; its name."""
        number = self.do_create(
            "stock.picking", [], {}, [{"picking_type_id": 3, "origin": origin}]
        )[0]
        self.tables["stock.picking"][number]["state"] = "assigned"
        line = {"picking_id": number, "product_id": product, "lot_id": self.lot(lot),
                "quantity": units, "picked": picked, "location_id": 1, "location_dest_id": 4}  # fmt: skip
        self.add("stock.move.line", line)
        return str(self.tables["stock.picking"][number]["name"])

    def _lines(self, picking: int) -> list[Row]:
        return [row for row in self.rows("stock.move.line") if row["picking_id"] == picking]

    def _post(self, line: Row) -> None:
        product, lot, units = line["product_id"], line["lot_id"], line["quantity"]
        source = (product, lot, line["location_id"])
        usage = self.tables["stock.location"][line["location_id"]]["usage"]
        if usage == "internal" and self.stock.get(source, 0) < units:
            raise RefusedError(
                422, "odoo.exceptions.UserError", "You cannot move more than you have"
            )
        for place, sign in ((line["location_id"], -1), (line["location_dest_id"], 1)):
            at = (product, lot, place)
            self.stock[at] = self.stock.get(at, 0) + sign * units

    def _meets(self, row: Row, domain: list[Any]) -> bool:
        """Odoo's prefix notation; terms stand beside each other for "and"."""
        results = []
        while domain:
            results.append(self._term(row, domain))
        return all(results)

    def _term(self, row: Row, domain: list[Any]) -> bool:
        term = domain.pop(0)
        if term == "|":
            left, right = self._term(row, domain), self._term(row, domain)
            return left or right
        name, operator, wanted = term
        value = self._value(row, name.split("."))
        return value in wanted if operator == "in" else value == wanted

    def _value(self, row: Row, path: list[str]) -> Any:
        if path[0] == "state" and "picking_id" in row:
            return self.tables["stock.picking"][row["picking_id"]]["state"]
        value = row.get(path[0], False)
        if len(path) == 1:
            return value
        model = {"picking_id": "stock.picking", "picking_type_id": "stock.picking.type"}[path[0]]
        return self._value(self.tables[model][value], path[1:])
