"""What is read again because something changed is what a reading of everything would have said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from contracts.shelf import Snapshot
from contracts.stock import BatchKey, HoldKind
from erp_link.adapters import database
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.adapters.merge_tables import offline_cell
from erp_link.domain.books.book import Book
from erp_link.domain.books.steps import Steps, perform
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.places import PlaceKind
from erp_link.domain.products import Product
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.shelf.lists import ListKind
from erp_link.service import holding
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.proof.core_book import CoreBook, SetClock
from erp_link.service.shelf.gathering import Reading, gather, gather_again
from erp_link.service.shelf.lists import ShelfLists
from erp_link.service.shelf.news import News, mark, news
from tests.erp_link.merge.logs import Phone
from tests.erp_link.shelf.conftest import OTHER, SHELF, SITE, House
from tests.erp_link.story import JUICE, WATER, delivery

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
STEPS = int(os.environ.get("TALLYMAN_SHELF_STEPS", "120"))
SEEDS = int(os.environ.get("TALLYMAN_SHELF_SEEDS", "2"))
"""A campaign sets more of both."""
GTINS = (WATER.gtin, JUICE.gtin, "04006381333931")
KINDS = {
    ListKind.PRICES: "gtin,price,currency\n{gtin},{n}.50,CNY\n",
    ListKind.CODES: "gtin,code,units\n{gtin},{gtin},{n}\n",
    ListKind.PLANOGRAM: "place,gtin\nSTAGING,{gtin}\n",
    ListKind.PLACES: "place,name\nSTAGING,Door {n}\n",
    ListKind.CONTACTS: "supplier,name\nACME,Acme {n}\n",
}


def again(core: Core, before: Reading) -> tuple[News, Reading, Reading]:
    """What is new, what was read of it, and a reading of everything at the same moment."""
    with database.snapshot(core.engine) as connection:
        new = news(connection, before.mark)
        read = gather_again(connection, SITE, before, new, at=BEGAN)
        return new, read, gather(connection, SITE, at=BEGAN)


def read(core: Core) -> Reading:
    with database.snapshot(core.engine) as connection:
        return gather(connection, SITE, at=BEGAN)


class Around:
    """What happens beside the books' own steps: master data, lists, deliveries, a phone's log."""

    def __init__(self, core: Core, rng: Random) -> None:
        self.core, self.rng, self.phone = core, rng, Phone("phone-1")
        self.logs = OfflineLogs(core)
        self.logs.enrol("phone-1", self.phone.public_key, roles=["operator"], by="Mei")
        self.acts: tuple[Callable[[], object], ...] = (
            self.describes,
            self.imports,
            self.announces,
            self.counts,
            self.plans,
        )

    def __call__(self) -> None:
        self.rng.choice(self.acts)()

    def describes(self) -> None:
        days = self.rng.randrange(2, 40)
        policy = ExpiryPolicy(3 * days, 2 * days, days)
        Products(self.core).describe(
            Product(self.rng.choice(GTINS), f"Goods {days}", expiry=policy), by="ops"
        )

    def imports(self) -> None:
        kind = self.rng.choice(tuple(KINDS))
        text = KINDS[kind].format(gtin=self.rng.choice(GTINS), n=self.rng.randrange(1, 9))
        ShelfLists(self.core).take_file(kind, text.encode(), name="l.csv", by="ops")

    def announces(self) -> None:
        self.core.import_asn(delivery(f"DESP-{self.rng.random()}"), by="ops")

    def counts(self) -> None:
        entries = len(self.phone.entries)
        self.phone.is_told({}, read(self.core).snapshot.version)
        self.phone.counts(WATER, self.rng.randrange(9), of=self.rng.randrange(9))
        self.logs.upload(self.phone.entries[entries:], by="Mei")

    def plans(self) -> None:
        days = self.rng.randrange(1, 9)
        Reorder(self.core).set_policy(WATER.gtin, ReorderPolicy(lead_days=days), by="ops")


@pytest.mark.timeout(60 + SEEDS * STEPS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_read_again_in_parts_it_is_what_it_is_read_as_a_whole(database_url: str, seed: int) -> None:
    clock, rng = SetClock(BEGAN), Random(f"shelf/{seed}")  # noqa: S311 -- repeatable, not secret
    core = Core(database_url, clock=clock)
    told, book, steps = CoreBook(core, clock), Book(BEGAN.date()), Steps(rng)
    around, parts = Around(core, rng), 0
    kept = read(core)
    for number in range(STEPS):
        step = steps.draw(book)
        perform(book, step)
        perform(told, step)
        if rng.random() < 0.3:
            around()
        if rng.random() < 0.3:
            continue
        new, kept, whole = again(core, kept)
        parts += bool(new.products is not None and new.anything)
        assert told_apart(kept.snapshot, whole.snapshot) == [], (number, step, new)
        assert list(kept.products) == list(whole.products)
    core.close()
    assert parts > STEPS // 4, "most of what happens is told of some products alone"


def told_apart(one: Snapshot, other: Snapshot) -> list[str]:
    """The fields in which they differ: shorter to read than two snapshots."""
    return [name for name in Snapshot.__slots__ if getattr(one, name) != getattr(other, name)]


def test_of_what_happens_to_one_product_the_others_are_not_read_again(house: House) -> None:
    before = house.reading()
    house.core.reserve("SO-1", WATER, 4, by="op")
    new, reading, whole = again(house.core, before)
    assert new.products == {WATER.gtin}
    assert reading.products[JUICE.gtin] is before.products[JUICE.gtin]
    assert reading.snapshot == whole.snapshot


@pytest.mark.parametrize(
    ("kind", "where", "products"),
    [
        (HoldKind.BATCH, {"batch": WATER}, {WATER.gtin}),
        (HoldKind.LOCATION, {"location": OTHER}, {JUICE.gtin}),
        (HoldKind.SUPPLIER, {"supplier": "ACME"}, {WATER.gtin, JUICE.gtin}),
    ],
)
def test_a_hold_is_told_of_what_it_covers_and_so_is_its_end(
    house: House, kind: HoldKind, where: dict[str, str], products: set[str]
) -> None:
    house.core.receive(BatchKey("", WATER.gtin, WATER.lot), 2, location=SHELF, by="op")
    # What is blocked already is not blocked again: only the hold itself says what it covers.
    for place in (SHELF, OTHER):
        house.holds(HoldKind.LOCATION, "leak", location=place)
    before = house.reading()
    hold = house.holds(kind, "recall", **where)
    new, held, whole = again(house.core, before)
    assert (new.products, held.snapshot) == (products, whole.snapshot)
    house.core.write(lambda work: holding.lift(work, hold, reason="looked at"), by="mara")
    new, lifted, whole = again(house.core, held)
    assert (new.products, lifted.snapshot) == (products, whole.snapshot)


RAISED = {
    "cartons": [], "code": "held_by_hand", "params": {}, "raised_by": "m", "raised_at": BEGAN,
    "at_risk": [],
}  # fmt: skip
OWED = {"batch_id": 1, "location": SHELF, "owed": 2, "unconfirmed": 0}


@pytest.mark.parametrize(
    ("written", "products"),
    [
        (update(t.batch).where(t.batch.c.id == 1).values(expiry=date(2028, 1, 1)), {WATER.gtin}),
        (
            insert(offline_cell).values(**OWED, count_taken=0, count_added=0),
            {WATER.gtin},
        ),
        (update(t.stock).where(t.stock.c.batch_id == 1).values(quantity=3), {WATER.gtin}),
        (delete(t.stock).where(t.stock.c.batch_id == 1), {WATER.gtin}),
        (update(product).values(base_unit="case"), {JUICE.gtin}),
        (delete(product), {JUICE.gtin}),
        (update(t.asn_line).values(sku="W-1"), None),
        (
            insert(t.hold).values(**RAISED, hold_id="H", kind="supplier", supplier="ACME"),
            {WATER.gtin, JUICE.gtin},
        ),
        (insert(t.hold).values(**RAISED, hold_id="H", kind="batch", batch_id=2), {JUICE.gtin}),
        (
            insert(t.hold).values(**RAISED, hold_id="H", kind="location", location=OTHER),
            {JUICE.gtin},
        ),
        (insert(t.location).values(code="Z-1", kind=PlaceKind.SLOT.value), set()),
    ],
)
def test_a_row_that_is_written_by_itself_names_its_product(
    house: House, written: Any, products: set[str] | None
) -> None:
    """Whoever writes it, and whatever else they write with it."""
    house.core.import_asn(delivery(juice=0), by="ops")
    Products(house.core).describe(Product(JUICE.gtin, "Juice"), by="ops")
    before = house.reading()
    with house.core.engine.begin() as connection:
        connection.execute(written)
    new, reading, whole = again(house.core, before)
    assert new.products == products
    assert reading.snapshot == whole.snapshot
    assert reading.snapshot != replace(before.snapshot, at_us=reading.snapshot.at_us)


def test_a_list_may_say_something_of_every_product(house: House) -> None:
    before = house.reading()
    text = KINDS[ListKind.PLACES].format(n=1).encode()
    house.lists.take_file(ListKind.PLACES, text, name="p.csv", by="ops")
    new, reading, whole = again(house.core, before)
    assert (new.products, reading.snapshot) == (None, whole.snapshot)


def test_what_phones_do_not_carry_is_looked_through_once(house: House) -> None:
    before = house.core.read(mark)
    for days in range(1, 4):
        Reorder(house.core).set_policy(WATER.gtin, ReorderPolicy(lead_days=days), by="ops")
    new = house.core.read(lambda c: news(c, before))
    assert not new.anything
    assert new.mark.record > before.record
    assert new.mark == house.core.read(mark), "the next look begins behind it"


# SQLite has one writer: numbers are given in the order of commits.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("between", [1, 1200])
def test_what_was_committed_late_with_a_lower_number_is_seen(house: House, between: int) -> None:
    with house.core.engine.connect() as slow:
        slow.execute(insert(t.hold).values(**RAISED, hold_id="LATE", kind="batch", batch_id=1))
        with house.core.engine.begin() as others:
            places = [{"code": f"Z-{n}", "kind": PlaceKind.SLOT.value} for n in range(between)]
            others.execute(insert(t.location), places)
        before = house.reading()
        still, *_ = again(house.core, before)
        assert not still.anything, "what is not committed is no news"
        slow.commit()
    new, reading, whole = again(house.core, replace(before, mark=still.mark))
    assert (new.anything, new.products) == (True, None)
    assert reading.snapshot == whole.snapshot
    told = next(each for each in reading.snapshot.products if each.gtin == WATER.gtin)
    assert told.batches[0].holds == ("LATE",)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_was_given_up_is_no_news(house: House) -> None:
    with house.core.engine.connect() as slow:
        slow.execute(insert(t.location).values(code="Z-1", kind=PlaceKind.SLOT.value))
        house.core.receive(WATER, 1, location=SHELF, by="op")
        before = house.reading()
        assert before.mark.unended
        slow.rollback()
    new, *_ = again(house.core, before)
    assert (new.anything, new.mark.unended) == (False, frozenset())


def test_a_new_day_is_no_news_of_any_product(house: House) -> None:
    before = house.reading()
    with database.snapshot(house.core.engine) as connection:
        new = News(before.mark, anything=False, products=frozenset())
        tomorrow = gather_again(
            connection, SITE, before, new, at=datetime(2026, 12, 24, 4, tzinfo=UTC)
        )
    assert date.fromisoformat(tomorrow.snapshot.today) == date(2026, 12, 24)
    assert all(tomorrow.products[gtin] is each for gtin, each in before.products.items())
    assert replace(before, mark=new.mark).snapshot is before.snapshot
