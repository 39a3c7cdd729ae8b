"""What the hub does by itself is done item by item: one that fails keeps no other from its turn."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update

from contracts.clock import FixedClock
from contracts.errors import UnavailableError
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import product
from erp_link.domain.expiry import Stage
from erp_link.domain.orders import NewLine, NewOrder
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.goods.shelf import Shelf
from erp_link.service.orders.desk import Orders
from erp_link.service.sweeping import Sweep, SweepStuckError
from tests.erp_link.story import JUICE, WATER


def test_the_others_are_done_and_the_failed_one_is_named() -> None:
    sweep: Sweep[int] = Sweep()
    sweep.over(["1", "two", "3"], int)
    with pytest.raises(SweepStuckError) as stuck:
        sweep.finish()
    assert stuck.value.done == [1, 3]
    assert list(stuck.value.stuck) == ["two"]


def test_a_database_that_is_away_ends_the_sweep() -> None:
    def away(_item: str) -> None:
        raise UnavailableError("gone")

    with pytest.raises(UnavailableError):
        Sweep[None]().over(["a", "b"], away)


def test_a_batch_that_cannot_be_frozen_stops_no_other(core: Core, clock: FixedClock) -> None:
    other = BatchKey("ACME", WATER.gtin, "OTHER")
    day = date(2027, 3, 1)
    for number, batch in enumerate((WATER, other), start=1):
        core.receive(batch, 5, location=f"A-01-{number}", by="op", expiry=day)
    clock.at = clock.at.replace(year=2027, month=2, day=16) + timedelta(hours=1)
    # A hold that nobody can have made: its number is the one that the sweep would give.
    core.write(
        lambda work: work.connection.execute(
            insert(t.hold).values(
                hold_id="H-freeze-1-20270301",
                kind="supplier",
                supplier="NOBODY",
                location="",
                cartons=[],
                at_risk=[],
                quantity=0,
                code="defect_seen",
                params={},
                raised_by="?",
                raised_at=work.now,
            )
        ),
        by="?",
    )
    with pytest.raises(SweepStuckError) as stuck:
        Shelf(core).sweep(by="hub")
    assert stuck.value.done == [(other, Stage.FREEZE)]
    assert list(stuck.value.stuck) == ["1"]


def test_an_order_that_cannot_be_planned_stops_no_other(core: Core) -> None:
    orders = Orders(core)
    Products(core).describe(Product(JUICE.gtin), by="lead")
    for name, batch in (("SO-1", JUICE), ("SO-2", WATER)):
        orders.place(NewOrder(name, (NewLine(batch.gtin, 3),)), by="erp")
        core.receive(batch, 10, location=f"A-01-{name[-1]}", by="op")
    broken = update(product).where(product.c.gtin == JUICE.gtin).values(rotation="by colour")
    core.write(lambda work: work.connection.execute(broken), by="?")
    with pytest.raises(SweepStuckError) as stuck:
        orders.serve_short()
    assert [each.order for each in stuck.value.done] == ["SO-2"]
