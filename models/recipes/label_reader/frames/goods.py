"""A delivery: what the ASN announces, and cartons beside it that differ by one character."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from contracts.gs1 import check_digit
from models.recipes.label_reader.frames.profiles import Profile

PRODUCTS = 90
FIRST_DAY = date(2026, 10, 1)
PREFIXES = ("690", "691", "692", "693", "471", "489", "880", "500", "400", "761", "871", "930")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Product:
    gtin: str
    name_cn: str
    name_en: str
    life_days: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What one carton says."""

    product: Product
    batch: str
    expiry: date

    @property
    def made(self) -> date:
        return self.expiry - timedelta(days=self.product.life_days)


@dataclass(frozen=True, slots=True)
class Delivery:
    """`beside` is not announced; each of it has an announced neighbour with the same GTIN whose
    batch differs in one character.
    """

    announced: tuple[Lot, ...]
    beside: tuple[Lot, ...]


def delivery(profile: Profile, seed: int, lines: int = 500) -> Delivery:
    """Runs of consecutive batches, as factories ship them; out of most runs one is missing."""
    rng = np.random.default_rng([seed, 1])
    products = _products(profile, rng)
    announced: list[Lot] = []
    beside: list[Lot] = []
    taken: set[str] = set()
    while len(announced) < lines:
        run = [lot for lot in _run(profile, products, rng) if lot.batch not in taken]
        taken.update(lot.batch for lot in run)
        missing = int(rng.integers(0, len(run))) if len(run) > 2 and rng.random() < 0.7 else -1
        kept = [lot for place, lot in enumerate(run) if place != missing]
        if missing >= 0:
            near = any(_one_apart(run[missing].batch, lot.batch) for lot in kept)
            (beside if near else kept).append(run[missing])
        announced += kept[: lines - len(announced)]
    listed = {(lot.product.gtin, lot.batch) for lot in announced}
    beside = [
        lot
        for lot in beside
        if any(g == lot.product.gtin and _one_apart(b, lot.batch) for g, b in listed)
    ]
    order = rng.permutation(len(announced))
    return Delivery(tuple(announced[i] for i in order), tuple(beside))


def _products(profile: Profile, rng: np.random.Generator) -> list[Product]:
    found = []
    for _ in range(PRODUCTS):
        name_cn, name_en = profile.products[int(rng.integers(0, len(profile.products)))]
        body = "0" + str(rng.choice(PREFIXES)) + "".join(str(d) for d in rng.integers(0, 10, 9))
        gtin = body + check_digit(body)
        found.append(Product(gtin, name_cn, name_en, int(rng.choice((180, 270, 365, 540, 730)))))
    return found


def _run(profile: Profile, products: list[Product], rng: np.random.Generator) -> list[Lot]:
    product = products[int(rng.integers(0, len(products)))]
    batch = _batch(str(rng.choice(profile.batches)), rng)
    expiry = FIRST_DAY + timedelta(days=int(rng.integers(0, 1400)))
    run = []
    for _ in range(int(rng.integers(2, 7))):
        run.append(Lot(product, batch, expiry))
        batch = _next(batch)
        expiry += timedelta(days=int(rng.integers(0, 4)))
    return run


def _batch(pattern: str, rng: np.random.Generator) -> str:
    return "".join(
        str(rng.choice(list(LETTERS)))
        if place and c == "A"
        else ("ABCHKLMPT"[int(rng.integers(0, 9))] if c == "A" else c)
        if c != "9"
        else str(int(rng.integers(0, 10)))
        for place, c in enumerate(pattern)
    )


def _next(batch: str) -> str:
    """The batch after it: its last run of digits counted up, never longer."""
    end = max(place for place, c in enumerate(batch) if c.isdigit()) + 1
    start = end
    while start and batch[start - 1].isdigit():
        start -= 1
    digits = batch[start:end]
    following = (int(digits) + 1) % 10 ** len(digits)
    return batch[:start] + str(following).zfill(len(digits)) + batch[end:]


def _one_apart(a: str, b: str) -> bool:
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1
