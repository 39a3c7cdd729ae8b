"""What stands on the demo's shelves, so that a phone has something to look at: a dozen products of
two suppliers, some fresh and some near their date, each with its place, price and contact.

The goods and their tables are pure; `stock_shelves` brings them in through the hub's API, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from appliance.demo.story import COOKIES, SUPPLIER, WATER
from appliance.durable import write_atomic
from appliance.words import words
from contracts.gs1 import check_digit

AISLES = {"A": "A 区 Aisle A", "B": "B 区 Aisle B"}
OTHER_SUPPLIER = "海岸贸易 Coast Trading"
CONTACTS = (
    (
        SUPPLIER,
        "旭日食品 Sunrise Foods",
        "李娜 Li Na",
        "+86 571 0000 1234",
        "li.na@sunrise.example",
    ),
    (OTHER_SUPPLIER, OTHER_SUPPLIER, "Jan Visser", "+31 20 000 4321", "jan@coast.example"),
)
"""Numbers and addresses that reach nobody."""
_STANDS = ("B-09", "B-10", "B-11", "B-12")
"""Far from the dock: the sample delivery's own cartons are put away in front."""


@dataclass(frozen=True, slots=True)
class ShelfGoods:
    """A product on the demo's shelves. `unit`: a key of the catalogue's `demo.unit`; `batches`: (days
    until it expires, units).
    """

    item: int
    name: str
    unit: str
    price: str
    supplier: str
    batches: tuple[tuple[int, int], ...]
    per_carton: int = 12
    least: int = 0

    @property
    def gtin(self) -> str:
        body = f"0952{self.item:09d}"
        return body + check_digit(body)

    @property
    def carton(self) -> str:
        """The GTIN of its carton: packaging indicator 1 (GS1 General Specifications, 2.1.6)."""
        body = "1" + self.gtin[1:-1]
        return body + check_digit(body)


GOODS = (
    ShelfGoods(120_011, "绿茶 Green Tea", "bottle", "3.20", SUPPLIER, ((210, 36), (24, 8))),
    ShelfGoods(120_028, "酱油 Soy Sauce", "bottle", "6.80", SUPPLIER, ((330, 24),), 12, 30),
    ShelfGoods(120_035, "大米 Rice 5 kg", "bag", "32.50", SUPPLIER, ((180, 40),), 4),
    ShelfGoods(120_042, "鲜牛奶 Fresh Milk", "bottle", "4.90", SUPPLIER, ((12, 18), (5, 6))),
    ShelfGoods(120_059, "蜂蜜 Honey", "jar", "28.00", SUPPLIER, ((600, 15),), 6),
    ShelfGoods(
        120_066, "方便面 Instant Noodles", "pack", "2.50", SUPPLIER, ((90, 96), (28, 12)), 24
    ),
    ShelfGoods(120_073, "橄榄油 Olive Oil", "bottle", "7.45", OTHER_SUPPLIER, ((400, 20),), 6),
    ShelfGoods(120_080, "黑巧克力 Dark Chocolate", "bar", "1.95", OTHER_SUPPLIER, ((75, 60),), 20),
    ShelfGoods(120_097, "咖啡豆 Coffee Beans", "bag", "9.90", OTHER_SUPPLIER, ((150, 10),), 10, 24),
    ShelfGoods(120_103, "果酱 Jam", "jar", "3.15", OTHER_SUPPLIER, ((20, 14), (240, 22))),
    ShelfGoods(120_110, "沙丁鱼罐头 Sardines", "tin", "2.35", OTHER_SUPPLIER, ((800, 48),), 24),
    ShelfGoods(120_127, "薄荷茶 Mint Tea", "box", "2.10", OTHER_SUPPLIER, ((33, 16),), 10),
)


class Api(Protocol):
    """appliance.demo.run.HubApi."""

    async def call(self, method: str, path: str, **arguments: Any) -> Any: ...


async def stock_shelves(api: Api, today: date, *, language: str = "en") -> None:
    """Describe the goods, receive them into their places, import the site's lists. Repeated it does
    nothing: every call carries the key of its first time. `language` is the site's: what the goods are
    counted in is written in it, since a unit is a word that the site itself chose.
    """
    say = words(language)
    carton = say("demo.unit.carton")
    for goods in GOODS:
        known = await api.call("GET", f"/api/v1/products/{goods.gtin}")
        if known["described"]:
            # Goods that are here stay in the unit they are counted in, whatever the language is now.
            continue
        await api.call(
            "PUT",
            f"/api/v1/products/{goods.gtin}",
            json={
                "name": goods.name,
                "base_unit": say(f"demo.unit.{goods.unit}"),
                "units": {carton: goods.per_carton},
                "carton_unit": carton,
                "min_stock": goods.least or None,
            },
            headers=_key(f"product-{goods.gtin}"),
        )
    for goods, place, (days, units), number in _standing():
        await api.call(
            "POST",
            "/api/v1/stock/receipts",
            json={
                "batch": {
                    "supplier": goods.supplier,
                    "gtin": goods.gtin,
                    "lot": _lot(goods, number),
                },
                "quantity": units,
                "location": place,
                "expiry": (today + timedelta(days=days)).isoformat(),
            },
            headers=_key(f"receipt-{goods.gtin}-{number}"),
        )
    for kind, rows in lists(today).items():
        await api.call(
            "PUT",
            f"/api/v1/shelf/lists/{kind}",
            params={"name": f"{kind}.csv"},
            content=_csv(rows).encode(),
            headers=_key(f"list-{kind}"),
        )


def first_day(folder: Path, today: date) -> date:
    """The day on which the demo's shelves were first stocked: goods grow older, and no goods come
    twice.
    """
    file = folder / "shelves.txt"
    if not file.exists():
        write_atomic(file, today.isoformat().encode())
    return date.fromisoformat(file.read_text(encoding="ascii").strip())


def lists(today: date) -> dict[str, Sequence[Sequence[str]]]:
    """The site's lists by kind, their headers first."""
    bought = (today - timedelta(days=9)).isoformat()
    prices = [
        (g.gtin, g.price, "CNY" if g.supplier == SUPPLIER else "EUR", bought, "PO-2608-101")
        for g in GOODS
    ]
    delivered = [(COOKIES.gtin, "5.60"), (WATER.gtin, "14.40")]
    return {
        "contacts": [("supplier", "name", "contact", "phone", "email"), *CONTACTS],
        "prices": [
            ("gtin", "price", "currency", "on", "source"),
            *prices,
            *((gtin, price, "CNY", bought, "PO-2608-117") for gtin, price in delivered),
        ],
        "codes": [
            ("gtin", "code", "units"),
            *((g.gtin, g.carton, str(g.per_carton)) for g in GOODS),
        ],
        "planogram": [("place", "gtin"), *((place_of(at), g.gtin) for at, g in enumerate(GOODS))],
        "places": [("place", "name"), *AISLES.items()],
    }


def place_of(at: int) -> str:
    """Where the planogram wants the product with this number: three levels a bay."""
    return f"{_STANDS[at // 3]}-{at % 3 + 1}"


def _standing() -> Iterator[tuple[ShelfGoods, str, tuple[int, int], int]]:
    for at, goods in enumerate(GOODS):
        for number, batch in enumerate(goods.batches, 1):
            yield goods, place_of(at), batch, number


def _lot(goods: ShelfGoods, number: int) -> str:
    return f"S{goods.item % 1000:03d}-{number}"


def _key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": f"demo-shelf-{name}"}


def _csv(rows: Sequence[Sequence[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)
