"""What a person does and sees in Tryton."""

from __future__ import annotations

from decimal import Decimal

from appliance.bench.core import tryton_peer
from appliance.bench.core.tryton_peer import Tryton
from erp_link.connectors.http import Wire
from erp_link.connectors.tryton.connector import TrytonConnector
from tests.erp_link.story import JUICE, LATER, WATER

IN, OUT, INTERNAL = "stock.shipment.in", "stock.shipment.out", "stock.shipment.internal"


class Books:
    """Tryton's books, with the goods of the story in its catalogue."""

    def __init__(self, tryton: Tryton) -> None:
        self.rpc = tryton.rpc()
        self.rpc.call("model.res.user.get_preferences", True)
        self.water = tryton_peer.add_product(self.rpc, WATER.gtin, "Still water")
        self.juice = tryton_peer.add_product(self.rpc, JUICE.gtin, "Juice")
        self.acme = tryton_peer.add_party(self.rpc, "ACME")
        self.shop = tryton_peer.add_party(self.rpc, "Shop")
        places = self.rpc.find("stock.location", [], ["code", "type"])
        self.places = {row["code"] or row["type"]: row["id"] for row in places}

    @property
    def company(self) -> int:
        return int(self.rpc.context["company"])

    def unit(self) -> int:
        return self.rpc.search("product.uom", [["symbol", "=", "u"]])[0]

    def lot(self, number: str, product: int) -> int:
        known = self.rpc.search("stock.lot", [["number", "=", number], ["product", "=", product]])
        return known[0] if known else self.rpc.create(
            "stock.lot", {"number": number, "product": product, "expiration_date": LATER}
        )  # fmt: skip

    def expects(self, reference: str, *lines: tuple[int, str, int]) -> int:
        """A supplier shipment in draft; each line is product, lot number ("" for none), units."""
        return self.rpc.create(
            IN,
            {
                "reference": reference,
                "company": self.company,
                "supplier": self.acme,
                "warehouse": self.places["WH"],
                "warehouse_input": self.places["IN"],
                "warehouse_storage": self.places["STO"],
                "incoming_moves": [
                    [
                        "create",
                        [
                            self._move(product, units, "SUP", "IN")
                            | ({"lot": self.lot(number, product)} if number else {})
                            for product, number, units in lines
                        ],
                    ]
                ],
            },
        )

    def orders(self, *lines: tuple[int, int]) -> str:
        """A customer shipment that waits; its number."""
        shipment = self.rpc.create(
            OUT,
            {
                "company": self.company,
                "customer": self.shop,
                "delivery_address": self.rpc.search("party.address", [["party", "=", self.shop]])[
                    0
                ],
                "warehouse": self.places["WH"],
                "warehouse_storage": self.places["STO"],
                "warehouse_output": self.places["OUT"],
                "outgoing_moves": [
                    [
                        "create",
                        [self._move(product, units, "OUT", "CUS") for product, units in lines],
                    ]
                ],
            },
        )
        self.rpc.press(OUT, "wait", shipment)
        return str(self.rpc.read(OUT, [shipment], ["number"])[0]["number"])

    def assigns(self, number: str, lot: str, product: int) -> str:
        """A clerk gives a waiting shipment a lot and assigns it; its state then."""
        shipment = self.rpc.search(OUT, [["number", "=", number]])[0]
        moves = self.rpc.search(
            "stock.move",
            [["shipment", "=", f"{OUT},{shipment}"], ["to_location", "=", self.places["OUT"]]],
        )
        self.rpc.write("stock.move", moves, {"lot": self.lot(lot, product)})
        self.rpc.press(OUT, "assign_try", shipment)
        return self.state(OUT, number)

    def state(self, model: str, number: str) -> str:
        found = self.rpc.find(
            model, ["OR", ["number", "=", number], ["reference", "=", number]], ["state"]
        )
        assert len(found) == 1, found
        return str(found[0]["state"])

    def stock(self, product: int, lot: str) -> dict[str, float]:
        """Units of a lot by place, from the moves that are done."""
        found: dict[str, float] = {}
        codes = {number: code for code, number in self.places.items()}
        for move in self.rpc.find(
            "stock.move",
            [["product", "=", product], ["lot.number", "=", lot], ["state", "=", "done"]],
            ["from_location", "to_location", "quantity"],
        ):
            for place, sign in ((move["from_location"], -1), (move["to_location"], 1)):
                code = codes[place]
                found[code] = found.get(code, 0) + sign * move["quantity"]
        return {
            code: units for code, units in found.items() if units and code not in {"SUP", "CUS"}
        }

    def _move(self, product: int, units: int, source: str, target: str) -> dict[str, object]:
        return {
            "product": product,
            "unit": self.unit(),
            "quantity": float(units),
            "from_location": self.places[source],
            "to_location": self.places[target],
            "company": self.company,
            "unit_price": Decimal(1),
            "currency": self.rpc.search("currency.currency", [])[0],
        }


def connector(tryton: Tryton) -> TrytonConnector:
    """The connector as the hub makes it."""
    return TrytonConnector(
        Wire(tryton.url),
        database=tryton_peer.DATABASE,
        user=tryton_peer.USER,
        password=tryton_peer.PASSWORD,
    )
